"""How far the calls of a workflow are, folded from journal rows as they come.

Pure and idempotent: a row that is folded twice changes nothing, so readers may overlap.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import NamedTuple

from cromwell_userdb.journal import call_rank, greatest

KEYS = ("status", "executionStatus", "callCaching:hit", "jobId", "subWorkflowId")
"""What progress is made of; every other row is passed over."""


class Change(NamedTuple):
    """One row of the journal; `fqn` is None where it speaks of the workflow itself."""

    journal_id: int
    workflow: str
    fqn: str | None
    shard: int | None
    attempt: int | None
    key: str
    value: str | None
    written: datetime


class Place(NamedTuple):
    """One call of one workflow, whatever its attempt."""

    workflow: str
    fqn: str
    shard: int | None

    @property
    def name(self) -> str:
        return self.fqn.rpartition(".")[2]


@dataclass(frozen=True)
class Standing:
    """The newest attempt of a call: its status since when, and what it runs as."""

    attempt: int = 0
    status: str = "NotStarted"
    since: datetime | None = None
    running_since: datetime | None = None
    cached: bool = False
    job_id: str | None = None
    sub_workflow: str | None = None

    @property
    def column(self) -> str:
        """Where a table of counts shows it: done, failed, running, queued, or aborted."""
        return _COLUMN.get(self.status, "queued")

    @property
    def seconds(self) -> float | None:
        """How long a call that is done took since it was handed to the back end."""
        if self.status != "Done" or self.cached or not (self.since and self.running_since):
            return None
        return (self.since - self.running_since).total_seconds()


_COLUMN = {
    "Done": "done",
    "Bypassed": "done",
    "Failed": "failed",
    "Unstartable": "failed",
    "Running": "running",
    "Aborting": "running",
    "Aborted": "aborted",
    # RetryableFailure waits for its next attempt.
}


@dataclass(frozen=True)
class Count:
    """Calls of one name; `done` counts those from the cache too, `total` those known so far.

    A job that waits in SLURM counts as running: Cromwell does not know better. `typical` is how
    many seconds one takes that runs.
    """

    name: str
    total: int = 0
    done: int = 0
    cached: int = 0
    running: int = 0
    queued: int = 0
    failed: int = 0
    typical: float = 0.0


@dataclass(frozen=True)
class Progress:
    """All calls of a workflow and of the sub-workflows below it, as of row `after`."""

    workflow: str
    after: int = 0
    status: str | None = None
    calls: Mapping[Place, Standing] = field(default_factory=dict)

    @property
    def sub_workflows(self) -> set[str]:
        return {one.sub_workflow for one in self.calls.values() if one.sub_workflow}

    @property
    def tasks(self) -> dict[Place, Standing]:
        """The calls that are no sub-workflows."""
        return {place: one for place, one in self.calls.items() if not one.sub_workflow}

    @property
    def jobs(self) -> list[str]:
        """Ids of the jobs that Cromwell believes to be there."""
        running = (one for one in self.calls.values() if one.column == "running")
        return [one.job_id for one in running if one.job_id]

    @property
    def by_name(self) -> dict[str, list[Standing]]:
        """`tasks` by their calls' names, in the order of their first appearance."""
        found: dict[str, list[Standing]] = {}
        for place, one in self.tasks.items():
            found.setdefault(place.fqn, []).append(one)
        return found

    @property
    def counts(self) -> list[Count]:
        """One for each call's name, in the order of their first appearance."""
        groups = self.by_name
        names = _names(groups)
        return [_count(names[fqn], group) for fqn, group in groups.items()]

    def counts_with(self, seconds: Mapping[str, float]) -> list[Count]:
        """`counts`, with what is typical; `seconds` says by job how long it ran, waits left out."""
        counted = zip(self.counts, self.by_name.values(), strict=True)
        return [replace(count, typical=_typical(group, seconds)) for count, group in counted]


def _typical(group: Iterable[Standing], seconds: Mapping[str, float]) -> float:
    """The middle of how long calls took."""
    took = [seconds.get(one.job_id or "", lasted) for one in group if (lasted := one.seconds)]
    return round(sorted(took)[len(took) // 2], 1) if took else 0.0


def _count(name: str, group: Sequence[Standing]) -> Count:
    numbers = Counter(one.column for one in group)
    return Count(
        name,
        total=len(group),
        done=numbers["done"],
        cached=sum(one.cached and one.column == "done" for one in group),
        running=numbers["running"],
        queued=numbers["queued"],
        failed=numbers["failed"],
    )


def _names(fqns: Iterable[str]) -> dict[str, str]:
    """The last part of each name, all of it where that is not enough to tell them apart."""
    short = {fqn: fqn.rpartition(".")[2] for fqn in fqns}
    often = Counter(short.values())
    return {fqn: name if often[name] == 1 else fqn for fqn, name in short.items()}


def fold(progress: Progress, changes: Iterable[Change]) -> Progress:
    """`progress` with `changes` taken in; `after` stays, since not all rows may be there."""
    calls = dict(progress.calls)
    status = progress.status
    for change in changes:
        if change.fqn is not None:
            place = Place(change.workflow, change.fqn, change.shard)
            calls[place] = _advanced(calls.get(place, _NONE), change)
        elif change.key == "status" and change.workflow == progress.workflow:
            status = greatest((status, change.value))
    return replace(progress, status=status, calls=calls)


_NONE = Standing()


def _advanced(now: Standing, change: Change) -> Standing:
    attempt = change.attempt or 1
    if attempt < now.attempt:
        return now
    if attempt > now.attempt:
        now = Standing(attempt)
    if change.key == "executionStatus":
        return _moved(now, change.value or "", change.written.replace(tzinfo=UTC))
    if change.key == "callCaching:hit":
        return replace(now, cached=change.value == "true")
    if change.key == "jobId":
        return replace(now, job_id=change.value)
    if change.key == "subWorkflowId":
        return replace(now, sub_workflow=change.value)
    return now


def _moved(now: Standing, status: str, at: datetime) -> Standing:
    running = at if status == "Running" else now.running_since
    if now.since is None or call_rank(status) > call_rank(now.status):
        return replace(now, status=status, since=at, running_since=running)
    return replace(now, running_since=running)
