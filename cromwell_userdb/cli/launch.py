"""From the words of a `run` command to a leader that runs the workflow."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cromwell_userdb import engine as engines
from cromwell_userdb import leader, process, runs, wdl
from cromwell_userdb.cli import files, place, screen, session
from cromwell_userdb.cli.place import Place
from cromwell_userdb.engine import Engine
from cromwell_userdb.errors import UsageError, WdlError
from cromwell_userdb.instance import RunFolder
from cromwell_userdb.record import Identity, make_private, write_json, write_private
from cromwell_userdb.runs import Request, State


@dataclass(frozen=True)
class Order:
    """What is to be run, checked as far as it can be without anything started."""

    where: Place
    engine: Engine
    wdl: str
    workflow: str
    name: str
    inputs: Mapping[str, Any]
    options: Mapping[str, Any]
    labels: Mapping[str, str]
    imports: tuple[Path, ...]
    metadata_output: Path | None
    arguments: tuple[str, ...]


def order(where: Place, **words: Any) -> Order:
    """Read and check everything that a `run` command names; nothing is started.

    Raises UsageError, WdlError: one sentence for each thing that is wrong.
    """
    flags = {
        "engine.kind": words["engine"],
        "engine.cromwell": words["cromwell"],
        "run.backend": words["backend"],
    }
    where = place.require(
        place.with_flags(where, {name: value for name, value in flags.items() if value})
    )
    session.check_overrides(where)
    if words["inputs"] and words["inputs_option"]:
        raise UsageError("Name the inputs once: as the second word, or with -i.")
    source = words["inputs"] or words["inputs_option"]
    inputs = files.read_inputs(source, words["given"])
    engine = session.engine(where)
    workflow = _check(words["wdl"], inputs, words["imports"], engine, source or "--input")
    language = [("-t", words["kind"]), ("-v", words["type_version"])]
    return Order(
        where=where,
        engine=engine,
        wdl=_source(words["wdl"]),
        workflow=workflow,
        name=words["run_name"] or _name(source),
        inputs=inputs,
        options=files.read_mapping(words["options"], "options") if words["options"] else {},
        labels=files.read_labels(words["labels"], words["more_labels"]),
        imports=words["imports"],
        metadata_output=words["metadata_output"],
        arguments=tuple(part for pair in language if pair[1] for part in pair),
    )


def is_url(text: str) -> bool:
    return "://" in text


def _source(text: str) -> str:
    return text if is_url(text) else str(place.absolute(text))


def _name(source: str | None) -> str:
    return Path(source).name.split(".")[0] if source and source != "-" else ""


def _check(
    text: str, inputs: Mapping[str, Any], imports: Sequence[Path], engine: Engine, source: str
) -> str:
    """The workflow's name. What only miniwdl objects to is a warning to a Cromwell."""
    if is_url(text):
        return Path(text).stem
    if not Path(text).is_file():
        raise UsageError(f"{text}: there is no such workflow.")
    try:
        document = wdl.load(text, imports=imports)
    except WdlError as error:
        if engine.kind == "embedded" or wdl.is_certain(error):
            raise
        screen.note(f"{error}\nGoing on: Cromwell may see it otherwise.")
        return Path(text).stem
    if problems := wdl.check_inputs(document, inputs):
        raise UsageError("\n".join(f"{source}: {problem}" for problem in problems))
    return document.name


def launch(what: Order, *, wait: bool, quiet: bool) -> RunFolder:
    """Start the server if need be, write the run's folder, and fork its leader."""
    where = what.where
    executions = session.executions(where)
    say = (lambda line: None) if quiet else screen.note
    with session.connect(where, wait=wait, say=say) as connection:
        session.tables(where, connection, what.engine, say=say)
        snapshot = session.knows_snapshot_isolation(connection)
    folder = runs.new_folder(where.instance)
    request = _request(what, folder)
    _write(what, folder, request, executions, snapshot)
    state = State(
        run=folder.number,
        state=runs.QUEUED,
        as_of=runs.now(),
        workflow=what.workflow,
        name=what.name,
        engine=what.engine.name,
        backend=request.backend,
        started=runs.now(),
        leader=Identity.of(os.getpid()),
    )
    runs.write_state(folder, state)
    task = _task(what, folder, request)
    process.fork_detached(lambda: _lead(task), log=folder.leader_log)
    return folder


def _lead(task: leader.Task) -> None:
    leader.lead(task)


def _request(what: Order, folder: RunFolder) -> Request:
    return Request(
        run=folder.number,
        token=runs.new_token(),
        wdl=what.wdl,
        workflow=what.workflow,
        created=runs.now(),
        cwd=str(session.current_folder() or folder.path),
        backend=session.backend(what.where),
        engine=what.engine.kind,
        engine_version=what.engine.version,
        name=what.name,
        arguments=what.arguments,
        labels=dict(what.labels),
    )


def _write(
    what: Order, folder: RunFolder, request: Request, executions: Path, snapshot: bool
) -> None:
    """Everything the engine reads, and enough to run this once more."""
    runs.write_request(folder, request)
    write_json(folder.inputs, what.inputs)
    write_json(folder.options, what.options)
    write_json(folder.labels, dict(what.labels) | {runs.LABEL: request.token})
    if what.imports:
        files.pack_imports(what.imports, folder.imports)
    if not is_url(what.wdl):
        write_private(folder.path / "workflow.wdl", Path(what.wdl).read_bytes())
    make_private(folder.path / "workflow-logs")
    session.hooks(what.where, folder)
    text = session.conf(what.where, folder, executions, snapshot_isolation=snapshot)
    write_private(folder.conf, text)


def _task(what: Order, folder: RunFolder, request: Request) -> leader.Task:
    arguments: list[str | Path] = [
        "run",
        "-i",
        folder.inputs,
        "-o",
        folder.options,
        "-l",
        folder.labels,
    ]
    if what.imports:
        arguments += ["-p", folder.imports]
    if what.metadata_output:
        arguments += ["-m", place.absolute(str(what.metadata_output))]
    argv = engines.argv(
        what.engine,
        conf=folder.conf,
        socket=what.where.instance.socket,
        arguments=[*arguments, *what.arguments, what.wdl],
        heap_mb=what.where.settings.engine_heap_mb,
    )
    return leader.Task(
        folder=folder,
        request=request,
        argv=argv,
        environment=engines.environment(what.engine, os.environ),
        connect=lambda: session.connect(what.where),
        cancel=lambda jobs: session.cancel(what.where, folder, jobs),
    )
