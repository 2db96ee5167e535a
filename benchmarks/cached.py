"""Many empty calls of a Cromwell, fresh and then from the cache, on two databases.

    python benchmarks/cached.py --jar CROMWELL_JAR [--calls N] [--heap-mb MB]

Ours is beside a database of HSQLDB in a file, as Cromwell's manual advises it for one user. All
else is the same: jar, Java and its options, heap, back end, folders, machine. CPU and memory are
Cromwell's with the hooks it waits for, and on our side MariaDB's as well.
"""

from __future__ import annotations

import argparse
import os
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from measure import Private, Row, Use, megabytes, occupied, report, row, world

from cromwell_userdb import prepare

# https://cromwell.readthedocs.io, "Persisting data between restarts".
HSQLDB = """\
database {{
  profile = "slick.jdbc.HsqldbProfile$"
  db {{
    driver = "org.hsqldb.jdbcDriver"
    url = "jdbc:hsqldb:file:{folder}/db;shutdown=false;hsqldb.default_table_type=cached;\
hsqldb.tx=mvcc;hsqldb.result_max_memory_rows=10000;hsqldb.large_data=true;hsqldb.applog=1;\
hsqldb.lob_compressed=true;hsqldb.script_format=3"
    connectionTimeout = 120000
    numThreads = 1
  }}
}}
"""


@dataclass(frozen=True)
class Side:
    """One of the two: its configuration and where its files lie."""

    conf: Path
    folders: tuple[Path, ...]


def ours(db: Private) -> Side:
    return Side(db.conf(), (db.root / "data", db.root / "executions"))


def theirs(db: Private) -> Side:
    """The configuration of a run of ours, with another database and folder."""
    folder = db.here.root / "hsqldb"
    text = db.conf().read_text()
    text, found = re.subn(
        r"(?ms)^database \{.*?^\}\n", lambda _: HSQLDB.format(folder=folder), text
    )
    assert found == 1
    conf = db.here.root / "hsqldb.conf"
    conf.write_text(text.replace(str(db.root / "executions"), str(folder / "executions")))
    folder.mkdir()
    return Side(conf, (folder,))


def scatter(db: Private, side: Side, jar: str, calls: int, heap_mb: int) -> Use:
    words = db.by_hand("wide.wdl", {"wide.n": calls}, jar=jar, conf=side.conf, heap_mb=heap_mb)
    servers = db.servers()
    before = sum(sum(one.cpu_times()[:2]) for one in servers)
    used = db.here.do(*words)
    served = sum(sum(one.cpu_times()[:2]) for one in servers) - before
    peak = sum(map(_peak, servers))
    if side.conf.name == "hsqldb.conf":
        return used
    return Use(used.wall, used.cpu + served, used.memory + peak)


def _peak(process: object) -> int:
    """The most memory that a living process ever had."""
    pid = process.pid  # type: ignore[attr-defined]
    found = re.search(r"VmHWM:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())
    return int(found[1]) * 1024 if found else 0


def rows(db: Private, jar: str, calls: int, heap_mb: int) -> Iterator[Row]:
    sides = (ours(db), theirs(db))
    for name in ("fresh", "from the cache"):
        one, other = (scatter(db, side, jar, calls, heap_mb) for side in sides)
        yield row(f"{calls} calls {name}", one.wall, other.wall)
        yield row("their CPU", one.cpu, other.cpu)
        yield row("memory at its peak", megabytes(one.memory), megabytes(other.memory), unit="MB")
    one, other = (megabytes(occupied(*side.folders)) for side in sides)
    yield row("disk after both", one, other, unit="MB")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--jar", default=os.environ.get("CROMWELL_USERDB_CROMWELL", ""))
    parser.add_argument("--calls", type=int, default=1000)
    parser.add_argument("--heap-mb", type=int, default=4000)
    asked = parser.parse_args()
    if not asked.jar:
        sys.exit("This compares databases under a real Cromwell: name its jar with --jar.")
    with world() as here:
        db = here.instance("db", "--engine", "cromwell", "--cromwell", asked.jar)
        prepare.archive_classes(db.engine(asked.jar), here.cache, environ=here.environment)
        # Not the limit on starts is to be measured.
        db.do("config set", "run.job_rate", "1000")
        db.do("run", here.root / "hello.wdl", "--input", "hello.name=first")
        report(list(rows(db, asked.jar, asked.calls, asked.heap_mb)), beside="HSQLDB")


if __name__ == "__main__":
    main()
