"""What dead runs leave: told to the run that resumes them, and seen to in the end."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace

from cromwell_userdb import adoption, metadata, runs, slurm
from cromwell_userdb.adoption import Dead
from cromwell_userdb.cli import executions, outfit, session
from cromwell_userdb.cli import place as places
from cromwell_userdb.cli.place import Place
from cromwell_userdb.errors import UserDBError
from cromwell_userdb.instance import RunFolder
from cromwell_userdb.record import write_private
from cromwell_userdb.report.words import plural
from cromwell_userdb.runs import Request, State

ORPHANS_PATIENCE = 24 * 3600.0
"""Seconds that ``--orphans wait`` waits, after a run's own end, for jobs it had no use for."""

ABORT_PATIENCE = 60.0
"""Seconds in which SLURM is given a look at the end of jobs that were cancelled."""


def equip(where: Place, folder: RunFolder, request: Request) -> None:
    """Tell the hooks of a resumed run where to look, what not to take up, what to ask for."""
    dead = dead_runs(folder, request)
    calls: list[metadata.Call] = []
    with session.connect(where) as connection:
        for one in dead:
            if one.id:
                calls += metadata.calls(connection, one.id)
    root = executions.made(where)
    write_private(folder.hooks / "adopts", adoption.adopts_text(root, dead))
    write_private(folder.hooks / "failed", adoption.failed_text(calls))
    write_private(folder.hooks / "overrides", adoption.overrides_text(request.overrides))


def dead_runs(folder: RunFolder, request: Request) -> list[Dead]:
    """The run that this one resumes, and what that one resumed."""
    if request.resumes is None:
        return []
    return adoption.lineage(folder.sibling(request.resumes))


def tidy(where: Place, folder: RunFolder, request: Request, state: State) -> str:
    """See to the old jobs that a resumed run had no use for; a word on what was done.

    While something may still be resumed, they are left.
    """
    dead = dead_runs(folder, request)
    policy = "cancel" if state.state == runs.ABORTED else request.orphans
    if not dead or policy == "leave" or state.state not in (runs.SUCCEEDED, runs.ABORTED):
        return ""
    try:
        left = jobs_of(where, request, dead, state)
        told = f"{plural(len(left), 'job')} of an earlier run that fitted no call"
        if left and policy == "cancel":
            outfit.cancel(where, folder, left)
            return f"{told}: cancelled"
        deadline = time.monotonic() + ORPHANS_PATIENCE
        while left and time.monotonic() < deadline:
            time.sleep(10)
            left = jobs_of(where, request, dead, state)
    except UserDBError as error:
        return f"jobs of an earlier run may be left: {error}"
    return f"{told}: left" if left else ""


def end_jobs(where: Place, folder: RunFolder, state: State, *, wait: bool) -> State:
    """Cancel what a lost run, or what it was to resume, has in the queue; it is aborted then."""
    request = runs.request_of(folder)
    where = places.with_flags(where, {"run.backend": request.backend})
    dead = adoption.lineage(folder)
    nobody = replace(state, jobs=())
    left = jobs_of(where, request, dead, nobody)
    if state.goes_on:
        slurm.cancel([state.job])
    outfit.cancel(where, _with_hooks(folder, dead), left)
    deadline = time.monotonic() + ABORT_PATIENCE
    while wait and jobs_of(where, request, dead, nobody) and time.monotonic() < deadline:
        time.sleep(1)
    note = f"{state.note}; {plural(len(left), 'job')} cancelled"
    state = runs.as_aborted(state, note)
    runs.write_state(folder, state)
    return state


def _with_hooks(folder: RunFolder, dead: Sequence[Dead]) -> RunFolder:
    """The run, or the newest of its dead ones, that came so far as to have hooks."""
    known = [folder, *(folder.sibling(one.run) for one in dead)]
    return next((one for one in known if one.hooks.exists()), folder)


def jobs_of(where: Place, request: Request, dead: Sequence[Dead], state: State) -> list[str]:
    """Jobs that dead runs still have, but for those that `state` has taken up."""
    if request.backend == "slurm":
        jobs = slurm.folders_of_jobs(str(request.settings.get("slurm.cluster", "")))
    else:
        roots = [one.workflow for one in dead if one.workflow]
        jobs = [job for root in roots for job in adoption.sessions_below(root)]
    return adoption.leftovers(jobs, dead, set(state.jobs))
