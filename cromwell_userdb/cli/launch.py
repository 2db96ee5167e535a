"""From the words of a `run` command to a leader that runs the workflow."""

from __future__ import annotations

import functools
import os
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cromwell_userdb import engine as engines
from cromwell_userdb import files, hooks, leader, runs
from cromwell_userdb.cli import (
    containers,
    executions,
    here,
    leftovers,
    outfit,
    place,
    screen,
    session,
    sources,
    wishes,
)
from cromwell_userdb.cli.place import Place
from cromwell_userdb.cli.sources import Reader
from cromwell_userdb.cli.sources import is_url as is_url
from cromwell_userdb.engine import Engine
from cromwell_userdb.errors import NotFound, UsageError, WdlError
from cromwell_userdb.hooks import check_extra
from cromwell_userdb.instance import RunFolder
from cromwell_userdb.options import remarks
from cromwell_userdb.reading import Source
from cromwell_userdb.record import Identity, make_private, write_json, write_private
from cromwell_userdb.runs import Request, State
from cromwell_userdb.settings import Settings

_SLURM = ["cluster", "partition", "account", "qos", "time"]
_SLURM += ["constraint", "reservation", "exclude", "extra"]


LONGEST_NAME = 255
"""Characters of a run's name, as of a label."""


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
    sources: tuple[Path, ...]
    fetched: Mapping[str, str]
    metadata_output: Path | None
    arguments: tuple[str, ...]
    images: tuple[str, ...] | None = None


def order(
    where: Place,
    *,
    more_flags: Mapping[str, Any],
    begun: tuple[Source, Reader] | None = None,
    **words: Any,
) -> Order:
    """Read and check everything that a `run` command names; nothing is started.

    `begun` is the reading of the workflow and its inputs, where somebody has begun with it.

    Raises UsageError, WdlError: one sentence for each thing that is wrong.
    """
    source, read = begun or sources.begin(where, words)
    place.spelt(str(here.current_folder() or ""))
    flags = {
        "engine.kind": words["engine"] or ("cromwell" if words["cromwell"] else None),
        "engine.cromwell": words["cromwell"],
        **slurm_flags(words),
        **more_flags,
    }
    where = place.require(
        place.with_flags(where, {name: value for name, value in flags.items() if value})
    )
    outfit.check_overrides(where)
    check_slurm(where)
    if here.backend(where) == "local" and any(slurm_flags(words).values()):
        screen.note(
            "Calls run on this machine, and what --slurm-... asks for changes nothing:"
            " --backend slurm makes jobs of them."
        )
    if words["inputs"] and words["inputs_option"]:
        raise UsageError("Name the inputs once: as the second word, or with -i.")
    engine = session.engine(where)
    options = _options(words["options"], where.settings)
    found = read()
    for remark in remarks(options, engine=engine.kind):
        screen.note(remark)
    if found.objection:
        # To a Cromwell it is but a warning.
        if engine.kind == "embedded":
            raise WdlError(found.objection)
        screen.note(f"{found.objection}\nGoing on: Cromwell may see it otherwise.")
    else:
        containers.check(where, found.wishes, options)
        backend = here.backend(where)
        wishes.check_engine(where.settings, found.wishes, engine=engine.kind, backend=backend)
        if backend == "slurm":
            wishes.check(where.resolved, found.wishes, options)
    named = words["wdl"]
    language = [("-t", words["kind"]), ("-v", words["type_version"])]
    return Order(
        where=where,
        engine=engine,
        wdl=named if is_url(named) and engine.kind == "cromwell" else str(source.path),
        workflow=found.workflow,
        name=_checked_name(words["run_name"]) or _name(source.inputs),
        inputs=found.inputs,
        options=options,
        labels=files.read_labels(words["labels"], words["more_labels"]),
        imports=words["imports"],
        sources=found.files,
        fetched=found.fetched,
        metadata_output=_metadata_output(words["metadata_output"]),
        arguments=tuple(part for pair in language if pair[1] for part in pair),
        images=containers.named(found.wishes, options),
    )


def _options(named: str | None, settings: Settings) -> dict[str, Any]:
    """The run's options, with those that settings stand for where it has none of its own."""
    given = files.read_mapping(named, "options") if named else {}
    factor = settings.run_memory_factor
    return {"memory_retry_multiplier": min(factor, 99.0), **given} if factor > 1 else given


def _metadata_output(named: Path | None) -> Path | None:
    """Where Cromwell is to write metadata in the end; UsageError where it never could."""
    if named is None:
        return None
    path = place.absolute(str(named))
    folder = next(part for part in path.parents if part.exists())
    if path.is_dir() or not folder.is_dir() or not os.access(folder, os.W_OK):
        raise UsageError(f"-m {named}: no file can be written there.")
    return path


def check_slurm(where: Place) -> None:
    """Refuse what the settings ask of SLURM and it would refuse later, call for call."""
    check_extra(where.settings.slurm_extra)
    if here.backend(where) == "slurm":
        if not shutil.which("sbatch"):
            raise NotFound(
                "There is no SLURM on this machine (looked for sbatch on PATH). Run the calls "
                "here: --backend local"
            )
        wishes.check_settings(where.settings)


def slurm_flags(words: Mapping[str, Any]) -> dict[str, Any]:
    """The settings that --slurm-partition and its like stand for."""
    return {f"slurm.{name}": words[f"slurm_{name}"] for name in _SLURM}


def _checked_name(name: str | None) -> str:
    if name and len(name) > LONGEST_NAME:
        raise UsageError(f"--run-name takes up to {LONGEST_NAME} characters, not {len(name)}.")
    return name or ""


def _name(source: str | None) -> str:
    return Path(source).name.split(".")[0] if source and source != "-" else ""


def launch(what: Order, *, wait: bool, quiet: bool, on_limit: str = "abort") -> RunFolder:
    """Start the server if need be, write the run's folder, and fork its leader."""
    executions.made(what.where)
    entered = functools.partial(enter, what, on_limit=on_limit)
    return start(what.where, what.engine, entered, wait=wait, quiet=quiet)


def start(
    where: Place, engine: Engine, entered: Callable[[], RunFolder], *, wait: bool, quiet: bool
) -> RunFolder:
    """Fork the leader of a run that is entered once server and tables are ready."""
    say = (lambda line: None) if quiet else screen.note
    with session.ready(where, engine, wait=wait, say=say) as snapshot:
        folder = entered()
        leader.start(begin(where, folder, engine, snapshot_isolation=snapshot))
    session.fast_start(engine, again=False)
    return folder


def enter(what: Order, *, on_limit: str = "abort") -> RunFolder:
    """Give the run its number, and its folder what it takes to run it, now or once more."""
    folder = runs.new_folder(what.where.instance)
    request = Request(
        run=folder.number,
        token=runs.new_token(),
        wdl=what.wdl,
        workflow=what.workflow,
        created=runs.now(),
        cwd=str(here.current_folder() or folder.path),
        backend=here.backend(what.where),
        engine=what.engine.kind,
        engine_version=what.engine.version,
        name=what.name,
        arguments=what.arguments,
        labels=dict(what.labels),
        metadata_output=str(what.metadata_output or ""),
        on_limit=on_limit,
        settings=what.where.settings.by_name(),
        executions=str(executions.place(what.where)),
        sources=files.keep_sources(what.sources, folder.path),
    )
    for name, text in what.fetched.items():
        write_private(make_private(fetched(folder)) / name, text)
    if what.images is not None:
        write_json(folder.images, what.images)
    write_json(folder.inputs, what.inputs)
    write_json(folder.options, what.options)
    write_json(folder.labels, dict(what.labels) | {runs.LABEL: request.token})
    if what.imports:
        files.pack_imports(what.imports, folder.imports)
    if not is_url(what.wdl):
        write_private(folder.path / "workflow.wdl", Path(what.wdl).read_bytes())
    runs.write_request(folder, request)
    runs.write_state(
        folder,
        State(
            run=folder.number,
            state=runs.QUEUED,
            as_of=runs.now(),
            workflow=what.workflow,
            name=what.name,
            engine=what.engine.name,
            backend=request.backend,
            started=request.created,
            leader=Identity.of(os.getpid()),
        ),
    )
    return folder


def begin(
    where: Place, folder: RunFolder, engine: Engine, *, snapshot_isolation: bool
) -> leader.Task:
    """Write the run's configuration and hooks; returns what its leader has to do."""
    request = runs.read_request(folder)
    if request is None:
        raise UsageError(f"run {folder.number} was never requested.")
    here.keep_to_limits(where)
    root = executions.made(where)
    make_private(folder.path / "workflow-logs")
    outfit.hooks(where, folder, resumes=request.resumes)
    if request.resumes is not None:
        leftovers.equip(where, folder, request)
    conf = outfit.conf(
        where,
        folder,
        root,
        snapshot_isolation=snapshot_isolation,
        abort_jobs=request.on_limit == "abort",
    )
    write_private(folder.conf, conf)
    argv = engines.argv(
        engine,
        conf=folder.conf,
        socket=where.instance.socket,
        arguments=_arguments(folder, request),
        heap_mb=here.heap_mb(where),
        properties=_properties(where, folder),
    )
    return leader.Task(
        folder=folder,
        request=request,
        argv=containers.fetching(where, folder, argv) if engine.kind == "cromwell" else argv,
        environment=containers.environment(
            containers.program(where, folder), engines.environment(engine, os.environ)
        ),
        connect=lambda: session.connect(where),
        cancel=lambda jobs: outfit.cancel(where, folder, jobs),
        snapshot=_snapshot(where) if request.backend == "slurm" else None,
        afterwards=lambda state: leftovers.tidy(where, folder, request, state),
    )


def _snapshot(where: Place) -> Path:
    """The look at SLURM's queue that the run's hooks take."""
    state = outfit.hooks_state(where)
    return hooks.snapshot(state, os.environ, cluster=where.settings.slurm_cluster)


def _properties(where: Place, folder: RunFolder) -> dict[str, str]:
    found = {}
    if where.settings.engine_network_imports:
        found["cromwell.userdb.network-imports"] = "true"
    if fetched(folder).is_dir():
        found["cromwell.userdb.kept-imports"] = str(fetched(folder))
    return found


def fetched(folder: RunFolder) -> Path:
    """What a run has imported from the network, for itself and those that resume it."""
    return folder.path / "sources" / "network"


def _arguments(folder: RunFolder, request: Request) -> list[str | Path]:
    """Cromwell's own words."""
    words: list[str | Path] = ["run", "-i", folder.inputs, "-o", folder.options]
    words += ["-l", folder.labels]
    if folder.imports.exists():
        words += ["-p", folder.imports]
    if request.metadata_output:
        words += ["-m", request.metadata_output]
    return [*words, *request.arguments, request.wdl]
