"""Workflows as miniwdl reads them, in Cromwell's dialect: what they are, need and give."""

from __future__ import annotations

import contextlib
import functools
import os
import re
import tempfile
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import WDL
from WDL import Tree

from cromwell_userdb.errors import WdlError
from cromwell_userdb.network import absolute, copy_of, fetch, is_remote
from cromwell_userdb.wdl.dialect import (
    MAX_INT,
    grammar_folder,
    refuse_what_cromwell_does,
    use_cromwells_dialect,
    warm_grammar,
)
from cromwell_userdb.wdl.inputs import Mismatch, absent_files, value_of
from cromwell_userdb.wdl.problems import PROBLEMS, did_you_mean, is_certain, sentences
from cromwell_userdb.wdl.wishes import wishes
from cromwell_userdb.wish import UNKNOWN

__all__ = [
    "MAX_INT",
    "UNKNOWN",
    "Document",
    "Input",
    "Mismatch",
    "calls_of",
    "check_files",
    "check_inputs",
    "copy_of",
    "grammar_folder",
    "is_certain",
    "is_synthetic",
    "load",
    "template",
    "value_of",
    "warm_grammar",
    "wishes",
]


@dataclass(frozen=True)
class Input:
    """A name as an inputs JSON has it; `default` is the text of an expression."""

    name: str
    type: str
    optional: bool
    default: str | None = None

    @property
    def required(self) -> bool:
        return not self.optional and self.default is None


@dataclass(frozen=True)
class Document:
    """A workflow that parsed and checked; `tree` is miniwdl's own view of it."""

    path: Path
    name: str
    version: str
    inputs: tuple[Input, ...]
    tasks: tuple[str, ...]
    calls: tuple[str, ...]
    outputs: tuple[tuple[str, str], ...]
    tree: Tree.Document = field(repr=False, compare=False)

    @property
    def workflow(self) -> Tree.Workflow:
        assert self.tree.workflow
        return self.tree.workflow

    @functools.cached_property
    def _documents(self) -> dict[str, Tree.Document]:
        """The document and those it imports, by the place of each."""
        found: dict[str, Tree.Document] = {}
        waiting = [self.tree]
        while waiting:
            document = waiting.pop()
            if document.pos.abspath not in found:
                found[document.pos.abspath] = document
                waiting += [one.doc for one in document.imports if one.doc]
        return found

    @property
    def files(self) -> tuple[Path, ...]:
        """The workflow's own file and those it imports; what came out of a zip is gone again."""
        return tuple(path for path in map(Path, self._documents) if path.is_file())

    @property
    def fetched(self) -> dict[str, str]:
        """The text of each import from the network, by its address."""
        found = self._documents.items()
        return {place: one.source_text for place, one in found if is_remote(place)}

    @functools.cached_property
    def declarations(self) -> dict[str, Tree.Decl]:
        """Each input's declaration, by the name in an inputs JSON."""
        prefix = self.name + "."
        found = self.workflow.available_inputs
        return {prefix + b.name: b.value for b in found if not is_synthetic(b.name)}


def load(
    path: Path | str,
    *,
    imports: Sequence[Path] = (),
    network: bool = False,
    kept: Path | None = None,
) -> Document:
    """Read the workflow at `path`; `imports` are folders and zips to look for imports in.

    With `network`, what a document imports by an http or https address is fetched, unless the
    folder `kept` has it (see `copy_of`): what has been allowed once needs no network again.

    Raises WdlError with a line for each problem found.
    """
    if not Path(path).is_file():
        raise WdlError(f"{path}: there is no such workflow.")
    use_cromwells_dialect()
    with contextlib.ExitStack() as stack:
        folders = [_folder(place, stack) for place in imports]
        try:
            tree = WDL.load(
                os.path.abspath(path),  # noqa: PTH100  # a link's own folder has the imports
                path=folders,
                check_quant=False,
                read_source=functools.partial(_read_source, network=network, kept=kept),
            )
            refuse_what_cromwell_does(tree)
        except PROBLEMS as error:
            raise WdlError("\n".join(sentences(error))) from error
        except UnicodeDecodeError as error:
            raise WdlError(f"{path}: this is no text in UTF-8, so no WDL.") from error
        except RecursionError as error:
            raise WdlError(f"{path}: an expression is nested too deeply to be read.") from error
    if tree.workflow is None and not tree.tasks:
        raise WdlError(f"{path} is empty: there is nothing to run.")
    if tree.workflow is None:
        raise WdlError(f"{path} has tasks but no workflow: there is nothing to run.")
    return _document(Path(path), tree)


def _document(path: Path, tree: Tree.Document) -> Document:
    workflow = tree.workflow
    assert workflow
    prefix = workflow.name + "."
    return Document(
        path=path,
        name=workflow.name,
        version=tree.effective_wdl_version,
        inputs=tuple(
            Input(
                name=prefix + bound.name,
                type=str(bound.value.type),
                optional=bound.value.type.optional,
                default=None if bound.value.expr is None else str(bound.value.expr),
            )
            for bound in workflow.available_inputs
            if not is_synthetic(bound.name)
        ),
        tasks=tuple(task.name for task in tree.tasks),
        calls=tuple(prefix + call.name for call in calls_of(workflow)),
        outputs=tuple((prefix + b.name, str(b.value)) for b in workflow.effective_outputs),
        tree=tree,
    )


def calls_of(section: Tree.Workflow | Tree.WorkflowSection) -> Iterator[Tree.Call]:
    """Every call of the workflow, those in scatters and conditionals included."""
    for node in section.body:
        if isinstance(node, Tree.Call):
            yield node
        elif isinstance(node, Tree.WorkflowSection):
            yield from calls_of(node)


def is_synthetic(name: str) -> bool:
    """Whether an input is one that WDL 1.1 adds by itself, as ``call._runtime``."""
    return name.rpartition(".")[2].startswith("_")


def check_inputs(document: Document, inputs: Mapping[str, Any]) -> list[str]:
    """A sentence for each input that is unknown, missing or of the wrong type."""
    known = document.declarations
    problems = [_unknown(document, key) for key in inputs if key not in known]
    for key, value in inputs.items():
        left = next(_left(value, _placeholder(known[key].type)), "") if key in known else ""
        if left:
            verb = "is" if left == value else "has"
            problems.append(f'"{key}" {verb} {left}, as if to be filled in.')
        elif key in known:
            try:
                value_of(known[key].type, value)
            except Mismatch as error:
                problems.append(f'"{key}{error.where}" {error.words}.')
    missing = [one for one in document.inputs if one.name not in inputs and one.required]
    needed = {document.name + "." + bound.name for bound in document.workflow.required_inputs}
    return problems + [
        f'"{one.name}" ({one.type}) is missing: {document.path.name} has no default for it.'
        for one in missing
        if one.name in needed
    ]


MOST_NAMED = 20
"""Absent files that are named one by one."""


def check_files(document: Document, inputs: Mapping[str, Any]) -> list[str]:
    """A sentence for each file among checked `inputs` that can't be read from here."""
    problems = [
        f'"{key}{where}": the file {path or "of no name"} {wrong}.'
        for key, raw in inputs.items()
        for where, path, wrong in absent_files(document.declarations[key].type, raw)
    ]
    more = len(problems) - MOST_NAMED
    return problems[:MOST_NAMED] + ([f"and {more} more files."] if more > 0 else [])


def _unknown(document: Document, key: str) -> str:
    names = list(document.declarations)
    sentence = f'"{key}" is no input of {document.path.name}.'
    if f"{document.name}.{key}" in names:
        return f"{sentence} Did you mean {document.name}.{key}?"
    return sentence + did_you_mean(key, names)


def template(document: Document) -> dict[str, Any]:
    """An inputs JSON to fill in: what is required, each with its type."""
    needed = [bound.name for bound in document.workflow.required_inputs]
    return {
        f"{document.name}.{name}": _placeholder(
            document.declarations[f"{document.name}.{name}"].type
        )
        for name in needed
    }


def _placeholder(kind: Any) -> Any:
    """What to fill in for an input: its type, or the required parts of a struct, each with its."""
    if isinstance(kind, WDL.Type.StructInstance) and kind.members:
        needed = {name: one for name, one in kind.members.items() if not one.optional}
        return {name: _placeholder(one) for name, one in needed.items()}
    if isinstance(kind, WDL.Type.Array):
        item = _placeholder(kind.item_type)
        return f"<{kind}>" if isinstance(item, str) else [item]
    return f"<{kind}>"


def _left(value: Any, asked: Any) -> Iterator[str]:
    """What is still as `_placeholder` had it."""
    if isinstance(value, dict) and isinstance(asked, dict):
        for name in asked.keys() & value.keys():
            yield from _left(value[name], asked[name])
    elif isinstance(value, list) and isinstance(asked, list):
        for one in value:
            yield from _left(one, asked[0])
    elif isinstance(asked, str) and value == asked:
        yield asked


async def _read_source(
    uri: str,
    path: list[str],
    importer: Tree.Document | None,
    *,
    network: bool,
    kept: Path | None,
) -> Tree.ReadSourceResult:
    if importer and is_remote(importer.pos.abspath):
        uri = absolute(uri, importer.pos.abspath)
    if "://" in uri and not uri.startswith("file://"):
        source = _read_remote(uri, network=network, kept=kept)
    else:
        source = await WDL.read_source_default(uri, path, importer)
    if source.source_text.startswith("\ufeff"):
        raise WdlError(
            f"{Path(uri).name} begins with a byte order mark, at which every Cromwell stumbles: "
            "save it as UTF-8 without one."
        )
    declared = re.search(r"(?m)^\s*version\s+(\S+)\s*$", source.source_text)
    warm_grammar(declared[1] if declared else "draft-2")
    return source


def _read_remote(uri: str, *, network: bool, kept: Path | None) -> Tree.ReadSourceResult:
    if not is_remote(uri):
        raise OSError("an import is a file, or an http or https address")
    if kept and (copy := copy_of(uri, kept)).is_file():
        return Tree.ReadSourceResult(copy.read_text(), uri)
    if not network:
        raise OSError(
            "imports over the network are off: download it and import the file, or allow them "
            "with: cromwell-userdb config set engine.network_imports true"
        )
    return Tree.ReadSourceResult(fetch(uri), uri)


def _folder(place: Path, stack: contextlib.ExitStack) -> str:
    if place.is_dir():
        return str(place)
    folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="wdl-imports-"))
    try:
        with zipfile.ZipFile(place) as bundle:
            bundle.extractall(folder)
    except (OSError, zipfile.BadZipFile) as error:
        words = getattr(error, "strerror", None) or error
        raise WdlError(f"{place}: neither a folder nor a zip of imports ({words}).") from error
    return folder
