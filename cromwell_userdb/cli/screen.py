"""What a run looks like while it goes on: a table that moves, or lines; and its end."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Protocol

from cromwell_userdb.attempts import Attempt
from cromwell_userdb.progress import Count
from cromwell_userdb.report import numbers
from cromwell_userdb.report.words import duration, plural, shown, size
from cromwell_userdb.runs import Failure, State

if TYPE_CHECKING:
    from rich.console import Group

SETTLED = 2.0
"""Seconds that a call's counts stand still before a line tells of them."""


class Screen(Protocol):
    """Shows a run's states as they come."""

    def show(self, state: State) -> None: ...

    def say(self, text: str) -> None: ...


@contextmanager
def screen(*, quiet: bool, keys: str = "") -> Iterator[Screen]:
    """The screen for this terminal, or for what stands in its place, on stderr.

    `keys` says what the keys do that it takes.
    """
    if quiet:
        yield Quiet()
    elif sys.stderr.isatty():
        with _live(keys) as live:
            yield live
    else:
        yield Lines()


class Quiet:
    """Says what must be said, and shows nothing."""

    def show(self, state: State) -> None:
        pass

    def say(self, text: str) -> None:
        note(text)


class Lines:
    """One line for each change that is worth a line."""

    def __init__(self) -> None:
        self.seen: dict[str, tuple[Count, float]] = {}
        self.told: dict[str, Count] = {}

    def say(self, text: str) -> None:
        note(text)

    def show(self, state: State) -> None:
        now = time.monotonic()
        for calls in (replace(one, typical=0.0) for one in state.calls):
            before, since = self.seen.get(calls.name, (None, now))
            if before != calls:
                self.seen[calls.name] = (calls, now)
                since = now
            over = calls.total and calls.done + calls.failed >= calls.total
            settled = over and (state.has_ended or now - since >= SETTLED)
            if settled and self.told.get(calls.name) != calls:
                self.told[calls.name] = calls
                note(f"{datetime.now():%H:%M:%S} {line(calls)}")


def line(calls: Count) -> str:
    """
    >>> line(Count("align", total=96, done=96, cached=41))
    'align 96/96 (41 from cache)'
    """
    notes = [f"{calls.cached} from cache"] if calls.cached else []
    notes += [f"{calls.failed} failed"] if calls.failed else []
    return f"{calls.name} {calls.done}/{calls.total}" + (f" ({', '.join(notes)})" if notes else "")


@contextmanager
def _live(keys: str) -> Iterator[Screen]:
    from rich.console import Console, Group
    from rich.live import Live

    console = Console(stderr=True, highlight=False)
    with Live(Group(), console=console, refresh_per_second=4, transient=False) as live:

        class Moving:
            def show(self, state: State) -> None:
                live.update(_table(state, keys))

            def say(self, text: str) -> None:
                live.console.print(text, markup=False)

        yield Moving()


def _table(state: State, keys: str) -> Group:
    from rich.console import Group
    from rich.progress_bar import ProgressBar
    from rich.table import Table
    from rich.text import Text

    table = Table.grid(padding=(0, 2))
    for calls in state.calls[-20:]:
        notes = [
            f"{number} {word}"
            for number, word in (
                (calls.cached, "from cache"),
                (calls.running, "running"),
                (calls.queued, "queued"),
            )
            if number
        ]
        table.add_row(
            Text(shown(calls.name)),
            ProgressBar(total=max(calls.total, 1), completed=calls.done, width=20),
            Text(f"{calls.done}/{calls.total}", justify="right"),
            Text("  ".join(notes))
            + Text(f"  {calls.failed} failed" if calls.failed else "", "red"),
        )
    # A table without rows would be an empty line.
    return Group(*([table] if state.calls else []), Text(footer(state, keys), "dim"))


def footer(state: State, keys: str) -> str:
    """One line on where the run stands and which keys it takes."""
    took = duration(elapsed(state))
    if state.has_ended:
        return took
    where = "through SLURM" if state.backend == "slurm" else "on this machine"
    parts = [took, f"{state.total.running} running {where}"]
    parts.append("aborting" if state.aborting else keys)
    return " · ".join(parts)


def elapsed(state: State) -> float:
    """Seconds from the start to the end, or to now."""
    if not state.started:
        return 0.0
    end = datetime.fromisoformat(state.ended) if state.ended else datetime.now(UTC)
    return (end - datetime.fromisoformat(state.started)).total_seconds()


def age(state: State) -> float:
    """Seconds since the run's leader wrote."""
    return (datetime.now(UTC) - datetime.fromisoformat(state.as_of)).total_seconds()


OUT_OF_MEMORY = 80
"""The return code that our hooks give a call which SLURM ended for its memory."""

NO_ROOM = 86
"""The one of a call whose own found no room on the disk."""


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
    """Calls of one name that SLURM ended for one reason are one thing to tell, others each."""
    groups: dict[object, list[Failure]] = {}
    for failure in state.failures:
        attempt = attempt_of(state, failure)
        key = (failure.call, attempt.reason) if attempt and attempt.reason else id(failure)
        groups.setdefault(key, []).append(failure)
    return list(groups.values())


def _summary(state: State, groups: Sequence[Sequence[Failure]]) -> str:
    """How many calls failed of which, and of what where that is the same for all."""
    first = groups[0][0]
    attempt = attempt_of(state, first)
    became = numbers.BECAME.get(attempt.reason if attempt else "", "failed")
    became = became if len(groups) == 1 else "failed"
    if len(state.failures) == 1:
        return f": {called(first.call, first.shard)} {became}" if first.call else ""
    names = {failure.call for failure in state.failures}
    became = became.replace("was ", "were ")
    if len(names) > 1:
        return f": {len(state.failures)} of {state.total.total} calls {became}"
    total = sum(calls.total for calls in state.calls if calls.name.endswith(first.call))
    return f': {len(state.failures)} of {total} "{first.call}" calls {became}'


def _told(state: State, failures: Sequence[Failure], option: str) -> Iterator[str]:
    """What happened to calls that failed alike, and where to look for more."""
    first = failures[0]
    name = called(first.call, first.shard)
    names = ", ".join(called(one.call, one.shard) for one in failures[:5])
    names += f" and {len(failures) - 5} more" if len(failures) > 5 else ""
    why = cause(first, attempt_of(state, first))
    yield f"{names}   {why}" if name else why
    for number, words in enumerate(first.last_words.splitlines()[-5:]):
        yield f"  {'last words' if number == 0 else '          '}   {shown(words)}"
    which = f"--call {name}" if name else "--engine"
    yield f"  look         cromwell-userdb logs {state.run} {which}{option}"
    if first.stderr:
        yield f"  stderr       {first.stderr}"


def attempt_of(state: State, failure: Failure) -> Attempt | None:
    """The numbers of the attempt that a call failed with, where it was ended from outside."""
    found = (one for one in state.attempts if failure.stderr.startswith(f"{one.root}/execution/"))
    return next(found, None)


def _again(state: State, option: str) -> str:
    """How to go on from a failure, with more of what a call had too little of."""
    more: dict[str, str] = {}
    for failure in state.failures:
        attempt = attempt_of(state, failure)
        if failure.return_code == OUT_OF_MEMORY:
            had = attempt.given.memory_mb if attempt else 0
            gigabytes = -(-2 * had // 1024) if had else 8
            more[failure.call] = f" --memory {shown(failure.call)}={gigabytes}GB"
        elif attempt and attempt.reason == "TIMEOUT" and attempt.given.seconds:
            minutes = 2 * attempt.given.seconds // 60
            more[failure.call] = f" --time {shown(failure.call)}={minutes}"
    what = "Again, with more for them" if more else "Again"
    return f"{what}: cromwell-userdb resume {state.run}{''.join(more.values())}{option}"


def heading(state: State, name: str) -> str:
    """
    >>> heading(State(12, "running", "", workflow="variants", engine="Cromwell 92"), "default")
    'run 12 · variants · Cromwell 92 on a private database (default)'
    """
    parts = [
        f"run {state.run}",
        shown(state.workflow),
        f"{state.engine} on a private database ({name})",
    ]
    return " · ".join([*parts, *([state.id[:8]] if state.id else [])])


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
    import json

    return shown(value) if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def cause(failure: Failure, attempt: Attempt | None = None) -> str:
    """Why a call failed, in a line.

    >>> cause(Failure("a", 1, 1, "Job w.a:1:1 exited with return code 2 which has not ...", 2))
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


def called(name: str, shard: int | None) -> str:
    """
    >>> called("align", 17)
    'align[17]'
    """
    return name if shard is None else f"{name}[{shard}]"


@contextmanager
def bytes_bar() -> Iterator[Callable[[int, int], None]]:
    """Progress of a download: a bar on a terminal, else a line for each tenth."""
    if sys.stderr.isatty():
        from rich.console import Console
        from rich.progress import BarColumn, DownloadColumn, Progress, TransferSpeedColumn

        columns = (BarColumn(), DownloadColumn(), TransferSpeedColumn())
        with Progress(*columns, console=Console(stderr=True)) as bar:
            task = bar.add_task("download", total=None)
            yield lambda done, total: bar.update(task, completed=done, total=total or None)
        return
    told = -1

    def tell(done: int, total: int) -> None:
        nonlocal told
        tenth = 10 * done // total if total else -1
        if tenth > told:
            told = tenth
            note(f"{10 * tenth} % of {size(total)}")

    yield tell


def note(text: str) -> None:
    """A line on stderr; nobody reads it where the terminal has gone."""
    with suppress(OSError):
        print(text, file=sys.stderr, flush=True)


def answer(value: Any) -> None:
    """A value as JSON on stdout."""
    import json

    print(json.dumps(value, indent=2, default=str, ensure_ascii=False))
