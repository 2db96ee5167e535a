"""What an engine needs once before its runs: tables of its shape, and a JVM that starts fast."""

from __future__ import annotations

import contextlib
import os
import secrets
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from cromwell_userdb import database, engine, java, process, schema
from cromwell_userdb.database import Connection
from cromwell_userdb.engine import Engine
from cromwell_userdb.errors import CommandFailed, StartFailed
from cromwell_userdb.record import make_private, write_json

Say = Callable[[str], None]

_LABEL = "cromwell-userdb-migration"
_DATA = Path(__file__).with_name("data")
_NOTHING = _DATA / "nothing.wdl"
_HELLO = _DATA / "warmup.wdl"

# Strict, or MySQL refuses a change of a key column; without NO_ZERO_DATE, or release 92 can't
# give old results a date.
_MIGRATION_MODE = "STRICT_TRANS_TABLES"


def migrate(
    chosen: Engine,
    connection: Connection,
    *,
    conf: Path,
    socket: Path,
    folder: Path,
    cache: Path,
    environ: Mapping[str, str],
    say: Say = lambda line: None,
    timeout: float = 600,
) -> bool:
    """Make Cromwell's tables fit for `chosen`, unless they are; return whether there was need.

    The caller holds the instance's lock, and has rendered `conf` with Liquibase on. `folder`
    gets the log of the start that migrates. `connection` is an administrator's.
    """
    maker = chosen.maker
    if schema.is_current(connection, maker):
        return False
    if chosen.kind == "embedded":
        schema.apply_bundled(connection, maker)
        return True
    schema.check_alone(connection)
    if schema.apply_cached(connection, maker, cache):
        return True
    for holder in schema.free_locks(connection):
        say(f"Freed the change-log lock that {holder} had left behind.")
    say(f"{chosen.name} makes its tables: once per instance, some seconds.")
    with _fit_sql_mode(connection):
        _start_on_nothing(chosen, connection, conf, socket, folder, environ, timeout)
    schema.date_old_results(connection)
    schema.note(connection, maker)
    schema.keep(connection, maker, cache)
    return True


def _start_on_nothing(
    chosen: Engine,
    connection: Connection,
    conf: Path,
    socket: Path,
    folder: Path,
    environ: Mapping[str, str],
    timeout: float,
) -> None:
    """Run a workflow without calls, which migrates and proves the engine, and forget it."""
    token = secrets.token_hex(8)
    labels, log = make_private(folder) / "labels.json", folder / "engine.log"
    write_json(labels, {_LABEL: token})
    command = engine.argv(
        chosen, conf=conf, socket=socket, arguments=["run", "-l", labels, _NOTHING]
    )
    # Held: Ctrl-C in the moment of its start leaves none that nobody knows.
    environment = engine.environment(chosen, environ)
    child = process.spawn_held(command, out=log, env=environment, cwd=folder)
    try:
        process.release(child)
        if not process.has_ended(child, within=timeout):
            raise StartFailed(
                f"{chosen.name} did not make its tables in {timeout:g} seconds. The end of "
                f"{log}:\n{process.tail(log)}"
            )
    finally:
        # Ctrl-C too: no half-done migration goes on behind our back.
        status = process.terminate(child, patience=20)
        schema.forget_workflow(connection, _LABEL, token)
    if status or not schema.is_migrated(connection):
        raise StartFailed(
            f"{chosen.name} could not make its tables (status {status}). The end of {log}:\n"
            f"{process.tail(log)}"
        )


@contextlib.contextmanager
def _fit_sql_mode(connection: Connection) -> Iterator[None]:
    """Give new sessions of a MySQL server the sql_mode that Cromwell's history of changes needs."""
    if "MariaDB" in schema.server_version(connection):
        yield
        return
    ((mode,),) = database.rows(connection, "SELECT @@GLOBAL.sql_mode")
    database.execute(connection, "SET GLOBAL sql_mode = %s", (_MIGRATION_MODE,))
    try:
        yield
    finally:
        database.execute(connection, "SET GLOBAL sql_mode = %s", (mode,))


def archive_classes(
    chosen: Engine, cache: Path, *, environ: Mapping[str, str], timeout: float = 300
) -> bool:
    """Make the class archive for `chosen`, unless it is there or being made; takes some 30 s.

    A small workflow runs in a folder that is deleted, on a database in memory.
    """
    if chosen.java is None or chosen.jar is None or chosen.archive is None:
        return False
    with tempfile.TemporaryDirectory(dir=make_private(cache), prefix="warmup-") as folder:
        command = [
            *java.options(chosen.java),
            *(f"-D{name}={value}" for name, value in _WARMUP.items()),
            f"-Dbackend.providers.Local.config.root={folder}/executions",
            *engine.class_path(chosen.jar),
            "run",
            str(_HELLO),
        ]
        return java.make_archive(
            chosen.archive,
            chosen.java,
            command,
            environ=engine.environment(chosen, environ),
            cwd=Path(folder),
            timeout=timeout,
        )


_WARMUP = {
    "LOG_MODE": "STANDARD",
    "services.KeyValue.config.db-flush-rate": "1 second",
    "services.MetadataService.config.db-flush-rate": "1 second",
    "call-caching.enabled": "true",
}


def archive_classes_behind(
    chosen: Engine, cache: Path, *, log: Path, again: bool = True
) -> process.Child | None:
    """`archive_classes` in a process of its own, at low priority; None where there is no need.

    Without `again`, what was tried in vain is not tried once more.
    """
    if chosen.jar is None or chosen.java is None or chosen.archive is None:
        return None
    if java.is_usable(chosen.archive) or java.is_being_made(chosen.archive):
        return None
    if not again and java.was_in_vain(chosen.archive):
        return None
    command = [sys.executable, "-P", "-m", "cromwell_userdb.prepare"]
    environ = engine.environment(engine.embedded(), os.environ)
    return process.spawn(
        [*command, chosen.jar, chosen.java.path, cache], out=log, env=environ, cwd=cache
    )


def main(arguments: list[str]) -> int:
    """``python -m cromwell_userdb.prepare JAR JAVA CACHE``: the work of archive_classes_behind."""
    jar, program, cache = (Path(argument) for argument in arguments)
    os.nice(10)
    chosen = engine.cromwell(jar, "named", java=program, environ=os.environ, cache=cache)
    try:
        archive_classes(chosen, cache, environ=os.environ)
    except CommandFailed as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
