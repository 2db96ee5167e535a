"""`db`: start, stop, inspect and remove the database."""

from __future__ import annotations

import contextlib
import functools
import os
import shutil
import sys
from datetime import UTC, datetime
from typing import Any

import click

from cromwell_userdb import disk, process, runs, server
from cromwell_userdb.cli import place, screen
from cromwell_userdb.cli.options import JSON
from cromwell_userdb.cli.place import Place, absolute, require, tilde
from cromwell_userdb.cli.verbs import Verbs
from cromwell_userdb.errors import NotFound, NotPrivate
from cromwell_userdb.instance import Instance
from cromwell_userdb.report.words import moment, plural, size, table
from cromwell_userdb.server import Status

EXIT = {
    "running": 0,
    "starting": 0,
    "stopped": 3,
    "crashed": 3,
    "not initialised": 4,
    "elsewhere": 6,
}
"""What `db status` ends with."""


@click.group("db", cls=Verbs)
def db_() -> None:
    """Start, stop, inspect and remove the database.

    It starts by itself when a command needs it, and stops when nobody has for ten minutes.

    \b
    Examples:
      cromwell-userdb db status
      cromwell-userdb db shell
    """


@db_.command()
@click.option("--wait", is_flag=True, help="Wait while another node serves it.")
@click.option("--server", "program", metavar="PATH", help="With this server from now on.")
@click.option("--upgrade", is_flag=True, help="With a newer server: no older one can go on.")
@click.option("--force", is_flag=True, help="Take it from a node that shows no life.")
@place.options
def start(place: Place, program: str | None, wait: bool, upgrade: bool, force: bool) -> None:
    """Start the database, unless it runs.

    \b
    Examples:
      cromwell-userdb db start
      cromwell-userdb db start --server /opt/mariadb-11.8 --upgrade
    """
    from cromwell_userdb.cli import config, session

    path = str(absolute(program)) if program else ""
    status = session.serve(
        require(place), program=path, wait=wait, upgrade=upgrade, force=force, say=screen.note
    )
    if path:
        config.keep(place.instance.settings, {"server.binary": path})
    screen.note(_sentence(status))


@db_.command()
@click.option("--force", is_flag=True, help="Even while runs use it: they will fail.")
@place.options_anyhow
def stop(place: Place, force: bool) -> None:
    """Stop the database, unless a run uses it.

    \b
    Example:
      cromwell-userdb db stop
    """
    instance = require(place).instance
    alive = functools.partial(_alive, instance)
    stopped = server.stop(instance, force=force, runs=alive, say=screen.note)
    screen.note("stopped" if stopped else "it did not run")


def _alive(instance: Instance) -> list[str]:
    found = runs.recent(instance)
    return [f"run {one.run}" for one in found if not one.has_ended and not runs.is_orphaned(one)]


@db_.command()
@JSON
@place.options_anyhow
def status(place: Place, as_json: bool) -> None:
    """Tell what the database is doing; the exit code tells it too.

    Exit codes: 0 running, 3 stopped, 4 not initialised, 6 served by another node.

    \b
    Example:
      cromwell-userdb db status --json
    """
    found = server.status(place.instance)
    behind = _background(place)
    if as_json:
        screen.answer(_facts(found) | {"background": behind})
    else:
        print("\n".join([_sentence(found, place.option), *behind]))
    sys.exit(EXIT[found.state])


def _background(where: Place) -> list[str]:
    """What goes on by itself for this instance, or for all of the user's."""
    from cromwell_userdb import cancels, java, locks
    from cromwell_userdb.cli.place import cache_folder

    found = [
        f"in the background: SLURM is to cancel {plural(len(left), 'job')} of run {number}"
        for number in runs.numbers(where.instance)
        if (left := cancels.noted(where.instance.run(number)))
    ]
    if locks.is_held(where.instance.tables_lock):
        found.append("in the background: Cromwell's tables are made")
    with contextlib.suppress(NotPrivate):
        for lock in (cache_folder() / "archives").glob("*.lock"):
            if java.is_being_made(lock.with_suffix(".archive")):
                found.append("in the background: a class archive is made, for faster starts")
    return found


def _facts(found: Status) -> dict[str, Any]:
    since = datetime.fromtimestamp(found.since, UTC).isoformat() if found.since else None
    return {**vars(found), "root": str(found.root), "since": since}


def _sentence(found: Status, option: str = "") -> str:
    where = tilde(found.root)
    if found.state == "not initialised":
        return f"There is no database at {where}. Make one: cromwell-userdb init{option}"
    if found.state in ("stopped", "crashed"):
        how = "stopped" if found.state == "stopped" else "stopped: its last server was killed"
        return f"{where} ({found.version}): {how}; it starts when a command needs it"
    since = ""
    if found.since:
        since = f" since {moment(datetime.fromtimestamp(found.since, UTC), datetime.now(UTC))}"
    job = f" in job {found.job}" if found.job else ""
    if found.state == "elsewhere":
        return f"{where} ({found.version}): served on {found.host}{job}{since}"
    users = plural(found.connections or 0, "connection")
    return f"{where} ({found.version}): {found.state} here{job}{since}, pid {found.pid}, {users}"


@db_.command("list")
@JSON
@place.options
def list_(place: Place, as_json: bool) -> None:
    """List your servers on this host, whatever their instance.

    \b
    Example:
      cromwell-userdb db list
    """
    found = server.listing(os.getuid())
    if as_json:
        return screen.answer([_facts(one) for one in found])
    if not found:
        return screen.note("None of your databases runs on this host.")
    lines = [[str(one.pid), one.state, str(one.connections or 0), tilde(one.root)] for one in found]
    print(table(("pid", "state", "connections", "instance"), lines, right="pid connections"))


@db_.command(context_settings={"ignore_unknown_options": True})
@click.argument("words", nargs=-1, type=click.UNPROCESSED)
@place.options
def shell(place: Place, words: tuple[str, ...]) -> None:
    """Open a SQL prompt on the database, or give words to its client.

    \b
    Examples:
      cromwell-userdb db shell
      cromwell-userdb db shell -e "SELECT COUNT(*) FROM METADATA_ENTRY"
    """
    client = shutil.which("mariadb") or shutil.which("mysql")
    if client is None:
        raise NotFound(
            "There is no client here (looked for mariadb and mysql on PATH): install one, "
            f"or connect another to {tilde(place.instance.socket)}."
        )
    from cromwell_userdb.cli import session

    session.serve(require(place), say=screen.note)
    argv = [
        client,
        # First, or it reads ~/.my.cnf, which is about another server.
        "--no-defaults",
        f"--socket={place.instance.socket}",
        f"--user={disk.os_user()}",
        *words,
        "cromwell",
    ]
    sys.exit(process.call(argv))


@db_.command()
@click.option("--yes", is_flag=True, help="Delete what is shown.")
@JSON
@place.options_anyhow
def remove(place: Place, yes: bool, as_json: bool) -> None:
    """Show what belongs to an instance, and with --yes delete it all.

    \b
    Examples:
      cromwell-userdb db remove --name quickstart
      cromwell-userdb db remove --name quickstart --yes
    """
    from cromwell_userdb.cli import executions

    instance = require(place).instance
    found = server.belongings(instance)
    outside = executions.place(place)
    if outside.is_dir() and not outside.is_relative_to(instance.root):
        found += [(outside, server.occupied(outside))]
    if as_json:
        screen.answer([{"path": str(path), "bytes": count} for path, count in found])
    else:
        lines = [[size(count), tilde(path)] for path, count in found]
        print(table(("size", "path"), lines, right="size"))
    if not yes:
        return screen.note(
            f"Nothing was deleted: with --yes all of this goes, {_runs(place)} and their results."
        )
    server.stop(instance)
    server.remove(instance)
    if outside.is_dir() and not outside.is_relative_to(instance.root):
        shutil.rmtree(outside)
    screen.note(f"{tilde(instance.root)} is gone.")


def _runs(where: Place) -> str:
    return plural(len(runs.numbers(where.instance)), "run")
