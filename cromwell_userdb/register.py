"""The register of runs: our own schema, beside Cromwell's, for questions in SQL."""

from __future__ import annotations

from datetime import UTC, datetime

from cromwell_userdb.database import Connection, execute, rows, run_script, tables
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
)


def migrate(connection: Connection) -> None:
    """Bring our schema to this version; refuse one that is newer than this program."""
    execute(
        connection,
        f"CREATE TABLE IF NOT EXISTS {SCHEMA}.schema_version (version INT NOT NULL)",
    )
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


def _utc(text: str) -> datetime | None:
    return datetime.fromisoformat(text).astimezone(UTC).replace(tzinfo=None) if text else None
