"""Cromwell's call cache: what is in it, what was taken from it, and why something was not."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NamedTuple

from cromwell_userdb.database import Connection, columns, execute, rows

_HITS = """
    SELECT WORKFLOW_EXECUTION_UUID, CALL_FQN, JOB_SCATTER_INDEX, METADATA_VALUE
      FROM METADATA_ENTRY
     WHERE WORKFLOW_EXECUTION_UUID IN %s AND METADATA_KEY = 'callCaching:result'
       AND CALL_FQN IS NOT NULL
     ORDER BY METADATA_TIMESTAMP, METADATA_JOURNAL_ID
"""

_ENTRIES = """
    SELECT e.CALL_CACHING_ENTRY_ID, e.WORKFLOW_EXECUTION_UUID, e.CALL_FULLY_QUALIFIED_NAME,
           e.JOB_INDEX, {attempt}, e.RETURN_CODE, e.ALLOW_RESULT_REUSE, {created},
           d.DETRITUS_VALUE
      FROM CALL_CACHING_ENTRY e
      LEFT JOIN CALL_CACHING_DETRITUS_ENTRY d
        ON d.CALL_CACHING_ENTRY_ID = e.CALL_CACHING_ENTRY_ID AND d.DETRITUS_KEY = 'callRootPath'
     WHERE (%(workflow)s IS NULL OR e.WORKFLOW_EXECUTION_UUID = %(workflow)s)
       AND (%(fqn)s IS NULL OR e.CALL_FULLY_QUALIFIED_NAME = %(fqn)s)
     ORDER BY e.CALL_CACHING_ENTRY_ID
"""

_HASHES = """
    SELECT METADATA_KEY, METADATA_VALUE FROM METADATA_ENTRY
     WHERE WORKFLOW_EXECUTION_UUID = %s AND METADATA_KEY LIKE 'callCaching:hashes:%%'
       AND CALL_FQN = %s AND JOB_SCATTER_INDEX <=> %s
     ORDER BY JOB_RETRY_ATTEMPT, METADATA_TIMESTAMP, METADATA_JOURNAL_ID
"""

# A -1 stands for "not scattered" here, a NULL in the journal. Attributes that do not
# count, memory and cpu among them, are stored all the same.
_STORED_HASHES = """
    SELECT h.HASH_KEY, h.HASH_VALUE
      FROM CALL_CACHING_HASH_ENTRY h JOIN CALL_CACHING_ENTRY e USING (CALL_CACHING_ENTRY_ID)
     WHERE e.WORKFLOW_EXECUTION_UUID = %s AND e.CALL_FULLY_QUALIFIED_NAME = %s
       AND e.JOB_INDEX = COALESCE(%s, -1)
"""

_INVALIDATE = """
    UPDATE CALL_CACHING_ENTRY SET ALLOW_RESULT_REUSE = 0
     WHERE ALLOW_RESULT_REUSE <> 0 AND CALL_CACHING_ENTRY_ID IN %s
"""

_HIT = re.compile(r"Cache Hit: ([^:]+):(.+):(-?\d+)")


class Ref(NamedTuple):
    """A call by workflow, full name and shard; None where it is not scattered."""

    workflow: str
    fqn: str
    shard: int | None = None


@dataclass(frozen=True)
class Hit:
    """A call that took its result from `source`, which may itself have been a hit."""

    call: Ref
    source: Ref


@dataclass(frozen=True)
class Entry:
    """A result in the cache; `root` is the directory its files lie in.

    `created` is None where the release that wrote it kept no time.
    """

    id: int
    call: Ref
    attempt: int
    return_code: int | None
    reusable: bool
    created: datetime | None
    root: str | None


@dataclass(frozen=True)
class Difference:
    """One reason why two calls are not the same for the cache, in words for people."""

    kind: str
    name: str
    words: str


def hits(connection: Connection, *ids: str) -> list[Hit]:
    """The calls of these workflows that came from the cache."""
    if not ids or not columns(connection, "METADATA_ENTRY"):
        return []
    results = {Ref(*call): result for *call, result in rows(connection, _HITS, (ids,))}
    found = ((call, _HIT.fullmatch(result or "")) for call, result in results.items())
    return [Hit(call, _source(match)) for call, match in found if match]


def _source(match: re.Match[str]) -> Ref:
    return Ref(match[1], match[2], _shard(int(match[3])))


def _shard(index: int) -> int | None:
    return None if index < 0 else index


def entries(
    connection: Connection, *, workflow: str | None = None, fqn: str | None = None
) -> list[Entry]:
    """What is in the cache, oldest first."""
    known = columns(connection, "CALL_CACHING_ENTRY")
    if not known:
        return []
    sql = _ENTRIES.format(
        attempt="e.JOB_ATTEMPT" if "JOB_ATTEMPT" in known else "NULL",
        created="e.CREATED_AT" if "CREATED_AT" in known else "NULL",
    )
    return [_entry(*row) for row in rows(connection, sql, {"workflow": workflow, "fqn": fqn})]


def _entry(
    id: int,
    workflow: str,
    fqn: str,
    index: int,
    attempt: int | None,
    return_code: int | None,
    reusable: int,
    created: Any,
    root: str | None,
) -> Entry:
    return Entry(
        id=id,
        call=Ref(workflow, fqn, _shard(index)),
        attempt=attempt or 1,
        return_code=return_code,
        reusable=bool(reusable),
        # Rows older than release 92 have the date zero, which is no date.
        created=created.replace(tzinfo=UTC) if isinstance(created, datetime) else None,
        root=root,
    )


def broken(connection: Connection, exists: Callable[[str], bool]) -> list[Entry]:
    """Entries that would be taken though the directory of their files is gone."""
    found = (one for one in entries(connection) if one.reusable and one.root)
    return [one for one in found if not exists(one.root or "")]


def invalidate(connection: Connection, ids: Sequence[int]) -> int:
    """Let these entries never be taken again; return how many could have been."""
    return execute(connection, _INVALIDATE, (list(ids),)) if ids else 0


def hashes(connection: Connection, call: Ref) -> dict[str, str]:
    """What Cromwell compared of a call, by names like "input: File reads".

    Complete once the call has ended. Where the journal was pruned, the cache's own copy, which
    also holds attributes that do not count.
    """
    if not columns(connection, "METADATA_ENTRY"):
        return {}
    found = rows(connection, _HASHES, call)
    if not found and columns(connection, "CALL_CACHING_HASH_ENTRY"):
        found = rows(connection, _STORED_HASHES, call)
    return {_spaced(key.removeprefix("callCaching:hashes:")): value or "" for key, value in found}


def _spaced(key: str) -> str:
    kind, colon, rest = key.partition(":")
    return f"{kind}: {rest.lstrip()}" if colon else key


def why(connection: Connection, old: Ref, new: Ref) -> list[Difference]:
    """Why `new` could not take the result of `old`; empty where the cache sees no difference."""
    return differences(hashes(connection, old), hashes(connection, new))


def differences(old: Mapping[str, str], new: Mapping[str, str]) -> list[Difference]:
    """What differs between the hashes of two calls, the telling things first."""
    changed = [key for key in {**old, **new} if old.get(key) != new.get(key)]
    found = [_difference(key, key in old, key in new) for key in changed]
    kinds = {one.kind for one in found}
    # A count says nothing beside the names that make it up.
    implied = {f"{kind} count" for kind in ("input", "output") if _named(kind) in kinds}
    told = [one for one in found if one.kind not in implied]
    return sorted(told, key=lambda one: (_ORDER.get(one.kind, len(_ORDER)), one.name))


_ORDER = {
    "command template": 0,
    "backend name": 1,
    "runtime attribute": 2,
    "input": 3,
    "input count": 4,
    "output expression": 5,
    "output count": 6,
}


def _named(kind: str) -> str:
    return "output expression" if kind == "output" else kind


def _difference(key: str, was: bool, is_now: bool) -> Difference:
    kind, _, rest = key.partition(": ")
    type, name = _typed(rest) if kind in {"input", "output expression"} else ("", rest)
    name = name.replace(":", ".")
    if was and is_now:
        words = _changed(kind, type, name)
    else:
        words = (
            f"{kind.removesuffix(' expression')} {name}".strip()
            + f" is {'new' if is_now else 'gone'}"
        )
    return Difference(kind, name, words)


def _changed(kind: str, type: str, name: str) -> str:
    if kind == "input" and "File" in type:
        return f"input {name} is another file, or its file was changed"
    if kind == "runtime attribute" and name in {"docker", "container"}:
        return "the container image is another"
    return {
        "input": f"input {name} has another value",
        "output expression": f"output {name} is computed in another way",
        "runtime attribute": f"runtime attribute {name} has another value",
        "command template": "the command of the task was changed",
        "backend name": "it ran on another back end",
    }.get(kind, f"the {kind} differs")


def _typed(text: str) -> tuple[str, str]:
    """A declaration as type and name, where both may hold spaces.

    >>> _typed("Map[String, Int] counts:my key")
    ('Map[String, Int]', 'counts:my key')
    """
    depth = 0
    for place, letter in enumerate(text):
        depth += (letter in "[(") - (letter in "])")
        if letter == " " and depth == 0:
            return text[:place], text[place + 1 :]
    return "", text
