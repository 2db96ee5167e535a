"""What commands share once an instance is there: its server, engine, places and hooks."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from cromwell_userdb import binaries, database, process, provision, runs, schema, server
from cromwell_userdb import engine as engines
from cromwell_userdb.cli import place
from cromwell_userdb.cli.place import Place
from cromwell_userdb.database import Connection
from cromwell_userdb.engine import Engine
from cromwell_userdb.errors import CommandFailed, NotPrivate, SettingError
from cromwell_userdb.record import make_private
from cromwell_userdb.settings import Settings

Say = Callable[[str], None]


def engine(where: Place) -> Engine:
    """The engine that settings and environment mean."""
    settings = where.settings
    return engines.find(
        settings.engine_kind,
        named=_path(settings.engine_cromwell),
        java=_path(settings.engine_java),
        environ=os.environ,
        cache=place.cache_folder(),
    )


def _path(text: str) -> Path | None:
    return place.absolute(text) if text else None


def serve(where: Place, *, wait: bool = False) -> None:
    """Have the instance's server answer; raises Held where another node serves it."""
    facts = provision.facts(place.require(where).instance)
    named = where.settings.server_binary or (facts or {}).get("server", "")
    server.start(
        where.instance,
        binaries.find_server(_path(named)),
        idle_seconds=where.settings.server_idle_minutes * 60,
        buffer_pool_mb=where.settings.server_buffer_pool_mb,
        flush=where.settings.server_flush,
        wait=600 if wait else 0,
    )


def connect(where: Place, *, wait: bool = False) -> Connection:
    """A connection as the OS user to Cromwell's tables, the server started where need be."""
    serve(where, wait=wait)
    return database.connect(where.instance.socket, user=place.user(), database=schema.CROMWELL)


def prepare(where: Place, connection: Connection, maker: Engine) -> None:
    """Have our tables and Cromwell's ready for this engine."""
    runs.migrate(connection)
    if schema.is_current(connection, maker.maker):
        return
    if maker.kind == "embedded":
        schema.apply_bundled(connection, maker.maker)
        return
    engines.migrate(
        maker,
        connection,
        instance=where.instance,
        cache=place.cache_folder(),
        password=password(where),
    )


def password(where: Place) -> str:
    """The secret of the account that engines use."""
    return where.instance.secret.read_text().strip()


def knows_snapshot_isolation(connection: Connection) -> bool:
    return bool(database.rows(connection, "SHOW VARIABLES LIKE 'innodb_snapshot_isolation'"))


def executions(where: Place) -> Path:
    """The private folder that workflows run in, made where it is missing.

    Cromwell opens its own folders to others, so privacy comes from this one: owner and mode
    are looked at each time, and anything but ours and 0700 is refused.
    """
    chosen = where.settings.run_executions
    if not chosen:
        return make_private(where.instance.root / "executions")
    folder = place.executions_in(chosen, where.name)
    make_private(folder)
    facts = folder.lstat()
    if facts.st_uid != os.getuid() or facts.st_mode & 0o077:
        raise NotPrivate(
            f"{folder} has to be yours alone, as Cromwell opens what it makes in it: "
            f"chmod 700 {folder}, or choose another place with --executions."
        )
    return folder


def hashing(settings: Settings) -> str:
    return "fingerprint" if settings.cache_hashing == "auto" else settings.cache_hashing


def snippet(settings: Settings) -> str:
    """The user's own HOCON, "" where there is none."""
    if not settings.template_snippet:
        return ""
    path = place.absolute(settings.template_snippet)
    try:
        return path.read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingError(f"template.snippet: {path} can't be read ({error}).") from error


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
