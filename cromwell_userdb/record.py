"""Small facts on disk: written whole or not at all, private, and who a process was."""

from __future__ import annotations

import contextlib
import json
import os
import socket
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any


def write_private(
    path: Path, text: str | bytes, *, mode: int = 0o600, durable: bool = True
) -> None:
    """Write beside and move into place: whoever reads meets the old text or the new.

    If `durable`, the text is on the disk when this returns.
    """
    data = text.encode() if isinstance(text, str) else text
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    fd = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, mode)
    try:
        os.fchmod(fd, mode)
        view = memoryview(data)
        while view:
            view = view[os.write(fd, view) :]
        if durable:
            os.fsync(fd)
        beside.replace(path)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise
    finally:
        os.close(fd)


@contextlib.contextmanager
def appending(path: Path) -> Iterator[int]:
    """A descriptor for more of a private file."""
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    try:
        yield fd
    finally:
        os.close(fd)


def write_json(path: Path, value: Any) -> None:
    """`write_private`, of `value` as JSON with sorted keys left alone."""
    write_private(path, json.dumps(value, indent=1, default=str) + "\n")


def read_json(path: Path) -> Any | None:
    """What `write_json` wrote, or None where there is nothing readable."""
    try:
        return json.loads(path.read_bytes())
    except (FileNotFoundError, NotADirectoryError, ValueError):
        return None


def read_text(path: Path) -> str:
    """What a file says, "" where it is not there or can't be read."""
    try:
        return path.read_text(errors="replace")
    except OSError:
        return ""


def make_private(path: Path) -> Path:
    """Make the directory `path`, 0700 whatever the umask; parents too, where missing."""
    missing = [part for part in (path, *path.parents) if not part.exists()]
    for part in reversed(missing):
        with contextlib.suppress(FileExistsError):
            part.mkdir(0o700)
            part.chmod(0o700)
    return path


def own_cache(name: str) -> Path | None:
    """The folder `name` in the user's cache, None where others might write: for what is run."""
    try:
        cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
        folder = make_private(cache / "cromwell-userdb" / name)
        facts = folder.stat()
    except (OSError, RuntimeError):
        return None
    mine = facts.st_uid == os.geteuid() and not facts.st_mode & 0o022
    return folder if mine and os.access(folder, os.W_OK) else None


def boot_id() -> str:
    """This boot of this machine; two containers of one machine share it."""
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()


@dataclass(frozen=True)
class Identity:
    """A process, named so exactly that a recycled pid or a rebooted host is not it.

    `ticks` is the start time in /proc/PID/stat (field 22), in clock ticks since boot.
    """

    host: str
    boot: str
    pid: int
    ticks: int

    @classmethod
    def of(cls, pid: int) -> Identity:
        """Raises ProcessLookupError when `pid` is gone or a zombie."""
        ticks = _start_ticks(pid)
        if ticks is None:
            raise ProcessLookupError(pid)
        return cls(socket.gethostname(), boot_id(), pid, ticks)

    @property
    def is_here(self) -> bool:
        """Whether this host, in this or an earlier boot, is the one that is meant."""
        return self.host == socket.gethostname()

    @property
    def is_alive(self) -> bool | None:
        """None where nobody can tell from here: another host is never called dead."""
        if not self.is_here:
            return None
        return self.boot == boot_id() and _start_ticks(self.pid) == self.ticks

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_dict(cls, facts: dict[str, Any]) -> Identity:
        """Raises KeyError, TypeError or ValueError for what is no identity."""
        return cls(str(facts["host"]), str(facts["boot"]), int(facts["pid"]), int(facts["ticks"]))


def _start_ticks(pid: int) -> int | None:
    """None for a process that is gone, and for a zombie: a zombie is dead."""
    try:
        # The name in parentheses may hold spaces and parentheses of its own.
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return None if fields[0] in "ZX" else int(fields[19])
