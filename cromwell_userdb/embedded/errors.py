"""What a user's workflow can raise while it runs, and its words."""

from __future__ import annotations

import errno
from pathlib import Path

from WDL import Error

from cromwell_userdb.errors import CommandFailed, StartFailed, Stopped, UsageError


class DatabaseAway(Stopped):
    """The database did not come back in time; the run can go on when it does."""


EVALUATION = (
    Error.RuntimeError,
    ValueError,
    ArithmeticError,
    OSError,
    UsageError,
    CommandFailed,
    StartFailed,
)
"""Errors of expressions, inputs, outputs, files and hooks: they fail a call or a workflow."""


def words_of(error: BaseException) -> str:
    """An error in one line, with its place in the document where it has one.

    >>> words_of(OSError(errno.ENOSPC, "No space left on device", "/w/inputs"))
    '/w/inputs: the disk is full'
    """
    where = getattr(error, "pos", None)
    words = (str(error).splitlines() or [type(error).__name__])[0]
    if isinstance(error, OSError) and error.strerror:
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        words = "the disk is full" if full else error.strerror
        words = f"{error.filename}: {words}" if error.filename else words
    return f"{Path(where.abspath).name}:{where.line}:{where.column}: {words}" if where else words
