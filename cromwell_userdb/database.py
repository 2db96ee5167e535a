"""The connection to one server over its socket; every connection has a deadline."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import pymysql
import pymysql.err
from pymysql.cursors import Cursor

from cromwell_userdb.errors import DatabaseError, NoSpace, NotRunning, UserDBError

# In quotes: generic only for the type checker.
Connection: TypeAlias = "pymysql.connections.Connection[Cursor]"
Row = tuple[Any, ...]

Error = pymysql.err.Error
"""What a statement raises; `lost` tells whether the server went away."""

_NO_SUCH_TABLE = 1146
_FULL = {1021, 1026, 1114}  # disk full, error writing a file, the table is full
_GONE = {2003, 2006, 2013, 2014, 2055, 1053, 1927}


def connect(
    socket: Path,
    *,
    user: str,
    password: str = "",
    database: str | None = None,
    timeout: float = 5,
    read_timeout: float | None = 300,
) -> Connection:
    """Connect as `user`; times in seconds; raise NotRunning when nobody answers there.

    Rows come back as tuples; each statement commits by itself unless inside `transaction`.
    Times are UTC on both sides.
    """
    try:
        return pymysql.connect(
            unix_socket=str(socket),
            user=user,
            password=password,
            database=database,
            charset="utf8mb4",
            connect_timeout=max(1, int(timeout)),
            read_timeout=read_timeout,
            write_timeout=read_timeout,
            autocommit=True,
            init_command="SET time_zone = '+00:00'",
            # A private socket needs no TLS, and getting ready for it costs 20 ms each time.
            ssl_disabled=True,
            # Whatever the user's ~/.my.cnf says is about another server.
            read_default_file=None,
        )
    except pymysql.err.OperationalError as error:
        code, words = (*error.args, "")[:2]
        if code in {1044, 1045, 1698, 1130, 1049}:
            raise DatabaseError(f"The database at {socket} refused {user}: {words}.") from error
        raise NotRunning(f"No database answers at {socket}: {words}.") from error


def accepts(socket: Path, *, user: str, password: str = "") -> bool:
    """Whether a real login succeeds now, which also proves the account."""
    try:
        connect(socket, user=user, password=password, timeout=2).close()
    except (NotRunning, DatabaseError):
        return False
    return True


def rows(
    connection: Connection, sql: str, values: Sequence[Any] | dict[str, Any] = ()
) -> list[Row]:
    """Every row that `sql` gives; the tables named must exist."""
    with connection.cursor() as cursor:
        cursor.execute(sql, values or None)
        return list(cursor.fetchall())


def execute(connection: Connection, sql: str, values: Sequence[Any] | dict[str, Any] = ()) -> int:
    """Run one statement and return how many rows it touched."""
    with connection.cursor() as cursor:
        return int(cursor.execute(sql, values or None))


def execute_many(connection: Connection, sql: str, rows: Sequence[Sequence[Any]]) -> None:
    """Run an INSERT for all `rows` in as few packets as it takes."""
    if rows:
        with connection.cursor() as cursor:
            cursor.executemany(sql, rows)


@contextlib.contextmanager
def transaction(connection: Connection) -> Iterator[Connection]:
    """All of the block's statements, or none of them."""
    connection.begin()
    try:
        yield connection
    except BaseException:
        with contextlib.suppress(Error):
            connection.rollback()
        raise
    connection.commit()


def lost(error: BaseException) -> bool:
    """Whether the server went away, so that a new connection may help."""
    return isinstance(error, pymysql.err.InterfaceError) or (
        isinstance(error, pymysql.err.OperationalError) and error.args[0] in _GONE
    )


def explained(error: BaseException) -> UserDBError | None:
    """What a user can do about this error; None where it is a mistake of ours."""
    if not isinstance(error, pymysql.err.MySQLError):
        return None
    code, words = (*error.args, "", "")[:2]
    if code in _FULL or "No space left" in str(words):
        return NoSpace(
            "The disk of the database is full. Nothing is lost; make some room and do it again."
        )
    if lost(error):
        return DatabaseError(f"The database went away in the middle: {words}. Do it again.")
    return None


def tables(connection: Connection, schema: str) -> set[str]:
    """Names of the tables in `schema`, as they were created."""
    found = rows(
        connection,
        "SELECT TABLE_NAME FROM information_schema.TABLES WHERE TABLE_SCHEMA = %s",
        (schema,),
    )
    return {name for (name,) in found}


def run_script(connection: Connection, script: str) -> None:
    """Run the statements of `script`, each ended by ";" at the end of a line."""
    for statement in script.split(";\n"):
        text = "\n".join(line for line in statement.splitlines() if not line.startswith("--"))
        if text.strip():
            execute(connection, text)


def columns(connection: Connection, table: str) -> set[str]:
    """Names of the columns of `table` in the connection's schema; none where it is missing.

    Asked of the table itself: information_schema would make a temporary table each time.
    """
    with connection.cursor() as cursor:
        try:
            cursor.execute(f"SELECT * FROM {table} LIMIT 0")
        except pymysql.err.ProgrammingError as error:
            if error.args[0] == _NO_SUCH_TABLE:
                return set()
            raise
        return {column[0] for column in cursor.description or ()}
