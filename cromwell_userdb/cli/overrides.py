"""What a user puts over Cromwell's configuration: a snippet of HOCON, templates of their own."""

from __future__ import annotations

import stat
from pathlib import Path

from cromwell_userdb.cli.place import absolute, tilde
from cromwell_userdb.errors import SettingError
from cromwell_userdb.settings import Settings


def templates(settings: Settings) -> Path | None:
    """The folder of templates that come before ours, None where there is none."""
    if not settings.template_dir:
        return None
    folder = absolute(settings.template_dir)
    if not folder.is_dir():
        raise SettingError(f"template.dir: there is no folder {tilde(folder)}.")
    try:
        for path in (folder, *folder.glob("*.j2")):
            _refuse_public(path, setting="template.dir: ")
    except OSError as error:
        raise SettingError(f"template.dir: {error.filename}: {error.strerror}.") from error
    return folder


def snippet(settings: Settings) -> str:
    """The user's own HOCON, "" where there is none; SettingError where it is no HOCON."""
    if not settings.template_snippet:
        return ""
    path = absolute(settings.template_snippet)
    text = read(path, setting="template.snippet: ")
    _refuse_public(path, setting="template.snippet: ")
    return text


def _refuse_public(path: Path, *, setting: str) -> None:
    """What is in these files runs as the user; a group may share them, the world may not."""
    if path.stat().st_mode & stat.S_IWOTH:
        raise SettingError(f"{setting}anybody may write {tilde(path)}: chmod o-w {tilde(path)}")


def read(path: Path, *, setting: str = "") -> str:
    """A part of a configuration that hangs together, whatever it goes into."""
    from cromwell_userdb import hocon

    try:
        text = path.read_text()
    except UnicodeDecodeError as error:
        raise SettingError(f"{setting}{tilde(path)} is no UTF-8 text.") from error
    except OSError as error:
        raise SettingError(f"{setting}{tilde(path)} can't be read: {error.strerror}.") from error
    hocon.check(text, origin=tilde(path))
    return text


def check(text: str, settings: Settings) -> None:
    """Refuse the whole configuration where the user's part makes Cromwell stumble.

    Without such a part nothing is read, and no time is spent.
    """
    origin = settings.template_snippet or settings.template_dir
    if origin and (found := problems(text, origin=origin)):
        raise SettingError("\n".join(f"{origin}: {problem}" for problem in found))


def problems(text: str, *, origin: str) -> list[str]:
    """What Cromwell would not know, or not take, in `text`."""
    from cromwell_userdb import hocon, keys

    return keys.lint(hocon.parse(text, origin=origin), used=hocon.references(text))


def regrets(text: str, *, origin: str) -> list[str]:
    """What Cromwell takes in `text` without a word, and people regret."""
    from cromwell_userdb import hocon, traps

    return traps.traps(hocon.parse(text, origin=origin))
