"""What our hooks ask of SLURM, beside sbatch and squeue by themselves.

    python benchmarks/slurm.py [--calls N] [--queue N] [--rounds N]

Starts a SLURM of its own, as the tests do: as root, on a machine with SLURM's packages. Submits
are made by turns, ours and plain; the looks at running calls are `rounds` rounds of one look at
each, which take 30 seconds each in a run and 2 here.
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
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil
from measure import Row, World, report, row, world

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

import cluster as clusters
from calls import Call, Run
from cluster import Cluster

POLL_SECONDS = 2


@dataclass(frozen=True)
class Bench:
    """A cluster, and a run whose calls are submitted there by root."""

    here: World
    cluster: Cluster
    run: Run

    @property
    def controller(self) -> psutil.Process:
        return psutil.Process(int((self.cluster.root / "ctl/ctld.pid").read_text()))

    def requests(self) -> int:
        """How often the controller was asked about jobs since its figures were reset."""
        text = self.cluster.run(["sdiag"])
        kinds = re.findall(r"^\s*REQUEST_JOB_INFO\S*\s.*count:(\d+)", text, re.MULTILINE)
        return sum(map(int, kinds))

    def asked(self, work: Callable[[], None]) -> tuple[int, float]:
        """Requests and seconds of the controller's CPU that `work` costs."""
        self.cluster.run(["sdiag", "--reset"])
        before = sum(self.controller.cpu_times()[:2])
        work()
        return self.requests(), sum(self.controller.cpu_times()[:2]) - before


def looks(bench: Bench, queue: int) -> Iterator[Row]:
    """check-alive on a full snapshot, beside a bash that does nothing."""
    call = bench.run.call()
    call.job = str(queue)
    call.check()
    (folder,) = (bench.run.base / "state").glob("*/*")
    snapshot = "\n".join(f"{job} RUNNING None" for job in range(1, queue + 1))
    (folder / "queue").write_text(f"{int(time.time()) + 3600}\n{snapshot}\n")
    words = [bench.run.hooks / "check-alive", call.job, call.here / "script.check"]
    ours = [bench.here.do(*words) for _ in range(200)]
    bare = [bench.here.do("/bin/bash", "-c", ":") for _ in range(200)]
    (folder / "queue").unlink()
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


def status(bench: Bench, calls: int, rounds: int) -> Iterator[Row]:
    """Running calls, each looked at once a round, by our hook and by a squeue of its own."""
    running = [bench.run.call("sleep 900").submit() for _ in range(calls)]
    until_running(bench, calls)

    def by_hook() -> None:
        for _ in range(rounds):
            began = time.monotonic()
            for call in running:
                call.check()
            time.sleep(max(0, POLL_SECONDS - (time.monotonic() - began)))

    def by_squeue() -> None:
        for _ in range(rounds):
            for call in running:
                _look(bench, call)

    ours, ours_cpu = bench.asked(by_hook)
    theirs, theirs_cpu = bench.asked(by_squeue)
    what = f"{calls} calls running, {rounds} looks at each"
    yield row(f"{what}: requests, beside squeue -j", ours, theirs, unit="", ratio=0.02)
    yield row(f"{what}: slurmctld's CPU", ours_cpu * 1000, theirs_cpu * 1000, unit="ms")
    cancel(bench)


def _look(bench: Bench, call: Call) -> None:
    bench.here.do("squeue", "-h", "-j", call.job, "-o", "%T")


def until_running(bench: Bench, calls: int) -> None:
    deadline = time.monotonic() + 120
    while len(bench.cluster.run(["squeue", "-h", "-t", "R", "-o", "%i"]).split()) < calls:
        if time.monotonic() > deadline:
            sys.exit(f"{calls} jobs do not run after two minutes: too many for this cluster?")
        time.sleep(0.5)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--calls", type=int, default=200)
    parser.add_argument("--queue", type=int, default=6000)
    parser.add_argument("--rounds", type=int, default=5)
    asked = parser.parse_args()
    if reason := clusters.lacks():
        sys.exit(f"This {reason}.")
    cluster = clusters.start(Path(tempfile.mkdtemp(prefix="hal-", dir="/tmp")), min_job_age=300)
    os.environ["SLURM_CONF"] = str(cluster.conf)
    try:
        with world() as here:
            settings = {"poll_seconds": POLL_SECONDS, "comment": "cromwell-userdb run 1"}
            run = Run(here.root, _as_root(here), settings=settings).install()
            bench = Bench(here, cluster, run)
            rows = [*looks(bench, asked.queue), *submits(bench, asked.calls)]
            # The cluster has 192 cores.
            rows += status(bench, min(asked.calls, 180), asked.rounds)
    finally:
        clusters.stop(cluster.root)
    report(rows)


def _as_root(here: World) -> Callable[..., subprocess.CompletedProcess[str]]:
    def act(argv: list[str | Path]) -> subprocess.CompletedProcess[str]:
        words = [*map(str, argv)]
        return subprocess.run(
            words, env=here.environment, capture_output=True, text=True, timeout=120, check=False
        )

    return act


if __name__ == "__main__":
    main()
