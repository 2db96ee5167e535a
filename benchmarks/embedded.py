"""The embedded engine: a start, calls by the thousand, the same from the cache, its scheduler.

    python benchmarks/embedded.py [--calls 500,5000] [--times 5]

Prints a table in RST. The figures are of the engine's own process, without its jobs and without
the database; nothing else should run meanwhile.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

HELLO = """version 1.0
task greet { input { String name } command <<< echo "hello ~{name}" >>>
  output { String s = read_string(stdout()) } }
workflow hello { input { String name } call greet { input: name = name }
  output { String s = greet.s } }
"""
WIDE = """version 1.0
task t { input { Int i } command <<< >>> output { Int o = i } }
workflow wide { input { Int n } scatter (i in range(n)) { call t { input: i = i } }
  output { Array[Int] os = t.o } }
"""
CONF = """
database.db {{ user = "cromwell", password = "{password}" }}
call-caching {{ enabled = true, max-result-age-days = 36500 }}
backend {{ default = "here", providers.here.config {{
  root = "{root}", run-in-background = true, concurrent-job-limit = {cores}
  submit = "/bin/bash ${{script}}"
  filesystems.local.caching.hashing-strategy = "fingerprint"
}} }}
"""
# Runs the engine in a process that tells its own use of time and memory when it ends.
METER = """
import json, resource, sys, time
start = time.perf_counter()
from cromwell_userdb.embedded.__main__ import main
code = main(sys.argv[1:])
used = resource.getrusage(resource.RUSAGE_SELF)
print(json.dumps([code, time.perf_counter() - start, used.ru_utime + used.ru_stime,
                  used.ru_maxrss // 1024]), file=sys.stderr)
"""
SCHEDULER = """
import sys, time, gc
from pathlib import Path
import WDL
from cromwell_userdb import wdl
from cromwell_userdb.embedded.graph import Graph
from cromwell_userdb.embedded.values import Library, bound, use_cromwells_values
use_cromwells_values()
workflow = wdl.load(sys.argv[1]).workflow
gc.freeze(); gc.set_threshold(100_000, 20, 100)
start = time.process_time()
given = {"n": WDL.Value.Int(int(sys.argv[2]))}
graph = Graph(workflow, given, Library("1.0", Path("/nowhere")))
one = bound({"o": WDL.Value.Int(1)})
for ready in graph.step():
    graph.finish(ready.key, one)
assert graph.is_done and len(graph.outputs()["os"].value) == int(sys.argv[2])
print(time.process_time() - start)
"""


@dataclass(frozen=True)
class Use:
    """What one run of the engine took: seconds, seconds of CPU, MiB."""

    wall: float
    cpu: float
    memory: int


class Bench:
    """A new instance below /tmp, whose server runs."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.environment = {**os.environ, "CROMWELL_USERDB_ALLOW_ROOT": "1"}
        for name, text in (("hello", HELLO), ("wide", WIDE)):
            (root / f"{name}.wdl").write_text(text)
        self.do("init", "--backend", "local")
        self.do("db", "start")
        password = (root / "db" / "secret").read_text().strip()
        conf = CONF.format(password=password, root=root / "x", cores=os.cpu_count())
        (root / "engine.conf").write_text(conf)

    def do(self, *words: str) -> None:
        command = [sys.executable, "-m", "cromwell_userdb", *words, "--root", str(self.root / "db")]
        subprocess.run(command, env=self.environment, check=True, capture_output=True)

    def run(self, workflow: str, **inputs: object) -> Use:
        path = self.root / "inputs.json"
        path.write_text(json.dumps({f"{workflow}.{key}": one for key, one in inputs.items()}))
        done = subprocess.run(
            [
                *(sys.executable, "-c", METER),
                f"-Dconfig.file={self.root / 'engine.conf'}",
                f"-Dcromwell.userdb.socket={self.root / 'db' / 's'}",
                *("run", "-i", str(path), str(self.root / f"{workflow}.wdl")),
            ],
            capture_output=True,
            text=True,
            check=True,
        )
        code, wall, cpu, memory = json.loads(done.stderr.splitlines()[-1])
        assert code == 0, done.stdout
        return Use(wall, cpu, memory)

    def schedule(self, calls: int) -> float:
        words = [sys.executable, "-c", SCHEDULER, str(self.root / "wide.wdl"), str(calls)]
        return float(subprocess.run(words, capture_output=True, check=True).stdout)


def rows(bench: Bench, calls: list[int], times: int) -> list[tuple[str, ...]]:
    hellos = [bench.run("hello", name=f"{i} {time.time()}") for i in range(times + 1)][1:]
    wall, memory = (statistics.median(getattr(u, n) for u in hellos) for n in ("wall", "memory"))
    found = [
        ("hello, the engine's process", f"{wall:.2f} s", "0.6 s"),
        ("its memory", f"{memory:.0f} MiB", "60 MiB"),
    ]
    fresh = {n: bench.run("wide", n=n) for n in calls}
    cached = {n: bench.run("wide", n=n) for n in calls}
    for n in calls:
        found += [
            (f"{n} calls, CPU a call", f"{fresh[n].cpu / n * 1000:.1f} ms", "4 ms"),
            (f"{n} calls, memory", f"{fresh[n].memory} MiB", "150 MiB"),
            (f"{n} calls, whole run", f"{fresh[n].wall:.1f} s", ""),
            (f"{n} calls from the cache", f"{cached[n].wall:.1f} s", "20 s for 5000"),
        ]
    if len(calls) > 1:
        low, high = min(calls), max(calls)
        exponent = math.log(fresh[high].cpu / fresh[low].cpu) / math.log(high / low)
        found.append((f"exponent of CPU, {low} to {high}", f"{exponent:.2f}", "1"))
    found.append(("scheduler alone, 100,000 calls", f"{bench.schedule(100_000):.1f} s", "6 s"))
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--calls", default="500,5000")
    parser.add_argument("--times", type=int, default=5)
    options = parser.parse_args()
    root = Path(tempfile.mkdtemp(prefix="bench-", dir="/tmp"))
    bench = Bench(root)
    try:
        table = rows(bench, [int(n) for n in options.calls.split(",")], options.times)
    finally:
        bench.do("db", "stop", "--force")
        shutil.rmtree(root, ignore_errors=True)
    print(f"{platform.node()}, {os.cpu_count()} cores, Python {platform.python_version()}\n")
    widths = [max(len(row[i]) for row in table) for i in range(3)]
    rule = "  ".join("=" * width for width in widths)
    print(rule)
    for row in table:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)))
    print(rule)


if __name__ == "__main__":
    main()
