"""Upgrades of a database: which server may open what an older one wrote, and what follows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from cromwell_userdb import binaries, disk, process
from cromwell_userdb.binaries import TITLE, Server
from cromwell_userdb.errors import CommandFailed, StartFailed
from cromwell_userdb.instance import Instance
from cromwell_userdb.record import write_json


def check(instance: Instance, facts: dict[str, Any], server: Server, *, allowed: bool) -> None:
    """Refuse a server that can't read what the last one wrote, or would change it unasked."""
    made_by = f"{TITLE[facts['flavour']]} {facts['version']}"
    if facts["flavour"] != server.flavour:
        raise StartFailed(
            f"The database of {instance.root} is {made_by}'s; {server.path} is"
            f" {server.title}, which can't read it. Name the right server with --server."
        )
    if server.version[:2] < _series(facts):
        raise StartFailed(
            f"The database of {instance.root} was served by {made_by}; {server.path} is older"
            f" ({server.number}) and can't read it. Name a newer server with --server."
        )
    if is_due(facts, server):
        _check_due(instance, made_by, server, allowed)


def is_due(facts: dict[str, Any], server: Server) -> bool:
    """Whether the server is of a later series than the one that served last."""
    return server.version[:2] > _series(facts)


def _series(facts: dict[str, Any]) -> tuple[int, ...]:
    return tuple(int(part) for part in facts["version"].split("."))[:2]


def _check_due(instance: Instance, made_by: str, server: Server, allowed: bool) -> None:
    if not allowed:
        raise StartFailed(
            f"The database of {instance.root} was served by {made_by}; {server.path} is"
            f" {server.title}, and what that has once opened {made_by} can't read any more. Copy"
            f" {instance.datadir} first, then:"
            f" cromwell-userdb db start --server {server.path} --upgrade --root {instance.root}"
        )
    if not (instance.datadir / "clean").exists():
        raise StartFailed(
            f"The database of {instance.root} was not stopped cleanly by {made_by}, so"
            f" {server.title} can't take it over. Start and stop it once with the older server"
            " (--server)."
        )


def note(instance: Instance, facts: dict[str, Any], server: Server) -> None:
    """Remember which server serves now."""
    if (facts["version"], facts.get("server")) != (server.number, str(server.path)):
        known = (disk.facts(instance) or facts) | {
            "version": server.number,
            "server": str(server.path),
        }
        write_json(instance.facts, known)


def finish(
    instance: Instance, server: Server, environ: Mapping[str, str], progress: Callable[[str], None]
) -> None:
    """Bring MariaDB's own tables up to its release; MySQL does it by itself.

    Without it all goes well but for complaints in the log, so its failure is only told.
    """
    program = binaries.companion(server, "mariadb-upgrade", "mysql_upgrade")
    if server.flavour == "mysql" or program is None:
        return
    argv = [str(program), "--no-defaults", "--upgrade-system-tables", "--silent"]
    try:
        process.run(
            [*argv, f"--socket={instance.socket}", f"--user={disk.os_user()}"],
            timeout=300,
            env=environ,
        )
    except CommandFailed as error:
        progress(str(error))
