"""The engine: a program that takes Cromwell's ``run`` command line; find it, build its argv."""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import shutil
import sys
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cromwell_userdb import conda, releases, schema
from cromwell_userdb import java as javas
from cromwell_userdb.errors import NotFound, UsageError
from cromwell_userdb.java import Java
from cromwell_userdb.record import make_private, read_json, write_json

KINDS = ("auto", "cromwell", "embedded")
MAIN = "cromwell.CromwellApp"
OWN_JAR = Path(__file__).with_name("java") / "cromwell-userdb.jar"
"""Our socket factory: Cromwell's JDBC driver finds it on the class path."""

_VERSION_FILE = "cromwell-version.conf"
_SCRIPT_BYTES = 100_000


@dataclass(frozen=True)
class Engine:
    """A program that runs workflows; `source` says how it was found, in words.

    `archive` is where the JVM's class archive lies once it was made.
    """

    kind: str
    version: str
    source: str
    jar: Path | None = None
    sha256: str = ""
    java: Java | None = None
    archive: Path | None = None

    @property
    def name(self) -> str:
        return "embedded" if self.kind == "embedded" else f"Cromwell {self.version}"

    @property
    def maker(self) -> schema.Maker:
        """Who this engine is to the record of what made Cromwell's tables."""
        return schema.Maker(self.kind, self.version, self.sha256)


def embedded(source: str = "bundled") -> Engine:
    """Our own program over miniwdl, which writes the tables of the bundled release."""
    return Engine("embedded", schema.BUNDLED, source)


def find(
    kind: str = "auto",
    *,
    named: Path | None = None,
    java: Path | None = None,
    environ: Mapping[str, str],
    cache: Path,
) -> Engine:
    """The engine that is meant by `kind`; `named` is a jar, or an executable cromwell.

    Without a name, the environment, PATH and the cache are asked, in this order. ``auto``
    is the embedded engine where no Cromwell is.
    """
    if kind not in KINDS:
        raise UsageError(f"{kind!r} is no kind of engine: choose among {', '.join(KINDS)}.")
    if kind == "embedded":
        return embedded("asked for")
    for path, source in _candidates(named, environ, cache):
        return cromwell(jar_of(path, environ), source, java=java, environ=environ, cache=cache)
    if kind == "auto":
        return embedded("no Cromwell here")
    raise NotFound(
        f"No Cromwell here (looked at CROMWELL_USERDB_CROMWELL, PATH and {cache}). Fetch one with "
        '"engine install", name its jar with --cromwell, or use --engine embedded.'
    )


def _candidates(
    named: Path | None, environ: Mapping[str, str], cache: Path
) -> Iterator[tuple[Path, str]]:
    if named:
        yield named, "named"
    if variable := environ.get("CROMWELL_USERDB_CROMWELL"):
        yield Path(variable), "CROMWELL_USERDB_CROMWELL"
    if on_path := shutil.which("cromwell", path=environ.get("PATH", os.defpath)):
        yield Path(on_path), "PATH"
    if module := environ.get("EBROOTCROMWELL"):
        yield Path(module) / "cromwell.jar", "EBROOTCROMWELL"
    for jar in reversed(releases.installed(cache).values()):
        yield jar, "cache"


def cromwell(
    jar: Path, source: str, *, java: Path | None = None, environ: Mapping[str, str], cache: Path
) -> Engine:
    """The Cromwell in `jar`, with a Java that is new enough for it."""
    facts = _facts(jar, cache)
    chosen = javas.find(java, environ=environ, cache=cache)
    return Engine(
        "cromwell",
        facts["version"],
        source,
        jar,
        facts["sha256"],
        chosen,
        javas.archive_place(cache, chosen, (jar, OWN_JAR)),
    )


def jar_of(path: Path, environ: Mapping[str, str]) -> Path:
    """The jar that `path` is, or that the script `path` starts."""
    path = path.expanduser().absolute()
    if not path.is_file():
        raise NotFound(f"There is no Cromwell at {path}: name its jar with --cromwell.")
    if not os.access(path, os.R_OK):
        raise NotFound(f"{path} can't be read by you: name another Cromwell with --cromwell.")
    if zipfile.is_zipfile(path):
        return path
    if path.suffix == ".jar":
        raise NotFound(f"{path} is no jar of Cromwell's, or a damaged one: install it again.")
    for jar in _jars_named_by(path, environ):
        if jar.is_file():
            return jar
    raise NotFound(
        f"{path} is a program whose jar can't be found, and Cromwell has to be started with a "
        "class of ours beside it: name the jar itself with --cromwell."
    )


def _jars_named_by(script: Path, environ: Mapping[str, str]) -> Iterator[Path]:
    """Where a wrapper's jar may be: as it says, else beside it, as packagers put it."""
    if module := environ.get("EBROOTCROMWELL"):
        yield Path(module) / "cromwell.jar"
    here = script.resolve().parent
    with script.open("rb") as file:
        text = file.read(_SCRIPT_BYTES).decode(errors="replace")
    for word in re.findall(r"[^\s\"'=;:]+\.jar\b", text):
        if word.startswith("/"):
            yield Path(word)
        name = Path(word).name
        yield from (here / name, here.parent / "libexec" / name)
    yield from sorted(here.glob("cromwell*.jar"))
    yield from sorted(here.parent.glob("share/cromwell*/cromwell*.jar"), reverse=True)


def _facts(jar: Path, cache: Path) -> dict[str, Any]:
    """Version and sha256 of `jar`, remembered for as long as the file is the same."""
    status = jar.stat()
    same = {"size": status.st_size, "mtime": status.st_mtime_ns}
    book = cache / "jars.json"
    known = read_json(book) or {}
    facts = known.get(str(jar)) or {}
    if facts.items() >= same.items():
        return dict(facts)
    with jar.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    facts = {**same, "version": version_in(jar), "sha256": digest}
    with contextlib.suppress(OSError):  # a full disk costs us the memory, not the run
        make_private(cache)
        write_json(book, {**known, str(jar): facts})
    return facts


def version_in(jar: Path) -> str:
    """The version that Cromwell's `jar` says it has."""
    try:
        with zipfile.ZipFile(jar) as archive:
            text = archive.read(_VERSION_FILE).decode(errors="replace")
    except (KeyError, zipfile.BadZipFile, OSError) as error:
        raise NotFound(f"{jar} is no jar of Cromwell's, or a damaged one: {error}.") from error
    return parse_version(text)


def parse_version(conf: str) -> str:
    """Read the resource that a Cromwell's build writes its version to.

    >>> parse_version('cromwell.version: "93-c805f3c-SNAP"')
    '93-c805f3c-SNAP'
    """
    found = re.search(r"version\s*[:=]\s*\"?([\w.+-]+)", conf)
    return found[1] if found else "unknown"


def install_java(
    cache: Path,
    *,
    channel: str = conda.CHANNEL,
    progress: Callable[[str], None] = lambda words: None,
) -> Java:
    """Put a Java into `cache`, where `find` looks for one; needs the extra `managed`."""
    prefix = cache / "java" / "openjdk"
    wanted = ("openjdk 21.*", "openjdk >=17")
    conda.install(prefix, wanted, cache=cache, what="Java", channel=channel, progress=progress)
    return javas.find(prefix, environ={}, cache=cache)


def argv(
    engine: Engine,
    *,
    conf: Path,
    socket: Path,
    arguments: Sequence[str | os.PathLike[str]],
    heap_mb: int = 0,
    big: bool = False,
    properties: Mapping[str, str] | None = None,
) -> list[str]:
    """The command line; `arguments` are Cromwell's own, beginning with ``run``.

    `big` is a run of many calls, for which a JVM should compile well rather than start fast.
    """
    system = {
        "config.file": str(conf),
        "cromwell.userdb.socket": str(socket),
        **(properties or {}),
    }
    defined = [f"-D{name}={value}" for name, value in system.items()]
    words = [os.fspath(argument) for argument in arguments]
    if engine.java is None or engine.jar is None:
        # -P: a folder that we happen to be in is no place to import from.
        return [sys.executable, "-P", "-m", "cromwell_userdb.embedded", *defined, *words]
    archive = engine.archive if engine.archive and javas.is_usable(engine.archive) else None
    return [
        str(engine.java.path),
        *javas.options(engine.java, heap_mb=heap_mb, big=big, archive=archive),
        f"-XX:ErrorFile={conf.parent / 'hs_err.log'}",
        "-DLOG_MODE=STANDARD",
        *defined,
        *class_path(engine.jar),
        *words,
    ]


def class_path(jar: Path) -> list[str]:
    """What of a java command line comes before Cromwell's own words."""
    return ["-cp", f"{jar}:{OWN_JAR}", MAIN]


def environment(engine: Engine, base: Mapping[str, str]) -> dict[str, str]:
    """What the engine finds in its environment: the caller's, without what would bend it."""
    kept = {name: value for name, value in base.items() if name not in _BENDING}
    package = Path(__file__).parent.parent
    if engine.kind == "embedded" and package.name not in {"site-packages", "dist-packages"}:
        # A checkout that nobody installed.
        kept["PYTHONPATH"] = os.pathsep.join(filter(None, [str(package), kept.get("PYTHONPATH")]))
    return kept


_BENDING = {
    # Cromwell reads these too, and we say them as properties.
    "LOG_MODE",
    "LOG_LEVEL",
    "FILEROLLER_DIR",
    # Would come before our class path.
    "CLASSPATH",
    # Somebody else's password has no business in a run.
    "MYSQL_PWD",
}
