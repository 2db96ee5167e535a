"""`lead`: what `submit` and the wrapper have a SLURM job do."""

from __future__ import annotations

import contextlib
import functools
import os
import signal
import sys
import time
from dataclasses import replace
from typing import Any

import click

from cromwell_userdb import leader, process, runs, server
from cromwell_userdb.cli import launch, place, screen, session, standing, successor
from cromwell_userdb.cli.arguments import OnRun, run_argument
from cromwell_userdb.cli.follow import EXIT
from cromwell_userdb.cli.options import ON_LIMIT, order_options
from cromwell_userdb.cli.place import Place, require
from cromwell_userdb.cli.submit import comment_of
from cromwell_userdb.errors import CommandFailed, UsageError, UserDBError
from cromwell_userdb.instance import RunFolder
from cromwell_userdb.runs import State

STOPPED = 75


@click.command("lead", cls=OnRun, hidden=True)
@run_argument(newest=False)
@place.options
def lead_(place: Place, run: str) -> None:
    """Lead a run that `submit` entered, from within its job."""
    instance = require(place).instance
    _lead(place, instance.run(runs.find(instance, run)))


@click.command("lead-here", hidden=True)
@order_options
@ON_LIMIT
@place.options
def lead_here_(place: Place, on_limit: str, **words: Any) -> None:
    """Enter a run and lead it, from within a job that the wrapper is."""
    job = os.environ.get("SLURM_JOB_ID", "")
    if not job:
        raise UsageError("lead-here works in a SLURM job only: sbatch the wrapper, or use submit.")
    known = [state.run for state in runs.recent(require(place).instance) if state.job == job]
    if known:
        return _lead(place, place.instance.run(known[-1]))
    what = launch.order(place, **words, more_flags={})
    folder = launch.enter(what, on_limit=on_limit)
    if state := runs.read_state(folder):
        runs.write_state(folder, replace(state, job=job))
    with contextlib.suppress(CommandFailed):  # it is for people to look at
        comment = f"Comment={comment_of(folder)}"
        process.run(["scontrol", "update", f"JobId={job}", comment], timeout=60)
    _lead(place, folder)


def _lead(where: Place, entered: RunFolder) -> None:
    """Lead the run, or what goes on with it, and leave with its verdict."""
    _to_lead(where, entered)
    told: list[int] = []

    def on_term(signum: int, frame: object) -> None:
        told.append(signum)
        sys.exit(STOPPED)

    # Before the run has a leader of its own to hear it, the end of the job stops the wait for one.
    signal.signal(signal.SIGTERM, on_term)
    try:
        ended = _led(where, entered)
        was_told, status = ended.goes_on, EXIT[ended.state]
    except SystemExit as leaving:
        was_told, status = bool(told), int(str(leaving.code))
    finally:
        _stop_server(where, runs.newest(entered))
    if was_told and runs.request_of(entered).on_limit == "requeue":
        _requeue(runs.newest(entered))
    sys.exit(status)


def _to_lead(where: Place, entered: RunFolder) -> tuple[RunFolder, State]:
    """The run to lead, or to go on from; leaves where it has ended or somebody else leads it."""
    job = os.environ["SLURM_JOB_ID"]
    folder = runs.newest(entered)
    state = runs.read_state(folder)
    if state is None or state.state != runs.QUEUED:
        # SLURM gives a job its second life when all of the first is dead.
        state = standing.of(where, folder, job_ended=lambda one: one == job)
    if state.has_ended and state.state != runs.LOST:
        sys.exit(EXIT[state.state])
    if not state.has_ended and state.job != job and folder.number != entered.number:
        print(
            f"run {entered.number} was resumed as run {folder.number}, which somebody else leads."
        )
        sys.exit(STOPPED)
    return folder, state


def _requeue(folder: RunFolder) -> None:
    """Put our own job into the queue again, which ends us, unless somebody cancelled it."""
    job = os.environ["SLURM_JOB_ID"]
    for _ in range(0 if _was_cancelled(job) else 20):
        try:
            process.run(["scontrol", "requeue", job], timeout=60)
            return
        except CommandFailed as error:
            print(error, file=sys.stderr)
            time.sleep(10)
    state = runs.read_state(folder)
    if state and state.goes_on:
        runs.write_state(folder, replace(state, note=leader.STOPPED))


def _was_cancelled(job: str) -> bool:
    """Whether the job is ending though it has time left."""
    try:
        words = process.run(["squeue", "-h", "-j", job, "-o", "%T %L"], timeout=60).split()
    except CommandFailed:
        return False
    return words[:1] in (["COMPLETING"], ["CANCELLED"]) and words[1:] not in (["0:00"], ["INVALID"])


def _led(where: Place, entered: RunFolder) -> State:
    """Lead the run in this very process: a new one, or what a former life of the job left."""
    where = place.as_requested(where, runs.request_of(entered).settings, {})
    engine = session.engine(where)
    with session.ready(where, engine, wait=True, say=screen.note) as snapshot:
        # Much may have happened while we waited for the server.
        folder, state = _to_lead(where, entered)
        if state.state == runs.LOST:
            folder = successor.enter(where, folder)
        return leader.lead(launch.begin(where, folder, engine, snapshot_isolation=snapshot))


def _stop_server(where: Place, led: RunFolder) -> None:
    """The job's server ends with it, unless somebody on this host uses it besides."""
    others = functools.partial(runs.led_here, where.instance, besides=led.number)
    with contextlib.suppress(UserDBError):
        server.stop(where.instance, runs=others)
