"""Cromwell's tables on a real server: made, kept, recognised, and refused to older ones."""

from __future__ import annotations

import gzip

import pytest
from recorded import HERE as RECORDINGS

from cromwell_userdb import database, schema
from cromwell_userdb.database import Connection
from cromwell_userdb.errors import DatabaseError, Held, UsageError
from cromwell_userdb.schema import Maker

pytestmark = pytest.mark.functional

EMBEDDED = Maker("embedded", schema.BUNDLED)
REAL = Maker("cromwell", "92", "a" * 64)
OLDER = Maker("cromwell", "91", "b" * 64)
NEWER = Maker("cromwell", "93-c805f3c-SNAP", "c" * 64)


def load_recorded(connection: Connection) -> None:
    """What a real Cromwell 92 left, rows and all."""
    connection.select_db("cromwell")
    with gzip.open(RECORDINGS / "cromwell.sql.gz", "rt") as dump:
        database.run_script(connection, dump.read())


def shape(connection: Connection) -> list[tuple[object, ...]]:
    """Columns, keys and constraints, as far as a program could tell."""
    what = {
        "COLUMNS": "TABLE_NAME, COLUMN_NAME, ORDINAL_POSITION, COLUMN_DEFAULT, IS_NULLABLE,"
        " COLUMN_TYPE, EXTRA",
        "STATISTICS": "TABLE_NAME, INDEX_NAME, SEQ_IN_INDEX, COLUMN_NAME, NON_UNIQUE",
        "REFERENTIAL_CONSTRAINTS": "TABLE_NAME, CONSTRAINT_NAME, REFERENCED_TABLE_NAME,"
        " DELETE_RULE",
    }
    return [
        row
        for table, names in what.items()
        for row in database.rows(
            connection,
            f"SELECT {names} FROM information_schema.{table} WHERE"
            f" {'CONSTRAINT' if 'REF' in table else 'TABLE'}_SCHEMA = 'cromwell' ORDER BY {names}",
        )
    ]


def change_log(connection: Connection, log: str) -> list[tuple[object, ...]]:
    return database.rows(
        connection,
        f"SELECT ID, AUTHOR, FILENAME, ORDEREXECUTED, EXECTYPE, MD5SUM FROM cromwell.{log}"
        " ORDER BY ORDEREXECUTED",
    )


def test_the_bundled_tables_are_those_of_a_real_cromwell(connection):
    schema.apply_bundled(connection, EMBEDDED)
    ours = shape(connection), [change_log(connection, log) for log in schema._LOGS]
    database.execute(connection, "DROP DATABASE cromwell")
    database.execute(connection, "CREATE DATABASE cromwell CHARACTER SET utf8mb4")
    load_recorded(connection)
    theirs = shape(connection), [change_log(connection, log) for log in schema._LOGS]
    assert ours == theirs


def test_an_empty_schema_is_not_current_for_anybody(connection):
    assert not schema.is_current(connection, EMBEDDED)
    assert not schema.is_current(connection, REAL)
    assert schema.history(connection) == []


def test_bundled_tables_do_for_the_embedded_engine_and_are_recorded(connection):
    schema.apply_bundled(connection, EMBEDDED)
    assert schema.is_current(connection, EMBEDDED)
    assert [maker for maker, _ in schema.history(connection)] == [EMBEDDED]
    assert not schema.is_current(connection, REAL)


def test_making_them_twice_changes_nothing(connection):
    schema.apply_bundled(connection, EMBEDDED)
    before = shape(connection)
    schema.apply_bundled(connection, EMBEDDED)
    assert shape(connection) == before
    assert len(schema.history(connection)) == 1


def test_tables_with_rows_are_left_alone(connection):
    load_recorded(connection)
    schema.apply_bundled(connection, EMBEDDED)
    assert database.rows(connection, "SELECT COUNT(*) FROM cromwell.METADATA_ENTRY")[0][0] > 4000
    assert schema.is_current(connection, EMBEDDED)


def test_tables_of_an_older_cromwell_are_refused_to_the_embedded_engine(connection):
    load_recorded(connection)
    database.execute(connection, "ALTER TABLE cromwell.CALL_CACHING_ENTRY DROP COLUMN CREATED_AT")
    assert not schema.is_current(connection, EMBEDDED)
    with pytest.raises(UsageError, match=r"CALL_CACHING_ENTRY\.CREATED_AT is missing"):
        schema.apply_bundled(connection, EMBEDDED)


def test_a_making_that_was_interrupted_is_done_anew(connection):
    schema.apply_bundled(connection, EMBEDDED)
    database.execute(connection, "DELETE FROM cromwell.DATABASECHANGELOG")
    database.execute(connection, "DELETE FROM cromwell.SQLMETADATADATABASECHANGELOG")
    for lock in schema._LOCKS:
        database.execute(connection, f"DELETE FROM cromwell.{lock}")
    database.execute(
        connection, "ALTER TABLE cromwell.METADATA_ENTRY DROP COLUMN JOB_RETRY_ATTEMPT"
    )
    schema.apply_bundled(connection, EMBEDDED)
    assert not schema.missing_columns(connection)


def test_rows_that_nobody_accounts_for_are_never_dropped(connection):
    database.execute(connection, "CREATE TABLE cromwell.PRECIOUS (A INT)")
    database.execute(connection, "INSERT INTO cromwell.PRECIOUS VALUES (1)")
    with pytest.raises(DatabaseError, match="rows in PRECIOUS"):
        schema.apply_bundled(connection, EMBEDDED)


def test_tables_are_kept_for_the_next_instance_of_the_same_jar_and_server(connection, tmp_path):
    schema.apply_bundled(connection, EMBEDDED)
    schema.note(connection, REAL)
    kept = schema.keep(connection, REAL, tmp_path)
    before = shape(connection), change_log(connection, "DATABASECHANGELOG")
    assert kept is not None
    assert kept.stat().st_mode & 0o777 == 0o600
    for name in ("cromwell", "cromwell_userdb"):
        database.execute(connection, f"DROP DATABASE {name}")
    database.execute(connection, "CREATE DATABASE cromwell CHARACTER SET utf8mb4")
    assert not schema.apply_cached(connection, OLDER, tmp_path)
    assert schema.apply_cached(connection, REAL, tmp_path)
    assert (shape(connection), change_log(connection, "DATABASECHANGELOG")) == before
    assert schema.is_current(connection, REAL)


def test_tables_with_rows_are_not_kept(connection, tmp_path):
    load_recorded(connection)
    assert schema.keep(connection, REAL, tmp_path) is None
    assert not list(tmp_path.iterdir())


def test_kept_tables_are_not_made_over_others(connection, tmp_path):
    schema.apply_bundled(connection, EMBEDDED)
    schema.keep(connection, REAL, tmp_path)
    assert not schema.apply_cached(connection, REAL, tmp_path)


def test_a_cromwell_older_than_the_newest_that_ran_here_is_refused(connection):
    schema.note(connection, REAL)
    schema.note(connection, NEWER)
    assert schema.is_current(connection, NEWER)
    with pytest.raises(UsageError, match="Cromwell 91 is older than Cromwell 93"):
        schema.is_current(connection, OLDER)
    with pytest.raises(UsageError, match="Cromwell 92 is older"):
        schema.is_current(connection, REAL)


def test_the_same_release_from_another_jar_is_another_maker(connection):
    schema.note(connection, REAL)
    assert not schema.is_current(connection, Maker("cromwell", "92", "d" * 64))


def test_a_cromwell_without_a_number_is_taken_as_it_is(connection):
    schema.note(connection, REAL)
    assert not schema.is_current(connection, Maker("cromwell", "unknown", "e" * 64))


def test_a_lock_that_a_killed_cromwell_left_is_freed_and_its_holder_told(connection):
    load_recorded(connection)
    lock = "UPDATE cromwell.DATABASECHANGELOGLOCK SET LOCKED = 1, LOCKEDBY = 'n17 (10.0.0.17)'"
    database.execute(connection, lock)
    assert schema.free_locks(connection) == ["n17 (10.0.0.17)"]
    assert schema.free_locks(connection) == []


def test_no_lock_is_freed_in_an_empty_schema(connection):
    assert schema.free_locks(connection) == []


def test_nobody_migrates_under_a_run(connection, socket):
    schema.check_alone(connection)
    times = iter([0.0, 1.0, 4.0])
    with (
        database.connect(socket, user="cromwell"),
        pytest.raises(Held, match="A run of this instance is alive"),
    ):
        schema.check_alone(connection, clock=lambda: next(times), sleep=lambda seconds: None)


def test_a_connection_that_ends_in_time_was_no_run(connection, socket):
    other = database.connect(socket, user="cromwell")
    schema.check_alone(connection, sleep=lambda seconds: other.close() if other.open else None)


def test_results_from_before_release_92_get_a_date(connection):
    load_recorded(connection)
    database.execute(connection, "SET SESSION sql_mode = ''")
    database.execute(connection, "UPDATE cromwell.CALL_CACHING_ENTRY SET CREATED_AT = '0000-00-00'")
    database.execute(
        connection,
        "UPDATE cromwell.CALL_CACHING_ENTRY SET WORKFLOW_EXECUTION_UUID = 'gone' LIMIT 1",
    )
    assert schema.date_old_results(connection) > 10
    assert schema.date_old_results(connection) == 0
    dates = database.rows(
        connection,
        "SELECT c.CREATED_AT = w.END_TIMESTAMP FROM cromwell.CALL_CACHING_ENTRY c"
        " LEFT JOIN cromwell.WORKFLOW_METADATA_SUMMARY_ENTRY w USING (WORKFLOW_EXECUTION_UUID)"
        " WHERE c.CREATED_AT > '1000-01-01'",
    )
    assert {equal for (equal,) in dates} >= {1, None}


def test_only_the_workflow_with_the_label_is_forgotten(connection):
    load_recorded(connection)
    (key, value, workflow), *_ = database.rows(
        connection,
        "SELECT METADATA_KEY, METADATA_VALUE, WORKFLOW_EXECUTION_UUID FROM cromwell.METADATA_ENTRY"
        " WHERE METADATA_KEY LIKE 'labels:%%' AND METADATA_KEY <> 'labels:cromwell-workflow-id'",
    )
    before = _workflows(connection)
    schema.forget_workflow(connection, key.removeprefix("labels:"), value)
    assert workflow in before - _workflows(connection)
    assert len(_workflows(connection)) == len(before) - 1


def _workflows(connection: Connection) -> set[str]:
    found = database.rows(
        connection,
        "SELECT WORKFLOW_EXECUTION_UUID FROM cromwell.METADATA_ENTRY WHERE METADATA_KEY = 'status'"
        " UNION SELECT WORKFLOW_EXECUTION_UUID FROM cromwell.WORKFLOW_METADATA_SUMMARY_ENTRY"
        " WHERE ROOT_WORKFLOW_EXECUTION_UUID IS NULL",
    )
    return {workflow for (workflow,) in found}


def test_nothing_is_forgotten_where_there_is_nothing(connection):
    schema.forget_workflow(connection, "a", "b")


def test_columns_are_read_from_create_statements():
    script = "CREATE TABLE `a`.`T` (\n  `X` int,\n  `Y` int,\n  KEY `K` (`X`)\n) ENGINE=InnoDB;"
    assert list(schema.columns(script)) == [("T", "X"), ("T", "Y")]


def test_both_flavours_have_the_same_columns():
    mariadb, mysql = (set(schema.columns(schema.bundled(it))) for it in ("mariadb", "mysql"))
    assert mariadb == mysql
    assert len(mariadb) > 100


def test_releases_compare_by_their_number():
    assert [maker.number for maker in (OLDER, NEWER, Maker("cromwell", "unknown"))] == [91, 93, 0]
    assert EMBEDDED.name == "the embedded engine"
