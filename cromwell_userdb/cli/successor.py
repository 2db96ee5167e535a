"""The run that goes on with another: its number, its folder, and what it takes over."""

from __future__ import annotations

import os
import re
import shutil
from dataclasses import replace
from pathlib import Path

from cromwell_userdb import adoption, locks, runs
from cromwell_userdb.adoption import Overrides
from cromwell_userdb.cli import executions, launch, screen
from cromwell_userdb.cli.place import Place, tilde
from cromwell_userdb.errors import Held, UsageError
from cromwell_userdb.instance import RunFolder
from cromwell_userdb.record import Identity, write_json, write_private
from cromwell_userdb.runs import Request, State


def enter(
    where: Place,
    old: RunFolder,
    *,
    overrides: Overrides | None = None,
    orphans: str | None = None,
    on_limit: str | None = None,
    quiet: bool = True,
) -> RunFolder:
    """Give the new run its number and its folder, and have the old one point to it.

    What is not said is as it was for the old run. Raises Held where another command was
    quicker, UsageError where the workflow has changed and no whole copy of it was kept.
    """
    with locks.exclusive(where.instance.root / "resume.lock", 60, doing="resuming a run"):
        request, state = runs.request_of(old), runs.read_state(old)
        if state and state.resumed_by and runs.read_state(old.sibling(state.resumed_by)):
            raise Held(f"run {old.number} was just resumed as run {state.resumed_by}.")
        wdl = workflow(old, request, quiet=quiet)
        folder = runs.new_folder(where.instance)
        _copy(old, folder)
        new = replace(
            request,
            run=folder.number,
            token=runs.new_token(),
            created=runs.now(),
            wdl=_moved(wdl, old, folder),
            resumes=old.number,
            overrides=adoption.merged(request.overrides, overrides or {}),
            orphans=orphans or request.orphans,
            on_limit=on_limit or request.on_limit,
            settings=where.settings.by_name(),
            executions=str(executions.place(where)),
        )
        labels = {**new.labels, runs.LABEL: new.token}
        write_json(folder.labels, labels)
        runs.write_request(folder, new)
        runs.write_state(folder, _begun(new, state))
        if state:
            runs.write_state(old, replace(state, resumed_by=folder.number))
    return folder


def withdraw(folder: RunFolder) -> None:
    """Take back a run that never began; the one that it was to go on with can be resumed again."""
    request = runs.read_request(folder)
    runs.remove_empty(folder)
    if request and request.resumes is not None:
        old = folder.sibling(request.resumes)
        if state := runs.read_state(old):
            runs.write_state(old, replace(state, resumed_by=None))


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
    for path in (old.inputs, old.options, old.images, old.imports, old.path / "workflow.wdl"):
        if path.exists():
            write_private(new.path / path.name, path.read_bytes())
    if (old.path / "sources").is_dir():
        shutil.copytree(old.path / "sources", new.path / "sources")


def workflow(folder: RunFolder, request: Request, *, quiet: bool) -> str:
    """The workflow to run: the one that was asked for, or its copy where it has changed since."""
    if launch.is_url(request.wdl):
        return request.wdl
    copies = request.sources or {request.wdl: "workflow.wdl"}
    changed = [path for path, copy in copies.items() if not is_same(Path(path), folder.path / copy)]
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


def is_same(path: Path, copy: Path) -> bool:
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
