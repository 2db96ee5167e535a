"""Which database server this machine has: its path, flavour and version."""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from cromwell_userdb import process
from cromwell_userdb.errors import CommandFailed, NotFound
from cromwell_userdb.record import read_json, write_json

Flavour = Literal["mariadb", "mysql"]

OLDEST: dict[Flavour, tuple[int, ...]] = {"mariadb": (10, 5), "mysql": (8, 0)}
TITLE: dict[Flavour, str] = {"mariadb": "MariaDB", "mysql": "MySQL"}

# MariaDB's own name first: where both are there, "mysqld" may be either.
_NAMES = ("mariadbd", "mysqld")
_FIXED = ("/usr/sbin", "/usr/bin", "/usr/libexec", "/usr/local/sbin", "/usr/local/bin")
_FIXED_TOO = ("/usr/local/libexec", "/usr/local/mysql/bin", "/usr/local/mariadb/bin")


@dataclass(frozen=True)
class Server:
    """A server program; `text` is its version as it writes it."""

    path: Path
    flavour: Flavour
    version: tuple[int, ...]
    text: str

    @property
    def title(self) -> str:
        """As people call it: "MariaDB 10.11.19"."""
        return f"{TITLE[self.flavour]} {self.number}"

    @property
    def number(self) -> str:
        return ".".join(map(str, self.version))

    @property
    def is_usable(self) -> bool:
        return self.version >= OLDEST[self.flavour]


def parse_version(banner: str) -> tuple[Flavour, tuple[int, ...], str]:
    """Read the one line that ``mariadbd --version`` prints.

    >>> parse_version("mysqld  Ver 10.5.23-MariaDB-0+deb11u1 for debian-linux-gnu on x86_64")
    ('mariadb', (10, 5, 23), '10.5.23-MariaDB-0+deb11u1')
    >>> parse_version("/usr/sbin/mysqld  Ver 8.0.36 for Linux on x86_64 (MySQL Community Server)")
    ('mysql', (8, 0, 36), '8.0.36')
    """
    found = re.search(r"\bVer ((\d+(?:\.\d+)+)\S*)", banner)
    if not found:
        raise NotFound(f"it calls itself {banner.strip()!r}, not MariaDB or MySQL.")
    number = tuple(int(part) for part in found[2].split("."))
    return ("mariadb" if "MariaDB" in banner else "mysql"), number, found[1]


def usual_places(path: str, *, cache: Path | None = None) -> list[Path]:
    """The folders of `path` (as in $PATH), those seldom on it, then what `init` installed."""
    named = [Path(part) for part in path.split(os.pathsep) if part]
    opt = sorted(Path("/opt").glob("*/bin")) + sorted(Path("/opt").glob("*/sbin"))
    own = [cache / "server" / "bin"] if cache else []
    places = [*named, *map(Path, _FIXED + _FIXED_TOO), *opt, *own]
    return list(dict.fromkeys(places))


def inspect(path: Path, *, book: Path | None = None) -> Server:
    """Ask the program at `path` what it is; raise NotFound when it is no server.

    What it said is looked up in the file `book` as long as it is the same program.
    """
    try:
        banner = _noted(path, book) or _asked(path, book)
        return Server(path, *parse_version(banner))
    except (CommandFailed, NotFound) as error:
        raise NotFound(f"{path} is no server that runs here: {error}") from error


def _asked(path: Path, book: Path | None) -> str:
    banner = process.run([path, "--no-defaults", "--version"], timeout=30)
    if book and (looks := _looks(path)):
        with contextlib.suppress(OSError):  # a full disk costs us the memory, not the start
            write_json(book, _read(book) | {str(path): [looks, banner]})
    return banner


def _noted(path: Path, book: Path | None) -> str:
    looks, banner = (_read(book) if book else {}).get(str(path), ("", ""))
    return str(banner) if looks and looks == _looks(path) else ""


def _read(book: Path) -> dict[str, Any]:
    found = read_json(book)
    return found if isinstance(found, dict) else {}


def _looks(path: Path) -> str:
    """What changes whenever a program does; "" for a script, behind which anything may be."""
    with contextlib.suppress(OSError), path.open("rb") as file:
        facts = os.fstat(file.fileno())
        if file.read(4) == b"\x7fELF":
            return f"{facts.st_ino} {facts.st_size} {facts.st_mtime_ns} {facts.st_ctime_ns}"
    return ""


def find_server(
    explicit: Path | None = None,
    search: Sequence[Path] | None = None,
    *,
    book: Path | None = None,
) -> Server:
    """The server to use: `explicit`, or the first good one in `search`, MariaDB before MySQL.

    `search` is $PATH and the usual places when it is not given; `book` as in `inspect`.
    """
    if explicit is not None:
        return _accept(inspect(_named(explicit), book=book))
    places = usual_places(os.environ.get("PATH", "")) if search is None else search
    unusable = []
    for server in _inspect_all(_candidates(places), book):
        if isinstance(server, Server) and server.is_usable:
            return server
        unusable.append(server)
    for server in unusable:
        if isinstance(server, Server):
            return _accept(server)
    raise NotFound(
        "No MariaDB or MySQL server on this machine (looked for mariadbd, mysqld on PATH, in"
        " /usr/sbin, /usr/libexec, /usr/local, /opt). Load its module, name one with --server, or"
        " let init --install put one in your cache."
    )


def companion(server: Server, *names: str) -> Path | None:
    """Another program of the same installation, by the first of its names that is there."""
    prefix = server.path.resolve().parent.parent
    for name in names:
        for folder in (server.path.parent, prefix / "bin", prefix / "scripts"):
            if os.access(folder / name, os.X_OK):
                return folder / name
    return None


def _named(path: Path) -> Path:
    """`path`, or the server below it where it is a folder or an installation's prefix."""
    if not path.is_dir():
        return path.absolute()
    below = (path, path / "bin", path / "sbin", path / "libexec")
    for found in _candidates(below):
        return found
    raise NotFound(f"No mariadbd or mysqld in {path}, its bin, sbin or libexec.")


def _candidates(places: Iterable[Path]) -> list[Path]:
    folders = list(places)
    found = []
    for name in _NAMES:
        for folder in folders:
            path = folder / name
            if path.is_file() and os.access(path, os.X_OK):
                found.append(path)
    seen: dict[Path, Path] = {}
    for path in found:
        seen.setdefault(path.resolve(), path)
    return list(seen.values())


def _inspect_all(paths: Iterable[Path], book: Path | None) -> Iterable[Server | NotFound]:
    for path in paths:
        try:
            yield inspect(path, book=book)
        except NotFound as error:
            yield error


def _accept(server: Server) -> Server:
    if server.is_usable:
        return server
    oldest = ".".join(map(str, OLDEST[server.flavour]))
    raise NotFound(
        f"{server.path} is {server.title}; {TITLE[server.flavour]} {oldest} or newer is needed."
        " Name a newer one with --server, or let init --install put one in your cache."
    )
