"""Births, starts and small runs beside what users would do otherwise, in one run.

    python benchmarks/start.py [--jar CROMWELL_JAR] [--times N]

Prints a table in RST for docs/benchmarks.rst. Medians; nothing else should run meanwhile.

The engine's own time is the life of its process, as the kernel tells it; what `run` adds is the
rest of the command's time.
"""

from __future__ import annotations

import argparse
import itertools
import os
import select
import statistics
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil
from measure import COMMAND, Private, Row, World, median, megabytes, occupied, report, row, world

from cromwell_userdb import prepare
from cromwell_userdb.record import read_json


def births(here: World, times: int) -> Iterator[Row]:
    """`init` with a template beside the server's own script."""
    first = here.do(*_init(here, "first")).wall
    new = itertools.count()
    ours = median(times, lambda: here.do(*_init(here, f"db{next(new)}")).wall)
    theirs = median(times, lambda: here.do(*_script(here, f"own{next(new)}")).wall)
    db = Private(here, here.root / "db0")
    memory = sum(one.memory_full_info().pss for one in db.servers())
    yield row("the first init, which makes the template", first)
    what = "init with a template, beside mariadb-install-db alone"
    yield row(what, ours, theirs, most=1, ratio=0.8)
    yield row("a fresh instance on disk", megabytes(occupied(db.root)), unit="MB", most=20)
    yield row("its idle server and supervisor (PSS)", megabytes(memory), unit="MB", most=80)


def _init(here: World, name: str) -> list[str | Path]:
    options = ["--backend", "local", "--engine", "embedded", "--root"]
    return [*COMMAND, "init", *options, here.root / name]


def _script(here: World, name: str) -> list[str | Path]:
    return [
        "mariadb-install-db", "--no-defaults", f"--datadir={here.root / name}", "--skip-test-db",
        "--auth-root-authentication-method=socket", f"--user={psutil.Process().username()}",
    ]  # fmt: skip


def commands(here: World, times: int) -> Iterator[Row]:
    """Small commands beside a bare interpreter."""
    bare = median(times, lambda: here.do(sys.executable, "-c", "pass").wall)
    version = median(times, lambda: here.do(*COMMAND, "--version").wall)
    status = median(times, lambda: Private(here, here.root / "db0").do("db status").wall)
    yield row("--version, beside python -c pass", version * 1000, bare * 1000, unit="ms", ratio=6)
    yield row("db status", status * 1000, unit="ms", most=150)


def hellos(db: Private, jar: str, times: int) -> Iterator[Row]:
    """A workflow of one task: the whole command, and what of it isn't the engine's."""
    name = "Cromwell" if jar else "embedded"
    hello(db, jar)
    up = [hello(db, jar) for _ in range(times)]
    down = [hello(db, jar, cold=True) for _ in range(times)]
    whole = statistics.median(one.whole for one in up)
    yield row(f"hello, {name}, server up", whole, most=None if jar else 1)
    yield row("of that beside the engine", statistics.median(one.added for one in up), most=0.2)
    added = statistics.median(one.added for one in down)
    yield row("beside the engine, server down", added, most=0.5)


@dataclass(frozen=True)
class Hello:
    """Seconds of a run, and those of them in which its engine does not live."""

    whole: float
    added: float


def hello(db: Private, jar: str, *, cold: bool = False) -> Hello:
    """A run that no cache knows; `cold`: with the server down before."""
    if cold:
        db.do("db stop")
    state = db.root / "runs" / str(1 + sum(1 for _ in db.root.glob("runs/*"))) / "state.json"
    run = db.here.begin(_run(db, jar))
    engine = os.pidfd_open(_engine(state))
    began = time.perf_counter()
    select.select([engine], [], [])
    lived = time.perf_counter() - began
    os.close(engine)
    whole = run.end().wall
    return Hello(whole, whole - lived)


def _engine(state: Path) -> int:
    """The engine's process as soon as it is there."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        found = read_json(state) or {}
        if process := found.get("engine_process"):
            return int(process["pid"])
        time.sleep(0.005)
    sys.exit(f"{state}: no engine began.")


def _run(db: Private, jar: str) -> list[str | Path]:
    engine = ["--engine", "cromwell", "--cromwell", jar] if jar else ["--engine", "embedded"]
    new = f"hello.name={_new()}"
    return db.words("run", db.here.root / "hello.wdl", *engine, "--quiet", "--input", new)


def _by_hand(db: Private, jar: str, conf: Path) -> list[str]:
    return db.by_hand("hello.wdl", {"hello.name": _new()}, jar=jar, conf=conf)


def _new() -> str:
    """A name that no cache knows."""
    return f"n{time.time_ns()}"


def beside_plain(db: Private, jar: str, times: int) -> Iterator[Row]:
    """The same hello on a plain `cromwell run`, whose database is in memory."""
    values = db.here.inputs({"hello.name": "plain"})
    plain = ["java", "-jar", jar, "run", "-i", values, db.here.root / "hello.wdl"]
    ours = median(times, lambda: hello(db, jar).whole)
    theirs = median(times, lambda: db.here.do(*plain).wall)
    yield row("hello, Cromwell, beside plain cromwell run", ours, theirs, ratio=0.4)


def six(db: Private, jar: str) -> Iterator[Row]:
    """Six at once, beside six that each look through Liquibase's history at their start."""
    ours = _together(db, [_run(db, jar) for _ in range(6)])
    careful = db.here.root / "careful.conf"
    text = db.conf().read_text()
    # Where Liquibase is to take its lock, snapshot isolation would end some of the six.
    for ours_only, plain in (
        ("Schema = false", "Schema = true"),
        ("isolation=ON", "isolation=OFF"),
    ):
        assert ours_only in text
        text = text.replace(ours_only, plain)
    careful.write_text(text)
    theirs = _together(db, [_by_hand(db, jar, careful) for _ in range(6)])
    yield row("six hellos at once, beside six with Liquibase on", ours, theirs, ratio=0.4)


def _together(db: Private, commands: list[list[str]] | list[list[str | Path]]) -> float:
    began = time.perf_counter()
    for one in [db.here.begin(words) for words in commands]:
        one.end()
    return time.perf_counter() - began


def archive(db: Private, jar: str) -> None:
    """The JVM's class archive, which would be made in the background after `init`."""
    prepare.archive_classes(db.engine(jar), db.here.cache, environ=db.here.environment)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--jar", default=os.environ.get("CROMWELL_USERDB_CROMWELL", ""))
    parser.add_argument("--times", type=int, default=5)
    parser.add_argument("--jar-times", type=int, default=2)
    asked = parser.parse_args()
    with world() as here:
        rows = [*births(here, asked.times), *commands(here, asked.times)]
        db = Private(here, here.root / "db0")
        rows += hellos(db, "", asked.times)
        if asked.jar:
            archive(db, asked.jar)
            rows += hellos(db, asked.jar, asked.jar_times)
            rows += beside_plain(db, asked.jar, asked.jar_times)
            rows += six(db, asked.jar)
        else:
            print("No --jar: nothing of Cromwell itself is measured.", file=sys.stderr)
    report(rows)


if __name__ == "__main__":
    main()
