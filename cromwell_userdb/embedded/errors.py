"""What a user's workflow can raise while it runs, and its words."""

from __future__ import annotations

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
    """An error in one line, with its place in the document where it has one."""
    where = getattr(error, "pos", None)
    words = (str(error).splitlines() or [type(error).__name__])[0]
    if isinstance(error, OSError) and error.filename:
        words = f"{error.filename}: {error.strerror}"
    return f"{Path(where.abspath).name}:{where.line}:{where.column}: {words}" if where else words
