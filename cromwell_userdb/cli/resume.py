"""`resume`: a new run that finishes an old one, with its results and the jobs it still has."""

from __future__ import annotations

import os
import re
import shutil
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from cromwell_userdb import adoption, leader, lease, metadata, process, runs, slurm
from cromwell_userdb.adoption import Dead, Overrides
from cromwell_userdb.cli import launch, screen, session, standing
from cromwell_userdb.cli import place as places
from cromwell_userdb.cli.arguments import OnRun, run_argument
from cromwell_userdb.cli.place import Place, require, tilde
from cromwell_userdb.cli.run import Interrupts, conclude, follow, slurm_options, tell_detached
from cromwell_userdb.errors import Held, NotRunning, UsageError, UserDBError
from cromwell_userdb.instance import RunFolder
from cromwell_userdb.record import Identity, read_json, write_json, write_private
from cromwell_userdb.report.words import plural
from cromwell_userdb.runs import Request, State

ORPHANS_PATIENCE = 24 * 3600.0
"""Seconds that ``--orphans wait`` waits, after a run's own end, for jobs it had no use for."""

ABORT_PATIENCE = 60.0
"""Seconds in which SLURM is given a look at the end of jobs that were cancelled."""


@click.command("resume", cls=OnRun)
@run_argument(newest=True)
@click.option("--memory", multiple=True, metavar="CALL=8GB", help="More memory for a call.")
@click.option("--time", "times", multiple=True, metavar="CALL=TIME", help="More time for a call.")
@click.option(
    "--orphans",
    type=click.Choice(["wait", "cancel", "leave"]),
    default="cancel",
    show_default=True,
    help="For old jobs that fit no call once the run has succeeded.",
)
@slurm_options
@click.option("--wait", is_flag=True, help="Wait while the database is served elsewhere.")
@click.option("--detach", is_flag=True, help="Give back the terminal at once.")
@click.option("--quiet", is_flag=True, help="Show only how it ends.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
@places.options
def resume_(
    place: Place,
    run: str,
    memory: tuple[str, ...],
    times: tuple[str, ...],
    orphans: str,
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
    """
    instance = require(place).instance
    old = newest(place, instance.run(runs.find(instance, run)), quiet=quiet)
    overrides = adoption.read_overrides(memory, times)
    flags = {name: value for name, value in launch.slurm_flags(words).items() if value}
    with Interrupts() as interrupts:
        folder = launched(
            place, old, overrides, flags=flags, orphans=orphans, wait=wait, quiet=quiet
        )
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


def launched(
    where: Place,
    old: RunFolder,
    overrides: Overrides,
    *,
    flags: Mapping[str, Any],
    orphans: str,
    wait: bool,
    quiet: bool,
) -> RunFolder:
    """Start the server if need be, enter the new run, and fork its leader."""
    request = _request(old)
    _check_calls(old, overrides)
    pinned = {"run.backend": request.backend, "engine.kind": request.engine}
    where = require(places.with_flags(where, {**request.settings, **flags, **pinned}))
    engine = session.engine(where)
    say = (lambda line: None) if quiet else screen.note
    with session.connect(where, wait=wait, say=say) as connection:
        session.tables(where, connection, engine, say=say)
        snapshot = session.knows_snapshot_isolation(connection)
    folder = enter(where, old, overrides=overrides, orphans=orphans, quiet=quiet)
    task = launch.begin(where, folder, engine, snapshot_isolation=snapshot)
    process.fork_detached(lambda: leader.lead(task), log=folder.leader_log)
    return folder


def _request(folder: RunFolder) -> Request:
    request = runs.read_request(folder)
    if request is None:
        raise NotRunning(f"run {folder.number} was never requested: start it anew with run.")
    return request


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


def enter(
    where: Place,
    old: RunFolder,
    *,
    overrides: Overrides | None = None,
    orphans: str = "cancel",
    quiet: bool = True,
) -> RunFolder:
    """Give the new run its number and its folder, and have the old one point to it.

    Raises Held where another command was quicker, UsageError where the workflow has changed
    and no whole copy of it was kept.
    """
    with lease.exclusive(where.instance.root / "resume.lock", 60, doing="resuming a run"):
        request, state = _request(old), runs.read_state(old)
        if state and state.resumed_by and runs.read_state(old.sibling(state.resumed_by)):
            raise Held(f"run {old.number} was just resumed as run {state.resumed_by}.")
        wdl = _workflow(old, request, quiet=quiet)
        folder = runs.new_folder(where.instance)
        _copy(old, folder)
        new = replace(
            request,
            run=folder.number,
            token=runs.new_token(),
            created=runs.now(),
            wdl=_moved(wdl, old, folder),
            resumes=old.number,
            overrides={call: dict(asked) for call, asked in (overrides or {}).items()},
            orphans=orphans,
            settings=where.settings.by_name(),
            executions=str(session.executions_place(where)),
        )
        labels = {**new.labels, runs.LABEL: new.token}
        write_json(folder.labels, labels)
        runs.write_request(folder, new)
        runs.write_state(folder, _begun(new, state))
        if state:
            runs.write_state(old, replace(state, resumed_by=folder.number))
    return folder


def _begun(request: Request, before: State | None) -> State:
    return State(
        run=request.run,
        state=runs.QUEUED,
        as_of=runs.now(),
        workflow=request.workflow,
        name=request.name,
        engine=before.engine if before else request.engine,
        backend=request.backend,
        started=request.created,
        leader=Identity.of(os.getpid()),
        resumes=request.resumes,
    )


def _copy(old: RunFolder, new: RunFolder) -> None:
    """What the engine reads, and the copies of what it was made from."""
    for path in (old.inputs, old.options, old.imports, old.path / "workflow.wdl"):
        if path.exists():
            write_private(new.path / path.name, path.read_bytes())
    if (old.path / "sources").is_dir():
        shutil.copytree(old.path / "sources", new.path / "sources")


def _workflow(folder: RunFolder, request: Request, *, quiet: bool) -> str:
    """The workflow to run: the one that was asked for, or its copy where it has changed since."""
    if launch.is_url(request.wdl):
        return request.wdl
    copies = request.sources or {request.wdl: "workflow.wdl"}
    changed = [
        path for path, copy in copies.items() if not _is_same(Path(path), folder.path / copy)
    ]
    if not changed:
        return request.wdl
    copy = folder.path / copies[request.wdl]
    if not copy.exists() or (not request.sources and _imports(copy)):
        raise UsageError(
            f"{tilde(changed[0])} has changed since run {folder.number}, and not all that it "
            "imports was kept. Put it back, or start anew with run."
        )
    if not quiet:
        screen.note(
            f"{tilde(changed[0])} has changed since run {folder.number}: going on with the copy "
            "made then."
        )
    return str(copy)


def _is_same(path: Path, copy: Path) -> bool:
    try:
        return path.read_bytes() == copy.read_bytes()
    except OSError:
        return False


def _imports(wdl: Path) -> bool:
    return bool(re.search(r"(?m)^\s*import\s", wdl.read_text(errors="replace")))


def _moved(path: str, old: RunFolder, new: RunFolder) -> str:
    """A path below the old run's folder, as it is below the new one's."""
    return str(new.path / Path(path).relative_to(old.path)) if _below(path, old) else path


def _below(path: str, folder: RunFolder) -> bool:
    return Path(path).is_relative_to(folder.path)


def equip(where: Place, folder: RunFolder, request: Request) -> None:
    """Tell the hooks of a resumed run where to look, what not to take up, what to ask for."""
    dead = dead_runs(folder, request)
    calls: list[metadata.Call] = []
    with session.connect(where) as connection:
        for one in dead:
            if one.id:
                calls += metadata.calls(connection, one.id)
    root = session.executions(where)
    write_private(folder.hooks / "adopts", adoption.adopts_text(root, dead))
    write_private(folder.hooks / "failed", adoption.failed_text(calls))
    write_private(folder.hooks / "overrides", adoption.overrides_text(request.overrides))


def dead_runs(folder: RunFolder, request: Request) -> list[Dead]:
    """The run that this one resumes, and what that one resumed."""
    if request.resumes is None:
        return []
    return adoption.lineage(folder.sibling(request.resumes))


def tidy(where: Place, folder: RunFolder, request: Request, state: State) -> str:
    """See to the old jobs that a resumed run had no use for; a word on what was done.

    While something may still be resumed, they are left.
    """
    dead = dead_runs(folder, request)
    policy = "cancel" if state.state == runs.ABORTED else request.orphans
    if not dead or policy == "leave" or state.state not in (runs.SUCCEEDED, runs.ABORTED):
        return ""
    try:
        left = jobs_of(where, request, dead, state)
        told = f"{plural(len(left), 'job')} of an earlier run that fitted no call"
        if left and policy == "cancel":
            session.cancel(where, folder, left)
            return f"{told}: cancelled"
        deadline = time.monotonic() + ORPHANS_PATIENCE
        while left and time.monotonic() < deadline:
            time.sleep(10)
            left = jobs_of(where, request, dead, state)
    except UserDBError as error:
        return f"jobs of an earlier run may be left: {error}"
    return f"{told}: left" if left else ""


def end_jobs(where: Place, folder: RunFolder, state: State, *, wait: bool) -> State:
    """Cancel what a lost run has in the queue, and call it aborted from then on."""
    request = _request(folder)
    where = places.with_flags(where, {"run.backend": request.backend})
    dead = adoption.lineage(folder)
    nobody = replace(state, jobs=())
    left = jobs_of(where, request, dead, nobody)
    session.cancel(where, folder, left)
    deadline = time.monotonic() + ABORT_PATIENCE
    while wait and jobs_of(where, request, dead, nobody) and time.monotonic() < deadline:
        time.sleep(1)
    note = f"its engine had died; {plural(len(left), 'job')} cancelled"
    state = replace(state, state=runs.ABORTED, note=note, as_of=runs.now())
    runs.write_state(folder, state)
    return state


def jobs_of(where: Place, request: Request, dead: Sequence[Dead], state: State) -> list[str]:
    """Jobs that dead runs still have, but for those that `state` has taken up."""
    if request.backend == "slurm":
        jobs = slurm.folders_of_jobs()
    else:
        roots = [one.workflow for one in dead if one.workflow]
        jobs = [job for root in roots for job in adoption.sessions_below(root)]
    return adoption.leftovers(jobs, dead, set(state.jobs))


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
        and (launch.is_url(what.wdl) or _is_same(Path(what.wdl), folder.path / "workflow.wdl"))
    )
