"""What the benchmarks share: a home and an instance of their own, use of processes, one table."""

from __future__ import annotations

import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from cromwell_userdb import engine as engines
from cromwell_userdb.instance import Instance

COMMAND = [sys.executable, "-m", "cromwell_userdb"]
HELLO = """version 1.0
workflow hello {
  input { String name }
  call greet { input: name = name }
  output { String s = greet.s }
}
task greet {
  input { String name }
  command <<< echo "hello ~{name}" >>>
  output { String s = read_string(stdout()) }
}
"""
# Not empty commands: miniwdl does not run those.
WIDE = """version 1.0
workflow wide {
  input { Int n }
  scatter (i in range(n)) { call t { input: i = i } }
  output { Array[Int] os = t.o }
}
task t { input { Int i } command <<< true >>> output { Int o = i } }
"""


@dataclass(frozen=True)
class Use:
    """What a process took to its end: seconds, seconds of CPU, bytes at its peak.

    CPU is of the process and of the children that it waited for.
    """

    wall: float
    cpu: float
    memory: int


@dataclass(frozen=True)
class World:
    """A folder below /tmp, with a home and workflows of its own."""

    root: Path

    @property
    def environment(self) -> dict[str, str]:
        bending = ("XDG_", "CROMWELL_USERDB_", "PYTHON")
        kept = {name: here for name, here in os.environ.items() if not name.startswith(bending)}
        return {**kept, "HOME": str(self.root / "home"), "CROMWELL_USERDB_ALLOW_ROOT": "1"}

    @property
    def cache(self) -> Path:
        return self.root / "home/.cache/cromwell-userdb"

    def begin(self, words: Sequence[str | Path]) -> Running:
        """Start a command, which has to succeed."""
        errors = tempfile.TemporaryFile()  # noqa: SIM115  # as long as the process
        child = subprocess.Popen(
            [*map(str, words)],
            env=self.environment,
            cwd=self.root,
            stdin=subprocess.DEVNULL,
            stdout=errors,
            stderr=errors,
        )
        return Running(child, errors, time.perf_counter())

    def do(self, *words: str | Path) -> Use:
        """What a command takes, which has to succeed."""
        return self.begin(words).end()

    def instance(self, name: str = "db", *words: str, backend: str = "local") -> Private:
        """A new instance, its server up."""
        made = Private(self, self.root / name)
        made.do("init", "--backend", backend, *words)
        return made

    def inputs(self, values: Mapping[str, object]) -> Path:
        fd, path = tempfile.mkstemp(dir=self.root, suffix=".json")
        with os.fdopen(fd, "w") as file:
            json.dump(values, file)
        return Path(path)


@dataclass(frozen=True)
class Running:
    """A process that goes on; its words are kept should it fail."""

    child: subprocess.Popen[bytes]
    words: object
    began: float

    def end(self) -> Use:
        _, status, used = os.wait4(self.child.pid, 0)
        wall = time.perf_counter() - self.began
        self.child.returncode = os.waitstatus_to_exitcode(status)
        if self.child.returncode:
            self.words.seek(0)
            sys.exit(f"{self.child.args} failed:\n{self.words.read().decode()[-3000:]}")
        self.words.close()
        return Use(wall, used.ru_utime + used.ru_stime, used.ru_maxrss * 1024)


@dataclass(frozen=True)
class Private:
    """An instance, with its commands and what `run` would start."""

    here: World
    root: Path

    def words(self, verb: str, *words: str | Path) -> list[str | Path]:
        return [*COMMAND, *verb.split(), "--root", self.root, *words]

    def do(self, verb: str, *words: str | Path) -> Use:
        return self.here.do(*self.words(verb, *words))

    def engine(self, jar: str = "") -> engines.Engine:
        """Cromwell in `jar`; the embedded engine without one."""
        if not jar:
            return engines.embedded()
        environ, cache = self.here.environment, self.here.cache
        return engines.find("cromwell", named=Path(jar), environ=environ, cache=cache)

    def by_hand(
        self, wdl: str, values: Mapping[str, object], *, jar: str = "", conf: Path, heap_mb: int = 0
    ) -> list[str]:
        """The command line that `run` starts its engine with."""
        return engines.argv(
            self.engine(jar),
            conf=conf,
            socket=Instance(self.root).socket,
            arguments=["run", "-i", self.here.inputs(values), self.here.root / wdl],
            heap_mb=heap_mb,
        )

    def conf(self) -> Path:
        """The configuration of the newest run."""
        confs = self.root.glob("runs/*/cromwell.conf")
        return max(confs, key=lambda path: int(path.parent.name))

    def servers(self) -> list[psutil.Process]:
        """The supervisor and its server."""
        holder = json.loads((self.root / "lease.json").read_text())["holder"]["pid"]
        supervisor = psutil.Process(holder)
        return [supervisor, *supervisor.children(recursive=True)]


@contextmanager
def world() -> Iterator[World]:
    """A new world; its servers are stopped at the end, and it is removed."""
    made = World(Path(tempfile.mkdtemp(prefix="bench-", dir="/tmp")))
    (made.root / "home").mkdir()
    (made.root / "hello.wdl").write_text(HELLO)
    (made.root / "wide.wdl").write_text(WIDE)
    try:
        yield made
    finally:
        for facts in made.root.glob("*/instance.json"):
            stop = Private(made, facts.parent).words("db stop", "--force")
            subprocess.run(stop, env=made.environment, check=False, capture_output=True)
        shutil.rmtree(made.root, ignore_errors=True)


def occupied(*folders: Path) -> int:
    """Bytes on disk."""
    done = subprocess.run(["du", "-scB1", *folders], check=True, capture_output=True, text=True)
    return int(done.stdout.splitlines()[-1].split()[0])


def median(times: int, work: Callable[[], float]) -> float:
    return statistics.median(work() for _ in range(times))


@dataclass(frozen=True)
class Row:
    """A line of the table: ours, what it is beside, and what was promised of it."""

    what: str
    ours: str
    beside: str = ""
    ratio: str = ""
    promised: str = ""
    kept: str = ""


def row(
    what: str,
    ours: float,
    beside: float | None = None,
    *,
    unit: str = "s",
    most: float | None = None,
    ratio: float | None = None,
) -> Row:
    """`most` was promised of ours, `ratio` of ours divided by what it is beside."""
    found = ours / beside if beside else None
    promised, kept = [], []
    if most is not None:
        promised.append(f"≤ {most:g} {unit}".rstrip())
        kept.append(ours <= most)
    if ratio is not None and found is not None:
        promised.append(f"ratio ≤ {ratio:g}")
        kept.append(found <= ratio)
    return Row(
        what,
        _amount(ours, unit),
        _amount(beside, unit) if beside is not None else "",
        f"{found:.2g}" if found is not None and found < 10 else f"{found:.0f}" if found else "",
        ", ".join(promised),
        ("yes" if all(kept) else "no") if kept else "",
    )


def _amount(value: float, unit: str) -> str:
    digits = 0 if value >= 100 or value == int(value) else 1 if value >= 10 else 2
    return f"{value:.{digits}f} {unit}".rstrip()


def megabytes(count: float) -> float:
    return count / 2**20


def report(rows: Sequence[Row], beside: str = "beside") -> None:
    """Print the machine, the day and the rows, as RST; `beside` heads the third column."""
    print(f"{machine()}.\n\n{table(rows, beside)}")


def machine() -> str:
    model = platform.machine()
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            model = line.partition(":")[2].strip()
            break
    memory = psutil.virtual_memory().total / 2**30
    return (
        f"{model}, {os.cpu_count()} cores, {memory:.0f} GB, Linux {platform.release()}, "
        f"Python {platform.python_version()}, {time.strftime('%F')}"
    )


def table(rows: Sequence[Row], beside: str) -> str:
    lines = [("what", "ours", beside, "ratio", "promised", "kept")]
    lines += [(row.what, row.ours, row.beside, row.ratio, row.promised, row.kept) for row in rows]
    full = [line for line in zip(*lines, strict=True) if any(line[1:])]
    widths = [max(map(len, column)) for column in full]
    rule = "  ".join("=" * width for width in widths)
    text = [
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in zip(*full, strict=True)
    ]
    return "\n".join([rule, text[0], rule, *text[1:], rule])
