"""Which keys Cromwell's configuration has, what they take, and which one a typo means."""

from __future__ import annotations

import contextlib
import difflib
import functools
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cromwell_userdb.hocon import is_true

_FILE = Path(__file__).with_name("data") / "cromwell-keys.txt"
_SFS = "cromwell.backend.impl.sfs.config.ConfigBackendLifecycleActorFactory"

_ANY_NAME = "*"
_ANYTHING_BELOW = "**"

# What Cromwell itself hands to the templates of a provider.
_FOR_JOB = frozenset({"job_id", "docker_cid", "job_shell"})
_FOR_SUBMIT = frozenset({"job_id", "job_name", "cwd", "out", "err", "script", "job_shell"})
_FOR_DOCKER = frozenset({"docker_cwd", "docker_cid", "docker_script", "docker_out", "docker_err"})

Tree = Mapping[str, Any]
Keys = tuple[str, ...]


@dataclass(frozen=True)
class Kind:
    """What a key takes: bool, int, number, duration, text, list, word, words or any."""

    name: str
    words: tuple[str, ...] = ()


def lint(tree: Tree, *, used: Collection[str] = ()) -> list[str]:
    """A sentence for each thing in `tree` that Cromwell would not know, or not take.

    `tree` may be a whole configuration or a part of one. `used` are names at the top that the
    text refers to itself, as ``${name}``: nobody but the text has to know them.
    """
    private = set(used) - known().keys()
    told = {name: value for name, value in tree.items() if name not in private}
    return [*_unknown(told, known(), ()), *_providers(tree)]


@functools.cache
def known() -> Mapping[str, Any]:
    """The keys as a tree whose leaves are Kinds."""
    tree: dict[str, Any] = {}
    for path, kind in _listed():
        *parents, last = path
        node = tree
        for name in parents:
            node = node.setdefault(name, {})
        node[last] = kind
    return tree


def _listed() -> list[tuple[Keys, Kind]]:
    lines = _FILE.read_text().splitlines()
    rows = [line.split() for line in lines if line and not line.startswith("#")]
    return [(tuple(path.split(".")), Kind(kind, tuple(words))) for path, kind, *words in rows]


def _unknown(tree: Tree, node: Mapping[str, Any], above: Keys) -> Iterator[str]:
    for name, value in tree.items():
        path = (*above, name)
        below = node.get(name, node.get(_ANY_NAME))
        if name == "config" and _is_foreign(tree):
            continue
        if below is None:
            yield f"{_dotted(path)}: Cromwell knows no such key.{_hint(path, node)}"
        elif isinstance(below, Kind):
            if problem := _wrong(value, below):
                yield f"{_dotted(path)} {problem}"
        elif _ANYTHING_BELOW not in below:
            if isinstance(value, Mapping):
                yield from _unknown(value, below, path)
            elif value is not None:
                yield f"{_dotted(path)} is a section: it takes {{ … }}, not {_shown(value)}."


def _is_foreign(tree: Tree) -> bool:
    """Whether a class that is not Cromwell's usual one reads this section, in its own way."""
    return "class" in tree or tree.get("actor-factory", _SFS) != _SFS


def _wrong(value: Any, kind: Kind) -> str:
    if value is None or kind.name == "any":
        return ""
    if isinstance(value, Mapping):
        return f"takes {_WANTED[kind.name]}, not a section."
    if kind.name == "word":
        return _wrong_word(value, kind.words)
    if kind.name == "words":
        if not isinstance(value, list):
            return f'takes a list, such as ["{kind.words[0]}"], not {_shown(value)}.'
        return next(filter(None, (_wrong_word(part, kind.words) for part in value)), "")
    if isinstance(value, list) != (kind.name == "list"):
        return f"takes {_WANTED[kind.name]}, not {_shown(value)}."
    pattern = _PATTERNS.get(kind.name)
    if pattern and not pattern.fullmatch(str(value).strip()):
        return f"takes {_WANTED[kind.name]}, not {_shown(value)}."
    return ""


_WANTED = {
    "bool": "true or false",
    "int": "a whole number",
    "number": "a number",
    "duration": 'a time, such as "5 seconds"',
    "text": "text",
    "list": "a list in [ ]",
    "words": "a list in [ ]",
    "word": "a word",
}
_PATTERNS = {
    "bool": re.compile(r"(?i:true|false)|yes|no|on|off"),
    "int": re.compile(r"[+-]?\d+(\.0+)?"),
    "number": re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?"),
    "duration": re.compile(
        r"Inf|Infinity|"
        r"[+-]?\d+(\.\d+)?\s*"
        r"(ns|nano(second)?s?|us|micro(second)?s?|ms|milli(second)?s?|s|seconds?|m|minutes?|"
        r"h|hours?|d|days?)?"
    ),
}


def _wrong_word(value: Any, words: tuple[str, ...]) -> str:
    if value in words:
        return ""
    # An unknown hashing strategy is no error to Cromwell, which then looks at paths alone.
    silent = " Cromwell would only compare paths." if "path+modtime" in words else ""
    return f"takes {', '.join(words)}, not {_shown(value)}.{silent}{_did_you_mean(value, words)}"


def _did_you_mean(value: Any, words: Collection[str]) -> str:
    near = difflib.get_close_matches(str(value).lower(), words, n=1)
    return f" Did you mean {near[0]}?" if near else ""


def _shown(value: Any) -> str:
    text = str(value).lower() if isinstance(value, bool) else repr(value)
    return text if len(text) <= 40 else text[:39] + "…"


def _dotted(path: Keys) -> str:
    return ".".join(f'"{name}"' if "." in name else name for name in path)


def _hint(path: Keys, node: Mapping[str, Any]) -> str:
    """The key that is likely meant: here, or of that name elsewhere, or anything like it."""
    name = path[-1].lower().replace("_", "-")
    here = {key.lower(): key for key in node if key not in (_ANY_NAME, _ANYTHING_BELOW)}
    if near := difflib.get_close_matches(name, here, n=1, cutoff=0.75):
        return f" Did you mean {_dotted((*path[:-1], here[near[0]]))}?"
    if elsewhere := _elsewhere(path, name):
        return f" Did you mean {elsewhere}?"
    return ""


def _elsewhere(path: Keys, name: str) -> str:
    """The key of this name in another place, where the whole path is not far from it."""
    found = {_dotted(_with_names_of(path, keys)) for keys in _sections_and_keys(name)}
    nearby = [text for text in found if text.split(".")[0] == path[0]]
    cutoff = 0.5 if nearby else 0.75
    near = difflib.get_close_matches(_dotted(path), nearby or found, n=1, cutoff=cutoff)
    return near[0] if near else ""


def _sections_and_keys(name: str) -> set[Keys]:
    """Each known path, to a section or a key, that ends in `name`."""
    paths = {keys[:depth] for keys, _ in _listed() for depth in range(2, len(keys) + 1)}
    return {path for path in paths if path[-1].lower() == name}


def _with_names_of(path: Keys, listed: Keys) -> Keys:
    """`listed`, with the user's own names of `path` in the place of its stars."""
    names = list(listed)
    for place, (name, mine) in enumerate(zip(listed, path, strict=False)):
        if name not in (mine, _ANY_NAME):
            break
        names[place] = mine
    return tuple(names)


def _providers(tree: Tree) -> Iterator[str]:
    backend = tree.get("backend")
    providers = backend.get("providers") if isinstance(backend, Mapping) else None
    if not isinstance(backend, Mapping) or not isinstance(providers, Mapping):
        return
    names = {*providers, "Local"}
    if (default := backend.get("default")) is not None and default not in names:
        yield (
            f"backend.default is {_shown(default)}, and there is no such provider."
            f"{_did_you_mean(default, names)}"
        )
    for name, provider in providers.items():
        # Cromwell's own "Local" has the rest in its jar; so has a part of a provider elsewhere.
        whole = name != "Local" and isinstance(provider, Mapping)
        if whole and provider.get("actor-factory") == _SFS:
            config = provider.get("config")
            path = _dotted(("backend", "providers", name, "config"))
            yield from _templates(config if isinstance(config, Mapping) else {}, path)


def _templates(config: Tree, path: str) -> Iterator[str]:
    """What makes Cromwell fail each call, or sit still for ever: it does not end at TERM either."""
    if "submit" not in config and "submit-docker" not in config:
        yield f'{path} has no "submit": Cromwell could not start a single call.'
    if not is_true(config.get("run-in-background")):
        yield from _job_id(config, path)
    attributes = declared(config)
    supplied = {
        "submit": _FOR_SUBMIT | attributes,
        "submit-docker": _FOR_SUBMIT | _FOR_DOCKER | attributes,
        "kill": _FOR_JOB,
        "kill-docker": _FOR_JOB,
        "check-alive": _FOR_JOB,
    }
    for key, names in supplied.items():
        for name in sorted(_variables(str(config.get(key) or "")) - names):
            yield (
                f"{path}.{key} uses ${{{name}}}, which is neither Cromwell's nor one of the "
                f"runtime-attributes; what is the shell's own has to be ${name}, without braces."
                f"{_did_you_mean(name, names)}"
            )


def _job_id(config: Tree, path: str) -> Iterator[str]:
    if (pattern := config.get("job-id-regex")) is None:
        yield f'{path} has no "job-id-regex": Cromwell could not tell a job\'s number.'
        return
    # Java's patterns are not quite Python's.
    with contextlib.suppress(re.error):
        if re.compile(str(pattern)).groups != 1:
            yield f"{path}.job-id-regex needs exactly one group in ( ), around the job's number."


def declared(config: Tree) -> frozenset[str]:
    """The names in a provider's `runtime-attributes`."""
    text = str(config.get("runtime-attributes") or "")
    return frozenset(re.findall(r"(?:Boolean|Float|Int|String)\s*\??\s+(\w+)", text))


def _variables(template: str) -> set[str]:
    """The names that the ${…} of a template of Cromwell's ask for."""
    names: set[str] = set()
    for expression in re.findall(r"\$\{([^}]*)\}", template):
        bare = re.sub(r"\"(?:\\.|[^\"\\])*\"|'(?:\\.|[^'\\])*'", " ", expression)
        # Not an option such as sep=, nor a function, nor a word of the language.
        names.update(re.findall(r"(?<![\w.])([A-Za-z_]\w*)(?!\w)(?!\s*(?:\(|=(?!=)))", bare))
    return names - {"if", "then", "else", "true", "false"}
