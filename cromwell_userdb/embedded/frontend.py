"""Cromwell's command line, and what it names: the configuration, the workflow, its inputs."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from WDL import Error, Tree, Value, Walker

from cromwell_userdb import hocon, wdl
from cromwell_userdb.embedded.values import use_cromwells_values
from cromwell_userdb.errors import SettingError, UsageError, WdlError

USAGE = (
    "python -m cromwell_userdb.embedded -Dconfig.file=CONF -Dcromwell.userdb.socket=SOCKET "
    "run [-i INPUTS] [-o OPTIONS] [-l LABELS] [-m METADATA] [-p IMPORTS] [-t TYPE] [-v VERSION] WDL"
)
_LETTERS = {
    "-i": "inputs",
    "--inputs": "inputs",
    "-o": "options",
    "--options": "options",
    "-l": "labels",
    "--labels": "labels",
    "-m": "metadata",
    "--metadata-output": "metadata",
    "-p": "imports",
    "--imports": "imports",
    "-t": "type",
    "--type": "type",
    "-v": "version",
    "--type-version": "version",
    "--workflow-root": "root",
}


@dataclass(frozen=True)
class Request:
    """What the command line asks for."""

    workflow: Path
    properties: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)

    def file(self, name: str) -> Path | None:
        return Path(self.files[name]) if name in self.files else None

    @property
    def socket(self) -> Path:
        if path := self.properties.get("cromwell.userdb.socket"):
            return Path(path)
        raise UsageError(f"-Dcromwell.userdb.socket is missing. Usage: {USAGE}")

    @property
    def may_import(self) -> bool:
        """Whether what has an http or https address may be imported."""
        return hocon.is_true(self.properties.get("cromwell.userdb.network-imports", "false"))

    @property
    def kept_imports(self) -> Path | None:
        """The folder of what was fetched for this run already."""
        folder = self.properties.get("cromwell.userdb.kept-imports")
        return Path(folder) if folder else None


def parse(argv: Sequence[str]) -> Request:
    """Read the arguments; raises UsageError."""
    properties: dict[str, str] = {}
    files: dict[str, str] = {}
    words: list[str] = []
    rest = iter(argv)
    for word in rest:
        if word.startswith("-D"):
            name, _, value = word[2:].partition("=")
            properties[name] = value
        elif word in _LETTERS:
            value = next(rest, "")
            if not value:
                raise UsageError(f"{word} needs a value. Usage: {USAGE}")
            files[_LETTERS[word]] = value
        elif word.startswith("-"):
            raise UsageError(f"{word} is no option of the embedded engine. Usage: {USAGE}")
        else:
            words.append(word)
    if len(words) != 2 or words[0] != "run":
        raise UsageError(f"Give `run` and one workflow. Usage: {USAGE}")
    return Request(Path(words[1]), properties, files)


def configuration(request: Request) -> hocon.Tree:
    """The configuration file, under what the command line sets."""
    path = request.properties.get("config.file")
    if not path:
        raise UsageError(f"-Dconfig.file is missing. Usage: {USAGE}")
    tree = hocon.parse(_text(Path(path)), origin=path)
    for name, value in request.properties.items():
        if name != "config.file" and not name.startswith("cromwell.userdb."):
            hocon.put(tree, name, value)
    return tree


def json_file(request: Request, name: str) -> dict[str, Any]:
    """The object in the file that the option `name` gives, {} without one."""
    path = request.file(name)
    if path is None:
        return {}
    try:
        found = json.loads(_text(path))
    except ValueError as error:
        raise UsageError(f"{path}: no JSON: {error}.") from error
    if not isinstance(found, dict):
        raise UsageError(f"{path}: should be an object {{…}}, but is a {type(found).__name__}.")
    return found


def document(request: Request) -> wdl.Document:
    """The workflow; raises WdlError."""
    use_cromwells_values()
    imports = request.file("imports")
    document = wdl.load(
        request.workflow,
        imports=[imports] if imports else [],
        network=request.may_import,
        kept=request.kept_imports,
    )
    problems = _Unsupported()
    problems(document.tree)
    if problems.found:
        raise WdlError("\n".join(problems.found))
    return document


class _Unsupported(Walker.Base):
    """Finds what would be run wrongly: parts of WDL 1.2 that miniwdl reads and we don't run."""

    def __init__(self) -> None:
        super().__init__(auto_descend=True, descend_imports=True)
        self.found: list[str] = []

    def decl(self, node: Tree.Decl) -> None:
        if node.decor.get("env"):
            self._note(node, f"`env` of {node.name}")

    def call(self, node: Tree.Call) -> None:
        if isinstance(node, Tree.CallTry):
            self._note(node, f"`call?` of {node.name}")

    def _note(self, node: Error.SourceNode, what: str) -> None:
        place = f"{Path(node.pos.abspath).name}:{node.pos.line}:{node.pos.column}"
        self.found.append(f"{place}: {what} is nothing that the embedded engine can run.")


def given_inputs(document: wdl.Document, raw: Mapping[str, Any]) -> dict[str, Value.Base]:
    """The values of an inputs JSON, by their names in the workflow; raises WdlError."""
    problems = wdl.check_inputs(document, raw)
    if problems:
        raise WdlError("\n".join(problems))
    prefix = len(document.name) + 1
    return {
        name[prefix:]: wdl.value_of(document.declarations[name].type, value)
        for name, value in raw.items()
    }


def shown_inputs(document: wdl.Document, given: Mapping[str, Value.Base]) -> dict[str, Any]:
    """Inputs as the metadata show them: a call's with the workflow's name before."""
    found: dict[str, Any] = {}
    for bound in document.workflow.available_inputs:
        if wdl.is_synthetic(bound.name):
            continue
        long = "." in bound.name or document.version == "draft-2"
        name = f"{document.name}.{bound.name}" if long else bound.name
        literal = bound.value.expr.literal if bound.value.expr is not None else None
        if bound.name in given:
            found[name] = given[bound.name].json
        elif literal is not None:
            found[name] = literal.coerce(bound.value.type).json
        elif bound.value.type.optional and bound.value.expr is None:
            found[name] = None
    return found


def submitted_files(request: Request) -> dict[str, str]:
    """The run's files as they are kept in the metadata."""
    texts = {
        name: _text(path) if (path := request.file(name)) else "{}"
        for name in ("inputs", "options", "labels")
    }
    return {
        "workflow": _text(request.workflow),
        "workflowUrl": str(request.workflow.absolute()),
        "root": "",
        **texts,
    }


def _text(path: Path) -> str:
    try:
        return path.read_text()
    except OSError as error:
        raise SettingError(f"{path} can't be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise SettingError(f"{path} is no text: {error.reason}.") from error
