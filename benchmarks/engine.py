"""The embedded engine: a start, calls by the thousand, the same from the cache, its scheduler.

    python benchmarks/engine.py [--calls 500,5000] [--times N] [--jar CROMWELL_JAR]

Prints a table in RST. CPU and memory are of the engine's own process, without its jobs and
without the database; nothing else should run meanwhile.

Beside it is `miniwdl run` with a container back end that starts no container, which is the
quickest that miniwdl can be: none of its own back ends works without docker or its like. It has
no database, so its cache is off.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import statistics
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from measure import Private, Row, Use, World, megabytes, report, row, world

# Jobs are the engine's own children, as with the back end that Cromwell brings along.
BACKGROUND = """
database.db {{ user = "cromwell", password = "{password}" }}
call-caching {{ enabled = true, max-result-age-days = 36500 }}
backend {{ default = "here", providers.here.config {{
  root = "{root}", run-in-background = true, concurrent-job-limit = {cores}
  submit = "/bin/bash ${{script}}"
  filesystems.local.caching.hashing-strategy = "fingerprint"
}} }}
"""
# Runs a program in a process that writes down its own CPU and memory at its end.
METER = """
import atexit, json, resource, sys
sys.argv[:] = sys.argv[1:]
place = sys.argv.pop(1)
@atexit.register
def note():
    used = resource.getrusage(resource.RUSAGE_SELF)
    # Not ru_maxrss, which begins with what the parent had.
    peak = next(line for line in open("/proc/self/status") if line.startswith("VmHWM:"))
    with open(place, "x") as file:
        json.dump([used.ru_utime + used.ru_stime, int(peak.split()[1]) * 1024], file)
{program}
"""
EMBEDDED = """
from cromwell_userdb.embedded.__main__ import main
sys.exit(main(sys.argv[1:]))
"""
MINIWDL = """
import multiprocessing, subprocess, psutil
from pathlib import Path
from WDL.CLI import main
from WDL.runtime import task_container
class Bare(task_container.TaskContainer):
    @classmethod
    def global_init(cls, cfg, logger):
        pass
    @classmethod
    def detect_resource_limits(cls, cfg, logger):
        return {"cpu": multiprocessing.cpu_count(), "mem_bytes": psutil.virtual_memory().total}
    def _run(self, logger, terminating, command):
        script = Path(self.host_dir, "command")
        script.write_text(command)
        with open(self.host_stdout_txt(), "w") as out, open(self.host_stderr_txt(), "w") as err:
            return subprocess.run(["/bin/bash", script], cwd=self.host_work_dir(),
                                  stdout=out, stderr=err).returncode
task_container._backends["bare"] = Bare
main(sys.argv[1:])
"""
SCHEDULER = """
import sys, time, gc
from pathlib import Path
import WDL
from cromwell_userdb import wdl
from cromwell_userdb.embedded.graph import Graph
from cromwell_userdb.embedded.values import Library, bound, use_cromwells_values
use_cromwells_values()
workflow = wdl.load(Path(sys.argv[1])).workflow
gc.freeze(); gc.set_threshold(100_000, 20, 100)
start = time.process_time()
given = {"n": WDL.Value.Int(int(sys.argv[2]))}
graph = Graph(workflow, given, Library("1.0", Path("/nowhere")))
one = bound({"o": WDL.Value.Int(1)})
for ready in graph.step():
    graph.finish(ready.key, one)
assert graph.is_done and len(graph.outputs()["os"].value) == int(sys.argv[2])
Path(sys.argv[3]).write_text(str(time.process_time() - start))
"""


@dataclass(frozen=True)
class Bench:
    """The three engines on one instance, each with its own use at its end."""

    db: Private
    jar: str

    @property
    def here(self) -> World:
        return self.db.here

    def embedded(self, wdl: str, conf: Path, **inputs: object) -> Use:
        values = {f"{Path(wdl).stem}.{name}": value for name, value in inputs.items()}
        words = self.db.by_hand(wdl, values, conf=conf)
        return self.metered(EMBEDDED, words[words.index("cromwell_userdb.embedded") + 1 :])

    def miniwdl(self, wdl: str, **inputs: object) -> Use:
        pairs = [f"{name}={value}" for name, value in inputs.items()]
        folder = self.here.root / "miniwdl"
        folder.mkdir(exist_ok=True)
        cfg = self.here.root / "miniwdl.cfg"
        cfg.write_text(
            "[scheduler]\ncontainer_backend = bare\n[file_io]\noutput_hardlinks = true\n"
        )
        words = ["run", "--cfg", cfg, "--dir", folder, self.here.root / wdl, *pairs]
        return self.metered(MINIWDL, words)

    def cromwell(self, wdl: str, conf: Path, **inputs: object) -> Use:
        """Its CPU has the hooks' in it."""
        values = {f"{Path(wdl).stem}.{name}": value for name, value in inputs.items()}
        return self.here.do(*self.db.by_hand(wdl, values, jar=self.jar, conf=conf, heap_mb=4000))

    def scheduler(self, calls: int) -> float:
        place = self.here.root / "seconds"
        wdl = self.here.root / "wide.wdl"
        self.here.do(sys.executable, "-c", SCHEDULER, wdl, str(calls), place)
        return float(place.read_text())

    def metered(
        self, program: str, words: Sequence[str | Path], python: str | Path = sys.executable
    ) -> Use:
        """What a program takes by itself, without what it starts."""
        place = self.here.root / "used"
        place.unlink(missing_ok=True)
        code = METER.format(program=program)
        used = self.here.do(python, "-c", code, "engine", place, *words)
        return Use(used.wall, *json.loads(place.read_text()))


def hellos(bench: Bench, conf: Path, times: int) -> Iterator[Row]:
    """The whole process, from its start to its exit."""
    bench.embedded("hello.wdl", conf, name="first")
    ours = [bench.embedded("hello.wdl", conf, name=f"n{one}") for one in range(times)]
    theirs = [bench.miniwdl("hello.wdl", name=f"n{one}") for one in range(times)]
    yield row(
        "hello, the engine's process", _median(ours, "wall"), _median(theirs, "wall"), most=0.6
    )
    yield row(
        "its memory", megabytes(_median(ours, "memory")), megabytes(_median(theirs, "memory")),
        unit="MB", most=60,
    )  # fmt: skip


def _median(uses: Sequence[Use], name: str) -> float:
    return statistics.median(getattr(use, name) for use in uses)


def scatters(bench: Bench, conf: Path, sizes: Sequence[int]) -> Iterator[Row]:
    """Empty calls, then the same from the cache; the promises are about the widest."""
    fresh = {calls: bench.embedded("wide.wdl", conf, n=calls) for calls in sizes}
    beside = {calls: bench.miniwdl("wide.wdl", n=calls) for calls in sizes[:1]}
    for calls, used in fresh.items():
        other = beside.get(calls)
        widest = calls == max(sizes)
        yield row(
            f"{calls} calls, CPU a call", used.cpu / calls * 1000,
            other and other.cpu / calls * 1000,
            unit="ms", most=4 if widest else None,
        )  # fmt: skip
        yield row(
            f"{calls} calls, memory", megabytes(used.memory),
            other and megabytes(other.memory), unit="MB", most=150 if widest else None,
        )  # fmt: skip
        yield row(f"{calls} calls, whole run", used.wall, other and other.wall)
        cached = bench.embedded("wide.wdl", conf, n=calls)
        yield row(f"{calls} calls from the cache", cached.wall, most=20 if widest else None)
        yield row(f"{calls} calls from the cache, CPU a call", cached.cpu / calls * 1000, unit="ms")
    if len(sizes) > 1:
        low, high = min(sizes), max(sizes)
        exponent = math.log(fresh[high].cpu / fresh[low].cpu) / math.log(high / low)
        yield row(f"exponent of CPU, {low} to {high} calls", exponent, unit="")


def with_hooks(bench: Bench, calls: int) -> Iterator[Row]:
    """As `run` has it: jobs that outlive the engine, and their part of the machine."""
    conf = bench.db.conf()
    used = bench.embedded("wide.wdl", conf, n=calls)
    yield row(f"{calls} calls through the hooks, CPU a call", used.cpu / calls * 1000, unit="ms")
    yield row(f"{calls} calls through the hooks, whole run", used.wall)
    if bench.jar:
        used = bench.cromwell("wide.wdl", conf, n=calls)
        yield row("the same on Cromwell, CPU a call", used.cpu / calls * 1000, unit="ms")
        yield row("the same on Cromwell, whole run", used.wall)


def rows(bench: Bench, sizes: Sequence[int], times: int) -> Iterator[Row]:
    db = bench.db
    # Not the limit on starts is to be measured.
    db.do("config set", "run.job_rate", "1000")
    db.do("run", bench.here.root / "hello.wdl", "--engine", "embedded", "--input", "hello.name=x")
    conf = bench.here.root / "background.conf"
    password = (db.root / "secret").read_text().strip()
    folder = bench.here.root / "background"
    conf.write_text(BACKGROUND.format(password=password, root=folder, cores=os.cpu_count()))
    yield from hellos(bench, conf, times)
    yield from scatters(bench, conf, sizes)
    yield from with_hooks(bench, sizes[0])
    yield row("its scheduler alone, 100,000 calls", bench.scheduler(100_000), most=6)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--jar", default="")
    parser.add_argument("--calls", default="500,5000")
    parser.add_argument("--times", type=int, default=5)
    asked = parser.parse_args()
    sizes = [int(calls) for calls in asked.calls.split(",")]
    with world() as here:
        db = here.instance("db", "--engine", "embedded")
        report(list(rows(Bench(db, asked.jar), sizes, asked.times)), beside="miniwdl")


if __name__ == "__main__":
    main()
