"""`submit`: a run whose leader is a SLURM job of its own."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from cromwell_userdb import process, render, runs, server, slurm
from cromwell_userdb.cli import believed, here, launch, place, screen, standing, successor
from cromwell_userdb.cli.options import JSON, leader_flags, leader_options, order_options
from cromwell_userdb.cli.place import Place
from cromwell_userdb.cluster import minutes_of
from cromwell_userdb.demands import Demand
from cromwell_userdb.errors import CommandFailed, Held, NotFound, UserDBError
from cromwell_userdb.instance import RunFolder
from cromwell_userdb.record import write_private
from cromwell_userdb.settings import Settings


@click.command("submit")
@order_options
@leader_options
@JSON
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
    """Raises NotFound where nobody takes a job, UsageError where no leader would ever begin."""
    if not here.has_slurm():
        raise NotFound("No SLURM answers here (looked for sbatch and scontrol ping): use run.")
    settings = where.settings
    leader = Demand(
        partition=_partition(settings),
        account=settings.slurm_account,
        qos=settings.slurm_qos,
        time=settings.leader_time,
        cpu=settings.leader_cpus,
        memory_mb=_memory_mb(settings),
    )
    believed.check([(lambda part: "the leader: ", leader)])


def _partition(settings: Settings) -> str:
    return settings.leader_partition or settings.local_partition


def _memory_mb(settings: Settings) -> int:
    return settings.leader_memory_mb or 2000 + settings.engine_heap_mb


def queue(where: Place, folder: RunFolder) -> tuple[RunFolder, list[str]]:
    """Queue a leader for the run that was entered; returns those of this instance ahead of it."""
    # An idle server of ours would keep the job's node waiting.
    others = functools.partial(runs.led_here, where.instance, besides=folder.number)
    with contextlib.suppress(Held):
        server.stop(where.instance, runs=others)
    try:
        ahead = leaders(where)
        job = _submitted(where, folder)
    except UserDBError:
        successor.withdraw(folder)
        raise
    state = runs.read_state(folder)
    # The job may have begun, and lead the run already.
    if state and state.leader and state.leader.pid == os.getpid():
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
    options = {
        "job-name": job_name(where),
        "comment": comment_of(folder),
        "dependency": "singleton",
        "signal": f"B:TERM@{_warning(settings)}",
        "output": str(folder.leader_log),
        "open-mode": "append",
        "chdir": str(folder.path),
        "cpus-per-task": str(settings.leader_cpus),
        "mem": f"{_memory_mb(settings)}M",
        "time": settings.leader_time,
        "partition": _partition(settings),
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


@click.command("sbatch-wrapper")
def sbatch_wrapper_() -> None:
    """Print the path of a script that sbatch takes instead of `submit`.

    \b
    Example:
      sbatch --time=1-0 $(cromwell-userdb sbatch-wrapper) workflow.wdl inputs.json
    """
    print(Path(__file__).parent.parent / "slurm" / "wrapper")
