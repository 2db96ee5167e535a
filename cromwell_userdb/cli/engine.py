"""`engine`: which engine runs workflows, and how a Cromwell comes here."""

from __future__ import annotations

from pathlib import Path

import click

from cromwell_userdb import engine as engines
from cromwell_userdb import java, releases
from cromwell_userdb.cli import config, place, screen, session
from cromwell_userdb.cli.options import JSON
from cromwell_userdb.cli.place import Place, require, tilde
from cromwell_userdb.cli.verbs import Verbs
from cromwell_userdb.errors import NotFound, UsageError
from cromwell_userdb.report.words import table
from cromwell_userdb.settings import Value


@click.group("engine", cls=Verbs)
def engine_() -> None:
    """Choose and install the engine that runs workflows.

    \b
    Examples:
      cromwell-userdb engine list
      cromwell-userdb engine install 92
    """


@engine_.command("list")
@JSON
@place.options
def list_(place: Place, as_json: bool) -> None:
    """List the engines that are here, and the releases that can be.

    \b
    Example:
      cromwell-userdb engine list
    """
    from cromwell_userdb.cli.place import cache_folder

    here = releases.installed(cache_folder())
    chosen = _chosen(place)
    found = [
        {"engine": "embedded", "path": "", "installed": True, "chosen": _is(chosen, None)},
        *(
            {
                "engine": f"Cromwell {version}",
                "path": str(here.get(version, "")),
                "installed": version in here,
                "chosen": version in here and _is(chosen, here[version]),
            }
            for version in dict.fromkeys([*here, *releases.known()])
        ),
    ]
    if chosen and chosen.jar and chosen.jar not in here.values():
        named = {"engine": chosen.name, "path": str(chosen.jar), "installed": True, "chosen": True}
        found.insert(1, named)
    if as_json:
        return screen.answer(found)
    lines = [
        [
            str(one["engine"]),
            "chosen" if one["chosen"] else "here" if one["installed"] else "–",
            tilde(str(one["path"])),
        ]
        for one in found
    ]
    print(table(("engine", "", "jar"), lines))


def _chosen(where: Place) -> engines.Engine | None:
    try:
        return session.engine(where)
    except NotFound:
        return None


def _is(chosen: engines.Engine | None, jar: Path | None) -> bool:
    return chosen is not None and chosen.jar == jar


@engine_.command()
@JSON
@place.options
def show(place: Place, as_json: bool) -> None:
    """Show which engine runs workflows here, and why this one.

    \b
    Example:
      cromwell-userdb engine show
    """
    found = session.engine(place)
    facts = {
        "engine": found.name,
        "found by": found.source,
        "jar": str(found.jar or ""),
        "sha256": found.sha256,
        "java": f"{found.java.version}, {found.java.path}" if found.java else "",
        "fast start": _fast_start(found),
    }
    if as_json:
        return screen.answer(facts)
    print("\n".join(f"{name:<12} {value}" for name, value in facts.items() if value))


def _fast_start(found: engines.Engine) -> str:
    if not found.archive:
        return ""
    if java.is_usable(found.archive):
        return tilde(found.archive)
    in_vain = java.was_in_vain(found.archive) and not java.is_being_made(found.archive)
    return "could not be made; init tries again" if in_vain else "not made yet: the next run does"


@engine_.command()
@click.argument("version", required=False)
@click.option("--from", "source", type=click.Path(path_type=Path), help="A jar brought along.")
@click.option("--sha256", default="", help="Checksum of a release that is unknown here.")
@click.option("--no-verify", is_flag=True, help="Take the jar without looking at its checksum.")
@click.option("--java", is_flag=True, help="Fetch a Java, too, where none is.")
@place.options
def install(
    place: Place,
    version: str | None,
    source: Path | None,
    sha256: str,
    no_verify: bool,
    java: bool,
) -> None:
    """Download a release of Cromwell, or take a jar that was brought along.

    \b
    Examples:
      cromwell-userdb engine install 92 --java
      cromwell-userdb engine install 92 --from /media/usb/cromwell-92.jar
    """
    jar = session.install_cromwell(
        place, version=version, source=source, sha256=sha256, verify=not no_verify
    )
    if java:
        session.ensure_java(place, say=screen.note)
    screen.note(f"{tilde(jar)} is ready; engine auto takes the newest.")


@engine_.command()
@click.argument("engine")
@place.options
def use(place: Place, engine: str) -> None:
    """Choose the engine of this instance: auto, embedded, an installed version, or a jar.

    \b
    Examples:
      cromwell-userdb engine use embedded
      cromwell-userdb engine use 92
    """
    from cromwell_userdb.cli.place import absolute, cache_folder, with_flags

    path = require(place).instance.settings
    values: dict[str, Value | None] = {"engine.kind": engine, "engine.cromwell": None}
    if engine not in ("auto", "embedded"):
        here = releases.installed(cache_folder())
        jar = here.get(engine) or absolute(engine)
        if not jar.exists():
            raise UsageError(
                f'There is no engine {engine!r} here: "engine list" shows those that are, and '
                f'"engine install" fetches others; a jar is named by its path.'
            )
        values = {"engine.kind": "cromwell", "engine.cromwell": str(jar)}
    found = session.engine(with_flags(place, {name: one for name, one in values.items() if one}))
    config.keep(path, values)
    session.fast_start(found)
    screen.note(f"{found.name} runs workflows here from now on.")
