"""Cromwell's configuration language: HOCON text to plain nested values."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from pyhocon import ConfigFactory, ConfigTree
from pyhocon.exceptions import ConfigException
from pyparsing import ParseBaseException

from cromwell_userdb.errors import SettingError

Tree = dict[str, Any]

# Cromwell's own defaults live in its jar, where no other program can read them.
_CLASSPATH = re.compile(r"(?m)^[ \t]*include[ \t]+(required\()?classpath\([^)\n]*\)\)?[ \t]*$")
_QUOTED_OR_COMMENT = re.compile(r'"""(?s:.*?)"""|"(?:\\.|[^"\\\n])*"|(?:#|//)[^\n]*')
_ESCAPE = re.compile(
    r"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|.)"
)
_REFERENCE = re.compile(r"\$\{\??\s*([\w-]+)")
_RELATIVE_INCLUDE = re.compile(
    r'(?m)^[ \t]*include[ \t]+(?:required\([ \t]*)?(?:file\([ \t]*)?"(?!/)([^"\n]*)"'
)


def parse(text: str, *, origin: str) -> Tree:
    """Read `text`; what it includes from a class path is left out.

    Durations become seconds. `origin` is the name that an error gives to the text.
    """
    return _plain(_read(text, origin, resolve=True).as_plain_ordered_dict())  # type: ignore[no-any-return]


def check(text: str, *, origin: str) -> None:
    """Raise SettingError where `text`, which may be a part of a whole, is no HOCON.

    A relative include is refused: Cromwell looks for it beside the whole, and passes over it
    in silence.
    """
    if relative := _RELATIVE_INCLUDE.search(text):
        raise SettingError(f"{origin}: include {relative[1]!r} by its whole path, from / on.")
    _read(text, origin, resolve=False)


def references(text: str) -> set[str]:
    """The first names of what `text` refers to, as in ``${name.below}``.

    >>> references('a = ${b.c}/x, d = "${e}" # ${f}')
    {'b'}
    """
    return set(_REFERENCE.findall(_QUOTED_OR_COMMENT.sub(" ", text)))


def _read(text: str, origin: str, *, resolve: bool) -> ConfigTree:
    try:
        plain = _QUOTED_OR_COMMENT.sub(_without_odd_escapes, _CLASSPATH.sub("", text))
        return ConfigFactory.parse_string(plain, resolve=resolve)
    except ParseBaseException as error:
        shown = error.line.strip()[:60]
        what = f"HOCON ends to make sense at {shown!r}" if shown else "the text ends too early"
        raise SettingError(
            f"{origin}:{error.lineno}:{error.col}: {what}. "
            "Look for a missing brace, quote or comma on this line or above."
        ) from error
    except (ConfigException, OSError) as error:
        raise SettingError(f"{origin}: {str(error).splitlines()[0]}.") from error


def _without_odd_escapes(quoted: re.Match[str]) -> str:
    """A quoted string without the escapes that pyhocon leaves as they are, such as ``\\u00e9``."""
    text = quoted[0]
    if text.startswith('"""') or not text.startswith('"'):
        return text
    return _ESCAPE.sub(lambda found: _plain_escape(found[0]), text)


def _plain_escape(escape: str) -> str:
    if escape[1] not in "ubf/":
        return escape
    char: str = json.loads(f'"{escape}"')
    return {'"': '\\"', "\\": "\\\\", "\n": "\\n"}.get(char, char)


def flatten(tree: Tree, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Each leaf with its dotted path; a list is a leaf."""
    for key, value in tree.items():
        if isinstance(value, dict):
            yield from flatten(value, f"{prefix}{key}.")
        else:
            yield prefix + key, value


def get(tree: Tree, path: str, default: Any = None) -> Any:
    """What lies at the dotted `path`, or `default`."""
    node: Any = tree
    for part in path.split("."):
        if not isinstance(node, dict) or part not in node:
            return default
        node = node[part]
    return node


def put(tree: Tree, path: str, value: Any) -> None:
    """Set the dotted `path`, as Cromwell does for ``-Dpath=value``."""
    *parents, last = path.split(".")
    for part in parents:
        below = tree.get(part)
        tree[part] = tree = below if isinstance(below, dict) else {}
    tree[last] = value


def is_true(value: Any) -> bool:
    """Whether a Boolean of HOCON says yes: also ``"true"``, ``yes`` and ``on``."""
    return value is True or str(value).lower() in {"true", "yes", "on"}


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(below) for key, below in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return value.total_seconds() if isinstance(value, timedelta) else value
