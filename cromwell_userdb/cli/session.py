"""What commands share once an instance is there: its server, its engine, and their tables."""

from __future__ import annotations

import contextlib
import functools
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

from cromwell_userdb import (
    binaries,
    database,
    disk,
    forks,
    java,
    locks,
    policy,
    prepare,
    register,
    releases,
    schema,
    server,
    slurm,
)
from cromwell_userdb import engine as engines
from cromwell_userdb.cli import here, place, screen
from cromwell_userdb.cli.place import Place
from cromwell_userdb.database import Connection
from cromwell_userdb.engine import Engine
from cromwell_userdb.errors import Held, NotFound, NotRunning
from cromwell_userdb.instance import RunFolder
from cromwell_userdb.record import make_private, write_private
from cromwell_userdb.server import Status

Say = Callable[[str], None]

ELSEWHERE_PATIENCE = 24 * 3600.0
"""Seconds that --wait waits for another node."""


def engine(where: Place) -> Engine:
    """The engine that settings and environment mean."""
    here.load_modules(where)
    settings = where.settings
    found = engines.find(
        settings.engine_kind,
        named=_path(settings.engine_cromwell),
        java=_path(settings.engine_java),
        environ=os.environ,
        cache=place.cache_folder(),
    )
    policy.check_choice("engine.kind", found.kind, where.resolved)
    return found


def _path(text: str) -> Path | None:
    return place.absolute(text) if text else None


def find_server(where: Place, program: str = "") -> binaries.Server:
    """The server program that is named; else the one so far, or another where that is gone."""
    here.load_modules(where)
    cache = place.cache_folder()
    places = binaries.usual_places(os.environ.get("PATH", ""), cache=cache)
    find = functools.partial(binaries.find_server, search=places, book=cache / "servers.json")
    if named := program or where.settings.server_binary:
        return find(place.absolute(named))
    before = (disk.facts(where.instance) or {}).get("server")
    if before:
        with contextlib.suppress(NotFound):
            return find(Path(before))
    return find()


def serve(
    where: Place,
    *,
    program: str = "",
    wait: bool = False,
    upgrade: bool = False,
    force: bool = False,
    say: Say = lambda line: None,
) -> Status:
    """Have the instance's server answer; raises Held where another node serves it.

    `program` names another server than so far: it, or nothing, is what answers then.
    """
    settings = place.require(where).settings
    if running := server.reuse(where.instance):
        if program or upgrade:
            _check_is(where, running, find_server(where, program))
        if not where.instance.socket.exists():
            raise NotRunning(
                f"{where.instance.socket}, the server's socket, was deleted, and nobody reaches it:"
                f" cromwell-userdb db stop{where.option}, then this again."
            )
        return running
    # It brings what renders configuration, which answers from a server that runs never need.
    from cromwell_userdb import startup

    here.keep_to_limits(where)
    return startup.start(
        where.instance,
        find_server(where, program),
        idle_seconds=settings.server_idle_minutes * 60,
        buffer_pool_mb=settings.server_buffer_pool_mb,
        flush=settings.server_flush,
        wait=ELSEWHERE_PATIENCE if wait else 0,
        upgrade=upgrade,
        force=force,
        job=os.environ.get("SLURM_JOB_ID"),
        job_ended=slurm.job_ended,
        progress=say,
    )


def _check_is(where: Place, running: Status, wanted: binaries.Server) -> None:
    if running.version != wanted.title:
        raise Held(
            f"{running.version} serves {where.instance.root} now, and {wanted.title} can't before"
            f" it is stopped: cromwell-userdb db stop{where.option}"
        )


def connect(where: Place, *, wait: bool = False, say: Say = lambda line: None) -> Connection:
    """A connection as the OS user to Cromwell's tables, the server started where need be."""
    while True:
        serve(where, wait=wait, say=say)
        with server.kept(where.instance) as there:
            if there:
                return server.connect(where.instance, schema=schema.CROMWELL)


@contextlib.contextmanager
def ready(where: Place, maker: Engine, *, wait: bool = False, say: Say) -> Iterator[bool]:
    """Have server and tables ready for a run; gives whether the server isolates snapshots.

    Connected until the run is led: nobody stops the server under it.
    """
    with connect(where, wait=wait, say=say) as connection:
        tables(where, connection, maker, say=say)
        asked = "SHOW VARIABLES LIKE 'innodb_snapshot_isolation'"
        yield bool(database.rows(connection, asked))


def tables(where: Place, connection: Connection, maker: Engine, *, say: Say) -> None:
    """Have our tables and Cromwell's ready for this engine, once and under the lock."""
    if _are_ready(connection, maker):
        return
    if locks.is_held(where.instance.tables_lock):
        say("Another command makes Cromwell's tables: once per instance, some seconds.")
    with locks.exclusive(where.instance.tables_lock, 900, doing="making tables"):
        if _are_ready(connection, maker):
            return
        register.migrate(connection)
        if maker.kind == "embedded":
            schema.apply_bundled(connection, maker.maker)
        else:
            _migrate(where, connection, maker, say)


def _migrate(where: Place, connection: Connection, maker: Engine, say: Say) -> None:
    from cromwell_userdb.cli import outfit

    folder = make_private(where.instance.root / "migration")
    run = RunFolder(folder)
    outfit.hooks(where, run)
    text = outfit.conf(where, run, folder / "executions", snapshot_isolation=False, migrates=True)
    write_private(run.conf, text)
    prepare.migrate(
        maker,
        connection,
        conf=run.conf,
        socket=where.instance.socket,
        folder=folder,
        cache=place.cache_folder(),
        environ=os.environ,
        say=say,
    )
    shutil.rmtree(folder)


def _are_ready(connection: Connection, maker: Engine) -> bool:
    return register.is_migrated(connection) and schema.is_current(connection, maker.maker)


def tables_behind(where: Place, maker: Engine) -> None:
    """`tables`, in a process of its own: a real Cromwell takes some seconds to make them."""

    def work() -> None:
        with connect(where) as connection:
            tables(where, connection, maker, say=lambda line: print(line, flush=True))

    forks.detached(work, log=where.instance.log / "tables.log")


def fast_start(maker: Engine, *, again: bool = True) -> None:
    """Have the JVM's class archive made in the background, where there is none yet.

    Without `again`, not where that was in vain. Never in a job, whose memory is for its run.
    """
    cache = place.cache_folder()
    if "SLURM_JOB_ID" not in os.environ and cache.is_dir():
        prepare.archive_classes_behind(maker, cache, log=cache / "archive.log", again=again)


def install_cromwell(
    where: Place,
    *,
    version: str | None = None,
    source: Path | None = None,
    sha256: str = "",
    verify: bool = True,
) -> Path:
    """A release's jar in the user's cache, with progress on stderr."""
    with screen.bytes_bar() as progress:
        return releases.install(
            version or releases.default(),
            place.cache_folder(),
            template=where.settings.engine_url,
            from_file=source,
            sha256=sha256,
            verify=verify,
            progress=progress,
        )


def ensure_java(where: Place, *, say: Say) -> None:
    """Have a Java that Cromwell runs on: the one here, or one fetched from conda-forge."""
    cache = place.cache_folder()
    try:
        java.find(_path(where.settings.engine_java), environ=os.environ, cache=cache)
    except NotFound as error:
        say(str(error))
        engines.install_java(cache, progress=say)
