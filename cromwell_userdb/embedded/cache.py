"""Call caching by Cromwell's rules, in Cromwell's tables, under a mark of our own.

What counts: the command's text, the back end's name, the inputs, the outputs' expressions and a
few runtime attributes; files count by a hash of the configured kind. Names and resources don't.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from operator import itemgetter
from pathlib import Path
from typing import Any

from WDL import Tree, Type, Value

from cromwell_userdb.database import Connection, rows
from cromwell_userdb.embedded.job import Place, Prepared
from cromwell_userdb.embedded.localize import duplicate
from cromwell_userdb.embedded.provider import Provider
from cromwell_userdb.embedded.values import Values, bound, java_double
from cromwell_userdb.errors import WdlError
from cromwell_userdb.wdl import value_of

MARK = "embedded:"
"""Begins each aggregation, so that neither engine takes the other's rows."""

NONE, EMPTY = "None", "Empty"
"""Types of leaves that stand for an optional without a value, and for an empty array or map."""

Simpleton = tuple[str, str, str]
"""Key, text and type of one leaf of a value."""

_ALWAYS = ("continueOnReturnCode", "failOnStderr", "docker")


@dataclass(frozen=True)
class Hashes:
    """Each thing that counts, and the two sums by which a row is found."""

    entries: tuple[tuple[str, str], ...]
    extra: tuple[tuple[str, str], ...]
    base: str
    files: str | None


@dataclass(frozen=True)
class Hit:
    """A row that fits; its files may be gone."""

    workflow: str
    call: str
    index: int
    return_code: int | None
    simpletons: tuple[Simpleton, ...]
    detritus: Mapping[str, str]

    @property
    def name(self) -> str:
        return f"{self.workflow}:{self.call}:{self.index}"


def simpletons(key: str, value: Value.Base) -> Iterator[Simpleton]:
    """The leaves of a value as Cromwell names them: ``s:reads[0]``.

    Unlike Cromwell's, what is empty has a leaf too: ``[[1], []]`` has to come back as it was.
    """
    if isinstance(value, Value.Array | Value.Map) and not value.value:
        yield key, "", EMPTY
    elif isinstance(value, Value.Array):
        for i, item in enumerate(value.value):
            yield from simpletons(f"{key}[{i}]", item)
    elif isinstance(value, Value.Map):
        for place, item in value.value:
            yield from simpletons(f"{key}:{_escaped(str(place.json))}", item)
    elif isinstance(value, Value.Pair):
        yield from simpletons(f"{key}:left", value.value[0])
        yield from simpletons(f"{key}:right", value.value[1])
    elif isinstance(value, Value.Struct):
        for name, item in value.value.items():
            yield from simpletons(f"{key}:{_escaped(name)}", item)
    elif isinstance(value, Value.Null):
        yield key, "", NONE
    else:
        yield key, _text(value), str(value.type)


def _text(value: Value.Base) -> str:
    if isinstance(value, Value.Float):
        return java_double(value.value)
    if isinstance(value, Value.Boolean):
        return str(value.value).lower()
    return str(value.value)


def _escaped(name: str) -> str:
    return re.sub(r"([\[\]:\\])", r"\\\1", name)


def hashes_of(prepared: Prepared, provider: Provider, hash_file: Callable[[str], str]) -> Hashes:
    """What counts for the call; raises OSError when an input file can't be read."""
    task = prepared.plan.task
    leaves = [leaf for name, value in prepared.inputs.items() for leaf in simpletons(name, value)]
    files = [leaf for leaf in leaves if leaf[2] in ("File", "Directory")]
    hollow = [leaf for leaf in leaves if leaf[2] in (NONE, EMPTY)]
    plain = [leaf for leaf in leaves if leaf[2] not in ("File", "Directory", NONE, EMPTY)]
    counted = [*_ALWAYS, *sorted(provider.attributes_for_caching)]
    shown = dict(prepared.attributes.shown)
    if image := prepared.attributes.exact_image:
        shown["docker"] = image
    base = [
        ("backend name", _digest(provider.name_for_cache)),
        ("command template", _digest("".join(str(part) for part in task.command.parts))),
        ("input count", _digest(str(len(prepared.inputs)))),
        ("output count", _digest(str(len(task.outputs)))),
        *((f"input: {kind} {key}", _digest(text)) for key, text, kind in plain),
        *((_expression_key(d), _digest(str(d.expr))) for d in task.outputs),
        *(
            (f"runtime attribute: {name}", _digest(shown[name]))
            for name in counted
            if name in shown
        ),
    ]
    by_file = [(f"input: {kind} {key}", hash_file(text)) for key, text, kind in files]
    return Hashes(
        entries=(*base, *by_file),
        extra=tuple(
            (f"runtime attribute: {name}", _digest(value))
            for name, value in sorted(shown.items())
            if name not in counted
        ),
        # Cromwell has no rows for what is empty; it counts all the same.
        base=MARK + _sum([*base, *((key, kind) for key, _, kind in hollow)]),
        files=MARK + _sum(by_file) if by_file else None,
    )


def _expression_key(decl: Tree.Decl) -> str:
    # Cromwell's own spelling of types: brackets are indices in a key.
    kind = str(decl.type.copy(optional=False)).translate(str.maketrans("[]", "()"))
    kind = f"Optional({kind})" if decl.type.optional else kind
    return f"output expression: {kind} {decl.name}"


def _digest(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest().upper()


def _sum(pairs: Sequence[tuple[str, str]]) -> str:
    return _digest("\n".join(f"{key}={value}" for key, value in sorted(pairs)))


@dataclass
class FileHashes:
    """Hashes of files by one strategy; a file that has not changed is read once."""

    strategy: str
    head: int = 10 * 1024**2
    _known: dict[tuple[str, int, int], str] = field(default_factory=dict)

    def __call__(self, name: str) -> str:
        path = Path(name.removeprefix("file://")).resolve(strict=True)
        facts = path.stat()
        key = (str(path), facts.st_size, facts.st_mtime_ns)
        if key not in self._known:
            self._known[key] = self._hash(path, facts)
        return self._known[key]

    def _hash(self, path: Path, facts: os.stat_result) -> str:
        seen = hashlib.md5(usedforsecurity=False)
        if self.strategy in {"md5", "file", "xxh64"}:
            _feed(seen.update, path, None)
        elif self.strategy == "fingerprint":
            seen.update(f"{facts.st_size} {facts.st_mtime_ns // 1_000_000}\n".encode())
            _feed(seen.update, path, self.head)
        elif self.strategy in {"path+modtime", "modtime"}:
            seen.update(f"{path}\n{facts.st_mtime_ns // 1_000_000}".encode())
        else:
            seen.update(os.fsencode(path))
        return seen.hexdigest()


def _feed(update: Callable[[bytes], None], path: Path, limit: int | None) -> None:
    if path.is_dir():
        update(os.fsencode(path))
        return
    with path.open("rb") as file:
        left = limit
        while chunk := file.read(1024**2 if left is None else min(left, 1024**2)):
            update(chunk)
            left = None if left is None else left - len(chunk)


_FIND = """
SELECT E.CALL_CACHING_ENTRY_ID, E.WORKFLOW_EXECUTION_UUID, E.CALL_FULLY_QUALIFIED_NAME,
       E.JOB_INDEX, E.RETURN_CODE
FROM CALL_CACHING_AGGREGATION_ENTRY A
JOIN CALL_CACHING_ENTRY E USING (CALL_CACHING_ENTRY_ID)
WHERE A.BASE_AGGREGATION = %s AND A.INPUT_FILES_AGGREGATION <=> %s
  AND E.ALLOW_RESULT_REUSE = 1 AND E.CREATED_AT >= UTC_TIMESTAMP() - INTERVAL %s DAY
"""
_BELOW = """
  AND EXISTS (
    SELECT 1 FROM CALL_CACHING_DETRITUS_ENTRY D
    WHERE D.CALL_CACHING_ENTRY_ID = E.CALL_CACHING_ENTRY_ID AND D.DETRITUS_KEY = 'callRootPath'
      AND (LOCATE(BINARY %s, D.DETRITUS_VALUE) = 1{more}))
"""
_NEWEST = "ORDER BY E.CALL_CACHING_ENTRY_ID DESC LIMIT 20"
_PARTS = """
SELECT CALL_CACHING_SIMPLETON_ENTRY_ID, SIMPLETON_KEY, SIMPLETON_VALUE, WDL_TYPE
FROM CALL_CACHING_SIMPLETON_ENTRY WHERE CALL_CACHING_ENTRY_ID = %s
UNION ALL
SELECT 0, DETRITUS_KEY, DETRITUS_VALUE, NULL
FROM CALL_CACHING_DETRITUS_ENTRY WHERE CALL_CACHING_ENTRY_ID = %s
"""
# One question instead of two; sorted here, as the server would write a table to do so.


def hits(
    connection: Connection, hashes: Hashes, *, max_age_days: int, below: Sequence[str] = ()
) -> Iterator[Hit]:
    """The rows that fit, the newest first; only of calls `below` these folders, if any."""
    sql = _FIND + (_below(len(below)) if below else "") + _NEWEST
    found = rows(connection, sql, (hashes.base, hashes.files, max_age_days, *below))
    for entry, workflow, call, index, return_code in found:
        parts = sorted(rows(connection, _PARTS, (entry, entry)), key=itemgetter(0))
        yield Hit(
            workflow=workflow,
            call=call,
            index=index,
            return_code=return_code,
            simpletons=tuple((k, v or "", t) for n, k, v, t in parts if n),
            detritus={k: v or "" for n, k, v, _ in parts if not n},
        )


def _below(folders: int) -> str:
    return _BELOW.format(more=" OR LOCATE(BINARY %s, D.DETRITUS_VALUE) = 1" * (folders - 1))


def take(hit: Hit, prepared: Prepared, place: Place, strategies: tuple[str, ...]) -> Values:
    """Link or copy the hit's files to `place` and return the outputs; raises WdlError if gone."""
    old = hit.detritus.get("callRootPath", "")
    moved: dict[str, str] = {}

    def move(path: str) -> str:
        if not old or not Path(path).is_relative_to(old):
            if not Path(path).exists():
                raise WdlError(f"{path} is gone.")
            return path
        if path not in moved:
            target = place.root / Path(path).relative_to(old)
            target.parent.mkdir(parents=True, exist_ok=True)
            duplicate(Path(path), target, strategies)
            moved[path] = str(target)
        return moved[path]

    leaves = [(k, move(v) if t in ("File", "Directory") else v, t) for k, v, t in hit.simpletons]
    for key in ("stdout", "stderr", "script", "returnCode"):
        if path := hit.detritus.get(key):
            move(path)
    return _outputs(prepared, leaves)


def _outputs(prepared: Prepared, leaves: Sequence[Simpleton]) -> Values:
    tree: dict[str, Any] = {}
    for key, text, kind in leaves:
        _plant(tree, _steps(key), {NONE: None, EMPTY: {}}.get(kind, text))
    return bound(
        {
            decl.name: value_of(decl.type, _shaped(decl.type, tree.get(decl.name)))
            for decl in prepared.plan.task.outputs
        }
    )


def _steps(key: str) -> list[str | int]:
    """``parts[0]:left`` as its steps; a colon or bracket behind a backslash is text."""
    found = re.findall(r"\[(\d+)\]|(?:^|:)((?:\\.|[^\[\]:\\])*)", key, re.S)
    return [int(i) if i else re.sub(r"\\(.)", r"\1", name, flags=re.S) for i, name in found]


def _plant(tree: dict[Any, Any], steps: Sequence[str | int], leaf: Any) -> None:
    for step in steps[:-1]:
        tree = tree.setdefault(step, {})
    tree[steps[-1]] = leaf


def _shaped(kind: Type.Base, raw: Any) -> Any:
    """JSON for a tree of leaves."""
    if raw is None:
        return None
    if isinstance(kind, Type.Array):
        return [_shaped(kind.item_type, raw[i]) for i in sorted(raw)]
    if isinstance(kind, Type.Map):
        return {key: _shaped(kind.item_type[1], item) for key, item in raw.items()}
    if isinstance(kind, Type.Pair):
        left, right = kind.left_type, kind.right_type
        return {"left": _shaped(left, raw["left"]), "right": _shaped(right, raw["right"])}
    if isinstance(kind, Type.StructInstance):
        members = kind.members or {}
        return {name: _shaped(below, raw.get(name)) for name, below in members.items()}
    return raw
