"""`init`: make the private database, once; twice is as good as once."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any

import click

from cromwell_userdb import disk, provision, register, releases, schema
from cromwell_userdb import engine as engines
from cromwell_userdb import settings as names
from cromwell_userdb.binaries import Server
from cromwell_userdb.cli import (
    believed,
    cluster,
    config,
    executions,
    here,
    outfit,
    place,
    screen,
    session,
)
from cromwell_userdb.cli import profile as jobs
from cromwell_userdb.cli.options import BACKEND, ENGINE, JSON
from cromwell_userdb.cli.place import Place, tilde
from cromwell_userdb.engine import Engine
from cromwell_userdb.errors import CommandFailed, NotFound, UsageError, UserDBError
from cromwell_userdb.settings import Value


@click.command("init")
@click.option("--server", metavar="PATH", help="This mariadbd or mysqld.")
@click.option("--install", is_flag=True, help="Download a server and Cromwell where missing.")
@ENGINE
@click.option("--cromwell", metavar="PATH", help="This cromwell.jar.")
@BACKEND
@click.option("--executions", metavar="DIR", help="Run workflows below this folder.")
@click.option("--profile", metavar="FILE", help="Take settings from this file.")
@click.option("--yes", is_flag=True, help="Take what is proposed for jobs; ask nothing.")
@click.option("--allow-root", is_flag=True, help="Even as root, as in a container.")
@click.option("--allow-no-locks", is_flag=True, help="Even where files can't be locked.")
@JSON
@place.options
def init_(
    place: Place,
    install: bool,
    profile: str | None,
    yes: bool,
    allow_root: bool,
    as_json: bool,
    **flags: Any,
) -> None:
    """Make your private database, once.

    Finds a MariaDB or MySQL server and an engine for workflows, makes a database that is
    yours alone, and says where everything is. On a SLURM cluster it proposes what jobs ask
    for, and lets you change that. Again is safe: it completes what is missing.

    \b
    Examples:
      cromwell-userdb init
      cromwell-userdb init --name lab --executions /scratch/alice
    """
    ask = sys.stdin.isatty() and not yes and not as_json
    facts = initialise(
        place, install=install, profile=profile, ask=ask, allow_root=allow_root, **flags
    )
    if as_json:
        return screen.answer(
            {title: {"is": fact, "remark": remark} for title, (fact, remark) in facts.items()}
        )
    for title, (fact, remark) in facts.items():
        print(_lines(title, fact, remark))
    print(f"\nRun something:     cromwell-userdb run{place.option} workflow.wdl inputs.json")
    if facts["Jobs"][0].startswith("through SLURM"):
        print(f"Or as a job:       cromwell-userdb submit{place.option} workflow.wdl inputs.json")


def initialise(
    where: Place,
    *,
    install: bool,
    profile: str | None,
    ask: bool,
    allow_root: bool,
    **flags: Any,
) -> dict[str, tuple[str, str]]:
    """Do all of `init`; returns what it says, by title: a fact and a remark."""
    place.check_user(allow_root=allow_root)
    disk.check_private(where.instance.root)
    chosen = _chosen(flags, profile)
    where = place.with_flags(where, chosen)
    server = _server(where, install=install)
    engine = _engine(where, install=install)
    if not where.instance.facts.exists():
        chosen |= _for_jobs(where, ask=ask)
    provision.birth(
        where.instance,
        server,
        cache=place.cache_folder(),
        allow_root=True,
        allow_no_locks=where.settings.server_allow_no_locks,
        tables=_tables(engine),
    )
    folder = executions.made(where)
    decided: dict[str, Value] = {"run.backend": here.backend(where)}
    kept = chosen | decided
    # A server that is refused here must not be what the next command tries.
    program = str(kept.pop("server.binary", ""))
    where = _keep(where, kept)
    began = time.monotonic()
    session.serve(where, program=program, say=screen.note)
    ready = time.monotonic() - began
    if program:
        where = _keep(where, {"server.binary": program})
    if engine.kind == "cromwell":
        session.tables_behind(where, engine)
        session.fast_start(engine)
    else:
        with session.connect(where) as connection:
            session.tables(where, connection, engine, say=screen.note)
    return _said(where, server, engine, folder, ready)


def _tables(engine: Engine) -> str:
    """What a template for MariaDB has already, so that no init waits for its disk to have it.

    A Cromwell makes its own tables: where it is an older one, a later release's are no use to it.
    """
    if engine.kind == "cromwell":
        return ""
    return register.script() + schema.script(engine.maker)


def _chosen(flags: dict[str, Any], profile: str | None) -> dict[str, Value]:
    """The settings that the command line and its profile make for this instance."""
    chosen: dict[str, Value] = {}
    if profile:
        try:
            text = Path(profile).read_text()
        except (OSError, UnicodeDecodeError) as error:
            words = getattr(error, "strerror", None) or "it is no text in UTF-8"
            raise UsageError(f"--profile {profile} can't be read: {words}.") from error
        chosen |= names.from_toml(text, origin=profile)
    options = {
        "server.binary": flags["server"],
        "engine.kind": flags["engine"] or ("cromwell" if flags["cromwell"] else None),
        "engine.cromwell": flags["cromwell"],
        "run.backend": flags["backend"],
        "run.executions": flags["executions"],
        "server.allow_no_locks": flags["allow_no_locks"],
    }
    chosen |= {name: value for name, value in options.items() if value}
    for name in ("server.binary", "engine.cromwell", "run.executions"):
        if chosen.get(name):
            chosen[name] = str(place.absolute(str(chosen[name])))
    if chosen.get("run.executions"):
        executions.below(str(chosen["run.executions"]), "x")
    return chosen


def _for_jobs(where: Place, *, ask: bool) -> dict[str, Value]:
    """What jobs shall ask for, as the cluster and the user would have it."""
    if here.backend(where) != "slurm":
        return {}
    try:
        return jobs.settle(where, believed.seen(where.settings.slurm_cluster), ask=ask)
    except CommandFailed as error:
        screen.note(f"What jobs may ask for is not known now: {error}")
        return {}


def _keep(where: Place, values: dict[str, Value]) -> Place:
    """Put what was chosen and decided into the instance's settings."""
    path = where.instance.settings
    before = config.read(path)
    if before | values != before:
        config.keep(path, {name: one for name, one in values.items() if one != before.get(name)})
    return place.with_flags(where, {})


def _server(where: Place, *, install: bool) -> Server:
    """The server here, or one that is fetched when that was agreed to."""
    try:
        return session.find_server(where)
    except NotFound as error:
        if not install and not (sys.stdin.isatty() and _agreed(f"{error}\nInstall one now")):
            raise
    return provision.install_server(place.cache_folder(), progress=screen.note)


def _engine(where: Place, *, install: bool) -> Engine:
    """The engine here, or Cromwell fetched when that was agreed to."""
    engine_kind = where.settings.engine_kind
    try:
        engine = session.engine(where)
    except NotFound:
        if not install:
            raise
        engine = engines.embedded("no Cromwell yet")
    if engine.kind == "cromwell" or engine_kind == "embedded" or not install:
        return engine
    try:
        session.install_cromwell(where)
        session.ensure_java(where, say=screen.note)
        return session.engine(where)
    except UserDBError as error:
        if engine_kind == "cromwell":
            raise
        screen.note(f"{error}\nGoing on with the embedded engine.")
        return engine


def _agreed(question: str) -> bool:
    return click.confirm(question, default=False, err=True)


def _said(
    where: Place, server: Server, engine: Engine, folder: Path, ready: float
) -> dict[str, tuple[str, str]]:
    """What is where, each with a remark."""
    links = "hard links" if disk.has_hard_links(folder) else "copies"
    can = f"{disk.filesystem_type(folder)}: {links}, {outfit.hashing(where.settings)} hashes"
    return {
        "Private database": (tilde(where.instance.root), "yours alone: 0700"),
        "Server": (
            f"{server.title}, {tilde(server.path)}",
            f"ready in {ready:.1f} s, Unix socket only",
        ),
        "Engine": engine_said(engine),
        "Workflows run in": (tilde(folder), can),
        **jobs_said(where),
    }


def engine_said(engine: Engine) -> tuple[str, str]:
    """Which engine, and for the embedded one what it is good for."""
    if engine.kind == "embedded":
        head = "embedded" if engine.source == "asked for" else "embedded (no Cromwell here)"
        fetch = f'"engine install {releases.default()}" fetches Cromwell'
        return head, f"good for trying out; {fetch}"
    version = engine.java.version if engine.java else "?"
    return f"{engine.name}, {tilde(str(engine.jar))}", f"Java {version}"


def jobs_said(where: Place) -> dict[str, tuple[str, str]]:
    """Where calls run, and on SLURM what their jobs ask for."""
    if here.backend(where) == "slurm":
        try:
            name = where.settings.slurm_cluster
            found = believed.remembered(name) or believed.seen(name)
        except CommandFailed as error:
            return {"Jobs": ("through SLURM", f"which gives no answer now: {error}")}
        chosen = where.settings.slurm_account or next(iter(found.accounts), "")
        account = f", account {chosen}" if chosen else ""
        through = f'through SLURM, cluster "{found.name}"{account}'
        return {
            "Jobs": (through, cluster.partitions(found)),
            "A job asks for": jobs.said(where, found),
        }
    cores, memory = here.share(where)
    return {"Jobs": ("on this machine (no SLURM here)", f"{cores} cores, {memory / 1024:.0f} GB")}


def _lines(title: str, fact: str, remark: str) -> str:
    """A fact with its remark beside it, or below where 80 columns have no room for both."""
    if len(fact) <= 36 and len(remark) <= 24:
        return f"{title:<18} {fact:<36} {remark}"
    return f"{title:<18} {fact}\n{'':<18} {remark}"
