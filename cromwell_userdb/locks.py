"""Locks of files, which the kernel takes back from whoever dies."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
from collections.abc import Callable, Iterator
from pathlib import Path

from cromwell_userdb.errors import Held

MISSING = frozenset({errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP})
"""What a file system answers that has no locks at all."""


def take(fd: int) -> bool:
    """Lock `fd` if nobody else has; where there are no locks at all, it is anybody's."""
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        return error.errno in MISSING
    return True


def hold(path: Path) -> int | None:
    """A descriptor that has `path` locked, for children to inherit; None while others have it.

    The lock is there until the last process that inherited it has ended.
    """
    fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    if take(fd):
        return fd
    os.close(fd)
    return None


def is_held(path: Path) -> bool:
    """Whether any process has `path` locked; False where nobody can tell."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError as error:
        return error.errno not in MISSING
    finally:
        os.close(fd)
    return False


def load() -> None:
    """Load what `exclusive` is made of, which takes longer than a lock."""
    import filelock as filelock


@contextlib.contextmanager
def exclusive(
    path: Path,
    timeout: float,
    *,
    doing: str = "",
    refusal: str = "",
    mode: int = 0o600,
    pause: float = 0.02,
    waiting: Callable[[], None] = lambda: None,
) -> Iterator[bool]:
    """Only one process at a time is inside, on this host at least; raise Held after `timeout`.

    `refusal` is said then, or a sentence with what is being done; `waiting` is called once where
    others are inside. False on a file system without locks, which keeps nobody out.
    """
    from filelock import FileLock, Timeout  # 6 MB, and the supervisor takes it only to end

    lock = FileLock(path, mode=mode)
    try:
        try:
            lock.acquire(0)
        except Timeout:
            waiting()
            lock.acquire(timeout, poll_interval=pause)
    except Timeout as error:
        raise Held(
            refusal
            or f"Another command has been working on {path.parent} for {timeout:g} seconds"
            f"{f' ({doing})' if doing else ''}. Wait for it, or end it, and try again."
        ) from error
    except OSError as error:
        if error.errno not in MISSING:
            raise
    try:
        yield lock.is_locked
    finally:
        lock.release()
