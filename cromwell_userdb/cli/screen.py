"""What a run looks like while it goes on: a table that moves, or lines."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, Protocol

from cromwell_userdb.progress import Count
from cromwell_userdb.report import endings
from cromwell_userdb.report.words import duration, shown, size
from cromwell_userdb.runs import State

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
    took = duration(endings.elapsed(state))
    if state.has_ended:
        return took
    where = "through SLURM" if state.backend == "slurm" else "on this machine"
    parts = [took, f"{state.total.running} running {where}"]
    parts.append("aborting" if state.aborting else keys)
    return " · ".join(parts)


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


@contextmanager
def spinner() -> Iterator[Callable[[str], None]]:
    """Where work is whose end nobody knows: a line that moves, with the time it takes, or lines."""
    if not sys.stderr.isatty():
        yield note
        return
    from rich.console import Console
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = (SpinnerColumn(), TextColumn("{task.description}", markup=False))
    console = Console(stderr=True, highlight=False)
    with Progress(*columns, TimeElapsedColumn(), console=console, transient=True) as bar:
        task = bar.add_task("looking", total=None)

        def say(words: str) -> None:
            bar.console.print(words, markup=False)
            bar.update(task, description=words)

        yield say


def note(text: str) -> None:
    """A line on stderr; nobody reads it where the terminal has gone."""
    with suppress(OSError):
        print(text, file=sys.stderr, flush=True)


def answer(value: Any) -> None:
    """A value as JSON on stdout."""
    import json

    print(json.dumps(value, indent=2, default=str, ensure_ascii=False))
