"""A workflow and its inputs, read and checked against each other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cromwell_userdb import files
from cromwell_userdb.errors import UsageError, WdlError
from cromwell_userdb.wish import Wish


@dataclass(frozen=True)
class Source:
    """What a command names: `inputs` is a file, `given` are inputs as ``name=value``."""

    path: Path
    inputs: str | None
    given: Sequence[str] = ()
    imports: Sequence[Path] = ()
    network: bool = False


@dataclass(frozen=True)
class Reading:
    """What there is to run: `files` are the workflow's own and those it imports, `fetched` the
    texts of what it imports from the network, by the names of the files to keep them in.

    `objection` is what only miniwdl says against it: then nothing more is known of it.
    """

    workflow: str
    inputs: Mapping[str, Any]
    files: tuple[Path, ...] = ()
    fetched: Mapping[str, str] = field(default_factory=dict)
    wishes: tuple[Wish, ...] = ()
    objection: str = ""


def read(source: Source) -> Reading:
    """Raises UsageError, WdlError: one sentence for each thing that is wrong."""
    # Whoever has this done in another process spares itself the loading of it.
    from cromwell_userdb import wdl

    if not source.path.is_file():
        raise UsageError(f"{source.path}: there is no such workflow.")
    try:
        document = wdl.load(source.path, imports=source.imports, network=source.network)
    except WdlError as error:
        if wdl.is_certain(error):
            raise
        inputs = files.read_inputs(source.inputs, source.given, types={})
        return Reading(source.path.stem, inputs, objection=str(error))
    types = {known.name: known.type for known in document.inputs}
    inputs = files.read_inputs(source.inputs, source.given, types=types)
    if problems := wdl.check_inputs(document, inputs) or wdl.check_files(document, inputs):
        where = source.inputs or "--input"
        raise UsageError("\n".join(f"{where}: {problem}" for problem in problems))
    fetched = {str(wdl.copy_of(url, Path())): text for url, text in document.fetched.items()}
    asked = tuple(wdl.wishes(document.workflow, inputs))
    return Reading(document.name, inputs, document.files, fetched, asked)
