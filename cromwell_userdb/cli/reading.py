"""A workflow and its inputs, read and checked against each other beside all else."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cromwell_userdb import process
from cromwell_userdb.cli import files, place
from cromwell_userdb.cli.place import Place
from cromwell_userdb.errors import UsageError, WdlError
from cromwell_userdb.record import make_private
from cromwell_userdb.wish import Wish


@dataclass(frozen=True)
class Reading:
    """What there is to run: `sources` are the workflow's own file and those it imports.

    `objection` is what only miniwdl says against it: then nothing more is known of it.
    """

    path: Path
    workflow: str
    inputs: Mapping[str, Any]
    sources: tuple[Path, ...] = ()
    wishes: tuple[Wish, ...] = ()
    objection: str = ""


Reader = Callable[[], Reading]


def begin(where: Place, words: Mapping[str, Any]) -> Reader:
    """Begin to read what the words of a command name; what is returned waits for the end of it.

    In a process beside this one: what reads workflows takes as long to load as all the rest.
    """
    network = where.settings.engine_network_imports
    return process.beside(lambda: read(words, network=network))


def read(words: Mapping[str, Any], *, network: bool) -> Reading:
    """Raises UsageError, WdlError: one sentence for each thing that is wrong."""
    from cromwell_userdb import wdl

    path = _local(words["wdl"])
    if not path.is_file():
        raise UsageError(f"{path}: there is no such workflow.")
    source = words["inputs"] or words["inputs_option"]
    try:
        document = wdl.load(path, imports=words["imports"], network=network)
    except WdlError as error:
        if wdl.is_certain(error):
            raise
        inputs = files.read_inputs(source, words["given"], types={})
        return Reading(path, path.stem, inputs, objection=str(error))
    types = {known.name: known.type for known in document.inputs}
    inputs = files.read_inputs(source, words["given"], types=types)
    if problems := wdl.check_inputs(document, inputs) or wdl.check_files(document, inputs):
        raise UsageError("\n".join(f"{source or '--input'}: {problem}" for problem in problems))
    asked = tuple(wdl.wishes(document.workflow, inputs))
    return Reading(path, document.name, inputs, document.files, asked)


def is_url(text: str) -> bool:
    return "://" in text


def _local(text: str) -> Path:
    """The workflow as a file here; one at an address is fetched first."""
    if is_url(text):
        digest = hashlib.sha256(text.encode()).hexdigest()[:16]
        return files.fetch(text, make_private(place.cache_folder() / "wdl" / digest))
    return place.absolute(text)
