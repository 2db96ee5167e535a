"""The register of runs: our own schema, beside Cromwell's, for questions in SQL."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import astuple
from datetime import UTC, datetime

from cromwell_userdb.attempts import Attempt, Share
from cromwell_userdb.database import (
    Connection,
    execute,
    execute_many,
    rows,
    run_script,
    tables,
)
from cromwell_userdb.errors import DatabaseError
from cromwell_userdb.runs import Request, State

SCHEMA = "cromwell_userdb"

_MIGRATIONS = (
    f"""
CREATE TABLE IF NOT EXISTS {SCHEMA}.run (
  number INT NOT NULL PRIMARY KEY,
  token VARCHAR(64) NOT NULL UNIQUE,
  workflow_id VARCHAR(64) NULL,
  workflow VARCHAR(255) NOT NULL,
  name VARCHAR(255) NOT NULL,
  wdl TEXT NOT NULL,
  state VARCHAR(16) NOT NULL,
  engine VARCHAR(64) NOT NULL,
  backend VARCHAR(64) NOT NULL,
  created DATETIME(3) NOT NULL,
  ended DATETIME(3) NULL,
  resumes INT NULL,
  KEY run_workflow_id (workflow_id)
) DEFAULT CHARSET=utf8mb4;
""",
    f"""
CREATE TABLE IF NOT EXISTS {SCHEMA}.attempt (
  root VARCHAR(700) CHARACTER SET ascii NOT NULL PRIMARY KEY,
  run INT NOT NULL,
  call_name VARCHAR(255) NOT NULL,
  shard INT NULL,
  attempt INT NOT NULL,
  job VARCHAR(64) NOT NULL,
  return_code INT NULL,
  reason VARCHAR(32) NOT NULL,
  node VARCHAR(255) NOT NULL,
  partition_name VARCHAR(255) NOT NULL,
  asked_cpu DOUBLE NOT NULL, asked_memory_mb INT NOT NULL, asked_seconds INT NOT NULL,
  granted_cpu DOUBLE NOT NULL, granted_memory_mb INT NOT NULL, granted_seconds INT NOT NULL,
  used_cpu DOUBLE NOT NULL, used_memory_mb INT NOT NULL, used_seconds INT NOT NULL,
  KEY attempt_run (run, call_name)
) DEFAULT CHARSET=utf8mb4;
""",
)

_ATTEMPT = (
    "root", "run", "call_name", "shard", "attempt", "job", "return_code", "reason", "node",
    "partition_name", "asked_cpu", "asked_memory_mb", "asked_seconds", "granted_cpu",
    "granted_memory_mb", "granted_seconds", "used_cpu", "used_memory_mb", "used_seconds",
)  # fmt: skip


_VERSIONS = f"CREATE TABLE IF NOT EXISTS {SCHEMA}.schema_version (version INT NOT NULL)"


def script() -> str:
    """SQL for our schema as this version has it, where there is none yet."""
    made = f"CREATE DATABASE {SCHEMA};\n{_VERSIONS};\n{''.join(_MIGRATIONS)}"
    return made + f"INSERT INTO {SCHEMA}.schema_version (version) VALUES ({len(_MIGRATIONS)});\n"


def migrate(connection: Connection) -> None:
    """Bring our schema to this version; refuse one that is newer than this program."""
    execute(connection, _VERSIONS)
    found = rows(connection, f"SELECT MAX(version) FROM {SCHEMA}.schema_version")
    version = int(found[0][0] or 0)
    if version > len(_MIGRATIONS):
        raise DatabaseError(
            f"This instance's tables have version {version}, this program knows "
            f"{len(_MIGRATIONS)}. Update with: pip install -U cromwell-userdb"
        )
    for number, script in enumerate(_MIGRATIONS[version:], version + 1):
        run_script(connection, script)
        execute(connection, f"INSERT INTO {SCHEMA}.schema_version (version) VALUES (%s)", (number,))


def is_migrated(connection: Connection) -> bool:
    """Whether our schema has this program's version."""
    if "schema_version" not in tables(connection, SCHEMA):
        return False
    found = rows(connection, f"SELECT MAX(version) FROM {SCHEMA}.schema_version")
    return bool(found[0][0] == len(_MIGRATIONS))


def save(connection: Connection, request: Request, state: State) -> None:
    """Put the run's row, or bring it up to date."""
    execute(
        connection,
        f"""
        INSERT INTO {SCHEMA}.run
               (number, token, workflow_id, workflow, name, wdl, state, engine, backend,
                created, ended, resumes)
        VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
        ON DUPLICATE KEY UPDATE workflow_id = VALUES(workflow_id), state = VALUES(state),
               ended = VALUES(ended)
        """,
        (
            request.run,
            request.token,
            state.id or None,
            request.workflow[:255],
            request.name[:255],
            request.wdl,
            state.state,
            f"{request.engine} {request.engine_version}"[:64],
            request.backend[:64],
            _utc(request.created),
            _utc(state.ended),
            request.resumes,
        ),
    )


def save_attempts(connection: Connection, run: int, attempts: Iterable[Attempt]) -> None:
    """Put the attempts' numbers, or bring them up to date."""
    later = ", ".join(f"{name} = VALUES({name})" for name in _ATTEMPT[5:])
    execute_many(
        connection,
        f"INSERT INTO {SCHEMA}.attempt ({', '.join(_ATTEMPT)}) "
        f"VALUES ({', '.join(['%s'] * len(_ATTEMPT))}) ON DUPLICATE KEY UPDATE {later}",
        [_row(run, one) for one in attempts],
    )


def _row(run: int, one: Attempt) -> tuple[object, ...]:
    shares = (astuple(share) for share in (one.asked, one.granted, one.used))
    call = (one.call[:255], one.shard, one.attempt, one.job[:64], one.return_code, one.reason)
    where = (one.node[:255], one.partition[:255])
    return (one.root[:700], run, *call, *where, *(number for share in shares for number in share))


def attempts(connection: Connection, run: int) -> list[Attempt]:
    """What is known of the run's attempts, by call."""
    found = rows(
        connection,
        f"SELECT {', '.join(_ATTEMPT)} FROM {SCHEMA}.attempt WHERE run = %s "
        "ORDER BY call_name, shard, attempt",
        (run,),
    )
    return [
        Attempt(
            call=row[2],
            shard=row[3],
            attempt=row[4],
            root=row[0],
            job=row[5],
            return_code=row[6],
            reason=row[7],
            node=row[8],
            partition=row[9],
            asked=Share(*row[10:13]),
            granted=Share(*row[13:16]),
            used=Share(*row[16:19]),
        )
        for row in found
    ]


def _utc(text: str) -> datetime | None:
    return datetime.fromisoformat(text).astimezone(UTC).replace(tzinfo=None) if text else None
