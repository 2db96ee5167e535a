"""Runs of an instance: their numbers, folders and states, which can be read from any node."""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from datetime import UTC, datetime
from typing import Any

from cromwell_userdb import attempts
from cromwell_userdb.attempts import Attempt
from cromwell_userdb.errors import NotRunning, UnknownRun
from cromwell_userdb.instance import Instance, RunFolder
from cromwell_userdb.progress import Count
from cromwell_userdb.record import Identity, make_private, read_json, write_json

LABEL = "cromwell-userdb-run"
"""The label in which Cromwell carries a run's token."""

QUEUED, RUNNING, SUCCEEDED, FAILED, ABORTED, LOST = (
    "queued",
    "running",
    "succeeded",
    "failed",
    "aborted",
    "lost",
)
ENDED = frozenset({SUCCEEDED, FAILED, ABORTED, LOST})
STATES = ENDED | {QUEUED, RUNNING}

REQUEUED = "its leader is queued again"
"""What the note of a lost run begins with that goes on by itself, once its job runs again."""


@dataclass(frozen=True)
class Request:
    """Everything it takes to run this once more, beside the copies in the run's folder.

    `wdl` is an absolute path or a URL; `created` is ISO 8601 in UTC. `on_limit` is what a
    leader does that is told to end: abort, adopt (leave the jobs) or requeue (and go on).
    `executions` is Cromwell's root; `sources` are the workflow and its imports, each with its
    copy below the run's folder. `overrides` and `orphans` are for a run that `resumes` another.
    """

    run: int
    token: str
    wdl: str
    workflow: str
    created: str
    cwd: str
    backend: str
    engine: str
    engine_version: str
    name: str = ""
    arguments: tuple[str, ...] = ()
    labels: dict[str, str] = field(default_factory=dict)
    resumes: int | None = None
    metadata_output: str = ""
    on_limit: str = "abort"
    settings: dict[str, Any] = field(default_factory=dict)
    executions: str = ""
    sources: dict[str, str] = field(default_factory=dict)
    overrides: dict[str, dict[str, Any]] = field(default_factory=dict)
    orphans: str = ""


@dataclass(frozen=True)
class Failure:
    """One failed call: its last words and where they lie.

    `within` is the path of calls whose sub-workflows lead to it, as `cohort[2]/sample[1]`.
    """

    call: str
    shard: int | None
    attempt: int
    message: str
    return_code: int | None = None
    stderr: str = ""
    last_words: str = ""
    within: str = ""


@dataclass(frozen=True)
class Waiting:
    """Jobs of one call that wait in SLURM's queue, and why by its own word."""

    call: str
    reason: str
    jobs: int


@dataclass(frozen=True)
class Longest:
    """The call that has run for longest, since when (ISO 8601, UTC), and where."""

    call: str
    shard: int | None
    since: str
    node: str = ""


@dataclass(frozen=True)
class State:
    """What is known of a run, as of `as_of`; times are ISO 8601 in UTC.

    `job` is the SLURM job that its leader is, or will be, "" where it is none. `attempts` are
    those of calls that were ended from outside: out of memory or time, preempted, cancelled.
    """

    run: int
    state: str
    as_of: str
    id: str = ""
    workflow: str = ""
    name: str = ""
    started: str = ""
    ended: str = ""
    engine: str = ""
    backend: str = ""
    job: str = ""
    leader: Identity | None = None
    engine_process: Identity | None = None
    aborting: bool = False
    calls: tuple[Count, ...] = ()
    jobs: tuple[str, ...] = ()
    failures: tuple[Failure, ...] = ()
    attempts: tuple[Attempt, ...] = ()
    waiting: tuple[Waiting, ...] = ()
    longest: Longest | None = None
    note: str = ""
    resumes: int | None = None
    resumed_by: int | None = None

    @property
    def has_ended(self) -> bool:
        return self.state in ENDED

    @property
    def goes_on(self) -> bool:
        """Whether the run is lost only until its leader's job runs again, as another run."""
        return self.state == LOST and self.note.startswith(REQUEUED)

    @property
    def total(self) -> Count:
        """All calls together."""
        numbers = [part.name for part in fields(Count) if part.type == "int"]
        sums = {name: sum(getattr(calls, name) for calls in self.calls) for name in numbers}
        return Count("", **sums)


def now() -> str:
    """This moment, as runs write it."""
    return moment(datetime.now(UTC))


def moment(then: datetime) -> str:
    """A moment in any zone, as runs write it."""
    return then.astimezone(UTC).isoformat(timespec="milliseconds")


def new_token() -> str:
    """What a run is recognised by in Cromwell's tables; nobody guesses it."""
    return os.urandom(16).hex()


def new_folder(instance: Instance) -> RunFolder:
    """Make the folder of the next number; two at once get two numbers."""
    make_private(instance.runs)
    number = max(numbers(instance), default=0) + 1
    while True:
        folder = instance.run(number)
        try:
            folder.path.mkdir(0o700)
        except FileExistsError:
            number += 1
            continue
        folder.path.chmod(0o700)
        return folder


def numbers(instance: Instance) -> list[int]:
    """The numbers of all runs, ascending."""
    if not instance.runs.is_dir():
        return []
    return sorted(int(path.name) for path in instance.runs.iterdir() if path.name.isdecimal())


def write_request(folder: RunFolder, request: Request) -> None:
    write_json(folder.request, asdict(request))


def read_request(folder: RunFolder) -> Request | None:
    """None for a folder whose run was never requested: its maker died before."""
    facts = read_json(folder.request)
    if not isinstance(facts, dict):
        return None
    known = {part.name for part in fields(Request)}
    facts = {name: value for name, value in facts.items() if name in known}
    return Request(**facts | {"arguments": tuple(facts.get("arguments", ()))})


def request_of(folder: RunFolder) -> Request:
    """Raises NotRunning where the run was never requested."""
    request = read_request(folder)
    if request is None:
        raise NotRunning(f"run {folder.number} was never requested: start it anew with run.")
    return request


def write_state(folder: RunFolder, state: State) -> None:
    write_json(folder.state, asdict(state))


def read_state(folder: RunFolder) -> State | None:
    """None where there is none, or none that can be made sense of."""
    facts = read_json(folder.state)
    try:
        return _state_of(facts) if isinstance(facts, dict) else None
    except (KeyError, TypeError, ValueError, AttributeError):
        return None


def _state_of(facts: dict[str, Any]) -> State:
    known = {part.name for part in fields(State)}
    facts = {name: value for name, value in facts.items() if name in known}
    for name in ("leader", "engine_process"):
        facts[name] = Identity.from_dict(facts[name]) if facts.get(name) else None
    facts["calls"] = tuple(Count(**calls) for calls in facts.get("calls", ()))
    facts["failures"] = tuple(Failure(**failure) for failure in facts.get("failures", ()))
    facts["attempts"] = tuple(attempts.from_json(one) for one in facts.get("attempts", ()))
    facts["waiting"] = tuple(Waiting(**one) for one in facts.get("waiting", ()))
    facts["longest"] = Longest(**facts["longest"]) if facts.get("longest") else None
    facts["jobs"] = tuple(facts.get("jobs", ()))
    return State(**facts)


def read_outputs(folder: RunFolder) -> Any:
    """The outputs that the leader left, or None while there are none."""
    return read_json(folder.outputs)


def newest(folder: RunFolder) -> RunFolder:
    """The run that goes on with this one's work, or this one where nobody does."""
    state = read_state(folder)
    while state and state.resumed_by and (after := read_state(folder.sibling(state.resumed_by))):
        folder, state = folder.sibling(state.resumed_by), after
    return folder


def recent(instance: Instance, *, limit: int | None = None) -> list[State]:
    """The newest first; folders without a state, or that may not be read, are left out."""
    found: list[State] = []
    for number in reversed(numbers(instance)):
        if limit is not None and len(found) >= limit:
            break
        with contextlib.suppress(OSError):
            if state := read_state(instance.run(number)):
                found.append(state)
    return found


def led_here(instance: Instance, *, besides: int) -> list[str]:
    """Runs that processes of this host lead, which may be about to connect to the database."""
    return [
        f"run {state.run}"
        for state in recent(instance, limit=50)
        if state.run != besides
        and not state.has_ended
        and any(who and who.is_alive for who in (state.leader, state.engine_process))
    ]


def is_orphaned(state: State, job_ended: Callable[[str], bool | None] | None = None) -> bool:
    """Whether nobody leads this run any more though it has not ended: proven, not supposed.

    `job_ended` asks SLURM about the leader's job, which proves it where no process can.
    """
    if state.has_ended:
        return False
    identities = [who for who in (state.leader, state.engine_process) if who]
    in_queue = state.job and state.state == QUEUED
    if identities and all(who.is_alive is False for who in identities) and not in_queue:
        return True
    here = identities and all(who.is_here for who in identities) and not in_queue
    return bool(state.job and not here and job_ended and job_ended(state.job))


def as_lost(state: State, why: str) -> State:
    return replace(state, state=LOST, as_of=now(), note=state.note or why)


def as_aborted(state: State, note: str) -> State:
    """Nothing of it runs any more, though an engine that was killed could not say so."""
    return replace(
        state,
        state=ABORTED,
        as_of=now(),
        note=note,
        calls=tuple(replace(one, running=0) for one in state.calls),
        attempts=tuple(one for one in state.attempts if one.return_code is not None),
        waiting=(),
        longest=None,
    )


def find(instance: Instance, text: str) -> int:
    """The number of the run that `text` means: 12, -1, a UUID or its start, or a name.

    Raises UnknownRun, which says what there is.
    """
    known = numbers(instance)
    if re.fullmatch(r"-?\d+", text) and (number := _by_number(known, int(text))):
        return number
    matches = [state for state in recent(instance) if _means(state, text)]
    exact = [state for state in matches if state.name == text]
    if len({state.id or state.run for state in matches}) == 1 or exact:
        return (exact or matches)[0].run
    if matches:
        runs = ", ".join(str(state.run) for state in matches[:5])
        raise UnknownRun(f"{text!r} could be any of the runs {runs}. Give the number.")
    if not known:
        raise UnknownRun("No runs yet. Start one: cromwell-userdb run workflow.wdl")
    raise UnknownRun(
        f"No run here is called {text!r}: there are runs 1 to {known[-1]}. "
        'See "cromwell-userdb list".'
    )


def _by_number(known: Sequence[int], number: int) -> int | None:
    if number < 0:
        return known[number] if -number <= len(known) else None
    return number if number in known else None


def _means(state: State, text: str) -> bool:
    return state.name == text or (len(text) >= 4 and state.id.startswith(text.lower()))


def remove_empty(folder: RunFolder) -> None:
    """Give a number back when the run it was made for was refused before it began."""
    for path in (folder.request, folder.state):
        path.unlink(missing_ok=True)
    with contextlib.suppress(OSError):
        folder.path.rmdir()


def as_json(state: State) -> dict[str, Any]:
    """A run as ``--json`` shows it: the promised keys first, then everything else."""
    facts = asdict(state)
    for name in ("leader", "engine_process"):
        facts.pop(name)
    total = asdict(state.total)
    del total["typical"]
    return facts | {"total": total}
