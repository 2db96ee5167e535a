"""The private folder that an instance's workflows run in."""

from __future__ import annotations

import errno
import os
from pathlib import Path

from cromwell_userdb.cli.place import Place, absolute
from cromwell_userdb.disk import check_stays, os_user
from cromwell_userdb.errors import NotPrivate, UsageError
from cromwell_userdb.instance import check_place
from cromwell_userdb.record import make_private


def below(folder: str, name: str) -> Path:
    """The folder of our own making below the place that was given."""
    return check_place(absolute(folder)) / f"cromwell-userdb-{os_user()}-{name}"


def made(where: Place) -> Path:
    """The private folder that workflows run in, made where it is missing.

    Cromwell opens its own folders to others, so privacy comes from this one: owner and mode
    are looked at each time, and anything but ours and 0700 is refused.
    """
    folder = place(where)
    check_stays(folder, "--executions")
    try:
        make_private(folder)
        facts = folder.lstat()
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise
        raise UsageError(
            f"Workflows can't run in {folder}: {str(error.strerror).lower()}. Choose another "
            f"place: cromwell-userdb init{where.option} --executions DIR"
        ) from error
    if facts.st_uid != os.getuid() or facts.st_mode & 0o077:
        raise NotPrivate(
            f"{folder} has to be yours alone, as Cromwell opens what it makes in it: "
            f"chmod 700 {folder}, or choose another place with --executions."
        )
    return folder


def place(where: Place) -> Path:
    """Where `made` is, or will be."""
    chosen = where.settings.run_executions
    if chosen:
        return below(chosen, where.name)
    return where.instance.root / "executions"
