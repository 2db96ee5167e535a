"""`list`, `status`, `outputs`, `label`: first answers about runs."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

import click

from cromwell_userdb import runs
from cromwell_userdb.attempts import Attempt
from cromwell_userdb.cli import place, screen, standing
from cromwell_userdb.cli.arguments import OnRun, run_argument
from cromwell_userdb.cli.options import COUNT, JSON
from cromwell_userdb.cli.place import Place, require, tilde
from cromwell_userdb.errors import NotRunning, UsageError, UserDBError
from cromwell_userdb.progress import Count
from cromwell_userdb.report import endings, numbers
from cromwell_userdb.report.words import called, duration, moment, plural, shortened, shown, table
from cromwell_userdb.runs import Longest, State


@click.command("list")
@click.option(
    "-n", "--limit", type=COUNT, default=20, show_default=True, help="At most so many runs."
)
@click.option("--all", "everything", is_flag=True, help="All runs.")
@click.option(
    "--state",
    "states",
    multiple=True,
    type=click.Choice(sorted(runs.STATES)),
    help="Runs of this state.",
)
@JSON
@place.options
def list_(
    place: Place, limit: int, everything: bool, states: tuple[str, ...], as_json: bool
) -> None:
    """List runs, the newest first.

    \b
    Examples:
      cromwell-userdb list
      cromwell-userdb list --state failed --json
    """
    found = [state for state in _recent(place) if not states or state.state in states]
    found = found if everything else found[:limit]
    if as_json:
        return screen.answer([runs.as_json(state) for state in found])
    if not found and states:
        return screen.note(f"No run is {' or '.join(states)}.")
    if not found:
        return screen.note(
            f"No runs yet. Start one: cromwell-userdb run{place.option} workflow.wdl"
        )
    print(table(_HEADERS, [_listed(state) for state in found], right="run"))


_HEADERS = ("run", "state", "workflow", "name", "started", "took", "calls", "from cache", "")


def _listed(state: State) -> list[str]:
    total = state.total
    bad = f"  {total.failed} bad" if total.failed else ""
    return [
        str(state.run),
        state.state,
        state.workflow,
        shortened(state.name),
        moment(datetime.fromisoformat(state.started), datetime.now(UTC)) if state.started else "",
        duration(endings.elapsed(state)),
        f"{total.done}/{total.total}{bad}",
        str(total.cached or "–"),
        _remark(state),
    ]


def _remark(state: State) -> str:
    if state.resumed_by:
        return f"resumed as run {state.resumed_by}"
    if state.goes_on:
        return state.note
    if state.state == runs.LOST:
        reason = (state.note.splitlines() or ["lost"])[0][:60]
        return f"{reason}; resume {state.run}"
    return ""


def _recent(where: Place) -> Iterator[State]:
    """Every run that began, its true state found out where its leader died."""
    instance = require(where).instance
    for number in reversed(runs.numbers(instance)):
        folder = instance.run(number)
        try:
            yield standing.of(where, folder)
        except UserDBError as error:
            if folder.engine_log.exists():
                screen.note(str(error))
        except OSError as error:
            words = (error.strerror or str(error)).lower()
            screen.note(f"run {number} is not shown: {tilde(folder.path)} can't be read: {words}.")


@click.command("status", cls=OnRun)
@run_argument(newest=True)
@click.option("--call", metavar="NAME[SHARD]", help="All attempts of this call, in numbers.")
@JSON
@place.options
def status_(place: Place, run: str, call: str | None, as_json: bool) -> None:
    """Show one run, the newest by default: its calls by name.

    \b
    Examples:
      cromwell-userdb status
      cromwell-userdb status 12 --json
      cromwell-userdb status 12 --call align[17]
    """
    folder, state = standing.found(place, run)
    if call:
        return _show_attempts(place, state, call, as_json=as_json)
    if as_json:
        return screen.answer(runs.as_json(state) | {"outputs": runs.read_outputs(folder)})
    print("\n".join(_described(state, place)))


def _show_attempts(where: Place, state: State, call: str, *, as_json: bool) -> None:
    """All attempts of a call whose numbers were kept; raises UsageError where none were."""
    found = [
        one for one in _attempts(where, state) if call in (one.call, numbers.name(one), one.path)
    ]
    if as_json:
        return screen.answer([asdict(one) for one in found])
    if not found:
        known = ", ".join(calls.name for calls in state.calls) or "none"
        raise UsageError(
            f"Nothing is known yet of attempts of {call!r}: numbers come when one has ended, for "
            f"jobs of SLURM and for calls that failed. The calls of run {state.run} are: {known}."
        )
    print(numbers.as_table(found))


def _attempts(where: Place, state: State) -> list[Attempt]:
    """Those of the register, and what only the run's own state has, as from another node."""
    from cromwell_userdb import register
    from cromwell_userdb.cli.session import connect

    own = {one.root: one for one in state.attempts}
    try:
        with connect(where) as connection:
            kept = {one.root: one for one in register.attempts(connection, state.run)}
    except UserDBError:
        kept = {}
    both = {**own, **kept}.values()
    return sorted(both, key=lambda one: (one.call, one.shard or 0, one.attempt))


def _described(state: State, where: Place) -> Iterator[str]:
    parts = [f"run {state.run}", state.workflow, *([state.name] if state.name else [])]
    verb = "aborting" if state.aborting and not state.has_ended else state.state
    lasted = "for" if not state.has_ended else "after"
    parts.append(f"{verb} {lasted} {duration(endings.elapsed(state))}")
    on = state.leader.host if state.leader else ""
    yield shown(" · ".join(parts) + (f" on {on}" if on and not state.has_ended else ""))
    if state.calls:
        yield table(
            ("call", "total", "done", "cache", "running", "queued", "failed", "typical"),
            [_counted(calls, state) for calls in state.calls],
            right="total done cache running queued failed typical",
        )
        yield from _remarks(state, where)
    if state.state in (runs.FAILED, runs.LOST):
        yield ""
        yield endings.ending(state, option=where.option)
    if state.state == runs.QUEUED and state.job:
        yield from _leader(state)
    elif not state.has_ended and endings.age(state) > 30:
        yield f"as of {duration(endings.age(state))} ago"


def _leader(state: State) -> Iterator[str]:
    """Why the job that is to lead a run waits, where SLURM tells."""
    from cromwell_userdb import slurm

    with contextlib.suppress(UserDBError):
        job = slurm.jobs([state.job]).get(state.job)
        if job and job.state == "PENDING":
            yield f"waiting: its leader, job {job.id}, in SLURM ({job.reason})"


def _remarks(state: State, where: Place) -> Iterator[str]:
    """What is worth a look: who waits and why, who takes long, and what was tried again."""
    for one in state.waiting[:5]:
        yield f"waiting: {plural(one.jobs, f'{shown(one.call)} job')} in SLURM ({one.reason})"
    if state.longest and not state.has_ended:
        yield from _lasting(state, state.longest, where)
    if state.attempts:
        yield ""
        yield from numbers.lines(state.attempts)


def _lasting(state: State, one: Longest, where: Place) -> Iterator[str]:
    """The call that runs for longest, where others of its name took half of that, or less."""
    lasts = (datetime.now(UTC) - datetime.fromisoformat(one.since)).total_seconds()
    typical = next((c.typical for c in state.calls if c.name.endswith(one.call)), 0.0)
    if typical and lasts > max(60.0, 2 * typical):
        name = shown(called(one.call, one.shard))
        on = f" on {one.node}" if one.node else ""
        yield (
            f"longest: {name} for {duration(lasts)}{on} (others took {duration(typical)}): "
            f"cromwell-userdb logs {state.run} --call {name}{where.option}"
        )


def _counted(calls: Count, state: State) -> list[str]:
    """A call's numbers; jobs that wait in SLURM are queued for people, if not for Cromwell."""
    waits = sum(one.jobs for one in state.waiting if calls.name.endswith(one.call))
    waits = min(waits, calls.running)
    counts = (calls.total, calls.done, calls.cached, calls.running - waits, calls.queued + waits)
    typical = duration(calls.typical) if calls.typical else "–"
    return [calls.name, *(str(number or "–") for number in (*counts, calls.failed)), typical]


@click.command("outputs", cls=OnRun)
@run_argument(newest=True)
@JSON
@place.options
def outputs_(place: Place, run: str, as_json: bool) -> None:
    """Show what a run produced, the newest by default.

    \b
    Examples:
      cromwell-userdb outputs
      cromwell-userdb outputs 12 --json
    """
    folder, state = standing.found(place, run)
    outputs = runs.read_outputs(folder)
    if as_json:
        return screen.answer(outputs or {})
    if outputs:
        print(endings.outputs(outputs))
        if gone := _gone(runs.request_of(folder).executions, outputs):
            screen.note(f"{plural(gone, 'file')} of these {'is' if gone == 1 else 'are'} gone.")
    elif state.state == runs.SUCCEEDED:
        screen.note(f"run {state.run} succeeded; its workflow has no outputs.")
    else:
        became = {runs.FAILED: "failed", runs.ABORTED: "was aborted"}
        how = became.get(state.state, f"is {state.state}")
        screen.note(f"run {state.run} has no outputs: it {how}.")


def _gone(executions: str, outputs: Any) -> int:
    """How many files below the run's executions the outputs name, and nobody finds."""
    if isinstance(outputs, dict | list):
        parts = outputs.values() if isinstance(outputs, dict) else outputs
        return sum(_gone(executions, part) for part in parts)
    inside = isinstance(outputs, str) and executions and outputs.startswith(f"{executions}/")
    return int(bool(inside) and not os.path.lexists(outputs))


@click.command("label", cls=OnRun)
@run_argument(newest=False)
@click.argument("labels", nargs=-1, metavar="[KEY=VALUE]...")
@JSON
@place.options
def label_(place: Place, run: str, labels: tuple[str, ...], as_json: bool) -> None:
    """Show a run's labels, or set some.

    \b
    Examples:
      cromwell-userdb label 12
      cromwell-userdb label 12 cohort=7 paper=figure-2
    """
    from cromwell_userdb import workflows
    from cromwell_userdb.cli.session import connect
    from cromwell_userdb.files import read_labels

    _, state = standing.found(place, run)
    wanted = read_labels(None, labels)
    if not state.id:
        raise NotRunning(f"run {state.run} never reached its engine, which keeps the labels.")
    with connect(place) as connection:
        for key, value in wanted.items():
            workflows.set_label(connection, state.id, key, value)
        known = workflows.labels(connection, state.id)
    known.pop(runs.LABEL, None)
    if as_json:
        return screen.answer(known)
    print("\n".join(f"{shown(key)}={shown(value)}" for key, value in sorted(known.items())))
