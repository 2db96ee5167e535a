"""Verdicts on runs: Cromwell's last word, or proof that there will be none, and what failed."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from cromwell_userdb import database, metadata, process, pulled, register, runs, workflows
from cromwell_userdb.errors import NoSpace, UserDBError
from cromwell_userdb.instance import RunFolder
from cromwell_userdb.record import write_json
from cromwell_userdb.runs import State

VERDICTS = {"Succeeded": runs.SUCCEEDED, "Failed": runs.FAILED, "Aborted": runs.ABORTED}
"""Cromwell's last words on a workflow, and ours."""


def describe_failures(
    connection: database.Connection, workflow: str, pulls: Sequence[pulled.Pull] = ()
) -> tuple[runs.Failure, ...]:
    """Each failed call of a workflow, sub-workflows too, with the last lines of its stderr.

    `pulls` say why an image is not here, which engines put in other words.
    """
    return tuple(
        runs.Failure(
            call=failure.call,
            shard=failure.shard,
            within=failure.within,
            attempt=failure.attempt,
            message=pulled.explained(failure.message, pulls),
            return_code=failure.return_code,
            stderr=failure.stderr or "",
            last_words=process.tail(Path(failure.stderr), lines=5) if failure.stderr else "",
        )
        for failure in metadata.failures(connection, workflow)
    )


def reconcile(
    folder: RunFolder,
    state: State,
    connect: Callable[[], database.Connection],
    job_ended: Callable[[str], bool | None],
) -> State:
    """The true state of a run whose leader is proven dead: Cromwell's verdict, or *lost*."""
    if not runs.is_orphaned(state, job_ended):
        return state
    request = runs.read_request(folder)
    if state.state == runs.QUEUED and folder.abort.exists():
        withdrawn = replace(
            state, state=runs.ABORTED, note="before it began", as_of=runs.now(), ended=runs.now()
        )
        runs.write_state(folder, withdrawn)
        return withdrawn
    why = _why_lost(folder, state)
    try:
        connection = connect()
    except NoSpace as error:
        return runs.as_lost(replace(state, note=str(error)), why)
    except UserDBError:
        return runs.as_lost(state, why)
    with connection:
        workflow = state.id or (
            workflows.find_by_label(connection, runs.LABEL, request.token) if request else None
        )
        known = replace(state, id=workflow or "", as_of=runs.now(), ended=runs.now())
        known = _judged(connection, folder, known) or runs.as_lost(known, why)
        runs.write_state(folder, known)
        if request:
            register.save(connection, request, known)
    return known


def _why_lost(folder: RunFolder, state: State) -> str:
    """What died; its leader's last words, where that was before the engine began."""
    if state.engine_process:
        return "its engine died"
    # Of a traceback only what it is about.
    said = re.sub(r"^\w+(\.\w+)+: ", "", process.tail(folder.leader_log, lines=1))
    return f"its leader ended before its engine began{said and f': {said}'}"


def _judged(connection: database.Connection, folder: RunFolder, state: State) -> State | None:
    """The state with Cromwell's verdict and what belongs to it; None where there is no verdict."""
    verdict = VERDICTS.get((workflows.status(connection, state.id) if state.id else "") or "")
    if verdict is None:
        return None
    write_json(folder.outputs, metadata.outputs(connection, state.id))
    failures = describe_failures(connection, state.id) if verdict == runs.FAILED else ()
    found = workflows.get(connection, state.id)
    ended = runs.moment(found.ended) if found and found.ended else state.ended
    return replace(state, state=verdict, failures=failures, ended=ended)


def recover(folder: RunFolder, connect: Callable[[], database.Connection]) -> State | None:
    """The state of a run whose file was lost or spoiled, from the database: None without an end."""
    request = runs.read_request(folder)
    if request is None:
        return None
    with connect() as connection:
        workflow = workflows.find_by_label(connection, runs.LABEL, request.token)
        found = workflows.get(connection, workflow) if workflow else None
        if found is None:
            return None
        state = State(
            run=folder.number,
            state=runs.RUNNING,
            as_of=runs.now(),
            id=found.id,
            workflow=request.workflow,
            name=request.name,
            started=request.created,
            ended=runs.now(),
            engine=request.engine,
            backend=request.backend,
            calls=tuple(metadata.counts(connection, found.id)),
            resumes=request.resumes,
        )
        known = _judged(connection, folder, state)
        if known:
            runs.write_state(folder, known)
        return known
