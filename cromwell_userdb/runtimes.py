"""Programs that run images: which one is here, how it pulls, and what its words mean."""

from __future__ import annotations

import functools
import os
import re
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from cromwell_userdb import process
from cromwell_userdb.errors import CommandFailed, NoSpace, NotFound, UserDBError
from cromwell_userdb.reference import Reference

KINDS = ("apptainer", "singularity", "podman", "docker")
"""In the order in which they are looked for."""

TRIAL_SECONDS = 10.0
"""Seconds in which a program has to show that it works."""

_SIGN = re.compile(
    r"^(?:.* ended with status \d+: )?(?:FATAL|ERROR|Error(?: response from daemon)?):\s*"
)
"""What comes before a program's last words."""

_FULL = ("no space left on device", "disk quota exceeded")


@dataclass(frozen=True)
class Runtime:
    """A program that runs images."""

    kind: str
    program: Path

    @property
    def takes_files(self) -> bool:
        """Whether an image is a file for it, which we keep; the others keep images themselves."""
        return self.kind in ("apptainer", "singularity")


def find(
    kind: str, program: str = "", *, path: str | None = None, tried: bool = False
) -> Runtime | None:
    """The runtime that the settings mean, None where they want none; `tried` if it has to work.

    Raises NotFound where there is none on this machine.
    """
    if kind == "none":
        return None
    kinds = KINDS if kind == "auto" else (kind,)
    looked = f"looked for {', '.join(kinds)} on PATH"
    known = _on_path(kinds, path)
    if program:
        looked, known = "as container.program says", [_named(kind, Path(program).expanduser())]
    for runtime in known:
        reason = _fault(runtime) if tried else ""
        if not reason:
            return runtime
        looked += f"; {runtime.program} is there, but {reason}"
    raise NotFound(
        f"There is nothing here to run containers with ({looked}): load a module, name one with "
        "container.program, or set container.runtime to none to run such tasks without their "
        "images."
    )


def _on_path(kinds: Iterable[str], path: str | None) -> list[Runtime]:
    found = [(name, shutil.which(name, path=path)) for name in kinds]
    return [Runtime(name, Path(place).absolute()) for name, place in found if place]


@functools.cache
def _fault(runtime: Runtime) -> str:
    """Why the program can do nothing for us, such as a docker without its daemon; "" if it can."""
    if runtime.takes_files:
        return ""
    try:
        process.run([runtime.program, "ps", "-q"], timeout=TRIAL_SECONDS)
    except CommandFailed as error:
        told, _, words = str(error).removeprefix(f"{runtime.program} ").partition(": ")
        last = (words.splitlines() or [""])[-1].removeprefix("Error: ")
        return (f"says: {last}" if last else told).rstrip(".")
    return ""


def _named(kind: str, program: Path) -> Runtime:
    """A program by its path, which tells what it is unless the settings do."""
    if not os.access(program, os.X_OK) or program.is_dir():
        raise NotFound(f"container.program: there is no program {program} here.")
    if kind != "auto":
        return Runtime(kind, program)
    known = [name for name in KINDS if name in program.name] or [
        name for name in KINDS if name in program.resolve().name
    ]
    if not known:
        raise NotFound(
            f"container.program names {program}: say with container.runtime which of "
            f"{', '.join(KINDS)} it is."
        )
    return Runtime(known[0], program)


def pull_argv(runtime: Runtime, wanted: Reference, file: Path, *, login: Path | None) -> list[str]:
    """The pull of an image into `file`; `login` is a file with the login to use."""
    given = [f"--authfile={login}"] if login else []
    return [str(runtime.program), "pull", *given, str(file), f"docker://{_precise(wanted)}"]


def _precise(wanted: Reference) -> str:
    """By digest alone where there is one: no program takes a tag and a digest."""
    version = f"@{wanted.digest}" if wanted.digest else f":{wanted.tag}"
    return wanted.full_name + version


def own_pull_argv(runtime: Runtime, wanted: Reference) -> list[str]:
    """The pull of a program that keeps images itself."""
    return [str(runtime.program), "pull", _precise(wanted)]


def own_images(runtime: Runtime) -> list[tuple[str, str, str]]:
    """Repository, tag and digest of what such a program keeps; raises CommandFailed."""
    form = "{{.Repository}}\t{{.Tag}}\t{{.Digest}}"
    text = process.run([runtime.program, "images", "--digests", "--format", form])
    rows = (line.split("\t") for line in text.splitlines())
    return [
        (row[0], row[2] if row[1] == "<none>" else row[1], row[2])
        for row in rows
        if len(row) == 3 and row[0] != "<none>" and row[2].startswith("sha256:")
    ]


def takes_logins(runtime: Runtime) -> bool:
    """Whether its pull can be told a login by a file, as newer ones can."""
    try:
        return "--authfile" in process.run([runtime.program, "pull", "--help"])
    except CommandFailed:
        return False


def pull_environment(
    runtime: Runtime, environ: Mapping[str, str], *, scratch: Path, plain: bool
) -> dict[str, str]:
    """The environment of a pull: what it unpacks lies in `scratch`, unless the user says where.

    Without a cache folder of the user's choice nothing is kept but the image: a second copy of
    it would fill the home.
    """
    name = runtime.kind.upper()
    own = dict(environ)
    own.setdefault(f"{name}_TMPDIR", str(scratch))
    if f"{name}_CACHEDIR" not in own:
        own[f"{name}_DISABLE_CACHE"] = "true"
    if plain:
        own |= {f"{name}_NOHTTPS": "true", f"{name}_NO_HTTPS": "true"}
    return own


def phase(line: str) -> str:
    """What a line of a pull tells of where it is, "" where it tells nothing.

    >>> phase("INFO:    Creating SIF file...")
    'creating SIF file'
    """
    words = re.sub(r"^INFO:\s*", "", _bare(line)).rstrip(". ")
    return words[:1].lower() + words[1:]


def explained(wanted: str, words: str, *, folder: Path) -> UserDBError:
    """The sentence for a pull that failed with these words."""
    if any(sign in words.lower() for sign in _FULL):
        return NoSpace(
            f"There is no room for {wanted}: {folder} is full, or the folder for temporary files."
        )
    lines = [line for line in map(_bare, words.splitlines()) if line]
    signed = [line for line in lines if _SIGN.match(line)]
    last = _SIGN.sub("", (signed or lines or ["it gave no reason"])[-1])
    return CommandFailed(f"{wanted} could not be pulled: {last}")


def _bare(line: str) -> str:
    """Without the colours of a terminal."""
    return re.sub(r"\x1b\[[0-9;]*m", "", line).strip()
