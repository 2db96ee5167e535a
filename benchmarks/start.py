"""Births, starts and small runs beside what users would do otherwise, in one run.

    python benchmarks/start.py [--jar CROMWELL_JAR] [--times N]

Prints a table in RST for docs/benchmarks.rst. Medians; nothing else should run meanwhile.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

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


@dataclass(frozen=True)
class Row:
    """One line of the table: what, how much, beside what, and what was promised."""

    what: str
    ours: str
    beside: str
    ratio: str
    promised: str


@dataclass(frozen=True)
class World:
    """A folder below /tmp, with a home of its own."""

    root: Path
    times: int

    @property
    def environment(self) -> dict[str, str]:
        return {**os.environ, "HOME": str(self.root / "home"), "CROMWELL_USERDB_ALLOW_ROOT": "1"}

    def do(self, *words: str | Path) -> float:
        """Seconds that a command takes, which has to succeed."""
        began = time.perf_counter()
        subprocess.run(
            [*map(str, words)],
            env=self.environment,
            check=True,
            cwd=self.root,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )
        return time.perf_counter() - began

    def median(self, work: Callable[[int], float]) -> float:
        return statistics.median(work(one) for one in range(self.times))


@contextmanager
def world(times: int) -> Iterator[World]:
    root = Path(tempfile.mkdtemp(prefix="bench-", dir="/tmp"))
    (root / "home").mkdir()
    (root / "hello.wdl").write_text(HELLO)
    made = World(root, times)
    try:
        yield made
    finally:
        for place in root.glob("db*"):
            stop = [*COMMAND, "db", "stop", "--force", "--root", str(place)]
            subprocess.run(stop, env=made.environment, check=False, capture_output=True)
        shutil.rmtree(root)


def births(here: World) -> Iterator[Row]:
    """`init` with a template beside the server's own script."""
    init = [*COMMAND, "init", "--backend", "local", "--engine", "embedded", "--root"]
    first = here.do(*init, here.root / "db-first")

    def again(one: int) -> float:
        return here.do(*init, here.root / f"db{one}")

    def script(one: int) -> float:
        return here.do(
            "mariadb-install-db", "--no-defaults", f"--datadir={here.root / f'own{one}'}",
            "--skip-test-db", "--auth-root-authentication-method=socket", f"--user={_user()}",
        )  # fmt: skip

    ours, theirs = here.median(again), here.median(script)
    yield Row("the first init, its template made", f"{first:.2f} s", "", "", "")
    yield _ratio("init with a template / mariadb-install-db alone", ours, theirs, "≤ 1 s, ≤ 0.8")
    yield Row(
        "a fresh instance on disk", _megabytes(_occupied(here.root / "db0")), "", "", "≤ 20 MB"
    )
    yield Row(
        "its idle server and supervisor, memory", _megabytes(_memory(here)), "", "", "≤ 80 MB"
    )


def commands(here: World) -> Iterator[Row]:
    """Small commands beside a bare interpreter."""
    bare = here.median(lambda _: here.do(sys.executable, "-c", "pass"))
    version = here.median(lambda _: here.do(*COMMAND, "--version"))
    yield _ratio("cromwell-userdb --version / python -c pass", version, bare, "≤ 6")
    status = here.median(lambda _: here.do(*COMMAND, "db", "status", "--root", here.root / "db0"))
    yield Row("db status", f"{status * 1000:.0f} ms", "", "", "≤ 150 ms")


def hellos(here: World, engine: list[str], promised: str) -> Iterator[Row]:
    """A one-task workflow, the whole command and what is ours of it."""
    root = here.root / "db0"

    def hello(one: int) -> float:
        name = f"{engine}-{one}-{time.time()}"
        return here.do(
            *COMMAND, "run", "--root", root, *engine, "--quiet",
            here.root / "hello.wdl", "--input", f"hello.name={name}",
        )  # fmt: skip

    def hello_from_cold(one: int) -> float:
        here.do(*COMMAND, "db", "stop", "--root", root)
        return hello(one)

    hello(0)
    up = here.median(hello)
    added = up - _engine_seconds(root)
    down = here.median(hello_from_cold)
    yield Row(f"hello, server up, {engine[1]}", f"{up:.2f} s", "", "", promised)
    yield Row("of that not the engine's own", f"{added:.2f} s", "", "", "≤ 0.2 s")
    yield Row("more when the server is down", f"{down - up:.2f} s", "", "", "≤ 0.3 s")


def plain(here: World, jar: str) -> Iterator[Row]:
    """The same hello on a plain `cromwell run` with its database in memory."""
    (here.root / "in.json").write_text('{"hello.name": "plain"}')
    plainly = here.do(
        "java", "-jar", jar, "run", here.root / "hello.wdl", "-i", here.root / "in.json"
    )
    ours = here.do(
        *COMMAND, "run", "--root", here.root / "db0", "--engine", "cromwell", "--cromwell", jar,
        "--quiet", here.root / "hello.wdl", "--input", "hello.name=private",
    )  # fmt: skip
    yield _ratio("hello on Cromwell / plain cromwell run", ours, plainly, "≤ 0.4")


def _engine_seconds(root: Path) -> float:
    """Seconds of the newest run between its engine's start and its end."""
    newest = max(root.glob("runs/*/engine.log"), key=lambda path: path.stat().st_mtime)
    state = json.loads((newest.parent / "state.json").read_text())
    began = (newest.parent / "cromwell.conf").stat().st_mtime
    return newest.stat().st_mtime - began if state["ended"] else 0.0


def _memory(here: World) -> int:
    """Proportional memory of the supervisor of db0 and its server, in bytes."""
    holder = json.loads((here.root / "db0" / "lease.json").read_text())["holder"]["pid"]
    supervisor = psutil.Process(holder)
    every = [supervisor, *supervisor.children(recursive=True)]
    return sum(one.memory_full_info().pss for one in every)


def _occupied(folder: Path) -> int:
    return sum(path.lstat().st_blocks * 512 for path in [folder, *folder.rglob("*")])


def _user() -> str:
    return psutil.Process().username()


def _megabytes(count: int) -> str:
    return f"{count / 2**20:.1f} MB"


def _ratio(what: str, ours: float, theirs: float, promised: str) -> Row:
    return Row(what, f"{ours:.2f} s", f"{theirs:.2f} s", f"{ours / theirs:.2f}", promised)


def table(rows: list[Row]) -> str:
    """The rows as an RST table."""
    lines = [["what", "ours", "beside", "ratio", "promised"]]
    lines += [[row.what, row.ours, row.beside, row.ratio, row.promised] for row in rows]
    widths = [max(len(line[column]) for line in lines) for column in range(5)]
    rule = "  ".join("=" * width for width in widths)
    text = [
        "  ".join(
            (cell or "\\").ljust(width) for cell, width in zip(line, widths, strict=True)
        ).rstrip()
        for line in lines
    ]
    return "\n".join([rule, text[0], rule, *text[1:], rule])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--jar", default=os.environ.get("CROMWELL_USERDB_CROMWELL", ""))
    parser.add_argument("--times", type=int, default=5)
    asked = parser.parse_args()
    with world(asked.times) as here:
        rows = [*births(here), *commands(here)]
        rows += hellos(here, ["--engine", "embedded"], "≤ 1.0 s")
        if asked.jar:
            rows += plain(here, asked.jar)
    machine = platform.processor() or platform.machine()
    print(f"{machine}, {os.cpu_count()} cores, {time.strftime('%F')}\n")
    print(table(rows))


if __name__ == "__main__":
    main()
