"""The true state of a run, whoever led it and wherever it was."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from cromwell_userdb import cancels, runs, verdicts
from cromwell_userdb.cli import screen
from cromwell_userdb.cli.place import Place, require
from cromwell_userdb.database import Connection
from cromwell_userdb.errors import CommandFailed, NotRunning
from cromwell_userdb.instance import RunFolder
from cromwell_userdb.report.words import plural
from cromwell_userdb.runs import State


def found(where: Place, text: str) -> tuple[RunFolder, State]:
    """The run that `text` means, with its true state."""
    instance = require(where).instance
    folder = instance.run(runs.find(instance, text))
    return folder, of(where, folder)


def of(
    where: Place, folder: RunFolder, *, job_ended: Callable[[str], bool | None] | None = None
) -> State:
    """What the run's folder says, put right where its leader is proven dead.

    `job_ended` proves it for a leader that is a job; SLURM does, where nothing else is given.
    Raises NotRunning for a folder whose run never began.
    """
    state = runs.read_state(folder) or _recovered(where, folder)
    if not state.has_ended:
        ended = job_ended or _job_ended
        state = verdicts.reconcile(folder, state, lambda: _connect(where), ended)
    if state.has_ended and (left := cancels.noted(folder)):
        _finish(folder, left)
    return state


def _finish(folder: RunFolder, left: Sequence[cancels.Note]) -> None:
    """Have the jobs cancelled that SLURM did not hear of while the run was led."""
    told = f"run {folder.number} left {plural(len(left), 'job')} to be cancelled"
    try:
        count = cancels.finish(folder, left)
        screen.note(f"{told}, as SLURM gave no answer: {count} had not ended, and are cancelled.")
    except CommandFailed:
        screen.note(f"{told}: SLURM gives no answer yet, and the next command tries again.")


def _recovered(where: Place, folder: RunFolder) -> State:
    """The state of a run whose folder has none that can be read; raises NotRunning without one."""
    if not folder.engine_log.exists():
        raise NotRunning(
            f"run {folder.number} never began: its command died before. Start it again."
        )
    state = verdicts.recover(folder, lambda: _connect(where))
    if state is None:
        raise NotRunning(
            f"The state of run {folder.number} was lost ({folder.state}), and the database knows "
            "of no end. A leader that lives writes it anew within ten seconds; else start the "
            "workflow again, and what is done comes from the cache."
        )
    return state


def _connect(where: Place) -> Connection:
    # Heavy, and seldom needed.
    from cromwell_userdb.cli import session

    return session.connect(where)


def _job_ended(job: str) -> bool | None:
    from cromwell_userdb import slurm

    return slurm.job_ended(job)
