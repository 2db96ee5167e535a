"""One workflow as Cromwell recorded it: its calls, what went in, came out, and went wrong."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from cromwell_userdb.database import Connection, columns, rows
from cromwell_userdb.journal import Entry, document, messages, moment
from cromwell_userdb.progress import KEYS, Change, Count, Progress, fold

# What to sort by comes first, and Python sorts: a server that has to carry long texts
# through a sort took four times as long for ten thousand calls.
_ENTRY = """CAST(METADATA_TIMESTAMP AS CHAR), METADATA_JOURNAL_ID, WORKFLOW_EXECUTION_UUID,
           CALL_FQN, JOB_SCATTER_INDEX, JOB_RETRY_ATTEMPT,
           METADATA_KEY, METADATA_VALUE, METADATA_VALUE_TYPE"""

_EVERYTHING = f"""
    SELECT {_ENTRY} FROM METADATA_ENTRY
     WHERE WORKFLOW_EXECUTION_UUID IN %s
"""

_CALLS = f"""
    SELECT {_ENTRY} FROM METADATA_ENTRY
     WHERE WORKFLOW_EXECUTION_UUID IN %(ids)s AND CALL_FQN IS NOT NULL
       AND (METADATA_KEY IN %(keys)s OR METADATA_KEY LIKE 'failures[%%')
"""

_FAILED_CALLS = f"""
    SELECT {_ENTRY}
      FROM METADATA_ENTRY m JOIN (
           SELECT DISTINCT WORKFLOW_EXECUTION_UUID AS ID, CALL_FQN AS FQN,
                  JOB_SCATTER_INDEX AS SHARD, JOB_RETRY_ATTEMPT AS ATTEMPT
             FROM METADATA_ENTRY
            WHERE WORKFLOW_EXECUTION_UUID IN %(ids)s AND METADATA_KEY = 'executionStatus'
              AND METADATA_VALUE IN ('Failed', 'Unstartable')) f
        ON m.WORKFLOW_EXECUTION_UUID = f.ID AND m.CALL_FQN = f.FQN
       AND m.JOB_SCATTER_INDEX <=> f.SHARD AND m.JOB_RETRY_ATTEMPT = f.ATTEMPT
     WHERE METADATA_KEY IN %(keys)s OR METADATA_KEY LIKE 'failures[%%'
"""

_SUB_WORKFLOWS = """
    SELECT WORKFLOW_EXECUTION_UUID, CALL_FQN, JOB_SCATTER_INDEX, METADATA_VALUE
      FROM METADATA_ENTRY
     WHERE WORKFLOW_EXECUTION_UUID IN %s AND METADATA_KEY = 'subWorkflowId'
       AND METADATA_VALUE IS NOT NULL
     ORDER BY METADATA_JOURNAL_ID
"""

# No underscore or per cent sign is in any prefix that is asked for.
_BELOW = f"""
    SELECT {_ENTRY} FROM METADATA_ENTRY
     WHERE WORKFLOW_EXECUTION_UUID = %s AND METADATA_KEY LIKE %s AND CALL_FQN IS NULL
"""

_CHANGES = """
    SELECT METADATA_JOURNAL_ID, WORKFLOW_EXECUTION_UUID, CALL_FQN, JOB_SCATTER_INDEX,
           JOB_RETRY_ATTEMPT, METADATA_KEY, METADATA_VALUE, METADATA_TIMESTAMP
      FROM METADATA_ENTRY
     WHERE WORKFLOW_EXECUTION_UUID IN %(ids)s AND METADATA_KEY IN %(keys)s
       AND METADATA_JOURNAL_ID > %(after)s
"""

_CALL_KEYS = (
    "executionStatus",
    "start",
    "end",
    "backend",
    "backendStatus",
    "jobId",
    "returnCode",
    "stdout",
    "stderr",
    "callRoot",
    "callCaching:hit",
    "callCaching:result",
    "subWorkflowId",
)


@dataclass(frozen=True)
class Call:
    """One attempt of one call; times are aware, in UTC, and None while they are to come.

    `within` names the calls whose sub-workflows lead to it, outermost first.
    """

    workflow: str
    fqn: str
    shard: int | None
    attempt: int
    status: str = "NotStarted"
    backend: str | None = None
    backend_status: str | None = None
    job_id: str | None = None
    started: datetime | None = None
    ended: datetime | None = None
    return_code: int | None = None
    stdout: str | None = None
    stderr: str | None = None
    root: str | None = None
    cached: bool = False
    cache_result: str | None = None
    sub_workflow: str | None = None
    failures: tuple[str, ...] = ()
    within: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        return self.fqn.rpartition(".")[2]

    @property
    def label(self) -> str:
        """What people type for it: `align`, `align[17]`, `cohort[2]/align[17]`."""
        return "/".join((*self.within, _label(self.fqn, self.shard)))


@dataclass(frozen=True)
class Failure:
    """Why a call failed in the end, or the workflow itself where `of` is None."""

    message: str
    of: Call | None = None

    @property
    def call(self) -> str:
        return self.of.name if self.of else ""

    @property
    def within(self) -> str:
        return "/".join(self.of.within) if self.of else ""

    @property
    def shard(self) -> int | None:
        return self.of.shard if self.of else None

    @property
    def attempt(self) -> int:
        return self.of.attempt if self.of else 1

    @property
    def return_code(self) -> int | None:
        return self.of.return_code if self.of else None

    @property
    def stderr(self) -> str | None:
        return self.of.stderr if self.of else None


@dataclass(frozen=True)
class Definition:
    """What was handed in; `imports` holds the text of each imported file by its name."""

    workflow: str
    url: str
    root: str
    inputs: Any
    options: Any
    labels: Any
    imports: dict[str, str]
    language: str | None
    language_version: str | None


class Follower:
    """The progress of one workflow, asked again and again; each time only new rows are read."""

    def __init__(self, id: str) -> None:
        self.progress = Progress(id)

    @property
    def id(self) -> str:
        return self.progress.workflow

    @property
    def workflows(self) -> list[str]:
        """The ids of this workflow and of those below it."""
        return sorted({self.id} | self.progress.sub_workflows)

    @property
    def status(self) -> str:
        return self.progress.status or ""

    def update(self, connection: Connection) -> Progress:
        self.progress = advance(connection, self.progress)
        return self.progress

    def counts(self) -> list[Count]:
        return self.progress.counts

    def jobs(self) -> list[str]:
        return self.progress.jobs


def counts(connection: Connection, id: str) -> list[Count]:
    """Calls by name and state, those of sub-workflows among them."""
    return advance(connection, Progress(id)).counts


def advance(connection: Connection, progress: Progress) -> Progress:
    """`progress` with all rows that came since; new sub-workflows are read from their first row.

    One writer's rows become visible in the order of their ids, so none is passed over.
    """
    if not columns(connection, "METADATA_ENTRY"):
        return progress
    known = {progress.workflow} | progress.sub_workflows
    new = changes(connection, sorted(known), progress.after)
    if not new:
        return progress
    after = new[-1].journal_id
    progress = fold(progress, new)
    while fresh := progress.sub_workflows - known:
        known |= fresh
        progress = fold(progress, changes(connection, sorted(fresh)))
    return replace(progress, after=after)


def changes(
    connection: Connection, ids: Sequence[str], after: int = 0, *, keys: Sequence[str] = KEYS
) -> list[Change]:
    """The rows of `ids` with these keys, those of progress by default, after row `after`."""
    values = {"ids": list(ids), "keys": list(keys), "after": after}
    return [Change(*row) for row in sorted(rows(connection, _CHANGES, values))]


def calls(connection: Connection, id: str, *, deep: bool = True) -> list[Call]:
    """Every attempt of every call in the order of their start, sub-workflows' too when `deep`."""
    if not columns(connection, "METADATA_ENTRY"):
        return []
    return _calls(connection, _CALLS, _scopes(connection, id, deep=deep))


Scopes = dict[str, tuple[str, ...]]
"""Ids of a workflow and those below it, each with the calls that lead to it."""


def _scopes(connection: Connection, id: str, *, deep: bool = True) -> Scopes:
    known: Scopes = {id: ()}
    level = dict(known) if deep else {}
    while level:
        found = rows(connection, _SUB_WORKFLOWS, (list(level),))
        level = {
            below: (*known[above], _label(fqn, shard))
            for above, fqn, shard, below in found
            if below not in known
        }
        known |= level
    return known


def _label(fqn: str, shard: int | None) -> str:
    name = fqn.rpartition(".")[2]
    return name if shard is None else f"{name}[{shard}]"


def _calls(connection: Connection, sql: str, scopes: Scopes) -> list[Call]:
    grouped: dict[tuple[str, str, int | None, int], list[Entry]] = defaultdict(list)
    for id, entry in _entries(connection, sql, {"ids": list(scopes), "keys": _CALL_KEYS}):
        grouped[id, entry.fqn or "", entry.shard, entry.attempt or 1].append(entry)
    return [
        _filled(Call(id, fqn, shard, attempt, within=scopes[id]), document(entries))
        for (id, fqn, shard, attempt), entries in grouped.items()
    ]


def _filled(call: Call, facts: dict[str, Any]) -> Call:
    caching = facts.get("callCaching", {})
    return replace(
        call,
        status=facts.get("executionStatus", call.status),
        backend=facts.get("backend"),
        backend_status=facts.get("backendStatus"),
        job_id=facts.get("jobId"),
        started=moment(facts.get("start")),
        ended=moment(facts.get("end")),
        return_code=facts.get("returnCode"),
        stdout=facts.get("stdout"),
        stderr=facts.get("stderr"),
        root=facts.get("callRoot"),
        cached=caching.get("hit") is True,
        cache_result=caching.get("result"),
        sub_workflow=facts.get("subWorkflowId"),
        failures=tuple(messages(facts.get("failures"))),
    )


def failures(connection: Connection, id: str) -> list[Failure]:
    """Causes first: calls that failed in the end, by when; then what no call accounts for."""
    if not columns(connection, "METADATA_ENTRY"):
        return []
    failed = _calls(connection, _FAILED_CALLS, _scopes(connection, id))
    own = messages(_section(connection, id, "failures"))
    return _causes(failed, own)


def _causes(failed: Iterable[Call], own: Iterable[str]) -> list[Failure]:
    found: list[Failure] = []
    said: set[tuple[tuple[str, ...], str]] = set()
    # Names that differ by case alone are one to the server.
    failed = (call for call in failed if call.status in {"Failed", "Unstartable"})
    for call in sorted(failed, key=_cause_order):
        path = (*call.within, _label(call.fqn, call.shard))
        # A sub-workflow, and the workflow itself, repeat what the calls below them said.
        fresh = [text for text in call.failures if (path, text) not in said]
        if fresh or not (call.failures or call.sub_workflow):
            found.append(Failure("\n".join(fresh), call))
        said |= {(path[:depth], text) for depth in range(len(path)) for text in fresh}
    return found + [Failure(text) for text in own if ((), text) not in said]


def _cause_order(call: Call) -> tuple[bool, int, bool, float]:
    ended = call.ended.timestamp() if call.ended else 0.0
    depth = -len(call.within) if call.sub_workflow else 0
    return (call.sub_workflow is not None, depth, call.ended is None, ended)


def outputs(connection: Connection, id: str) -> dict[str, Any]:
    """Outputs by their full names, as Cromwell's own JSON has them."""
    return _section(connection, id, "outputs") or {}


def inputs(connection: Connection, id: str) -> dict[str, Any]:
    """Inputs with their defaults, by the names that Cromwell's metadata gives them."""
    return _section(connection, id, "inputs") or {}


def _section(connection: Connection, id: str, name: str) -> Any:
    return _below(connection, id, name).get(name)


def _below(connection: Connection, id: str, prefix: str) -> dict[str, Any]:
    if not columns(connection, "METADATA_ENTRY"):
        return {}
    return document(entry for _, entry in _entries(connection, _BELOW, (id, f"{prefix}%")))


def _entries(connection: Connection, sql: str, values: Any) -> Iterator[tuple[str, Entry]]:
    """Each row with its workflow's id, oldest first."""
    for _, _, id, *fields in sorted(rows(connection, sql, values)):
        yield id, Entry(*fields)


def definition(connection: Connection, id: str) -> Definition | None:
    """What was submitted, from which it can be run again; None for a workflow unknown."""
    submitted = _section(connection, id, "submittedFiles")
    if submitted is None:
        return None
    actual = _below(connection, id, "actualWorkflowLanguage")
    return Definition(
        workflow=submitted.get("workflow") or "",
        url=submitted.get("workflowUrl") or "",
        root=submitted.get("root") or "",
        inputs=_parsed(submitted.get("inputs")),
        options=_parsed(submitted.get("options")),
        labels=_parsed(submitted.get("labels")),
        imports=submitted.get("imports") or {},
        language=actual.get("actualWorkflowLanguage"),
        language_version=actual.get("actualWorkflowLanguageVersion"),
    )


def _parsed(text: str | None) -> Any:
    """The JSON that was submitted, its text where it is none (YAML, encrypted options)."""
    try:
        return json.loads(text or "{}")
    except ValueError:
        return text


def tree(connection: Connection, id: str, *, expand_sub_workflows: bool = True) -> dict[str, Any]:
    """Cromwell's own metadata JSON, as `-m` writes it; empty for a workflow unknown."""
    if not columns(connection, "METADATA_ENTRY"):
        return {}
    entries: dict[str, list[Entry]] = {}
    level = [id]
    while level:
        found: dict[str, list[Entry]] = {one: [] for one in level}
        for workflow, entry in _entries(connection, _EVERYTHING, (level,)):
            found[workflow].append(entry)
        entries |= found
        below = _sub_workflows(found) if expand_sub_workflows else []
        level = [one for one in below if one not in entries]
    return _tree(id, entries) if entries[id] else {}


def _sub_workflows(found: dict[str, list[Entry]]) -> list[str]:
    named = (entry for entries in found.values() for entry in entries)
    return list(dict.fromkeys(e.value for e in named if e.key == "subWorkflowId" and e.value))


def _tree(id: str, entries: dict[str, list[Entry]]) -> dict[str, Any]:
    own: list[Entry] = []
    attempts: dict[tuple[str, int, int], list[Entry]] = defaultdict(list)
    for entry in entries[id]:
        if entry.fqn is None:
            own.append(entry)
        else:
            shard = -1 if entry.shard is None else entry.shard
            attempts[entry.fqn, shard, entry.attempt or 1].append(entry)
    below = {
        one: _tree(one, entries) for one in _sub_workflows({id: entries[id]}) if one in entries
    }
    called: dict[str, list[Any]] = {fqn: [] for fqn, _, _ in attempts}
    for fqn, shard, attempt in sorted(attempts):
        facts = document(attempts[fqn, shard, attempt], below)
        called[fqn].append({**facts, "attempt": attempt, "shardIndex": shard})
    return {**document(own), "calls": called, "id": id}
