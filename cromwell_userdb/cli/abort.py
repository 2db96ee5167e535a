"""`abort`: end a run and its jobs, wherever it is led."""

from __future__ import annotations

import sys
import time

import click

from cromwell_userdb import leader, runs
from cromwell_userdb.cli import place, screen, standing
from cromwell_userdb.cli.arguments import OnRun, run_argument
from cromwell_userdb.cli.options import JSON
from cromwell_userdb.cli.place import Place
from cromwell_userdb.errors import Held, NotRunning
from cromwell_userdb.report import endings
from cromwell_userdb.report.words import duration
from cromwell_userdb.runs import State

SILENT = 60.0
"""Seconds after which a leader that writes every ten may well be dead."""


@click.command("abort", cls=OnRun)
@run_argument(newest=False)
@click.option("--wait/--no-wait", default=True, help="Wait until it has ended.")
@JSON
@place.options
def abort_(place: Place, run: str, wait: bool, as_json: bool) -> None:
    """Abort a run, and its jobs with it.

    \b
    Example:
      cromwell-userdb abort 12
    """
    folder, state = standing.found(place, run)
    if state.resumed_by:
        last = standing.of(place, runs.newest(folder))
        then = f", which has ended: {last.state}" if last.has_ended else ": abort that one"
        raise NotRunning(f"run {state.run} was resumed as run {last.run}{then}.")
    if state.has_ended and state.state != runs.LOST:
        raise NotRunning(f"run {state.run} has already ended: {state.state}.")
    if not state.has_ended:
        leader.ask_to_abort(folder, state)
        if wait and state.leader and not state.leader.is_here:
            screen.note(f"Waiting for the leader on {state.leader.host} to obey.")
    may_obey = endings.age(state) < SILENT or _obeys_here(state)
    deadline = time.monotonic() + (600 if may_obey else 30)
    while wait and not state.has_ended and time.monotonic() < deadline:
        time.sleep(0.1)
        folder, state = standing.found(place, str(folder.number))
    if state.state == runs.LOST or (state.resumes and state.state == runs.ABORTED and not state.id):
        # Nobody is left to obey: its jobs, or those that it was to take up, are ours to cancel.
        from cromwell_userdb.cli import leftovers

        state = leftovers.end_jobs(place, folder, state, wait=wait)
    if as_json:
        screen.answer(runs.as_json(state))
    else:
        screen.note(f"run {state.run} {_aborted(state)}")
    if wait and not state.has_ended:
        sys.exit(Held.exit_code)


def _obeys_here(state: State) -> bool:
    """Whether the leader, or the engine that it left, lives on this host and was told."""
    return any(who.is_alive for who in (state.leader, state.engine_process) if who)


def _aborted(state: State) -> str:
    """How far an abort has come."""
    if state.has_ended:
        return state.state
    silent = endings.age(state)
    if state.leader and silent > SILENT and not _obeys_here(state):
        return (
            f"was told to abort, but nothing was heard of its leader on {state.leader.host} for "
            f"{duration(silent)}. Whether it lives can be seen there only: abort it on that node."
        )
    return "aborting: its engine ends its jobs"
