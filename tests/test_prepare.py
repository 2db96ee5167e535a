"""Tables migrated and classes archived: with a stand-in for java, and with a real Cromwell."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from served import alive, until

from cromwell_userdb import database, engine, java, prepare, render, schema
from cromwell_userdb.database import Connection
from cromwell_userdb.engine import Engine
from cromwell_userdb.errors import Held, StartFailed
from cromwell_userdb.java import Java

CONF = """
include required(classpath("application"))
database {{
  profile = "slick.jdbc.MySQLProfile$"
  db {{
    driver = "org.mariadb.jdbc.Driver", url = "{url}", user = "cromwell", password = "any"
    connectionTimeout = 60000, numThreads = 6
  }}
  liquibase.updateSchema = {migrates}
  slick.createSchema = false
}}
call-caching.enabled = {caches}
services {{
  KeyValue.config.db-flush-rate = 1 second
  MetadataService.config.db-flush-rate = 1 second
}}
backend.providers.Local.config.root = "{root}/executions"
workflow-options.workflow-log-dir = "{root}/logs"
"""
HELLO = """version 1.0
task hello {
  input { String who }
  command { echo "hello ~{who}" }
  output { String text = read_string(stdout()) }
}
workflow greetings {
  input { String who = "you" }
  call hello { input: who = who }
  output { String text = hello.text }
}
"""


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def hears_interrupts():
    """Whoever started the tests in the background made them deaf to Ctrl-C."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture
def migrate(connection, socket, tmp_path, said):
    """Migrates for an engine as a caller with the lock would."""
    conf = tmp_path / "cromwell.conf"
    conf.write_text(conf_text(tmp_path, migrates=True))

    def act(chosen: Engine, **options: float) -> bool:
        return prepare.migrate(
            chosen,
            connection,
            conf=conf,
            socket=socket,
            folder=tmp_path / "migration",
            cache=tmp_path / "cache",
            environ=os.environ,
            say=said.append,
            **options,
        )

    return act


def conf_text(root: Path, *, migrates: bool, caches: bool = True) -> str:
    url = render.jdbc_url(snapshot_isolation=False)
    return CONF.format(
        url=url, root=root, migrates=str(migrates).lower(), caches=str(caches).lower()
    )


def standing_in(folder: Path, script: str) -> Engine:
    """A Cromwell whose java is a shell script."""
    program = folder / "java"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    jar = folder / "cromwell.jar"
    jar.write_text("")
    return Engine(
        "cromwell", "92", "test", jar, "a" * 64, Java(program, "17.0.1", "test"), folder / "a"
    )


# --- with a stand-in ---


@pytest.mark.functional
def test_the_embedded_engine_gets_the_bundled_tables_once(migrate, connection):
    assert migrate(engine.embedded())
    assert not migrate(engine.embedded())
    assert schema.is_current(connection, engine.embedded().maker)


@pytest.mark.functional
def test_a_cromwell_is_started_once_on_a_workflow_without_calls(
    migrate, connection, tmp_path, said
):
    schema.apply_bundled(connection, engine.embedded().maker)
    chosen = standing_in(tmp_path, f'echo "$@" >> {tmp_path}/starts')
    assert migrate(chosen)
    assert not migrate(chosen)
    (start,) = (tmp_path / "starts").read_text().splitlines()
    assert re.search(r"cromwell\.CromwellApp run -l \S+labels\.json \S+nothing\.wdl$", start)
    assert said == ["Cromwell 92 makes its tables: once per instance, some seconds."]


@pytest.mark.functional
def test_a_cromwell_that_fails_is_quoted_and_not_recorded(migrate, connection, tmp_path):
    with pytest.raises(StartFailed, match=r"status 1.*engine\.log:\nno such table"):
        migrate(standing_in(tmp_path, "echo no such table >&2; exit 1"))
    assert not schema.history(connection)


@pytest.mark.functional
def test_a_cromwell_that_ends_well_but_makes_no_tables_is_not_believed(
    migrate, connection, tmp_path
):
    with pytest.raises(StartFailed, match=r"could not make its tables \(status 0\)"):
        migrate(standing_in(tmp_path, "exit 0"))
    assert not schema.history(connection)


@pytest.mark.functional
def test_tables_without_a_date_for_results_are_an_older_cromwells(migrate, connection, tmp_path):
    schema.apply_bundled(connection, engine.embedded().maker)
    database.execute(connection, "DROP TABLE cromwell_userdb.cromwell_schema")
    database.execute(connection, "ALTER TABLE cromwell.CALL_CACHING_ENTRY DROP COLUMN CREATED_AT")
    older = replace(standing_in(tmp_path, "exit 0"), version="91")
    assert migrate(older)
    assert schema.is_current(connection, older.maker)


@pytest.mark.functional
def test_a_cromwell_that_hangs_is_ended_at_the_deadline(migrate, tmp_path):
    chosen = standing_in(tmp_path, f"echo $$ > {tmp_path}/pid; exec sleep 60")
    with pytest.raises(StartFailed, match=r"in 0\.3 seconds"):
        migrate(chosen, timeout=0.3)
    assert not alive(int((tmp_path / "pid").read_text()))


@pytest.mark.functional
def test_an_interrupted_migration_goes_on_nowhere(migrate, hears_interrupts, tmp_path):
    # Not before it is waited for: a start is interrupted in the middle otherwise.
    interrupt = f"sleep 0.2; kill -INT {os.getpid()}"
    chosen = standing_in(tmp_path, f"echo $$ > {tmp_path}/pid; {interrupt}; exec sleep 60")
    with pytest.raises(KeyboardInterrupt):
        migrate(chosen)
    assert not alive(int((tmp_path / "pid").read_text()))


@pytest.mark.functional
def test_kept_tables_spare_the_start(migrate, connection, tmp_path):
    chosen = standing_in(tmp_path, "exit 1")
    schema.apply_bundled(connection, engine.embedded().maker)
    schema.keep(connection, chosen.maker, tmp_path / "cache")
    for name in ("cromwell", "cromwell_userdb"):
        database.execute(connection, f"DROP DATABASE {name}")
    database.execute(connection, "CREATE DATABASE cromwell")
    assert migrate(chosen)
    assert schema.is_current(connection, chosen.maker)


@pytest.mark.functional
def test_tables_do_not_change_under_a_run(migrate, socket, tmp_path):
    with database.connect(socket, user="cromwell"), pytest.raises(Held):
        migrate(standing_in(tmp_path, "exit 0"))


@pytest.mark.functional
def test_a_lock_left_behind_is_freed_and_said(migrate, connection, tmp_path, said):
    schema.apply_bundled(connection, engine.embedded().maker)
    database.execute(
        connection, "UPDATE cromwell.DATABASECHANGELOGLOCK SET LOCKED = 1, LOCKEDBY = 'n17'"
    )
    migrate(standing_in(tmp_path, "exit 0"))
    assert "n17 had left behind" in said[0]


def test_there_are_no_classes_to_archive_without_a_jvm(tmp_path):
    assert not prepare.archive_classes(engine.embedded(), tmp_path, environ={})
    assert prepare.archive_classes_behind(engine.embedded(), tmp_path, log=tmp_path / "l") is None


def test_classes_are_archived_in_a_folder_that_goes_away(tmp_path):
    script = (
        'for w; do case "$w" in -XX:ArchiveClassesAtExit=*) pwd > "${w#*=}";; '
        '-Xshare:dump) touch "${2#*=}";; esac; done'
    )
    chosen = standing_in(tmp_path, script)
    chosen = replace(chosen, archive=tmp_path / "cache/archives/x-1.archive")
    assert prepare.archive_classes(chosen, tmp_path / "cache", environ=os.environ)
    folder = Path(chosen.archive.read_text().strip())
    assert folder.parent == tmp_path / "cache"
    assert not folder.exists()
    assert prepare.archive_classes_behind(chosen, tmp_path, log=tmp_path / "l") is None


def test_what_was_tried_in_vain_is_tried_again_only_when_asked_for(tmp_path):
    log = tmp_path / "log"
    chosen = replace(standing_in(tmp_path, "exit 1"), archive=tmp_path / "archives/x-1.archive")

    def begun(*, again: bool) -> bool:
        child = prepare.archive_classes_behind(chosen, tmp_path, log=log, again=again)
        return child is not None and child.wait(30) >= 0

    assert begun(again=False)  # nobody has tried
    chosen.archive.parent.mkdir(exist_ok=True)
    chosen.archive.with_suffix(".lock").touch()
    assert not begun(again=False)
    assert begun(again=True)
    chosen.archive.write_text("damaged")
    assert begun(again=False)


# --- with a real Cromwell ---


@pytest.fixture(scope="module")
def cache(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def real(cache: Path) -> Engine:
    return engine.find("cromwell", environ=os.environ, cache=cache)


@pytest.fixture
def hello(socket, tmp_path):
    """Runs one call to its end; the workflow's outputs come back."""
    (tmp_path / "hello.wdl").write_text(HELLO)
    (tmp_path / "run.conf").write_text(conf_text(tmp_path, migrates=False, caches=False))
    (tmp_path / "migrating.conf").write_text(conf_text(tmp_path, migrates=True, caches=False))

    def act(chosen: Engine, conf: str = "run.conf") -> dict[str, str]:
        argv = engine.argv(
            chosen,
            conf=tmp_path / conf,
            socket=socket,
            arguments=["run", tmp_path / "hello.wdl"],
        )
        environ = engine.environment(chosen, os.environ)
        done = subprocess.run(
            argv,
            capture_output=True,
            text=True,
            env=environ,
            cwd=tmp_path,
            timeout=200,
            check=False,
        )
        assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
        assert done.stderr == ""
        return json.loads(re.search(r'^\{\n  "outputs".*?^\}', done.stdout, re.M | re.S)[0])[
            "outputs"
        ]

    return act


def logged(connection: Connection) -> list[tuple[object, ...]]:
    return [
        row
        for log in schema._LOGS
        for row in database.rows(
            connection, f"SELECT ID, MD5SUM, DATEEXECUTED, EXECTYPE FROM cromwell.{log} ORDER BY ID"
        )
    ]


@pytest.mark.jar
@pytest.mark.functional
def test_a_real_cromwell_migrates_an_empty_schema_leaves_no_row_and_runs(
    real, migrate, connection, hello, tmp_path
):
    assert migrate(real)
    assert not schema.missing_columns(connection)
    assert schema.keep(connection, real.maker, tmp_path) is not None
    assert hello(real) == {"greetings.text": "hello you"}


@pytest.mark.jar
@pytest.mark.functional
def test_a_real_liquibase_finds_nothing_to_do_in_the_bundled_tables(
    real, connection, hello, tmp_path
):
    schema.apply_bundled(connection, engine.embedded().maker)
    before = schema.keep(connection, real.maker, tmp_path).read_text()
    assert hello(real, "migrating.conf") == {"greetings.text": "hello you"}
    names = sorted(database.tables(connection, "cromwell"))
    assert schema._dump(connection, names) == before


@pytest.mark.jar
@pytest.mark.functional
def test_a_real_cromwell_migrates_older_tables_and_their_results_get_a_date(
    real, migrate, connection
):
    schema.apply_bundled(connection, engine.embedded().maker)
    database.execute(connection, "DROP TABLE cromwell_userdb.cromwell_schema")
    database.execute(connection, "ALTER TABLE cromwell.CALL_CACHING_ENTRY DROP COLUMN CREATED_AT")
    database.execute(
        connection,
        "DELETE FROM cromwell.DATABASECHANGELOG WHERE ID = 'add_timestamp_in_call_caching'",
    )
    database.execute(
        connection,
        "INSERT INTO cromwell.CALL_CACHING_ENTRY (WORKFLOW_EXECUTION_UUID,"
        " CALL_FULLY_QUALIFIED_NAME, JOB_INDEX) VALUES ('w', 'c', -1)",
    )
    migrate(real)
    ((fresh,),) = database.rows(
        connection,
        "SELECT CREATED_AT > UTC_TIMESTAMP() - INTERVAL 1 HOUR FROM cromwell.CALL_CACHING_ENTRY",
    )
    assert fresh
    assert schema.is_current(connection, real.maker)


@pytest.mark.jar
@pytest.mark.functional
def test_a_real_archive_is_made_behind_used_and_harmless_when_cut(
    real, connection, hello, cache, tmp_path
):
    schema.apply_bundled(connection, engine.embedded().maker)
    child = prepare.archive_classes_behind(real, cache, log=tmp_path / "log")
    until(lambda: java.is_being_made(real.archive))
    assert child.wait(300) == 0, (tmp_path / "log").read_text()
    assert java.is_usable(real.archive)
    assert real.archive.stat().st_size > 50 << 20
    hello(real)
    os.truncate(real.archive, real.archive.stat().st_size // 2)
    hello(real)


@pytest.mark.jar
@pytest.mark.functional
def test_six_real_runs_at_once_all_succeed(real, connection, hello):
    schema.apply_bundled(connection, engine.embedded().maker)
    started = time.monotonic()
    with ThreadPoolExecutor(6) as pool:
        assert list(pool.map(hello, [real] * 6)) == [{"greetings.text": "hello you"}] * 6
    assert time.monotonic() - started < 120
