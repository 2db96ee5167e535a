"""`submit`, and `lead` inside the job: a run whose leader is a SLURM job of its own."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import os
import signal
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from cromwell_userdb import leader, process, render, runs, server, slurm
from cromwell_userdb.cli import launch, place, screen, session, standing, successor
from cromwell_userdb.cli.arguments import OnRun, run_argument
from cromwell_userdb.cli.place import Command, Place, require
from cromwell_userdb.cli.run import EXIT, order_options
from cromwell_userdb.cluster import minutes_of
from cromwell_userdb.errors import CommandFailed, Held, NotFound, UsageError, UserDBError
from cromwell_userdb.instance import RunFolder
from cromwell_userdb.record import write_private
from cromwell_userdb.runs import State
from cromwell_userdb.settings import Settings

STOPPED = 75


_LEADER = (
    click.option(
        "--on-limit",
        type=click.Choice(["requeue", "adopt", "abort"]),
        default="requeue",
        show_default=True,
        help="Before the leader's time limit.",
    ),
    click.option("--leader-time", metavar="TIME", help="Time limit of the leader's job."),
    click.option("--leader-partition", metavar="NAME", help="Partition of the leader's job."),
    click.option("--leader-memory", metavar="MB", type=int, help="Memory of the leader's job."),
)


def leader_options(command: Command) -> Command:
    """What a leader's job may be given, whatever the settings say."""
    return functools.reduce(lambda made, flag: flag(made), reversed(_LEADER), command)


def leader_flags(words: dict[str, Any]) -> dict[str, Any]:
    """The settings that --leader-time and its like stand for, taken out of `words`."""
    return {
        "leader.time": words.pop("leader_time"),
        "leader.partition": words.pop("leader_partition"),
        "leader.memory_mb": words.pop("leader_memory"),
    }


@click.command("submit")
@order_options
@leader_options
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@place.options
def submit_(place: Place, on_limit: str, as_json: bool, **words: Any) -> None:
    """Run a workflow from a SLURM job of its own, and give back its number.

    The job holds the engine and the database; the calls are jobs besides. Before its time
    limit it stops, is queued again, and goes on with the jobs that still run.

    \b
    Examples:
      cromwell-userdb submit workflow.wdl inputs.json
      cromwell-userdb submit workflow.wdl inputs.json --leader-time 2-00:00:00
    """
    what = launch.order(place, **words, more_flags=leader_flags(words))
    check(what.where)
    folder, ahead = queue(what.where, launch.enter(what, on_limit=on_limit))
    tell(what.where, folder, ahead, as_json=as_json)


def check(where: Place) -> None:
    """Raises NotFound where nobody takes a job."""
    if not session.has_slurm():
        raise NotFound("No SLURM answers here (looked for sbatch and scontrol ping): use run.")


def queue(where: Place, folder: RunFolder) -> tuple[RunFolder, list[str]]:
    """Queue a leader for the run that was entered; returns those of this instance ahead of it."""
    # An idle server of ours would keep the job's node waiting.
    with contextlib.suppress(Held):
        server.stop(where.instance)
    try:
        ahead = leaders(where)
        job = _submitted(where, folder)
    except UserDBError:
        successor.withdraw(folder)
        raise
    state = runs.read_state(folder)
    if state and state.state == runs.QUEUED:
        runs.write_state(folder, replace(state, job=job, leader=None))
    return folder, ahead


def _submitted(where: Place, folder: RunFolder) -> str:
    """The id of the leader's job, also where SLURM made one and its answer was lost."""
    try:
        words = process.run(leader_argv(where, folder), env=slurm.scrubbed(os.environ))
    except CommandFailed:
        argv = ["squeue", "--me", "-h", "-n", job_name(where), "-o", "%i %k"]
        for line in process.run(argv, timeout=60).splitlines():
            id, _, comment = line.partition(" ")
            if comment == comment_of(folder):
                return id
        raise
    return words.strip().partition(";")[0]


def tell(where: Place, folder: RunFolder, ahead: list[str], *, as_json: bool) -> None:
    """Give back the number of a run whose leader was queued."""
    state = standing.of(where, folder)
    if as_json:
        return screen.answer(runs.as_json(state) | {"after": ahead})
    print(folder.number)
    behind = f" behind {', '.join(f'job {job}' for job in ahead)}" if ahead else ""
    screen.note(
        f"run {folder.number} is job {state.job}{behind}; "
        f"cromwell-userdb attach {folder.number}{where.option} follows it."
    )


def comment_of(folder: RunFolder) -> str:
    """What ties a job to its run in SLURM's records."""
    return f"cromwell-userdb run {folder.number}"


def job_name(where: Place) -> str:
    """The name that leaders of this instance share: SLURM lets one of them run at a time."""
    digest = hashlib.sha256(os.fsencode(where.instance.root)).hexdigest()[:6]
    return f"cromwell-userdb-{where.name}-{digest}"


def leaders(where: Place) -> list[str]:
    """Ids of this instance's leaders that are queued or run."""
    argv = ["squeue", "--me", "-h", "-n", job_name(where), "-o", "%i"]
    return process.run(argv, timeout=60).split()


def leader_argv(where: Place, folder: RunFolder) -> list[str | Path]:
    """The sbatch of a leader; it may wait in the queue as long as others of the instance run."""
    settings = where.settings
    script = folder.path / "leader.sh"
    text = render.leader_script(folder.number, root=where.instance.root, python=sys.executable)
    write_private(script, text, mode=0o700)
    memory = settings.leader_memory_mb or 2000 + settings.engine_heap_mb
    options = {
        "job-name": job_name(where),
        "comment": comment_of(folder),
        "dependency": "singleton",
        "signal": f"B:TERM@{_warning(settings)}",
        "output": str(folder.leader_log),
        "open-mode": "append",
        "chdir": str(folder.path),
        "cpus-per-task": str(settings.leader_cpus),
        "mem": f"{memory}M",
        "time": settings.leader_time,
        "partition": settings.leader_partition or settings.local_partition,
        "account": settings.slurm_account,
        "qos": settings.slurm_qos,
    }
    given = [f"--{name}={value}" for name, value in options.items() if value]
    return ["sbatch", "--parsable", "--requeue", "--ntasks=1", *given, script]


def _warning(settings: Settings) -> int:
    """Seconds before its end that a leader is told: never more than half of what it has."""
    minutes = minutes_of(settings.leader_time)
    wanted = settings.leader_signal_seconds
    return min(wanted, minutes * 30) if minutes else wanted


@click.command("lead", cls=OnRun, hidden=True)
@run_argument(newest=False)
@place.options
def lead_(place: Place, run: str) -> None:
    """Lead a run that `submit` entered, from within its job."""
    instance = require(place).instance
    _lead(place, instance.run(runs.find(instance, run)))


@click.command("lead-here", hidden=True)
@order_options
@_LEADER[0]
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
        _stop_server(where)
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
    with session.connect(where, wait=True, say=screen.note) as connection:
        session.tables(where, connection, engine, say=screen.note)
        snapshot = session.knows_snapshot_isolation(connection)
    # Much may have happened while we waited for the server.
    folder, state = _to_lead(where, entered)
    if state.state == runs.LOST:
        folder = successor.enter(where, folder)
    task = launch.begin(where, folder, engine, snapshot_isolation=snapshot)
    return leader.lead(task)


def _stop_server(where: Place) -> None:
    """The job's server ends with it, unless somebody on this host uses it besides."""
    with contextlib.suppress(UserDBError):
        server.stop(where.instance)


@click.command("sbatch-wrapper")
def sbatch_wrapper_() -> None:
    """Print the path of a script that sbatch takes instead of `submit`.

    \b
    Example:
      sbatch --time=1-0 $(cromwell-userdb sbatch-wrapper) workflow.wdl inputs.json
    """
    print(Path(__file__).parent.parent / "slurm" / "wrapper")
