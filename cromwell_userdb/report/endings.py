"""What became of a run: the cause first, then where, then what to do; and its outputs."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from cromwell_userdb.attempts import Attempt
from cromwell_userdb.report import numbers
from cromwell_userdb.report.words import called, duration, plural, shown
from cromwell_userdb.runs import Failure, State

OUT_OF_MEMORY = 80
"""The return code that our hooks give a call which SLURM ended for its memory."""

NO_ROOM = 86
"""The one of a call whose own found no room on the disk."""


def elapsed(state: State) -> float:
    """Seconds from the start to the end, or to now."""
    if not state.started:
        return 0.0
    end = datetime.fromisoformat(state.ended) if state.ended else datetime.now(UTC)
    return (end - datetime.fromisoformat(state.started)).total_seconds()


def age(state: State) -> float:
    """Seconds since the run's leader wrote."""
    return (datetime.now(UTC) - datetime.fromisoformat(state.as_of)).total_seconds()


def ending(state: State, *, option: str = "") -> str:
    """What became of the run: the cause first, then where, then what to do."""
    total, took = state.total, duration(elapsed(state))
    head = f"run {state.run} {state.state}"
    if state.state == "succeeded":
        cached = f", {total.cached} from cache" if total.cached else ""
        after = f"\n{shown(state.note)}" if state.note else ""
        return f"{head} in {took}: {plural(total.total, 'call')}{cached}{after}"
    if state.state == "failed":
        return "\n".join(_failed(state, f"{head} after {took}", option))
    if state.state == "aborted":
        reason = f": {shown(state.note)}" if state.note else ", its jobs with it"
        return f"{head} after {took}{reason}."
    if state.goes_on:
        return (
            f"run {state.run} stopped after {took}: {shown(state.note)}, and goes on with what "
            f"runs. To follow it: cromwell-userdb attach {state.run}{option}"
        )
    if state.state == "lost":
        return (
            f"{head} after {took}: {shown(state.note).removesuffix('.')}. "
            f"Go on from there: cromwell-userdb resume {state.run}{option}"
        )
    return head


def _failed(state: State, head: str, option: str) -> Iterator[str]:
    if not state.failures:
        yield f"{head}: {state.note or 'see its log'}"
        return
    groups = _grouped(state)
    yield f"{head}{_summary(state, groups)}."
    for failures in groups[:5]:
        yield ""
        yield from _told(state, failures, option)
    if len(groups) > 5:
        rest = sum(len(failures) for failures in groups[5:])
        yield f"\nand {rest} more: cromwell-userdb status {state.run}{option}"
    kept = state.total.done
    if kept:
        yield f"\n{plural(kept, 'other call')} succeeded and will come from the cache."
    yield f"\n{_again(state, option)}"


def _grouped(state: State) -> list[list[Failure]]:
    """Calls of one name that failed alike, or that SLURM ended for one reason, are told once."""
    groups: dict[object, list[Failure]] = {}
    for failure in state.failures:
        attempt = _attempt_of(state, failure)
        alike = attempt.reason if attempt else ""
        alike = alike or f"{_cause(failure)}\n{failure.last_words}"
        groups.setdefault((failure.call, alike), []).append(failure)
    return list(groups.values())


def _summary(state: State, groups: Sequence[Sequence[Failure]]) -> str:
    """How many calls failed of which, and of what where that is the same for all."""
    first = groups[0][0]
    attempt = _attempt_of(state, first)
    became = numbers.BECAME.get(attempt.reason if attempt else "", "failed")
    became = became if len(groups) == 1 else "failed"
    if len(state.failures) == 1:
        return f": {_name(first)} {became}" if first.call else ""
    names = {failure.call for failure in state.failures}
    became = became.replace("was ", "were ")
    if len(names) > 1:
        return f": {len(state.failures)} of {state.total.total} calls {became}"
    total = sum(calls.total for calls in state.calls if calls.name.endswith(first.call))
    return f': {len(state.failures)} of {total} "{first.call}" calls {became}'


def _told(state: State, failures: Sequence[Failure], option: str) -> Iterator[str]:
    """What happened to calls that failed alike, and where to look for more."""
    first = failures[0]
    name = _name(first)
    names = ", ".join(_name(one) for one in failures[:5])
    names += f" and {len(failures) - 5} more" if len(failures) > 5 else ""
    why = _cause(first, _attempt_of(state, first))
    yield f"{names}   {why}" if name else why
    for number, words in enumerate(first.last_words.splitlines()[-5:]):
        yield f"  {'last words' if number == 0 else '          '}   {shown(words)}"
    which = f"--call {name}" if name else "--engine"
    yield f"  look         cromwell-userdb logs {state.run} {which}{option}"
    if first.stderr:
        yield f"  stderr       {first.stderr}"


def _name(failure: Failure) -> str:
    """A failed call as `logs` takes it, with the calls of sub-workflows that lead to it."""
    own = called(failure.call, failure.shard)
    return f"{failure.within}/{own}" if failure.within else own


def _attempt_of(state: State, failure: Failure) -> Attempt | None:
    """The numbers of the attempt that a call failed with, where it was ended from outside."""
    found = (one for one in state.attempts if failure.stderr.startswith(f"{one.root}/execution/"))
    return next(found, None)


def _again(state: State, option: str) -> str:
    """How to go on from a failure, with more of what a call had too little of."""
    more: dict[str, str] = {}
    for failure in state.failures:
        attempt = _attempt_of(state, failure)
        if failure.return_code == OUT_OF_MEMORY:
            had = attempt.given.memory_mb if attempt else 0
            gigabytes = -(-2 * had // 1024) if had else 8
            more[failure.call] = f" --memory {shown(failure.call)}={gigabytes}GB"
        elif attempt and attempt.reason == "TIMEOUT" and attempt.given.seconds:
            minutes = 2 * attempt.given.seconds // 60
            more[failure.call] = f" --time {shown(failure.call)}={minutes}"
    what = "Again, with more for them" if more else "Again"
    return f"{what}: cromwell-userdb resume {state.run}{''.join(more.values())}{option}"


def _cause(failure: Failure, attempt: Attempt | None = None) -> str:
    """Why a call failed, in a line.

    >>> _cause(Failure("a", 1, 1, "Job w.a:1:1 exited with return code 2 which has not ...", 2))
    'exit code 2'
    """
    if failure.return_code == NO_ROOM:
        return f"its disk was full (exit code {NO_ROOM})"
    if attempt and attempt.reason:
        tries = f" (attempt {attempt.attempt})" if attempt.attempt > 1 else ""
        return numbers.told(attempt) + tries
    message = shown((failure.message.strip().splitlines() or ["no reason given"])[0])
    if failure.return_code is not None and "exited with return code" in message:
        return f"exit code {failure.return_code}"
    return message


def outputs(values: Mapping[str, Any]) -> str:
    """Names and values of a run's outputs, the workflow's own name left away."""
    width = max((len(shown(_short(name))) for name in values), default=0)
    return "\n".join(
        f"{shown(_short(name)) if number == 0 else '':<{width}}  {line}"
        for name, value in sorted(values.items())
        for number, line in enumerate(_lines(value))
    )


def _short(name: str) -> str:
    return name.partition(".")[2] or name


def _lines(value: Any) -> list[str]:
    if isinstance(value, list) and value and not any(isinstance(v, list | dict) for v in value):
        return [_plain(part) for part in value]
    return [_plain(value)]


def _plain(value: Any) -> str:
    return shown(value) if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
