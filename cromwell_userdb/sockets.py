"""Who is connected to a Unix socket, told by the kernel without asking the server."""

from __future__ import annotations

from pathlib import Path

_CONNECTED = "03"


def connections(path: Path) -> int:
    """How many connections the server at `path` holds; only on the host where it listens."""
    return count(Path("/proc/net/unix").read_text(errors="replace"), path)


def count(table: str, path: Path) -> int:
    """The same, from the text of /proc/net/unix.

    >>> count('''Num       RefCount Protocol Flags    Type St Inode Path
    ... ffff: 00000002 00000000 00010000 0001 01 16 /r/s
    ... ffff: 00000003 00000000 00000000 0001 03 17 /r/s
    ... ffff: 00000003 00000000 00000000 0001 03 18
    ... ffff: 00000003 00000000 00000000 0001 03 19 /r/s2''', Path("/r/s"))
    1
    """
    ending = f" {path}"
    return sum(
        line.endswith(ending) and line.split(None, 6)[5] == _CONNECTED
        for line in table.splitlines()
    )
