"""What commands share once an instance is there: its server, engine, places and hooks."""

from __future__ import annotations

import contextlib
import errno
import functools
import os
import shutil
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from cromwell_userdb import (
    binaries,
    database,
    disk,
    java,
    lease,
    policy,
    prepare,
    process,
    register,
    releases,
    render,
    schema,
    server,
    slurm,
    startup,
)
from cromwell_userdb import engine as engines
from cromwell_userdb.cli import believed, containers, here, overrides, place, screen
from cromwell_userdb.cli.place import Place
from cromwell_userdb.database import Connection
from cromwell_userdb.engine import Engine
from cromwell_userdb.errors import (
    CommandFailed,
    Held,
    NotFound,
    NotPrivate,
    NotRunning,
    UsageError,
)
from cromwell_userdb.hooks import HookSettings, check_extra, install, template_values
from cromwell_userdb.instance import RunFolder
from cromwell_userdb.record import Machine, make_private, write_private
from cromwell_userdb.server import Status
from cromwell_userdb.settings import Settings

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
    serve(where, wait=wait, say=say)
    return server.connect(where.instance, schema=schema.CROMWELL)


def tables(where: Place, connection: Connection, maker: Engine, *, say: Say) -> None:
    """Have our tables and Cromwell's ready for this engine, once and under the lock."""
    if _are_ready(connection, maker):
        return
    if lease.is_busy(where.instance.tables_lock):
        say("Another command makes Cromwell's tables: once per instance, some seconds.")
    with lease.exclusive(where.instance.tables_lock, 900, doing="making tables"):
        if _are_ready(connection, maker):
            return
        register.migrate(connection)
        if maker.kind == "embedded":
            schema.apply_bundled(connection, maker.maker)
        else:
            _migrate(where, connection, maker, say)


def _migrate(where: Place, connection: Connection, maker: Engine, say: Say) -> None:
    folder = make_private(where.instance.root / "migration")
    run = RunFolder(folder)
    hooks(where, run)
    text = conf(where, run, folder / "executions", snapshot_isolation=False, migrates=True)
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

    process.fork_detached(work, log=where.instance.log / "tables.log")


def fast_start(maker: Engine) -> None:
    """Have the JVM's class archive made in the background, where there is none yet."""
    cache = place.cache_folder()
    prepare.archive_classes_behind(maker, cache, log=cache / "archive.log")


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


def hooks_state(where: Place) -> Path:
    """What the hooks of all of a user's runs share, on a machine without a better place."""
    with contextlib.suppress(OSError, NotPrivate):
        folder = make_private(place.state_folder() / "hooks")
        if disk.has_locks(folder):
            return folder
    return where.instance.root / "hooks"


def hooks(where: Place, run: RunFolder, *, resumes: int | None = None) -> None:
    """Copy the hooks beside the run, with their settings: no later change reaches them."""
    settings = where.settings
    machine = Machine.here()
    limits, longer = believed.limits(settings) if backend(where) == "slurm" else ((), ())
    install(
        run.hooks,
        HookSettings(
            state=hooks_state(where),
            comment=f"cromwell-userdb run {run.path.name}",
            cluster=settings.slurm_cluster,
            resumes=str(resumes or ""),
            partition=settings.slurm_partition,
            account=settings.slurm_account,
            qos=settings.slurm_qos,
            constraint=settings.slurm_constraint,
            reservation=settings.slurm_reservation,
            time_limit=settings.slurm_time,
            exclude=settings.slurm_exclude,
            extra=check_extra(settings.slurm_extra),
            time_percent=max(100, int(settings.slurm_time_factor * 100)),
            limits=limits,
            longer=longer,
            poll_seconds=settings.slurm_poll_seconds,
            cores=settings.local_cores or machine.cores,
            memory_mb=settings.local_memory_mb or machine.memory * 9 // 10 // 2**20,
            modules=settings.run_modules,
            nice=settings.local_nice,
            **containers.for_hooks(where, run, executions_place(where)),
        ),
    )


def cancel(where: Place, run: RunFolder, jobs: Sequence[str]) -> None:
    """End jobs through the run's own kill hook; one that can't be reached goes on trying."""
    kill = "kill" if backend(where) == "slurm" else "local-kill"
    for job in jobs:
        try:
            process.run([run.hooks / kill, job], timeout=30)
        except CommandFailed as error:
            print(error, file=sys.stderr)


def password(where: Place) -> str:
    """The secret of the account that engines use."""
    try:
        return where.instance.secret.read_text().strip()
    except FileNotFoundError as error:
        raise NotRunning(
            f"{where.instance.secret}, the engine's password, is gone; the server gets a new one"
            f" when it starts: cromwell-userdb db stop{where.option}, then this again."
        ) from error


def knows_snapshot_isolation(connection: Connection) -> bool:
    return bool(database.rows(connection, "SHOW VARIABLES LIKE 'innodb_snapshot_isolation'"))


def executions(where: Place) -> Path:
    """The private folder that workflows run in, made where it is missing.

    Cromwell opens its own folders to others, so privacy comes from this one: owner and mode
    are looked at each time, and anything but ours and 0700 is refused.
    """
    folder = executions_place(where)
    try:
        make_private(folder)
        facts = folder.lstat()
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise
        raise UsageError(
            f"Workflows can't run in {folder}: {str(error.strerror).lower()}. Choose another "
            f"place: cromwell-userdb init{where.option} --executions DIR"
        ) from error
    if facts.st_uid != os.getuid() or facts.st_mode & 0o077:
        raise NotPrivate(
            f"{folder} has to be yours alone, as Cromwell opens what it makes in it: "
            f"chmod 700 {folder}, or choose another place with --executions."
        )
    return folder


def executions_place(where: Place) -> Path:
    """Where `executions` is, or will be."""
    chosen = where.settings.run_executions
    if chosen:
        return place.executions_in(chosen, where.name)
    return where.instance.root / "executions"


def conf(
    where: Place,
    folder: RunFolder,
    executions: Path,
    *,
    snapshot_isolation: bool,
    migrates: bool = False,
    abort_jobs: bool = True,
    hidden: bool = False,
) -> str:
    """The cromwell.conf of a run in `folder`.

    `hidden` is for eyes only: without the password, and with whatever the user put over it.
    """
    settings, on_slurm = where.settings, backend(where) == "slurm"
    values = render.CromwellConf(
        url=render.jdbc_url(snapshot_isolation=snapshot_isolation, truncates=not migrates),
        password="(hidden)" if hidden else password(where),
        backend=backend(where),
        root=str(executions),
        hooks=str(folder.hooks),
        workflow_logs=str(folder.path / "workflow-logs"),
        hashing=hashing(settings),
        localization=settings.cache_localization,
        duplication=settings.cache_duplication,
        concurrent_jobs=believed.concurrent_jobs(settings)
        if on_slurm
        else settings.run_concurrent_jobs,
        job_rate=settings.run_job_rate,
        poll_seconds=settings.slurm_poll_seconds,
        failure_mode=settings.run_failure_mode,
        migrates=migrates,
        abort_jobs=abort_jobs,
        snippet=overrides.snippet(settings),
        snippet_origin=settings.template_snippet,
        provider=template_values(
            memory_mb=settings.run_memory_mb,
            disks_as_tmp=settings.slurm_disks_as_tmp,
            containers=containers.are_wanted(settings),
        ),
    )
    text = render.cromwell_conf(values, own=overrides.templates(settings))
    if not hidden:
        overrides.check(text, settings)
    return text


def conf_to_show(where: Place) -> str:
    """The cromwell.conf of a run to come, of which no more is needed than its settings."""
    facts = disk.facts(where.instance) or {}
    return conf(
        where,
        RunFolder(where.instance.runs / "N"),
        executions_place(where),
        snapshot_isolation=facts.get("flavour") == "mariadb",
        hidden=True,
    )


def check_overrides(where: Place) -> None:
    """Refuse a snippet or templates of the user's that Cromwell would stumble over.

    Costs nothing where there are none.
    """
    if where.settings.template_snippet or where.settings.template_dir:
        overrides.check(conf_to_show(where), where.settings)


def backend(where: Place) -> str:
    """Where calls run: what was asked for, or else what this machine has."""
    chosen = where.settings.run_backend
    if chosen == "auto":
        chosen = "slurm" if has_slurm() else "local"
        policy.check_choice("run.backend", chosen, where.resolved)
    return chosen


def has_slurm() -> bool:
    """Whether a controller answers here; asked at init, and recorded."""
    if not shutil.which("sbatch"):
        return False
    try:
        return "is UP" in process.run(["scontrol", "ping"], timeout=20)
    except CommandFailed:
        return False


def hashing(settings: Settings) -> str:
    return "fingerprint" if settings.cache_hashing == "auto" else settings.cache_hashing


def current_folder() -> Path | None:
    """The current folder, None where it is gone or may not be read."""
    try:
        return Path.cwd()
    except OSError:
        return None


def kills_at_logout() -> bool:
    """Whether logind ends this user's processes with the last session."""
    try:
        text = process.run(["loginctl", "show-user", str(os.getuid()), "-p", "Linger"], timeout=5)
        manager = process.run(
            ["busctl", "get-property", "org.freedesktop.login1", "/org/freedesktop/login1",
             "org.freedesktop.login1.Manager", "KillUserProcesses"],
            timeout=5,
        )  # fmt: skip
    except CommandFailed:
        return False
    return "Linger=no" in text and "true" in manager
