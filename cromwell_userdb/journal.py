"""Cromwell's journal, METADATA_ENTRY: what its rows mean, and which of several holds.

Pure, so that every reader of the table folds it alike. The rules are those of Cromwell's own
MetadataComponent, its oddities included: what it shows is what we show.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple

STATUSES = ("On Hold", "Submitted", "Running", "Aborting", "Aborted", "Succeeded", "Failed")
"""Of a workflow, ascending: of several rows the greatest holds, whenever it was written."""

ENDS = frozenset({"Aborted", "Succeeded", "Failed"})

CALL_STATUSES = (
    "NotStarted",
    "WaitingForQueueSpace",
    "QueuedInCromwell",
    "Starting",
    "Running",
    "Aborting",
    "Unstartable",
    "Aborted",
    "Bypassed",
    "RetryableFailure",
    "Failed",
    "Done",
)
"""Of one attempt of a call, ascending likewise."""

_RANK = {name: rank for rank, name in enumerate(STATUSES)}
_CALL_RANK = {name: rank for rank, name in enumerate(CALL_STATUSES)}
_SEPARATOR = re.compile(r"(?<!\\):")
_INDEX = re.compile(r"\[(\d*)\]")
_INT = re.compile(r"[+-]?\d+", re.ASCII)


class Entry(NamedTuple):
    """One row; `fqn` is None for the workflow's own, `shard` for a call that is not scattered."""

    fqn: str | None
    shard: int | None
    attempt: int | None
    key: str
    value: str | None
    type: str | None


def greatest(statuses: Iterable[str | None]) -> str | None:
    """The status that holds for a workflow, None where there is none yet."""
    known = [text for text in statuses if text]
    return max(known, key=lambda text: _RANK.get(text, -1), default=None)


def call_rank(status: str) -> int:
    """The place of an attempt's status among CALL_STATUSES; unknown ones come before all."""
    return _CALL_RANK.get(status, -1)


def moment(text: str | None) -> datetime | None:
    """The time that Cromwell wrote as text, in UTC; None for what is no time."""
    try:
        return datetime.fromisoformat(text or "").astimezone(UTC)
    except ValueError:
        return None


def supersedes(new: Entry, old: Entry) -> bool:
    """Whether `new`, the later of two rows with one key, holds."""
    if new.key == "executionStatus" and new.fqn is not None:
        return call_rank(new.value or "") > call_rank(old.value or "")
    if new.key == "status" and new.fqn is None:
        return _RANK.get(new.value or "", -1) > _RANK.get(old.value or "", -1)
    if new.key in {"start", "end"}:
        # Cromwell's order is reversed here: the earliest holds.
        before, after = moment(old.value), moment(new.value)
        return before is None or (after is not None and after < before)
    return True


def newest(entries: Iterable[Entry]) -> dict[str, str | None]:
    """The value that holds for each key; `entries` are of one scope, oldest first."""
    held: dict[str, Entry] = {}
    for entry in entries:
        if entry.key not in held or supersedes(entry, held[entry.key]):
            held[entry.key] = entry
    return {key: entry.value for key, entry in held.items()}


class _Array(dict[int, Any]):
    """A JSON array while it grows: indices come in any order and with gaps."""


class _Leaf(NamedTuple):
    entry: Entry
    json: Any


def document(entries: Iterable[Entry], within: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """The rows of one scope as Cromwell's JSON; `entries` are given oldest first.

    `within` holds documents of sub-workflows by id, to be shown in place of the ids.
    """
    root: dict[str, Any] = {}
    for entry in entries:
        key, leaf = entry.key, _leaf(entry)
        if within and key.endswith("subWorkflowId") and (entry.value or "") in within:
            key = key.replace("subWorkflowId", "subWorkflowMetadata")
            leaf = _Leaf(entry, within[entry.value or ""])
        _put(root, path(key), leaf)
    finished: dict[str, Any] = _finished(root)
    return finished


def path(key: str) -> list[str | int]:
    """A key as the names and indices that it is made of; -1 stands for an index left empty.

    >>> path("outputs:wf.pairs[0]:left")
    ['outputs', 'wf.pairs', 0, 'left']
    """
    steps: list[str | int] = []
    for chunk in _chunks(key):
        name, bracket, rest = chunk.partition("[")
        steps.append(name)
        # Brackets without digits, as in "Map[String, Int] back", vanish with all that follows.
        steps.extend(int(index) if index else -1 for index in _INDEX.findall(bracket + rest))
    return steps


def _chunks(key: str) -> list[str]:
    parts = _SEPARATOR.split(key)
    while len(parts) > 1 and not parts[-1]:
        parts.pop()
    return [part.replace("\\[", "[").replace("\\]", "]").replace("\\:", ":") for part in parts]


def _leaf(entry: Entry) -> _Leaf | dict[str, Any]:
    return {} if entry.type is None else _Leaf(entry, scalar(entry.value, entry.type))


def scalar(value: str | None, kind: str) -> Any:
    """A value as JSON has it; what does not fit its type stays text, as it does in Cromwell."""
    text = value or ""
    if kind == "null":
        return None
    if kind == "int" and _INT.fullmatch(text) and -(2**31) <= int(text) < 2**31:
        return int(text)
    if kind == "number":
        return _number(text)
    if kind == "boolean" and text.lower() in {"true", "false"}:
        return text.lower() == "true"
    return text


def _number(text: str) -> Any:
    try:
        number = float(text)
    except ValueError:
        return text
    if math.isnan(number):
        return None
    return text if math.isinf(number) else number


def _put(root: dict[str, Any], steps: list[str | int], leaf: Any) -> None:
    if leaf == {} and steps[-1] == -1:
        steps, leaf = steps[:-1], _Array()
    node: Any = root
    for step, following in zip(steps, [*steps[1:], None], strict=True):
        place = len(node) if step == -1 else step
        child = node.get(place)
        if following is None:
            node[place] = _merged(child, leaf)
            return
        kind = _Array if isinstance(following, int) else dict
        if type(child) is not kind:
            child = node[place] = kind()
        node = child


def _merged(old: Any, new: Any) -> Any:
    if isinstance(old, _Array) and isinstance(new, _Array):
        return old
    if isinstance(old, _Leaf) and isinstance(new, _Leaf):
        return new if supersedes(new.entry, old.entry) else old
    return new


def _finished(node: Any) -> Any:
    if isinstance(node, _Leaf):
        return node.json
    if isinstance(node, _Array):
        return [_finished(node[index]) for index in sorted(node)]
    return {name: _finished(child) for name, child in node.items()}


def messages(failures: Any) -> list[str]:
    """The leaf-most messages of a "failures" list: what happened, not what came of it."""
    found: list[str] = []
    for failure in failures if isinstance(failures, list) else []:
        deeper = messages(failure.get("causedBy")) if isinstance(failure, dict) else []
        own = failure.get("message") if isinstance(failure, dict) else json.dumps(failure)
        found.extend(deeper or ([own] if own else []))
    return found
