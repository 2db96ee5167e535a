"""A run's moving parts: workflow instances, and attempts of their calls."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from WDL import Tree, Value

from cromwell_userdb.embedded.cache import Hashes
from cromwell_userdb.embedded.graph import Graph, Ready
from cromwell_userdb.embedded.job import Place, Plan, Prepared
from cromwell_userdb.embedded.ledger import CallId
from cromwell_userdb.embedded.record import now
from cromwell_userdb.process import Child

Numbers = Mapping[tuple[str, str], Mapping[str, int]]
"""By workflow and call: which number each shard has, by its folder or its own workflow's id."""


@dataclass(eq=False)
class Flow:
    """One instance of a workflow: the run's own, or one below a call of its `parent`.

    `live` counts calls that are queued or run; `folder` is where the calls' folders go. `numbers`
    are those that the run gave before its engine died, to all workflows of the run.
    """

    id: str
    graph: Graph
    folder: Path
    parent: Flow | None = None
    key: tuple[str, tuple[int, ...]] | None = None
    call: CallId | None = None
    live: int = 0
    failures: list[Mapping[str, Any]] = field(default_factory=list)
    is_over: bool = False
    born: datetime = field(default_factory=now)
    numbers: Numbers = field(default_factory=dict)
    _shards: dict[str, int] = field(default_factory=dict)

    @property
    def workflow(self) -> Tree.Workflow:
        return self.graph.workflow

    @property
    def top(self) -> Flow:
        return self if self.parent is None else self.parent.top

    def call_id(self, ready: Ready, attempt: int = 1) -> CallId:
        """Scatters in scatters have one number for each of their shards, in order of birth."""
        name = f"{self.workflow.name}.{ready.call.name}"
        shard = ready.shard[-1] if ready.shard else None
        if len(ready.shard) > 1:
            shard = self._numbered(name, ready)
        return CallId(self.id, name, shard, attempt)

    def _numbered(self, name: str, ready: Ready) -> int:
        given = self.numbers.get((self.id, name), {})
        is_task = isinstance(ready.call.callee, Tree.Task)
        mark = str(self.call_folder(ready)) if is_task else self.below(ready)[0]
        if mark in given:
            return given[mark]
        number = self._shards.get(name, max(given.values(), default=-1) + 1)
        self._shards[name] = number + 1
        return number

    def call_folder(self, ready: Ready) -> Path:
        return self.folder.joinpath(f"call-{ready.call.name}", *(f"shard-{i}" for i in ready.shard))

    def below(self, ready: Ready) -> tuple[str, Path]:
        """Id and folder of the workflow that a call runs: the same when the run is resumed."""
        path = ".".join(map(str, (ready.call.name, *ready.shard)))
        id = str(uuid.uuid5(uuid.UUID(self.id), path))
        assert ready.call.callee
        return id, self.call_folder(ready) / ready.call.callee.name / id


@dataclass(eq=False)
class Attempt:
    """One attempt of a call of a task, from the queue to its end.

    `code` is the return code of a job that is over and for whose `rc` there was no room;
    `retries` are those that have been used up of the task's.
    """

    flow: Flow
    ready: Ready
    call: CallId
    plan: Plan
    retries: int = 0
    memory_factor: float = 1.0
    prepared: Prepared | None = None
    command: str = ""
    script: str = ""
    hashes: Hashes | None = None
    job: str | None = None
    child: Child | None = None
    born: float = 0.0
    asked: float = 0.0
    gone_since: float | None = None
    code: int | None = None
    events: dict[str, tuple[datetime, datetime]] = field(default_factory=dict)
    _phase: tuple[str, datetime] | None = None

    @property
    def place(self) -> Place:
        folder = self.flow.call_folder(self.ready)
        number = self.call.attempt
        return Place(folder if number == 1 else folder / f"attempt-{number}")

    @property
    def copy_place(self) -> Place:
        """Where the files of a hit in the cache go."""
        return Place(self.place.root / "cacheCopy")

    @property
    def ready_prepared(self) -> Prepared:
        assert self.prepared
        return self.prepared

    def begin_running(self, moment: float) -> None:
        self.enter("RunningJob")
        self.born = moment

    def enter(self, phase: str) -> None:
        """Note that the phase before is over, and `phase` begins."""
        moment = now()
        if self._phase:
            self.events[self._phase[0]] = (self._phase[1], moment)
        self._phase = (phase, moment)

    def again(self, retries: int, memory_factor: float) -> Attempt:
        """The next attempt of the same call."""
        call = self.call._replace(attempt=self.call.attempt + 1)
        return Attempt(self.flow, self.ready, call, self.plan, retries, memory_factor)


def as_json(values: Mapping[str, Value.Base]) -> dict[str, Any]:
    return {name: value.json for name, value in values.items()}
