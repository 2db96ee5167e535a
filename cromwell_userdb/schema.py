"""Cromwell's tables: which version they have, who made them, and how they come to be."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from cromwell_userdb import database
from cromwell_userdb.database import Connection
from cromwell_userdb.errors import DatabaseError, Held, UsageError
from cromwell_userdb.record import make_private, write_private

CROMWELL = "cromwell"
"""Cromwell's schema, and the account that engines use."""

BUNDLED = "92"
"""The release whose tables we bring along."""

_DATA = Path(__file__).with_name("data")
_LOGS = ("DATABASECHANGELOG", "SQLMETADATADATABASECHANGELOG")
_LOCKS = tuple(f"{log}LOCK" for log in _LOGS)

_OWN = """
    CREATE TABLE IF NOT EXISTS cromwell_userdb.cromwell_schema (
      id INT NOT NULL AUTO_INCREMENT PRIMARY KEY,
      kind VARCHAR(16) NOT NULL,
      version VARCHAR(64) NOT NULL,
      sha256 VARCHAR(64) NOT NULL,
      applied_at DATETIME(6) NOT NULL,
      UNIQUE KEY (kind, version, sha256)
    )
"""


@dataclass(frozen=True)
class Maker:
    """An engine as the maker of tables: `sha256` is its jar's, "" for the embedded one."""

    kind: str
    version: str
    sha256: str = ""

    @property
    def number(self) -> int:
        """The release, for comparison; 0 where it has no number."""
        found = re.match(r"\d+", self.version)
        return int(found[0]) if found else 0

    @property
    def name(self) -> str:
        return "the embedded engine" if self.kind == "embedded" else f"Cromwell {self.version}"


def history(connection: Connection) -> list[tuple[Maker, datetime]]:
    """Every engine that the tables were made ready for, and when; the newest last."""
    if "cromwell_schema" not in database.tables(connection, "cromwell_userdb"):
        return []
    found = database.rows(
        connection,
        "SELECT kind, version, sha256, applied_at FROM cromwell_userdb.cromwell_schema"
        " ORDER BY applied_at, id",
    )
    return [(Maker(kind, version, sha256), when) for kind, version, sha256, when in found]


def is_current(connection: Connection, maker: Maker) -> bool:
    """Whether `maker` can start now, its migrations left out.

    Raises UsageError for a Cromwell older than one that ran here: it has no way back.
    """
    if maker.kind == "embedded":
        return not missing_columns(connection)
    makers = [known for known, _ in history(connection)]
    newest = max((known.number for known in makers), default=0)
    if 0 < maker.number < newest:
        raise UsageError(
            f"{maker.name} is older than Cromwell {newest}, whose tables this instance has, and "
            f"can't go back: use Cromwell {newest} or newer, or another instance (--name)."
        )
    return maker in makers


def missing_columns(connection: Connection) -> set[tuple[str, str]]:
    """Tables and columns of the bundled release that Cromwell's schema lacks."""
    found = database.rows(
        connection,
        "SELECT TABLE_NAME, COLUMN_NAME FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = %s",
        (CROMWELL,),
    )
    return set(columns(bundled("mariadb"))) - {(table, column) for table, column in found}


def columns(script: str) -> Iterable[tuple[str, str]]:
    """Each table and column that the CREATE statements of `script` make.

    >>> list(columns("CREATE TABLE `a`.`T` (\\n  `X` int,\\n  KEY `K` (`X`)\\n) ENGINE=InnoDB;"))
    [('T', 'X')]
    """
    for table, body in re.findall(r"^CREATE TABLE `\w+`\.`(\w+)` \((.*?)^\)", script, re.M | re.S):
        for column in re.findall(r"^\s+`(\w+)`", body, re.M):
            yield table, column


_NOTE = (
    "REPLACE INTO cromwell_userdb.cromwell_schema (kind, version, sha256, applied_at)"
    " VALUES (%s, %s, %s, UTC_TIMESTAMP(6))"
)


def note(connection: Connection, maker: Maker) -> None:
    """Record that the tables are ready for `maker`."""
    database.execute(connection, "CREATE DATABASE IF NOT EXISTS cromwell_userdb")
    database.execute(connection, _OWN)
    database.execute(connection, _NOTE, (maker.kind, maker.version, maker.sha256))


def script(maker: Maker) -> str:
    """SQL for MariaDB that does what `apply_bundled` does; our own schema is there before."""
    noted = _NOTE % (f"'{maker.kind}'", f"'{maker.version}'", f"'{maker.sha256}'")
    return f"{bundled('mariadb')}\n{_OWN};\n{noted};\n"


def apply_bundled(connection: Connection, maker: Maker) -> None:
    """Make the bundled release's tables in an empty schema, for the embedded engine.

    Where there are tables they are left alone, if they will do; UsageError if not.
    """
    if is_migrated(connection):
        if missing := sorted(missing_columns(connection)):
            raise UsageError(
                f"The tables here are those of a Cromwell older than {BUNDLED} ("
                f"{'.'.join(missing[0])} is missing), which {maker.name} can't use: run a Cromwell "
                f"{BUNDLED} once, or choose another instance (--name)."
            )
    else:
        # Liquibase has one history for each; it goes by the server's name.
        flavour = "mariadb" if "MariaDB" in server_version(connection) else "mysql"
        _make(connection, bundled(flavour))
    note(connection, maker)


def apply_cached(connection: Connection, maker: Maker, cache: Path) -> bool:
    """Make `maker`'s tables from what `keep` kept; False where that can't be."""
    place = _place(connection, maker, cache)
    if not place.is_file() or is_migrated(connection):
        return False
    _make(connection, place.read_text())
    note(connection, maker)
    return True


def keep(connection: Connection, maker: Maker, cache: Path) -> Path | None:
    """Keep the tables for the next instance, per jar and server; None where they hold rows."""
    names = sorted(database.tables(connection, CROMWELL))
    if _filled(connection, set(names) - {*_LOGS, *_LOCKS}):
        return None
    place = _place(connection, maker, cache)
    make_private(place.parent)
    write_private(place, _dump(connection, names))
    return place


def bundled(flavour: str) -> str:
    """The script that makes the bundled release's tables in an empty schema."""
    return (_DATA / f"cromwell-{BUNDLED}-{flavour}.sql").read_text()


def server_version(connection: Connection) -> str:
    """The server's version in its own words; MariaDB's has its name in it."""
    ((version,),) = database.rows(connection, "SELECT VERSION()")
    return str(version)


def _place(connection: Connection, maker: Maker, cache: Path) -> Path:
    server = re.sub(r"[^\w.+-]", "_", server_version(connection))
    return cache / "schemas" / f"{maker.version}-{maker.sha256[:12]}-{server}.sql"


def _dump(connection: Connection, names: list[str]) -> str:
    statements = []
    for name in names:
        ((_, create),) = database.rows(connection, f"SHOW CREATE TABLE `{CROMWELL}`.`{name}`")
        create = re.sub(r" AUTO_INCREMENT=\d+", "", create)
        statements.append(create.replace("CREATE TABLE ", f"CREATE TABLE `{CROMWELL}`.", 1))
    for name in (*_LOGS, *_LOCKS):
        for row in database.rows(connection, f"SELECT * FROM `{CROMWELL}`.`{name}`"):
            values = ", ".join(connection.escape(value) for value in row)
            statements.append(f"INSERT INTO `{CROMWELL}`.`{name}` VALUES ({values})")
    return "".join(f"{statement};\n" for statement in statements)


def _make(connection: Connection, script: str) -> None:
    """Run `script`, its tables first; the change-log rows, by which it counts, come at once."""
    existing = database.tables(connection, CROMWELL)
    if filled := _filled(connection, existing):
        raise DatabaseError(
            f"The schema {CROMWELL} has rows in {filled[0]}, but no record of what Cromwell "
            "made it: choose another instance (--name)."
        )
    creates, _, inserts = script.partition("\nINSERT ")
    database.execute(connection, "SET SESSION foreign_key_checks = 0")
    try:
        for name in existing:  # empty, and half made: a first migration was interrupted
            database.execute(connection, f"DROP TABLE `{CROMWELL}`.`{name}`")
        database.run_script(connection, creates)
        with database.transaction(connection):
            database.run_script(connection, f"INSERT {inserts}")
    finally:
        database.execute(connection, "SET SESSION foreign_key_checks = 1")


def is_migrated(connection: Connection) -> bool:
    """Whether Liquibase, or we in its name, came to an end here."""
    there = database.tables(connection, CROMWELL)
    return set(_LOGS) <= there and len(_filled(connection, set(_LOGS))) == len(_LOGS)


def _filled(connection: Connection, names: Iterable[str]) -> list[str]:
    """Those of the tables that have rows."""
    return [
        name
        for name in sorted(names)
        if database.rows(connection, f"SELECT 1 FROM `{CROMWELL}`.`{name}` LIMIT 1")
    ]


def check_alone(
    connection: Connection,
    *,
    patience: float = 3,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> None:
    """Raise Held while an engine is connected: tables don't change under a run.

    A connection that ends within `patience` seconds was no run's.
    """
    deadline = clock() + patience
    while _engines(connection):
        if clock() > deadline:
            raise Held(
                "A run of this instance is alive, and another engine has to change the tables "
                "first: wait until the run has ended, or choose another instance (--name)."
            )
        sleep(0.1)


def _engines(connection: Connection) -> int:
    ((number,),) = database.rows(
        connection,
        "SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE USER = %s",
        (CROMWELL,),
    )
    return int(number)


def free_locks(connection: Connection) -> list[str]:
    """Free Liquibase's locks and tell who held them; only where `check_alone` has passed."""
    holders = []
    for lock in set(_LOCKS) & database.tables(connection, CROMWELL):
        found = database.rows(
            connection, f"SELECT LOCKEDBY FROM `{CROMWELL}`.`{lock}` WHERE LOCKED"
        )
        holders += [str(holder) for (holder,) in found]
        database.execute(
            connection,
            f"UPDATE `{CROMWELL}`.`{lock}` SET LOCKED = 0, LOCKGRANTED = NULL, LOCKEDBY = NULL",
        )
    return holders


def date_old_results(connection: Connection) -> int:
    """Give results older than release 92 the date it asks for; without one they are never used."""
    if ("CALL_CACHING_ENTRY", "CREATED_AT") in missing_columns(connection):
        return 0  # an older release's tables
    return database.execute(
        connection,
        f"UPDATE `{CROMWELL}`.CALL_CACHING_ENTRY c"
        f" LEFT JOIN `{CROMWELL}`.WORKFLOW_METADATA_SUMMARY_ENTRY w"
        " USING (WORKFLOW_EXECUTION_UUID)"
        " SET c.CREATED_AT = COALESCE(w.END_TIMESTAMP, w.START_TIMESTAMP, UTC_TIMESTAMP(6))"
        " WHERE c.CREATED_AT < '1000-01-01'",
    )


def forget_workflow(connection: Connection, label: str, value: str) -> None:
    """Delete what the workflow with this label left: it was there to migrate, nothing else."""
    if "METADATA_ENTRY" not in database.tables(connection, CROMWELL):
        return
    found = database.rows(
        connection,
        f"SELECT WORKFLOW_EXECUTION_UUID FROM `{CROMWELL}`.METADATA_ENTRY"
        " WHERE METADATA_KEY = %s AND METADATA_VALUE = %s",
        (f"labels:{label}", value),
    )
    for workflow in found:
        with database.transaction(connection):
            for statement in _FORGET:
                database.execute(connection, statement, workflow)


_FORGET = (
    f"DELETE FROM `{CROMWELL}`.SUMMARY_QUEUE_ENTRY WHERE METADATA_JOURNAL_ID IN (SELECT"
    f" METADATA_JOURNAL_ID FROM `{CROMWELL}`.METADATA_ENTRY WHERE WORKFLOW_EXECUTION_UUID = %s)",
    f"DELETE FROM `{CROMWELL}`.METADATA_ENTRY WHERE WORKFLOW_EXECUTION_UUID = %s",
    f"DELETE FROM `{CROMWELL}`.CUSTOM_LABEL_ENTRY WHERE WORKFLOW_EXECUTION_UUID = %s",
    f"DELETE FROM `{CROMWELL}`.WORKFLOW_METADATA_SUMMARY_ENTRY WHERE WORKFLOW_EXECUTION_UUID = %s",
)
