"""Workflows as miniwdl reads them, in Cromwell's dialect: what they are, need and give."""

from __future__ import annotations

import contextlib
import difflib
import functools
import hashlib
import os
import re
import sys
import tempfile
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import lark
import WDL
from WDL import Error, Expr, StdLib, Tree, Type, Value, Walker, _grammar, _parser

from cromwell_userdb.errors import WdlError

Problem = Exception
"""One of miniwdl's errors: they have no base class of their own."""

MAX_INT = 2**31 - 1
"""The greatest Int of Cromwell, which is Java's."""


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
    def has_calls(self) -> bool:
        return bool(self.calls)

    @property
    def workflow(self) -> Tree.Workflow:
        assert self.tree.workflow
        return self.tree.workflow

    @functools.cached_property
    def declarations(self) -> dict[str, Tree.Decl]:
        """Each input's declaration, by the name in an inputs JSON."""
        prefix = self.name + "."
        found = self.workflow.available_inputs
        return {prefix + b.name: b.value for b in found if not is_synthetic(b.name)}


def load(path: Path | str, *, imports: Sequence[Path] = ()) -> Document:
    """Read the workflow at `path`; `imports` are folders and zips to look for imports in.

    Raises WdlError with a line for each problem found.
    """
    use_cromwells_dialect()
    with contextlib.ExitStack() as stack:
        folders = [_folder(place, stack) for place in imports]
        try:
            tree = WDL.load(
                os.path.abspath(path),  # noqa: PTH100  # a link's own folder has the imports
                path=folders,
                check_quant=False,
                read_source=_read_source,
            )
            _refuse_long_integers(tree)
        except _PROBLEMS as error:
            raise WdlError("\n".join(_sentences(error))) from error
        except RecursionError as error:
            raise WdlError(f"{path}: an expression is nested too deeply to be read.") from error
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


def is_certain(error: WdlError) -> bool:
    """Whether every reader of WDL refuses this, not only miniwdl's strict checker."""
    cause = error.__cause__
    return cause is None or all(isinstance(one, _CERTAIN) for one in _singles(cause))


# Inputs


def check_inputs(document: Document, inputs: Mapping[str, Any]) -> list[str]:
    """A sentence for each input that is unknown, missing or of the wrong type."""
    known = document.declarations
    problems = [_unknown(document, key) for key in inputs if key not in known]
    for key, value in inputs.items():
        if key in known:
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


def _unknown(document: Document, key: str) -> str:
    names = list(document.declarations)
    sentence = f'"{key}" is no input of {document.path.name}.'
    if f"{document.name}.{key}" in names:
        return f"{sentence} Did you mean {document.name}.{key}?"
    return sentence + _did_you_mean(key, names)


def template(document: Document) -> dict[str, Any]:
    """An inputs JSON to fill in: what is required, each with its type."""
    needed = [bound.name for bound in document.workflow.required_inputs]
    return {
        f"{document.name}.{name}": f"<{document.declarations[f'{document.name}.{name}'].type}>"
        for name in needed
    }


class Mismatch(ValueError):
    """A JSON value that is not of the type; `where` is its place, as in ``.reads[3]``."""

    def __init__(self, words: str, where: str = "") -> None:
        super().__init__(words)
        self.words, self.where = words, where

    def below(self, place: str) -> Mismatch:
        return Mismatch(self.words, place + self.where)


def value_of(type_: Type.Base, raw: Any) -> Value.Base:
    """What Cromwell makes of `raw` in an inputs JSON; raises Mismatch."""
    if raw is None and type_.optional:
        return Value.Null()
    make = next((f for kind, f in _READERS.items() if isinstance(type_, kind)), None)
    if make is None:
        raise Mismatch(f"has the type {type_}, which no JSON can give")
    value: Value.Base | None = make(type_, raw)
    if value is None:
        shown = "null" if raw is None else repr(raw)[:60]
        raise Mismatch(f"should be {type_} but is {shown}")
    return value


def _integer(_: Type.Base, raw: Any) -> Value.Base | None:
    if isinstance(raw, str) and re.fullmatch(r"[+-]?\d+", raw):
        raw = int(raw)
    if isinstance(raw, float) and raw.is_integer():
        raw = int(raw)
    good = type(raw) is int and -MAX_INT - 1 <= raw <= MAX_INT
    return Value.Int(raw) if good else None


def _float(_: Type.Base, raw: Any) -> Value.Base | None:
    if isinstance(raw, bool) or not isinstance(raw, int | float | str):
        return None
    try:
        return Value.Float(float(raw))
    except (ValueError, OverflowError):
        return None


def _boolean(_: Type.Base, raw: Any) -> Value.Base | None:
    word = str(raw).lower() if isinstance(raw, bool | str) else ""
    return Value.Boolean(word == "true") if word in {"true", "false"} else None


def _text(type_: Type.Base, raw: Any) -> Value.Base | None:
    if not isinstance(raw, str):
        return None
    if isinstance(type_, Type.String):
        return Value.String(raw)
    try:
        return Value.File(raw) if isinstance(type_, Type.File) else Value.Directory(raw)
    except (ValueError, Error.InputError):
        return None


def _array(type_: Type.Array, raw: Any) -> Value.Base | None:
    if not isinstance(raw, list) or (type_.nonempty and not raw):
        return None
    return Value.Array(
        type_.item_type, [_part(type_.item_type, item, f"[{i}]") for i, item in enumerate(raw)]
    )


def _map(type_: Type.Map, raw: Any) -> Value.Base | None:
    if not isinstance(raw, dict):
        return None
    keys, values = type_.item_type
    return Value.Map(
        type_.item_type,
        [(_part(keys, k, f".{k}"), _part(values, v, f".{k}")) for k, v in raw.items()],
    )


def _pair(type_: Type.Pair, raw: Any) -> Value.Base | None:
    if not isinstance(raw, dict) or {str(key).lower() for key in raw} != {"left", "right"}:
        return None
    sides = {key.lower(): value for key, value in raw.items()}
    both = (
        _part(type_.left_type, sides["left"], ".left"),
        _part(type_.right_type, sides["right"], ".right"),
    )
    return Value.Pair(type_.left_type, type_.right_type, both)


def _struct(type_: Type.StructInstance, raw: Any) -> Value.Base | None:
    if not isinstance(raw, dict):
        return None
    members = type_.members or {}
    return Value.Struct(
        type_, {name: _part(kind, raw.get(name), f".{name}") for name, kind in members.items()}
    )


def _part(type_: Type.Base, raw: Any, place: str) -> Value.Base:
    try:
        return value_of(type_, raw)
    except Mismatch as error:
        raise error.below(place) from None


_READERS: dict[type[Type.Base], Any] = {
    Type.Int: _integer,
    Type.Float: _float,
    Type.Boolean: _boolean,
    Type.String: _text,
    Type.File: _text,
    Type.Directory: _text,
    Type.Array: _array,
    Type.Map: _map,
    Type.Pair: _pair,
    Type.StructInstance: _struct,
}


# Errors, in words

_PROBLEMS = (
    Error.SyntaxError,
    Error.ImportError,
    Error.ValidationError,
    Error.MultipleValidationErrors,
)
_CERTAIN = (
    Error.SyntaxError,
    Error.ImportError,
    Error.NoSuchTask,
    Error.NoSuchCall,
    Error.NoSuchInput,
    Error.UnknownIdentifier,
    Error.MultipleDefinitions,
    Error.CircularDependencies,
)


def _singles(error: BaseException) -> Iterator[BaseException]:
    """The problems themselves: of several found, and of what an import hides."""
    if isinstance(error, Error.MultipleValidationErrors):
        for one in error.exceptions:
            yield from _singles(one)
    elif isinstance(error, Error.ImportError) and isinstance(error.__cause__, _PROBLEMS):
        yield from _singles(error.__cause__)
    else:
        yield error


def _sentences(error: BaseException) -> list[str]:
    found = sorted(_singles(error), key=lambda one: getattr(one, "pos", ()))
    return list(dict.fromkeys(f"{_place(one)}: {_words(one)}" for one in found))


def _place(error: Any) -> str:
    where = getattr(error, "pos", None)
    return f"{Path(where.abspath).name}:{where.line}:{where.column}" if where else "WDL"


def _words(error: Any) -> str:
    if isinstance(error, Error.NoSuchTask):
        name = str(error).rpartition(": ")[2]
        return f'no task or workflow is called "{name}".' + _did_you_mean(name, _callables(error))
    if isinstance(error, Error.ImportError):
        cause = getattr(error.__cause__, "strerror", None) or error.__cause__
        return f"{_clean(error)}{f' ({cause})' if cause else ''}."
    if isinstance(error, Error.SyntaxError):
        return f"this does not parse: {_syntax(str(error))}"
    return f"{_clean(error)}."


def _clean(error: BaseException) -> str:
    line = (str(error).splitlines() or [type(error).__name__])[0].rstrip(".")
    return line[:1].lower() + line[1:]


def _syntax(words: str) -> str:
    """Lark's many lines about tokens, as one: what stood there."""
    found = re.search(r"Unexpected token Token\('(\S+)', (.+?)\)(?= at|$)", words)
    if found:
        shown = found[2].replace("\\n", "").strip()
        return "the text ends too early." if found[1] == "$END" else f"{shown} is not expected."
    found = re.search(r"No terminal matches (.+?) in the current", words)
    if found:
        return f"{found[1]} is not expected."
    return words.splitlines()[0].rstrip(".") + "."


def _callables(error: Any) -> list[str]:
    """What a call could have named, as far as the text of the document tells."""
    text = error.source_text or ""
    return re.findall(r"(?m)^\s*(?:task|workflow)\s+(\w+)", text)


def _did_you_mean(word: str, names: Sequence[str]) -> str:
    close = difflib.get_close_matches(word, names, n=1)
    return f" Did you mean {close[0]}?" if close else ""


def _refuse_long_integers(tree: Tree.Document) -> None:
    too_long = _LongIntegers()
    too_long(tree)
    if too_long.found:
        raise Error.MultipleValidationErrors(*too_long.found)  # type: ignore[arg-type]


class _LongIntegers(Walker.Base):
    def __init__(self) -> None:
        super().__init__(auto_descend=True, descend_imports=True)
        self.found: list[Error.ValidationError] = []

    def expr(self, node: Expr.Base) -> None:
        if isinstance(node, Expr.Int) and abs(node.value) > MAX_INT:
            words = f"{node.value} is too great for an Int, which ends at {MAX_INT}"
            self.found.append(Error.ValidationError(node, words))


# Reading


async def _read_source(
    uri: str, path: list[str], importer: Tree.Document | None
) -> Tree.ReadSourceResult:
    if "://" in uri and not uri.startswith("file://"):
        raise OSError(f"imports over the network are off: download {uri} and import the file")
    source = await WDL.read_source_default(uri, path, importer)
    declared = re.search(r"(?m)^\s*version\s+(\S+)\s*$", source.source_text)
    warm_grammar(declared[1] if declared else "draft-2")
    return source


def _folder(place: Path, stack: contextlib.ExitStack) -> str:
    if place.is_dir():
        return str(place)
    folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="wdl-imports-"))
    try:
        with zipfile.ZipFile(place) as bundle:
            bundle.extractall(folder)
    except (OSError, zipfile.BadZipFile) as error:
        raise WdlError(f"{place}: neither a folder nor a zip of imports ({error}).") from error
    return folder


@functools.cache
def use_cromwells_dialect() -> None:
    """Teach miniwdl's grammar and function names what Cromwell takes, and refuses.

    Once and for the whole process: miniwdl has no other place for it.
    """
    # An expression of some hundred terms is nested as deeply.
    sys.setrecursionlimit(max(sys.getrecursionlimit(), 20_000))
    for version, text in _grammar.versions.items():
        # No exponents: 1e7 is two words for Cromwell.
        text = re.sub(
            r"%import common\.(SIGNED_)?FLOAT\n",
            lambda m: f'{m[1] or ""}FLOAT: {"/[+-]/? " if m[1] else ""}(INT "." INT? | "." INT)\n',
            text,
        )
        if version in {"draft-2", "1.0"}:  # "~{sep=', ' xs}" in strings
            text = re.sub(r"(?m)^(string[12]:.*?)\bexpr\b", r"\1placeholder", text)
        _grammar.versions[version] = text
    write = StdLib.StaticFunction("write_object", [Type.Any()], Type.File(), lambda _: Value.Null())
    StdLib.Base.write_object = write  # type: ignore[attr-defined]


def warm_grammar(version: str, start: str = "document") -> None:
    """Put the parser for `version` into miniwdl's cache from a file: 0.1 s saved a start."""
    if version not in _grammar.versions:
        return
    text = _grammar.get(version)[0]
    if (text, start) in _parser._lark_cache:
        return
    folder = grammar_folder()
    tag = hashlib.sha256((text + lark.__version__ + sys.version).encode()).hexdigest()[:16]
    _parser._lark_cache[(text, start)] = lark.Lark(
        text,
        start=start,
        parser="lalr",
        maybe_placeholders=False,
        propagate_positions=True,
        lexer_callbacks={"COMMENT": _parser._lark_comments_buffer.append},
        cache=str(folder / f"wdl-{start}-{tag}.lark") if folder else False,
    )


def grammar_folder() -> Path | None:
    """Where parsers are kept: they are pickles, so only in a folder that is the user's alone."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    folder = cache / "cromwell-userdb" / "grammar"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        facts = folder.stat()
    except (OSError, RuntimeError):
        return None
    mine = facts.st_uid == os.geteuid() and not facts.st_mode & 0o022
    return folder if mine and os.access(folder, os.W_OK) else None
