"""Who is connected to a Unix socket, told by the kernel without asking the server."""

from __future__ import annotations

from pathlib import Path

_LISTENING, _CONNECTED = "01", "03"


def connections(path: Path) -> int:
    """How many connections the server at `path` holds; only on the host where it listens."""
    return states(_table(), path).count(_CONNECTED)


def listens(path: Path) -> bool:
    """Whether a server listens at `path`: a socket file alone says nothing."""
    return _LISTENING in states(_table(), path)


def _table() -> str:
    return Path("/proc/net/unix").read_text(errors="replace")


def states(table: str, path: Path) -> list[str]:
    """The states of all sockets named `path`, from the text of /proc/net/unix.

    >>> states('''Num       RefCount Protocol Flags    Type St Inode Path
    ... ffff: 00000002 00000000 00010000 0001 01 16 /r/s
    ... ffff: 00000003 00000000 00000000 0001 03 17 /r/s
    ... ffff: 00000003 00000000 00000000 0001 03 18
    ... ffff: 00000003 00000000 00000000 0001 03 19 /r/s2''', Path("/r/s"))
    ['01', '03']
    """
    ending = f" {path}"
    return [line.split(None, 6)[5] for line in table.splitlines() if line.endswith(ending)]
