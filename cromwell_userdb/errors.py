"""Every failure a user can meet: its sentence, and the exit code it ends with.

The codes are the table of the manual (docs/errors.rst); a test compares the two.
"""

from __future__ import annotations


class UserDBError(Exception):
    """Shown as one sentence on stderr; ``exit_code`` is part of the command line's contract."""

    exit_code = 1


class UsageError(UserDBError):
    """A wrong option, argument, input or root: nothing was started."""

    exit_code = 2


class SettingError(UsageError):
    """A setting that is misspelled, of the wrong type, or not allowed in this file."""


class WdlError(UsageError):
    """A workflow that does not parse, check, or take these inputs."""


class NotPrivate(UsageError):
    """A place that belongs to somebody else, or that others can change."""


class UnknownRun(UsageError):
    """No run of this instance has the id that was given."""


class NotRunning(UserDBError):
    """A server, engine or run that should be alive is not."""

    exit_code = 3


class NotInitialised(UserDBError):
    """There is no instance at this root yet."""

    exit_code = 4


class NotFound(UserDBError):
    """No usable server, engine or java was found."""

    exit_code = 4


class DownloadFailed(NotFound):
    """What was to be fetched did not come, or is not what it should be; nothing was installed."""


class StartFailed(UserDBError):
    """A server or an engine did not start; the message quotes its own log."""

    exit_code = 5


class CommandFailed(UserDBError):
    """A program that we called ended badly; the message has its own words."""

    exit_code = 5


class DatabaseError(UserDBError):
    """The database refused, or went away in the middle."""

    exit_code = 5


class NoSpace(UserDBError):
    """The disk or the quota is full."""

    exit_code = 5


class Held(UserDBError):
    """Another command or another node holds what is needed."""

    exit_code = 6


class Aborted(UserDBError):
    """The run was aborted, and its jobs with it."""

    exit_code = 7


class Stopped(UserDBError):
    """Stopped before the end, with jobs left to themselves: can be resumed."""

    exit_code = 75
