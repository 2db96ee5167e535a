"""Which instance a command is about, and the settings in force there."""

from __future__ import annotations

import contextlib
import errno
import functools
import getpass
import os
import re
import stat
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar, cast

import click
import platformdirs

from cromwell_userdb import policy
from cromwell_userdb import settings as names
from cromwell_userdb.errors import NotInitialised, NotPrivate, SettingError, UsageError
from cromwell_userdb.instance import Instance, check_name, check_place
from cromwell_userdb.settings import Layer, Resolved, Settings, Value

APP = "cromwell-userdb"
LOCAL_FILE = "cromwell-userdb.toml"

Command = TypeVar("Command", bound=Callable[..., Any])


@dataclass(frozen=True)
class Place:
    """An instance by its name or root, with the settings in force."""

    instance: Instance
    name: str
    resolved: Resolved

    @property
    def settings(self) -> Settings:
        return self.resolved.settings

    @property
    def option(self) -> str:
        """What to add to a command that is suggested, so that it means this instance."""
        if self.instance.root == default_root("default"):
            return ""
        if self.instance.root == default_root(self.name):
            return f" --name {self.name}"
        return f" --root {self.instance.root}"


def absolute(text: str) -> Path:
    """The path from the current folder on; UsageError where that folder is gone."""
    try:
        return Path(spelt(str(Path(text).expanduser().resolve())))
    except FileNotFoundError as error:
        raise UsageError(
            f"{text}: there is no such place from here: the current folder is gone. Go to another."
        ) from error
    except (OSError, RuntimeError) as error:
        words = str(getattr(error, "strerror", "") or error).lower()
        raise UsageError(f"{text}: there is no such place from here ({words}).") from error


def spelt(text: str) -> str:
    """The text, if it can be written down: bytes that are no UTF-8 fit no JSON and no database."""
    try:
        text.encode()
    except UnicodeEncodeError as error:
        seen = os.fsencode(text).decode(errors="backslashreplace")
        raise UsageError(
            f"'{tilde(seen)}' is no text in UTF-8: rename it, or write it so."
        ) from error
    return text


def default_root(name: str) -> Path:
    return Path(platformdirs.user_data_path(APP)) / name


def cache_folder() -> Path:
    """The user's cache: templates, servers, engines, class archives; may be deleted."""
    from cromwell_userdb.record import make_private

    folder = Path(platformdirs.user_cache_path(APP))
    try:
        return make_private(folder)
    except (PermissionError, NotADirectoryError) as error:
        if not Path("~").expanduser().is_dir():
            raise NotPrivate(
                f"Your home {Path('~').expanduser()} is not there. Have HOME name a folder of "
                "yours, or XDG_CACHE_HOME, XDG_DATA_HOME and XDG_STATE_HOME one each."
            ) from error
        raise NotPrivate(
            f"Your cache can't be at {tilde(folder)}: {str(error.strerror).lower()}. "
            "Have XDG_CACHE_HOME name a folder of yours."
        ) from error


def state_folder() -> Path:
    from cromwell_userdb.record import make_private

    return make_private(Path(platformdirs.user_state_path(APP)))


def runtime_folder() -> Path | None:
    """$XDG_RUNTIME_DIR where it is ours alone, else None."""
    text = os.environ.get("XDG_RUNTIME_DIR", "")
    if not text:
        return None
    try:
        facts = Path(text).stat()
    except OSError:
        return None
    private = facts.st_uid == os.getuid() and not facts.st_mode & 0o077
    return Path(text) if private else None


def tilde(path: Path | str) -> str:
    """The path as people write it: ~ for their home."""
    text, home = str(path), str(Path("~").expanduser())
    return "~" + text[len(home) :] if home != "/" and text.startswith(home + "/") else text


def at_home(words: str) -> str:
    """A sentence in which the paths below the home of its reader are as people write them."""
    home = str(Path("~").expanduser())
    return words if home == "/" else re.sub(rf"(?<![\w/.-]){re.escape(home)}(?=/)", "~", words)


def find(root: str | None, name: str | None, flags: Mapping[str, Value] | None = None) -> Place:
    """The place that flags and environment mean; nothing on disk is changed.

    Raises UsageError for both a root and a name, SettingError for a wrong setting anywhere.
    """
    instance, label = find_instance(root, name)
    return Place(instance, label, policy.resolve(_layers(instance, flags or {})))


def find_instance(root: str | None, name: str | None) -> tuple[Instance, str]:
    """The instance and what it is called, its settings left unread."""
    if root and name:
        raise UsageError("Give --root or --name, not both.")
    if "" in (root, name):
        # As from an unset variable in a script: never a wish for the default instance.
        raise UsageError("--root and --name can't be empty.")
    root = root or (None if name else os.environ.get("CROMWELL_USERDB_ROOT"))
    if root:
        path = absolute(root)
        label = path.name
    else:
        label = check_name(name or os.environ.get("CROMWELL_USERDB_NAME") or "default")
        path = default_root(label)
    return Instance(check_place(path), runtime=runtime_folder()), label


def with_flags(place: Place, flags: Mapping[str, Value]) -> Place:
    """The same place, these settings of the command line before all others."""
    return replace(place, resolved=policy.resolve(_layers(place.instance, flags)))


def as_requested(place: Place, recorded: Mapping[str, Any], flags: Mapping[str, Value]) -> Place:
    """The same place, with a run's recorded settings, but for what is the site's to say now.

    As JSON has them, tuples are lists; of another version, there may be unknown ones.
    """
    own = {
        name: names.check(name, value, origin="the run's request")
        for name, value in recorded.items()
        if name in names.NAMES and name not in place.resolved.fixed and not name.startswith("site.")
    }
    return with_flags(place, {**own, **flags})


def _layers(instance: Instance, flags: Mapping[str, Value]) -> list[Layer]:
    variables = [Layer(origin, {name: value}) for origin, name, value in _environment()]
    layers = [Layer("command line", flags), *variables]
    if text := _local_text(Path(LOCAL_FILE))[0]:
        layers.append(_layer(LOCAL_FILE, text, anywhere=True))
    for path in (instance.settings, user_file()):
        if text := _text(path):
            layers.append(_layer(tilde(path), text))
    for path in site_files():
        if text := _text(path):
            layers.append(replace(_layer(tilde(path), text), is_site=True))
    named = os.environ.get("CROMWELL_USERDB_SITE")
    if named and _text(Path(named)) is None:
        raise SettingError(
            f"$CROMWELL_USERDB_SITE names {named}, which is not there, or not to be read by you."
        )
    return layers


def _layer(origin: str, text: str, *, anywhere: bool = False) -> Layer:
    return Layer(origin, names.from_toml(text, origin=origin, anywhere=anywhere))


def _environment() -> list[tuple[str, str, Value]]:
    found = [
        (f"${names.variable(name)}", name, value)
        for name, value in names.from_environment(os.environ).items()
    ]
    if jar := os.environ.get("CROMWELL_USERDB_CROMWELL"):
        found.insert(0, ("$CROMWELL_USERDB_CROMWELL", "engine.cromwell", jar))
    return found


def user_file() -> Path:
    return Path(platformdirs.user_config_path(APP)) / "settings.toml"


def site_files() -> list[Path]:
    """The administrators' settings: the file named by the environment, then /etc/xdg."""
    named = os.environ.get("CROMWELL_USERDB_SITE")
    return ([Path(named)] if named else []) + [Path("/etc/xdg") / APP / "site.toml"]


def _text(path: Path) -> str | None:
    """What is in a settings file; SettingError where it is there and can't be read."""
    try:
        return path.read_text(errors="replace")
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        with contextlib.suppress(OSError):
            path.lstat()
            raise SettingError(f"{tilde(path)} can't be read: {error.strerror}.") from error
        return None


def local_file_refused() -> str:
    """Why the current folder's file is not read, "" where it is, or where there is none."""
    return _local_text(Path(LOCAL_FILE))[1]


def _local_text(path: Path) -> tuple[str | None, str]:
    """The current folder's file, only when nobody else could have written it; else why not."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        return None, "" if error.errno == errno.ENOENT else error.strerror or ""
    with os.fdopen(fd, errors="replace") as file:
        facts = os.fstat(fd)
        if not stat.S_ISREG(facts.st_mode):
            return None, "it is no plain file"
        if facts.st_uid != os.getuid():
            return None, "it belongs to somebody else"
        if facts.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
            return None, "others may write it (chmod 600 it)"
        return file.read(), ""


def check_user(*, allow_root: bool) -> None:
    """Refuse to work as root, who owns every file and whose jobs nobody else should pay for."""
    if os.getuid() == 0 and not (allow_root or os.environ.get("CROMWELL_USERDB_ALLOW_ROOT")):
        raise UsageError(
            "You are root: a private database belongs to a user. Log in as one, or say "
            "--allow-root (in a container, say)."
        )


def require(place: Place) -> Place:
    """The place, if it has been initialised and is ours alone; else a sentence."""
    root = place.instance.root
    try:
        facts = root.stat()
    except FileNotFoundError:
        facts = None
    except PermissionError:
        raise NotPrivate(f"{tilde(root)} may not be read by {getpass.getuser()}.") from None
    if facts and facts.st_uid != os.getuid():
        raise NotPrivate(f"{tilde(root)} belongs to somebody else; use --root or --name.")
    if facts is None or not place.instance.facts.exists():
        raise NotInitialised(
            f"There is no database at {tilde(root)} yet. Make one: "
            f"cromwell-userdb init{place.option}"
        )
    return place


def find_anyhow(root: str | None, name: str | None) -> Place:
    """As `find`, with nobody's settings where those in force are wrong, and a word on it."""
    try:
        return find(root, name)
    except SettingError as error:
        click.echo(f"{error}\nGoing on without any settings.", err=True)
        instance, label = find_instance(root, name)
        return Place(instance, label, names.resolve([]))


def options(command: Command, *, find: Callable[[str | None, str | None], Place] = find) -> Command:
    """Give a command ``--root`` and ``--name``, and hand it the Place they mean."""

    @click.option("--root", metavar="DIR", help="The instance in this folder.")
    @click.option("--name", metavar="NAME", help="The instance of this name.")
    @functools.wraps(command)
    def wrapped(*args: Any, root: str | None, name: str | None, **kwargs: Any) -> Any:
        return command(*args, place=find(root, name), **kwargs)

    return cast(Command, wrapped)


def options_anyhow(command: Command) -> Command:
    """`options` for what has to work whatever the settings are."""
    return options(command, find=find_anyhow)
