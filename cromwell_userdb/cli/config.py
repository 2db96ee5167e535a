"""`config`: show, render, lint, edit, set and get settings."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from cromwell_userdb import settings as names
from cromwell_userdb.cli import screen
from cromwell_userdb.cli.place import Place, options, require, tilde
from cromwell_userdb.errors import SettingError, UsageError
from cromwell_userdb.record import write_private
from cromwell_userdb.report.words import table

JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


@click.group("config")
def config_() -> None:
    """Show, check and change settings.

    \b
    Examples:
      cromwell-userdb config show --origin
      cromwell-userdb config set slurm.partition medium
    """


@config_.command()
@click.option("--origin", is_flag=True, help="Say where each value comes from.")
@JSON
@options
def show(place: Place, origin: bool, as_json: bool) -> None:
    """Show every setting in force.

    \b
    Example:
      cromwell-userdb config show --origin
    """
    values = place.settings.by_name()
    origins = {name: place.resolved.origins.get(name, "default") for name in values}
    if as_json:
        found = [
            {"name": name, "value": value, "origin": origins[name], "text": names.describe(name)}
            for name, value in values.items()
        ]
        return screen.answer(found)
    last = (lambda name: origins[name]) if origin else names.describe
    lines = [[name, _shown(value), last(name)] for name, value in values.items()]
    print(table(("setting", "value", "origin" if origin else "meaning"), lines))


def _shown(value: names.Value) -> str:
    if isinstance(value, tuple):
        return ",".join(value) or "–"
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if value != "" else "–"


@config_.command()
@click.argument("setting", metavar="NAME")
@JSON
@options
def get(place: Place, setting: str, as_json: bool) -> None:
    """Print one setting's value.

    \b
    Example:
      cromwell-userdb config get run.backend
    """
    values = place.settings.by_name()
    if setting not in values:
        names.check(setting, "", origin="config get")
    if as_json:
        return screen.answer(values[setting])
    value = values[setting]
    print(",".join(value) if isinstance(value, tuple) else _plain(value))


def _plain(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


@config_.command("set")
@click.argument("setting", metavar="NAME")
@click.argument("value", required=False)
@click.option("--unset", is_flag=True, help="Take the setting out of the file.")
@click.option("--user", "for_user", is_flag=True, help="For all of your instances.")
@options
def set_(place: Place, setting: str, value: str | None, unset: bool, for_user: bool) -> None:
    """Set one setting of this instance.

    \b
    Examples:
      cromwell-userdb config set slurm.partition medium
      cromwell-userdb config set --unset slurm.partition
    """
    from cromwell_userdb.cli.place import user_file
    from cromwell_userdb.record import make_private

    if (value is None) != unset:
        raise UsageError("Give a value, or --unset.")
    path = user_file() if for_user else require(place).instance.settings
    known = read(path)
    # An empty value still has to be one of the known names.
    checked = names.check(
        setting, value if value is not None else _default(setting), origin="config set"
    )
    if unset:
        known.pop(setting, None)
    else:
        known[setting] = checked
    make_private(path.parent)
    write_private(path, names.to_toml(known))
    screen.note(f"{setting} {'unset' if unset else f'= {_shown(checked)}'} in {tilde(path)}")


def _default(name: str) -> names.Value:
    return names.Settings().by_name().get(name, "")


def read(path: Path) -> dict[str, names.Value]:
    """The settings in a file of our own; none where there is no file."""
    try:
        return names.from_toml(path.read_text(), origin=tilde(path))
    except FileNotFoundError:
        return {}


@config_.command()
@options
def edit(place: Place) -> None:
    """Edit this instance's settings in $EDITOR; a mistake is told before it is kept.

    \b
    Example:
      EDITOR=nano cromwell-userdb config edit
    """
    path = require(place).instance.settings
    before = path.read_text() if path.exists() else ""
    text: str | None = before or _commented()
    while True:
        text = click.edit(text, extension=".toml", require_save=False)
        if text is None or text == before:
            return screen.note("Nothing changed.")
        try:
            names.from_toml(text, origin=tilde(path))
        except SettingError as error:
            screen.note(str(error))
            if not click.confirm("Edit again?", default=True, err=True):
                raise
            continue
        write_private(path, text)
        return screen.note(f"{tilde(path)} is written.")


def _commented() -> str:
    """A file of all settings, each commented out, to start from."""
    lines = names.to_toml(names.Settings().by_name()).splitlines()
    return "\n".join(line if line.startswith("[") or not line else f"# {line}" for line in lines)


@config_.command("render")
@click.option("--backend", type=click.Choice(["local", "slurm"]))
@options
def render_(place: Place, backend: str | None) -> None:
    """Print the cromwell.conf that a run would get, its password hidden.

    \b
    Example:
      cromwell-userdb config render > my.conf
    """
    from cromwell_userdb.cli.place import with_flags

    where = with_flags(require(place), {"run.backend": backend} if backend else {})
    print(_rendered(where), end="")


def _rendered(where: Place) -> str:
    from cromwell_userdb.cli import session

    return session.conf(
        where,
        where.instance.run(0),
        session.executions_place(where),
        snapshot_isolation=False,
        hidden=True,
    )


@config_.command()
@click.argument("snippet", required=False, type=click.Path(path_type=Path))
@JSON
@options
def lint(place: Place, snippet: Path | None, as_json: bool) -> None:
    """Check the rendered configuration, or a snippet of HOCON, for keys unknown to Cromwell.

    \b
    Example:
      cromwell-userdb config lint my-snippet.conf
    """
    from cromwell_userdb import hocon, keys

    if snippet:
        try:
            text = snippet.read_text()
        except (OSError, UnicodeDecodeError) as error:
            raise UsageError(f"{snippet} can't be read: {error}.") from error
    else:
        text = _rendered(require(place))
    problems = keys.lint(hocon.parse(text, origin=str(snippet or "cromwell.conf")))
    if as_json:
        return screen.answer(problems)
    if problems:
        where = snippet or "cromwell.conf"
        raise SettingError("\n".join(f"{where}: {problem}" for problem in problems))
    screen.note("Cromwell knows every key.")
