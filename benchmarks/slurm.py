"""What our hooks ask of SLURM, beside sbatch and squeue by themselves.

    python benchmarks/slurm.py [--calls N] [--queue N] [--running N] [--minutes N]

Starts a SLURM of its own, as the tests do: as root, on a machine with SLURM's packages. Submits
are made by turns, ours and plain. Running calls are looked at every 30 seconds each, for so many
minutes by our hook and as many by `squeue -j`; half as long before that nobody asks anything.
What the manual shows of them takes half an hour: --calls 1000 --running 1000 --minutes 10.
"""

from __future__ import annotations

import argparse
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil
from measure import Row, World, report, row, world

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

import cluster as clusters
from calls import Call, Run
from cluster import Cluster

POLL_SECONDS = 30
# As on most clusters, not as the tests have it: what the controller does by itself is no part of
# what is measured, and the less it is, the better it can be told apart. A thousand jobs that
# each look through /proc every two seconds would leave nothing of the machine.
CALM = {
    "SchedulerParameters": "batch_sched_delay=0,sched_interval=60,bf_interval=60",
    "JobAcctGatherType": "jobacct_gather/none",
    "JobAcctGatherParams": "NoShared",
    "JobAcctGatherFrequency": "0",
}


@dataclass(frozen=True)
class Bench:
    """A cluster, and a run whose calls are submitted there by root."""

    here: World
    cluster: Cluster
    run: Run

    @property
    def controller(self) -> psutil.Process:
        return psutil.Process(int((self.cluster.root / "ctl/ctld.pid").read_text()))

    def asked(self, work: Callable[[], None]) -> tuple[int, float]:
        """Requests for facts and seconds of the controller's CPU while `work` goes on."""
        self.cluster.run(["sdiag", "--reset"])
        before = sum(self.controller.cpu_times()[:2])
        work()
        used = sum(self.controller.cpu_times()[:2]) - before
        return requests(self.cluster.run(["sdiag"])), used


def requests(sdiag: str) -> int:
    """How often the controller was asked about jobs, partitions and the like.

    >>> requests("\tREQUEST_JOB_USER_INFO  ( 2039) count:3  x\n\tREQUEST_STATS_INFO (1) count:9")
    3
    """
    kinds = re.findall(r"^\s*REQUEST_(?!STATS)\w*INFO\w*\s.*count:(\d+)", sdiag, re.MULTILINE)
    return sum(map(int, kinds))


def looks(bench: Bench, queue: int) -> Iterator[Row]:
    """check-alive as an engine asks it, on a full snapshot; beside a bash that does nothing."""
    call = bench.run.call()
    call.job = str(queue)
    call.check()
    (folder,) = (bench.run.base / "state").glob("*/*")
    jobs = "\n".join(f"{job} {call.cwd} RUNNING None" for job in range(1, queue + 1))
    (folder / "queue").write_text(f"{int(time.time()) + 3600}\n{jobs}\n")
    words = ["/bin/bash", call.here / "script.check"]
    ours, bare = [], []
    for _ in range(200):
        ours.append(bench.here.do(*words))
        bare.append(bench.here.do("/bin/bash", "-c", ":"))
    (folder / "queue").unlink()
    assert call.rc is None
    for what, name, most in (("time", "wall", 5), ("CPU", "cpu", None)):
        one, other = (
            statistics.median(getattr(use, name) for use in uses) * 1000 for uses in (ours, bare)
        )
        yield row(
            f"check-alive, {what}, {queue} jobs, beside bash -c :", one, other,
            unit="ms", most=most,
        )  # fmt: skip


def submits(bench: Bench, calls: int) -> Iterator[Row]:
    """Jobs that wait: into a partition that is down."""
    ours, bare = [], []
    for _ in range(calls):
        call = bench.run.call(partition="hold")
        ours.append(bench.here.do("/bin/bash", call.write_submit()))
        call = bench.run.call()
        bare.append(
            bench.here.do(
                "sbatch", "--parsable", "--partition=hold", f"--chdir={call.cwd}",
                f"--output={call.here}/stdout", f"--error={call.here}/stderr",
                call.here / "script",
            )
        )  # fmt: skip
    cancel(bench)
    for what, name, ratio in (("time", "wall", 2), ("CPU", "cpu", None)):
        one, other = (sum(getattr(use, name) for use in uses) for uses in (ours, bare))
        yield row(f"{calls} submits, {what}, beside bare sbatch", one, other, ratio=ratio)


def cancel(bench: Bench) -> None:
    bench.cluster.run(["scancel", "--user=root"])
    while bench.cluster.run(["squeue", "-h", "--user=root"]).strip():
        time.sleep(0.5)


def status(cluster: Cluster, calls: int, minutes: float) -> Iterator[Row]:
    """An ordinary user's running calls, by our hook and by a squeue for each."""
    here = cluster.home("alice")
    settings = {"poll_seconds": POLL_SECONDS}
    run = Run(here / "run", _as("alice", cluster), settings=settings).install()
    bench = Bench(World(here), cluster, run)
    running = [_sleeper(run) for _ in range(calls)]
    cluster.run(["chown", "-R", "alice:", run.base])
    for call in running:
        call.submit()
    until_running(cluster, calls)
    _, idle = bench.asked(lambda: time.sleep(minutes * 60 / 2))
    ours, ours_cpu = bench.asked(lambda: _look_at_each(running, minutes, lambda call: call.check()))
    theirs, theirs_cpu = bench.asked(lambda: _look_at_each(running, minutes, _squeue))
    assert all(call.rc is None for call in running), "calls ended while they were looked at"
    what = f"{calls} calls running {minutes:g} minutes"
    yield row(f"{what}: requests, beside squeue -j", ours, theirs, unit="", ratio=0.02)
    yield row(f"{what}: slurmctld's CPU", ours_cpu, theirs_cpu)
    yield row(
        f"{what}: the same, less {idle * 2:.2f} s that it takes unasked",
        max(0.0, ours_cpu - idle * 2), theirs_cpu - idle * 2, ratio=0.02,
    )  # fmt: skip
    cluster.run(["scancel", "--user=alice"])


def _sleeper(run: Run) -> Call:
    call = run.call(time="1-0")
    (call.here / "script").write_text("#!/bin/bash\nexec sleep 1d\n")
    return call


def _look_at_each(calls: Sequence[Call], minutes: float, look: Callable[[Call], object]) -> None:
    """Each every 30 seconds, one after the other over all of that time."""
    began = time.monotonic()
    for turn in range(round(minutes * 60 / POLL_SECONDS)):
        for place, call in enumerate(calls):
            due = began + POLL_SECONDS * (turn + place / len(calls))
            time.sleep(max(0, due - time.monotonic()))
            look(call)
    time.sleep(max(0, began + minutes * 60 - time.monotonic()))


def _squeue(call: Call) -> None:
    done = call.run.run_as(["squeue", "-h", "-j", call.job, "-o", "%T"])
    assert done.stdout == "RUNNING\n", done


def until_running(cluster: Cluster, calls: int) -> None:
    deadline = time.monotonic() + 60 + calls
    while len(cluster.run(["squeue", "-h", "-t", "R", "-o", "%i"]).split()) < calls:
        if time.monotonic() > deadline:
            sys.exit(f"{calls} jobs do not run: too many for this machine?")
        time.sleep(1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--calls", type=int, default=200)
    parser.add_argument("--queue", type=int, default=6000)
    parser.add_argument("--running", type=int, default=200)
    parser.add_argument("--minutes", type=float, default=1)
    asked = parser.parse_args()
    with calm() as cluster:
        with world() as here:
            settings = {"comment": "cromwell-userdb run 1"}
            run = Run(here.root, _as("root", cluster), settings=settings).install()
            bench = Bench(here, cluster, run)
            rows = [*looks(bench, asked.queue), *submits(bench, asked.calls)]
        rows += status(cluster, asked.running, asked.minutes)
    report(rows)


@contextmanager
def calm() -> Iterator[Cluster]:
    """A cluster with room for a thousand jobs, for all that is started here."""
    if reason := clusters.lacks():
        sys.exit(f"This {reason}.")
    clusters.SLURM_CONF = clusters.SLURM_CONF.replace("CPUs=64", "CPUs=400")
    root = Path(tempfile.mkdtemp(prefix="hal-", dir="/tmp"))
    cluster = clusters.start(root, min_job_age=300, conf=CALM)
    os.environ["SLURM_CONF"] = str(cluster.conf)
    try:
        yield cluster
    finally:
        clusters.stop(root)


def _as(user: str, cluster: Cluster) -> Callable[..., subprocess.CompletedProcess[str]]:
    return lambda argv: cluster.popen(argv, user=user)


if __name__ == "__main__":
    main()
