"""`config`: show, render, lint, edit, set and get settings."""

from __future__ import annotations

import contextlib
import functools
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from cromwell_userdb import policy
from cromwell_userdb import settings as names
from cromwell_userdb.cli import screen
from cromwell_userdb.cli.believed import concurrent_jobs
from cromwell_userdb.cli.options import JSON
from cromwell_userdb.cli.place import (
    Command,
    Place,
    absolute,
    find,
    find_instance,
    local_file_refused,
    options,
    require,
    tilde,
    user_file,
    with_flags,
)
from cromwell_userdb.cli.verbs import Verbs
from cromwell_userdb.errors import SettingError, UsageError
from cromwell_userdb.record import make_private, write_private
from cromwell_userdb.report.words import table


@click.group("config", cls=Verbs)
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
    values, defaults = place.settings.by_name(), names.Settings().by_name()
    fixed = place.resolved.fixed
    origins = {name: place.resolved.origins.get(name, "default") for name in values}
    if place.settings.run_backend == "slurm" and (most := concurrent_jobs(place.settings)):
        if most != values["run.concurrent_jobs"]:
            origins["run.concurrent_jobs"] = "SLURM's limit on your jobs"
        values["run.concurrent_jobs"] = most
    if reason := local_file_refused():
        screen.note(f"./cromwell-userdb.toml is not read: {reason}.")
    if as_json:
        return screen.answer(
            [
                {
                    "name": name,
                    "value": value,
                    "origin": origins[name],
                    "fixed": name in fixed,
                    "default": defaults[name],
                    "text": names.describe(name),
                }
                for name, value in values.items()
            ]
        )
    mark = dict.fromkeys(fixed, " (fixed)")
    last = (lambda name: origins[name] + mark.get(name, "")) if origin else names.describe
    lines = [[name, _shown(value), last(name)] for name, value in values.items()]
    print(table(("setting", "value", "origin" if origin else "meaning"), lines))


def _shown(value: names.Value) -> str:
    return _plain(value) or "–"


def _plain(value: names.Value) -> str:
    if isinstance(value, tuple):
        return ",".join(value)
    if isinstance(value, float):
        return f"{value:g}"
    return str(value).lower() if isinstance(value, bool) else str(value)


@config_.command()
@click.argument("setting")
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
    print(_plain(values[setting]))


def _file_options(command: Command) -> Command:
    """Hand a command the settings file that ``--root``, ``--name`` or ``--user`` means.

    What is in the file is not looked at, so that a broken one can be mended.
    """

    @click.option("--user", "for_user", is_flag=True, help="For all of your instances.")
    @click.option("--root", metavar="DIR", help="The instance in this folder.")
    @click.option("--name", "instance", metavar="NAME", help="The instance of this name.")
    @functools.wraps(command)
    def wrapped(
        *args: Any, for_user: bool, root: str | None, instance: str | None, **kwargs: Any
    ) -> Any:
        if for_user and (root or instance):
            raise UsageError("Settings are for all of your instances, or for one: drop --user.")
        place = Place(*find_instance(root, instance), names.resolve([]))
        path = user_file() if for_user else require(place).instance.settings
        in_force = functools.partial(find, root, instance)
        return command(*args, path=path, in_force=in_force, **kwargs)

    return wrapped  # type: ignore[return-value]


@config_.command("set")
@click.argument("setting")
@click.argument("values", nargs=-1, metavar="[VALUE]...")
@click.option("--unset", is_flag=True, help="Take the setting out of the file.")
@_file_options
def set_(path: Path, in_force: Any, setting: str, values: tuple[str, ...], unset: bool) -> None:
    """Set one setting of this instance.

    \b
    Examples:
      cromwell-userdb config set slurm.partition medium
      cromwell-userdb config set --unset slurm.partition
      cromwell-userdb config set slurm.extra -- --gres=gpu:1
    """
    if bool(values) == unset:
        raise UsageError("Give a value, or --unset.")
    value = None if unset else _checked(setting, values)
    if value is not None:
        _check_policy(in_force, setting, value)
    text = _read(path)
    if unset and setting not in names.from_toml(text, origin=tilde(path)):
        names.check(setting, names.Settings().by_name().get(setting), origin="config set")
        return screen.note(f"{setting} was not set in {tilde(path)}.")
    make_private(path.parent)
    keep(path, {setting: value})
    what = "unset" if value is None else f"= {_shown(value)}"
    screen.note(f"{setting} {what} in {tilde(path)}")
    _tell_if_overruled(in_force, setting, tilde(path), unset=unset)


def _check_policy(in_force: Any, setting: str, value: names.Value) -> None:
    """Refuse at once what the site would refuse from then on."""
    try:
        resolved = in_force().resolved
    except SettingError:
        return  # there is something to mend, and this may be how
    policy.check_free(setting, resolved)
    policy.check_choice(setting, value, resolved)


def keep(path: Path, values: Mapping[str, names.Value | None]) -> None:
    """Have settings in a file of our own, or with None not; everything else stays as it is."""
    text = _read(path)
    for setting, value in values.items():
        text = names.edited(text, setting, value, origin=tilde(path))
    write_private(path, text)


def _checked(name: str, values: tuple[str, ...]) -> names.Value:
    """What was given, in the setting's type; a path from here becomes a whole one."""
    defaults = names.Settings().by_name()
    several = isinstance(defaults.get(name), tuple)
    if len(values) > 1 and not several and name in defaults:
        raise UsageError(f"{name} takes one value; one with spaces needs quotes.")
    given: Any = values if several and len(values) > 1 else values[0]
    value = names.check(name, given, origin="config set")
    whole = tuple(_whole_path(name, path) for path in names.paths(name, value))
    return (whole if several else whole[0]) if whole else value


def _whole_path(name: str, value: str) -> str:
    path = absolute(value)
    if name == "run.executions":
        from cromwell_userdb.cli import executions

        executions.below(str(path), "default")
    elif name == "template.snippet":
        from cromwell_userdb.cli import overrides

        overrides.read(path, setting=f"{name}: ")
    elif name not in ("run.copy_outputs_to", "container.images") and not path.exists():
        raise SettingError(f"config set: {name}: there is no {tilde(path)}.")
    return str(path)


def _tell_if_overruled(in_force: Any, name: str, origin: str, *, unset: bool) -> None:
    """A value that another layer hides would otherwise look as if it did nothing."""
    with contextlib.suppress(SettingError):
        place: Place = in_force()
        winner = place.resolved.origins.get(name, origin if unset else "default")
        if winner != origin:
            value = _shown(place.settings.by_name()[name])
            screen.note(f"In force is {value}, from {winner}.")


def read(path: Path) -> dict[str, names.Value]:
    """The settings in a file of our own; none where there is no file."""
    return names.from_toml(_read(path), origin=tilde(path))


def _read(path: Path) -> str:
    try:
        return path.read_text()
    except FileNotFoundError:
        return ""
    except (OSError, UnicodeDecodeError) as error:
        raise SettingError(f"{tilde(path)} can't be read: {error}.") from error


@config_.command()
@_file_options
def edit(path: Path, in_force: Any) -> None:
    """Edit this instance's settings in $EDITOR; a mistake is told before it is kept.

    \b
    Example:
      EDITOR=nano cromwell-userdb config edit
    """
    before = _read(path)
    start = before or names.commented()
    text = start
    while True:
        text = _edited(text)
        if text in (before, start):
            return screen.note("Nothing changed.")
        try:
            names.from_toml(text, origin=tilde(path))
            break
        except SettingError as error:
            screen.note(str(error))
            if not _again():
                raise _kept(path, text, "Nothing changed") from error
    if _read(path) != before:
        raise _kept(path, text, f"{tilde(path)} was changed by somebody else meanwhile")
    make_private(path.parent)
    write_private(path, text)
    screen.note(f"{tilde(path)} is written.")


def _edited(text: str) -> str:
    try:
        return click.edit(text, extension=".toml", require_save=False) or ""
    except click.ClickException as error:
        raise UsageError(
            f"{error.message.partition(':')[0]}, the editor, did not end well, and nothing changed:"
            " name another with EDITOR."
        ) from error


def _again() -> bool:
    if not os.isatty(0):
        return False
    return click.confirm("Edit again?", default=True, err=True)


def _kept(path: Path, text: str, what: str) -> SettingError:
    draft = path.with_name(f"{path.name}.draft")
    make_private(path.parent)
    write_private(draft, text)
    return SettingError(f"{what}; what you wrote is kept in {tilde(draft)}.")


@config_.command("render")
@click.option("--backend", type=click.Choice(["local", "slurm"]), help="As if calls ran there.")
@options
def render_(place: Place, backend: str | None) -> None:
    """Print the cromwell.conf that a run would get, its password hidden.

    \b
    Example:
      cromwell-userdb config render > my.conf
    """
    where = with_flags(require(place), {"run.backend": backend} if backend else {})
    print(_rendered(where), end="")


def _rendered(where: Place) -> str:
    from cromwell_userdb.cli import outfit

    return outfit.conf_to_show(where)


@config_.command()
@click.argument("snippet", required=False, type=click.Path(path_type=Path))
@JSON
@options
def lint(place: Place, snippet: Path | None, as_json: bool) -> None:
    """Check the rendered configuration, or a snippet of HOCON, for what Cromwell does not know.

    What Cromwell takes, but people regret, is told as well, and is no error.

    \b
    Examples:
      cromwell-userdb config lint
      cromwell-userdb config lint my-snippet.conf
    """
    from cromwell_userdb.cli import overrides

    if snippet:
        text, origin = overrides.read(absolute(str(snippet))), str(snippet)
    else:
        text = _rendered(require(place))
        origin = place.settings.template_snippet or "cromwell.conf"
    problems = overrides.problems(text, origin=origin)
    regrets = overrides.regrets(text, origin=origin)
    if as_json:
        screen.answer({"problems": problems, "regrets": regrets})
        raise SystemExit(SettingError.exit_code if problems else 0)
    for regret in regrets:
        screen.note(f"{origin}: beware: {regret}")
    if problems:
        raise SettingError("\n".join(f"{origin}: {problem}" for problem in problems))
    screen.note(f"{origin}: Cromwell knows every key.")
