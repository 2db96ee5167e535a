"""Who is connected to a Unix socket, told by the kernel without asking the server."""

from __future__ import annotations

import os
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
    named = [line.split(None, 7) for line in table.splitlines() if line.endswith(f"/{path.name}")]
    names = {str(path)}
    if str(path) not in {parts[-1] for parts in named}:
        # By another name of its folder it is the same socket, as where a home is behind a link.
        meant = os.path.realpath(path)
        others = {parts[-1] for parts in named if parts[-1].startswith("/")}
        names = {name for name in others if os.path.realpath(name) == meant}
    return [parts[5] for parts in named if parts[-1] in names]
