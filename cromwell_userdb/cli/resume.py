"""`resume`: a new run that finishes an old one, with its results and the jobs it still has."""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from cromwell_userdb import adoption, runs
from cromwell_userdb.adoption import Overrides
from cromwell_userdb.cli import (
    here,
    launch,
    screen,
    session,
    standing,
    submit,
    successor,
    wishes,
)
from cromwell_userdb.cli import place as places
from cromwell_userdb.cli.arguments import OnRun, run_argument
from cromwell_userdb.cli.follow import Interrupts, conclude, follow, tell_detached
from cromwell_userdb.cli.options import (
    launched_options,
    leader_flags,
    leader_options,
    slurm_options,
)
from cromwell_userdb.cli.place import Place, require
from cromwell_userdb.errors import Held, NotRunning, UsageError, WdlError
from cromwell_userdb.instance import RunFolder
from cromwell_userdb.record import read_json
from cromwell_userdb.runs import Request, State


@click.command("resume", cls=OnRun)
@run_argument(newest=True)
@click.option("--memory", multiple=True, metavar="CALL=8GB", help="More memory for a call.")
@click.option("--time", "times", multiple=True, metavar="CALL=TIME", help="More time for a call.")
@click.option("--cpu", "cores", multiple=True, metavar="CALL=4", help="More cores for a call.")
@click.option(
    "--orphans",
    type=click.Choice(["wait", "cancel", "leave"]),
    default="cancel",
    show_default=True,
    help="For old jobs that fit no call once the run has succeeded.",
)
@slurm_options
@click.option("--submit", "as_job", is_flag=True, help="From a SLURM job of its own, as submit.")
@leader_options
@launched_options
@places.options
def resume_(
    place: Place,
    run: str,
    memory: tuple[str, ...],
    times: tuple[str, ...],
    cores: tuple[str, ...],
    orphans: str,
    as_job: bool,
    on_limit: str,
    wait: bool,
    detach: bool,
    quiet: bool,
    as_json: bool,
    **words: Any,
) -> None:
    """Finish a run that died, was stopped, failed or was aborted; the newest by default.

    It becomes a new run of the same workflow and inputs. What was finished is not done again,
    and jobs that still run or wait are taken up, each for the call it was started for.

    \b
    Examples:
      cromwell-userdb resume 12
      cromwell-userdb resume 12 --memory align=8GB
      cromwell-userdb resume 12 --submit
    """
    instance = require(place).instance
    old = newest(place, instance.run(runs.find(instance, run)), quiet=quiet)
    overrides = adoption.read_overrides(memory, times, cores)
    flags = launch.slurm_flags(words) | leader_flags(words)
    wish = wished(place, old, overrides, flags=flags, orphans=orphans, quiet=quiet)
    if as_job:
        folder, ahead = submitted(wish, on_limit=on_limit)
        return submit.tell(wish.where, folder, ahead, as_json=as_json)
    here.check_run(wish.where)
    with Interrupts() as interrupts:
        folder = launched(wish, wait=wait)
        if detach:
            tell_detached(folder, place, as_json=as_json)
        else:
            state = follow(folder, place, interrupts, quiet=quiet)
            conclude(folder, state, place, as_json=as_json)


def newest(where: Place, folder: RunFolder, *, quiet: bool) -> RunFolder:
    """The run to go on from: the one that is meant, or what resumed it already.

    Raises NotRunning where there is nothing to do, Held where somebody is still at it.
    """
    asked = folder.number
    folder = runs.newest(folder)
    state = standing.of(where, folder)
    name = f"run {asked}"
    if folder.number != asked:
        name += f" was resumed as run {folder.number}, which"
    if state.state == runs.SUCCEEDED:
        raise NotRunning(f"{name} has succeeded: there is nothing left to do.")
    if not state.has_ended:
        raise Held(f"{name} {_still_led(state, where)}")
    if folder.number != asked and not quiet:
        screen.note(f"{name} {state.state}; going on from there.")
    return folder


def _still_led(state: State, where: Place) -> str:
    follow = f"cromwell-userdb attach {state.run}{where.option}"
    led = [who for who in (state.leader, state.engine_process) if who and who.is_alive]
    if led or state.state == runs.QUEUED:
        return f"goes on: {follow} follows it."
    host = state.leader.host if state.leader else "another node"
    return (
        f"is led on {host}, and whether it still lives can't be seen from here. Follow it "
        f"({follow}), or resume it on {host}."
    )


@dataclass(frozen=True)
class Wish:
    """A run to go on with, in the place and with the settings that it is to have now."""

    where: Place
    old: RunFolder
    overrides: Overrides
    orphans: str
    quiet: bool


def wished(
    where: Place,
    old: RunFolder,
    overrides: Overrides,
    *,
    flags: Mapping[str, Any],
    orphans: str,
    quiet: bool,
) -> Wish:
    """Check what is asked for, as far as that can be without anything started."""
    request = runs.request_of(old)
    _check_calls(old, overrides)
    if request.backend == "local" and any("time" in asked for asked in overrides.values()):
        raise UsageError("--time is for SLURM jobs: calls on this machine have no time limit.")
    given = {name: value for name, value in flags.items() if value}
    before = request.settings.get("slurm.cluster", "")
    if request.backend == "slurm" and given.get("slurm.cluster", before) != before:
        raise UsageError(
            f"run {old.number} has its jobs on {before or 'the local cluster'}: "
            "it can't be resumed elsewhere."
        )
    pinned = {"run.backend": request.backend, "engine.kind": request.engine}
    where = require(places.as_requested(where, request.settings, given | pinned))
    if given:
        launch.check_slurm(where)
    if request.backend == "slurm" and (given or overrides):
        _check_wishes(where, old, request, adoption.merged(request.overrides, overrides))
    return Wish(where, old, overrides, orphans, quiet)


def _check_wishes(where: Place, old: RunFolder, request: Request, overrides: Overrides) -> None:
    """Refuse what SLURM would of the tasks now; without the workflow that is left to SLURM."""
    if launch.is_url(request.wdl):
        return
    from cromwell_userdb import wdl

    try:
        document = wdl.load(
            successor.workflow(old, request, quiet=True),
            imports=[old.imports] if old.imports.exists() else [],
            network=where.settings.engine_network_imports,
            kept=launch.fetched(old),
        )
    except WdlError:
        return
    inputs = read_json(old.inputs) or {}
    named = {call.partition("[")[0] for call in overrides}
    sure = wdl.wishes(document.workflow, inputs)
    perhaps = wdl.wishes(document.workflow, inputs, perhaps=True)
    wishes.check(
        where.resolved,
        [*sure, *(one for one in perhaps if one.call in named)],
        read_json(old.options) or {},
        overrides=overrides,
    )


def _check_calls(folder: RunFolder, overrides: Overrides) -> None:
    """Refuse what is neither a call that the run came to, nor a word of its workflow."""
    state = runs.read_state(folder)
    known = [calls.name.rpartition(".")[2] for calls in state.calls] if state else []
    copies = [folder.path / "workflow.wdl", *(folder.path / "sources").rglob("*.wdl")]
    texts = [path.read_text(errors="replace") for path in copies if path.exists()]
    for call in overrides:
        name = re.sub(r"\[\d+\]$", "", call)
        if name not in known and not any(re.search(rf"\b{name}\b", text) for text in texts):
            there = ", ".join(known) or "none yet"
            raise UsageError(f"run {folder.number} has no call {name!r}; it has {there}.")


def launched(wish: Wish, *, wait: bool) -> RunFolder:
    """Start the server if need be, enter the new run, and fork its leader."""
    entered = functools.partial(_enter, wish, on_limit="abort")
    engine = session.engine(wish.where)
    return launch.start(wish.where, engine, entered, wait=wait, quiet=wish.quiet)


def submitted(wish: Wish, *, on_limit: str) -> tuple[RunFolder, list[str]]:
    """Queue a leader for the new run; returns the leaders of this instance ahead of it, too."""
    submit.check(wish.where)
    session.engine(wish.where)
    return submit.queue(wish.where, _enter(wish, on_limit=on_limit))


def _enter(wish: Wish, *, on_limit: str) -> RunFolder:
    return successor.enter(
        wish.where,
        wish.old,
        overrides=wish.overrides,
        orphans=wish.orphans,
        on_limit=on_limit,
        quiet=wish.quiet,
    )


def lost_twin(what: launch.Order) -> State | None:
    """A lost run of the very workflow and inputs that are about to be run, the newest of them."""
    for state in runs.recent(what.where.instance, limit=20):
        folder = what.where.instance.run(state.run)
        if state.workflow == what.workflow and not state.resumed_by and _is_twin(folder, what):
            state = standing.of(what.where, folder)
            return state if state.state == runs.LOST else None
    return None


def _is_twin(folder: RunFolder, what: launch.Order) -> bool:
    wdl: Mapping[str, Any] = read_json(folder.request) or {}
    return (
        wdl.get("wdl") == what.wdl
        and read_json(folder.inputs) == dict(what.inputs)
        and (
            launch.is_url(what.wdl)
            or successor.is_same(Path(what.wdl), folder.path / "workflow.wdl")
        )
    )
