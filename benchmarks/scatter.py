"""A wide scatter of calls that do nothing on SLURM, beside the way that miniwdl-slurm submits.

    python benchmarks/scatter.py [--calls N] [--jar CROMWELL_JAR] [--miniwdl-slurm]

Starts a SLURM of its own, as the tests do: as root, on a machine with SLURM's packages. With
--miniwdl-slurm an environment is made for it below /tmp, from the package index; it submits as
ever, but into no container. CPU and memory are of the engine's own process, Cromwell's CPU with
the hooks that it waits for.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator

from engine import Bench
from measure import Row, Use, megabytes, report, row, world

from slurm import calm

# As its manual has it.
CFG = """\
[scheduler]
container_backend = slurm_singularity
task_concurrency = 200
[file_io]
output_hardlinks = true
"""
MINIWDL_SLURM = """
from WDL.CLI import main
from WDL.runtime.backend.singularity import SingularityContainer
SingularityContainer.global_init = classmethod(lambda cls, cfg, logger: None)
SingularityContainer._pull = lambda self, logger, cleanup: ""
SingularityContainer._run_invocation = lambda self, logger, cleanup, image: [
    "/bin/sh", "-c", 'cd work && exec "$@"', "sh"
]
main(sys.argv[1:])
"""


def miniwdl_slurm(bench: Bench, calls: int) -> Use:
    root = bench.here.root
    bench.here.do(sys.executable, "-m", "venv", root / "venv")
    bench.here.do(root / "venv/bin/pip", "install", "--quiet", "miniwdl-slurm")
    (root / "slurm.cfg").write_text(CFG)
    words = ["run", "--cfg", root / "slurm.cfg", "--dir", root / "out", root / "wide.wdl"]
    (root / "out").mkdir()
    return bench.metered(MINIWDL_SLURM, [*words, f"n={calls}"], root / "venv/bin/python")


def rows(bench: Bench, calls: int, *, beside: bool) -> Iterator[Row]:
    db = bench.db
    # Not the limit on starts is to be measured.
    db.do("config set", "run.job_rate", "1000")
    db.do("run", bench.here.root / "hello.wdl", "--engine", "embedded", "--input", "hello.name=x")
    conf = db.conf()
    ours = bench.embedded("wide.wdl", conf, n=calls)
    theirs = miniwdl_slurm(bench, calls) if beside else None
    yield from _compared(f"{calls} calls on SLURM", calls, ours, theirs)
    if bench.jar:
        used = bench.cromwell("wide.wdl", conf, n=calls)
        yield from _compared(f"{calls} calls on SLURM, Cromwell", calls, used, theirs)


def _compared(what: str, calls: int, ours: Use, theirs: Use | None) -> Iterator[Row]:
    yield row(f"{what}, whole run", ours.wall, theirs and theirs.wall)
    yield row("its jobs a second", calls / ours.wall, theirs and calls / theirs.wall, unit="")
    yield row(
        "its CPU a call", ours.cpu / calls * 1000, theirs and theirs.cpu / calls * 1000, unit="ms"
    )
    yield row(
        "its memory", megabytes(ours.memory), theirs and megabytes(theirs.memory), unit="MB"
    )  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--calls", type=int, default=200)
    parser.add_argument("--jar", default=os.environ.get("CROMWELL_USERDB_CROMWELL", ""))
    parser.add_argument("--miniwdl-slurm", action="store_true")
    asked = parser.parse_args()
    with calm(), world() as here:
        db = here.instance("db", "--engine", "embedded", backend="slurm")
        bench = Bench(db, asked.jar)
        found = list(rows(bench, asked.calls, beside=asked.miniwdl_slurm))
    report(found, beside="miniwdl-slurm")


if __name__ == "__main__":
    main()
