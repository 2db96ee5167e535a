"""Cromwell's dialect of WDL, taught to miniwdl: what it takes, and what it refuses.

miniwdl has no other place for this than its own classes, so they are patched: once, for the whole
process, by `use_cromwells_dialect`.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import lark
from WDL import Env, Error, Expr, StdLib, Tree, Type, Value, Walker, _grammar, _parser

from cromwell_userdb.record import own_cache

MAX_INT = 2**31 - 1
"""The greatest Int of Cromwell, which is Java's."""


def refuse_what_cromwell_does(tree: Tree.Document) -> None:
    """Raise the errors that Cromwell's checker finds, and miniwdl's does not."""
    strict = _Strict(tree.effective_wdl_version)
    strict(tree)
    if strict.found:
        raise Error.MultipleValidationErrors(*strict.found)  # type: ignore[arg-type]


class _Strict(Walker.Base):
    def __init__(self, version: str) -> None:
        super().__init__(auto_descend=True, descend_imports=True)
        self.version = version
        self.found: list[Error.ValidationError] = []

    def expr(self, node: Expr.Base) -> None:
        if isinstance(node, Expr.Int) and abs(node.value) > MAX_INT:
            words = f"{node.value} is too great for an Int, which ends at {MAX_INT}"
            self.found.append(Error.ValidationError(node, words))

    def decl(self, node: Tree.Decl) -> None:
        if node.expr is None or node.type.optional or isinstance(node.type, Type.Any):
            return
        if node.expr.type.optional and self.version != "draft-2":
            words = (
                f"{node.name} is {node.type} but is given {node.expr.type}, which may be empty; "
                "use select_first"
            )
            self.found.append(Error.ValidationError(node, words))


@functools.cache
def use_cromwells_dialect() -> None:
    """Patch miniwdl's grammars, types and functions; calling it twice changes nothing more."""
    # An expression of some hundred terms is nested as deeply.
    sys.setrecursionlimit(max(sys.getrecursionlimit(), 20_000))
    for version, text in _grammar.versions.items():
        _grammar.versions[version] = _cromwells_grammar(version, text)
    _allow_signs()
    _allow_objects()
    _limit_functions()
    _ignore_options_in_strings()
    _let_the_last_key_win()


def _cromwells_grammar(version: str, text: str) -> str:
    # No exponents: 1e7 is two words for Cromwell.
    text = re.sub(
        r"%import common\.(SIGNED_)?FLOAT\n",
        lambda m: f'{m[1] or ""}FLOAT: {"/[+-]/? " if m[1] else ""}(INT "." INT? | "." INT)\n',
        text,
    )
    negate = '| "!" expr_core -> negate'
    text = text.replace(negate, negate + '\n          | "-" expr_core -> minus')
    if version in {"draft-2", "1.0"}:  # "~{sep=', ' xs}" in strings
        text = re.sub(r"(?m)^(string[12]:.*?)\bexpr\b", r"\1placeholder", text)
    return text


def _allow_signs() -> None:
    """A minus before any expression, not only before a number."""

    def minus(self: Any, meta: Any, items: list[Expr.Base]) -> Expr.Base:
        where = self._sp(meta)
        return Expr.Apply(where, "_sub", [Expr.Int(where, 0), items[0]])

    _parser._ExprTransformer.minus = lark.v_args(meta=True)(minus)  # type: ignore[attr-defined]


def _allow_objects() -> None:
    """An Object is anything, and what it has is anything: known when it is there."""
    wrapper = vars(_parser._DocTransformer)["type"]
    read_type: Callable[..., Type.Base] = wrapper.base_func

    def type_(self: Any, meta: Any, items: list[Any]) -> Type.Base:
        name = getattr(items[0], "value", None)
        if name != "Object" or len(items) > 2 or self._version not in {"draft-2", "1.0"}:
            return read_type(self, meta, items)
        kind = Type.Any(optional=len(items) == 2 and "optional" in items[1])
        kind.pos = self._sp(meta)
        return kind

    wrapper.base_func = type_
    infer, evaluate = Expr.Get._infer_type, Expr.Get._eval

    def inferred(self: Expr.Get, types: Env.Bindings[Type.Base]) -> Type.Base:
        try:
            return infer(self, types)
        except Error.NoSuchMember:
            if isinstance(self.expr.type, Type.Any):
                return Type.Any()
            raise

    def evaluated(
        self: Expr.Get, values: Env.Bindings[Value.Base], library: StdLib.Base
    ) -> Value.Base:
        if self.member and isinstance(self.expr.type, Type.Any):
            whole = self.expr.eval(values, library)
            members = whole.value if isinstance(whole, Value.Struct) else _by_name(whole)
            if self.member not in members:
                raise Error.EvalError(self, f"the object has no {self.member}")
            return members[self.member]
        return evaluate(self, values, library)

    Expr.Get._infer_type = inferred  # type: ignore[assignment,method-assign]
    Expr.Get._eval = evaluated  # type: ignore[assignment,method-assign]


def _by_name(value: Value.Base) -> dict[str, Value.Base]:
    pairs = value.value if isinstance(value, Value.Map) else []
    return {str(key.value): item for key, item in pairs}


def _limit_functions() -> None:
    """Give ``write_object``, take what this version lacks, and let + join text and numbers only."""
    write = StdLib.StaticFunction("write_object", [Type.Any()], Type.File(), lambda _: Value.Null())
    StdLib.Base.write_object = write  # type: ignore[attr-defined]
    make, infer = StdLib.Base.__init__, StdLib._AddOperator.infer_type

    def made(self: StdLib.Base, version: str, *args: Any, **more: Any) -> None:
        make(self, version, *args, **more)
        gone = (
            ("sep", "suffix") if version in {"draft-2", "1.0"} else ("read_object", "read_objects")
        )
        for name in gone:
            delattr(self, name)

    def inferred(self: StdLib._AddOperator, expr: Expr.Apply) -> Type.Base:
        kinds = [argument.type for argument in expr.arguments]
        if any(isinstance(kind, Type.Boolean | Type.Array | Type.Map) for kind in kinds):
            raise Error.IncompatibleOperand(expr, f"+ does not take {kinds[0]} and {kinds[1]}")
        return infer(self, expr)

    StdLib.Base.__init__ = made  # type: ignore[assignment,method-assign]
    StdLib._AddOperator.infer_type = inferred  # type: ignore[method-assign]


def _ignore_options_in_strings() -> None:
    """In a string ``true=``, ``false=`` and ``default=`` do nothing, and an array needs no sep."""
    make, infer, evaluate = (
        Expr.String.__init__,
        Expr.Placeholder._infer_type,
        Expr.Placeholder._eval_impl,
    )

    def made(self: Expr.String, pos: Any, parts: list[Any], command: bool = False) -> None:
        make(self, pos, parts, command)
        for part in parts:
            if isinstance(part, Expr.Placeholder) and not command:
                part.options = {name: text for name, text in part.options.items() if name == "sep"}
                part.in_string = True  # type: ignore[attr-defined]

    def inferred(self: Expr.Placeholder, types: Env.Bindings[Type.Base]) -> Type.Base:
        if isinstance(self.expr.type, Type.Array) and "sep" not in self.options:
            return Type.String()
        return infer(self, types)

    def evaluated(
        self: Expr.Placeholder, values: Env.Bindings[Value.Base], library: StdLib.Base
    ) -> Value.String:
        if not isinstance(self.expr.type, Type.Array) or "sep" in self.options:
            return evaluate(self, values, library)
        if not getattr(self, "in_string", False):
            raise Error.EvalError(self, "an array in a command needs sep=")
        return Value.String(str(self.expr.eval(values, library)))

    Expr.String.__init__ = made  # type: ignore[method-assign]
    Expr.Placeholder._infer_type = inferred  # type: ignore[assignment,method-assign]
    Expr.Placeholder._eval_impl = evaluated  # type: ignore[assignment,method-assign]


def _let_the_last_key_win() -> None:
    def evaluated(
        self: Expr.Map, values: Env.Bindings[Value.Base], library: StdLib.Base
    ) -> Value.Base:
        found = [
            (key.eval(values, library), item.eval(values, library)) for key, item in self.items
        ]
        last = {str(key): (key, item) for key, item in found}
        assert isinstance(self.type, Type.Map)
        return Value.Map(self.type.item_type, list(last.values()))

    Expr.Map._eval = evaluated  # type: ignore[assignment,method-assign]


def warm_grammar(version: str, start: str = "document") -> None:
    """Put the parser for `version` into miniwdl's cache from a file: 0.1 s saved a start."""
    if version not in _grammar.versions:
        return
    text = _grammar.get(version)[0]
    if (text, start) in _parser._lark_cache:
        return
    folder = grammar_folder()
    tag = hashlib.sha256((text + lark.__version__ + sys.version).encode()).hexdigest()[:16]
    kept = folder / f"wdl-{start}-{tag}.lark" if folder else None
    is_new = kept is not None and not kept.exists()
    _parser._lark_cache[(text, start)] = lark.Lark(
        text,
        start=start,
        parser="lalr",
        maybe_placeholders=False,
        propagate_positions=True,
        lexer_callbacks={"COMMENT": _parser._lark_comments_buffer.append},
        cache=str(kept) if kept else False,
    )
    if kept and is_new:
        with contextlib.suppress(OSError):  # a full disk keeps nothing
            kept.chmod(0o600)


def grammar_folder() -> Path | None:
    """Where parsers are kept: they are pickles, so only in a folder that is the user's alone."""
    return own_cache("grammar")
