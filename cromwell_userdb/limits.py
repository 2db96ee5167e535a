"""What a process and all that it starts keep to on a machine that many people share."""

from __future__ import annotations

import contextlib
import os

from cromwell_userdb import process
from cromwell_userdb.errors import CommandFailed

_TURNS = {"low": ["-c", "2", "-n", "7"], "idle": ["-c", "3"]}


def keep_to(*, nice: int, io: str, cores: int) -> None:
    """Be no more than this from now on; what is less already stays as it is.

    `io` is normal, low or idle. Which of the machine's cores they are depends on the user, so
    that not everybody's processes meet on the first ones.
    """
    os.nice(max(0, nice - os.nice(0)))
    if io in _TURNS:
        with contextlib.suppress(CommandFailed):  # a kernel or machine without: no harm done
            process.run(["ionice", *_TURNS[io], "-p", str(os.getpid())], timeout=10)
    mine = sorted(os.sched_getaffinity(0))
    if 0 < cores < len(mine):
        os.sched_setaffinity(0, share(mine, cores, os.getuid()))


def share(mine: list[int], cores: int, user: int) -> set[int]:
    """A user's cores among `mine`, one beside the other.

    >>> sorted(share([0, 1, 2, 3, 4], 2, 1002))
    [0, 4]
    """
    first = user * cores
    return {mine[(first + step) % len(mine)] for step in range(cores)}
