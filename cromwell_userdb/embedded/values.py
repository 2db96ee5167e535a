"""Values and functions of WDL as Cromwell has them: Java's numbers, text and patterns."""

from __future__ import annotations

import functools
import hashlib
import io
import json
import math
import re
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import IO, Any, Self

from WDL import Env, Error, Expr, StdLib, Type, Value

from cromwell_userdb.wdl import MAX_INT

Values = Env.Bindings[Value.Base]

UNITS = {
    "B": 1,
    **{
        name: 1024**power
        for power, letter in enumerate("KMGT", 1)
        for name in (letter, f"{letter}B", f"{letter}i", f"{letter}iB")
    },
}
"""Bytes in a unit: Cromwell's GB is 1024 MB."""

_RESULT_OF = {
    "_serialize_lines": "lines",
    "_serialize_map": "map",
    "_serialize_json": "json",
    "serialize": "tsv",
    "_serialize_object": "object",
}


def bound(values: dict[str, Value.Base]) -> Values:
    """An environment of `values`, in their order."""
    answer: Values = Env.Bindings()
    for name in reversed(values):
        answer = answer.bind(name, values[name])
    return answer


def java_double(number: float) -> str:
    """The text of a Float, as Java has it.

    >>> [java_double(x) for x in (0.5, 1e7, 5e-5, 100.0)]
    ['0.5', '1.0E7', '5.0E-5', '100.0']
    """
    if math.isnan(number) or math.isinf(number):
        return {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}[str(number)]
    sign, digits, power = Decimal(repr(number)).as_tuple()
    if number == 0 or 1e-3 <= abs(number) < 1e7:
        text = format(Decimal(repr(number)), "f")
        return text if "." in text else f"{text}.0"
    first, *rest = map(str, digits)
    fraction = "".join(rest).rstrip("0") or "0"
    return f"{'-' * sign}{first}.{fraction}E{int(power) + len(rest)}"


def wrapped(number: int) -> int:
    """An Int of 32 bits, which runs over as Java's does."""
    return (number + MAX_INT + 1) % 2**32 - MAX_INT - 1


def truncated_division(left: int, right: int) -> int:
    """Java rounds toward zero: -7 / 2 is -3."""
    if right == 0:
        raise ZeroDivisionError("divided by zero")
    quotient = abs(left) // abs(right)
    return quotient if (left < 0) == (right < 0) else -quotient


def java_replacement(text: str, *, lenient: bool = False) -> str:
    """A replacement of Java's for Python's `sub`: ``$1`` is a group, ``\\x`` is x.

    A dollar before no digit is itself when `lenient`, as in WDL 1.1, else an error.
    """

    def one(found: re.Match[str]) -> str:
        escaped, group = found[1], found[2]
        if group:
            return f"\\g<{group}>"
        if found[0] == "$" and lenient:
            return "$"
        if escaped is None:
            raise ValueError(f"{text!r} has a $ or \\ that refers to nothing")
        return "\\\\" if escaped == "\\" else str(escaped)

    return re.sub(r"\\(.)|\$(\d)|[\\$]", one, text, flags=re.S)


@functools.cache
def use_cromwells_values() -> None:
    """Patch miniwdl's value classes, once and for the whole process: there is no other way."""
    Value.Float.__str__ = lambda self: java_double(self.value)  # type: ignore[method-assign]
    # The stock setter walks the whole value each time a name is used: minutes in a big scatter.
    Value.Base.expr = property(  # type: ignore[assignment,method-assign]
        lambda self: self._expr, lambda self, expr: setattr(self, "_expr", expr)
    )
    stock = Value.Null.coerce

    def coerce(self: Value.Null, desired: Type.Base | None = None) -> Value.Base:
        if isinstance(desired, Type.String) and not desired.optional:
            raise Error.InputError("an optional value is empty where a String is needed")
        return stock(self, desired)

    Value.Null.coerce = coerce  # type: ignore[assignment,method-assign]
    StdLib.byte_size_units = UNITS  # type: ignore[attr-defined]


class Library(StdLib.Base):
    """The functions of declarations, runtime sections and commands.

    Relative paths are below `folder`, where the results of ``write_…`` go too. It takes long to
    make, so that calls of one task share it: `at` moves it to a call's folder.
    """

    def __init__(self, version: str, folder: Path = Path()) -> None:
        self.folder = folder
        super().__init__(version)
        self._div, self._add, self._at = _Division(), _Addition(), _Lookup(self)
        self._eqeq, self._neq = _Equality(self), _Equality(self, negate=True)
        self.range = _Range()
        for name, operation in _WRAPPED.items():
            setattr(self, f"_{name}", StdLib._ArithmeticOperator(*operation))
        replaced: dict[str, Callable[..., Value.Base]] = {
            "_rem": lambda a, b: Value.Int(_remainder(a.value, b.value)),
            "round": lambda x: Value.Int(math.floor(x.value + 0.5)),
            "sub": self._substitute,
            "basename": lambda path, *end: StdLib.basename(
                Value.String(path.value.rstrip("/")), *end
            ),
            "read_lines": self._read(_lines),
            "read_map": self._read(_map),
            "write_json": self._write(_serialize_json),
            "read_int": self._read(lambda text: Value.Int(_strict_int(text))),
            "read_string": self._read(lambda text: Value.String(text.rstrip("\r\n"))),
        }
        for name, function in replaced.items():
            self._override_static(name, function)
        self.write_object = StdLib.StaticFunction(
            "write_object", [Type.Any()], Type.File(), self._write(_serialize_object)
        )

    def at(self, folder: Path) -> Self:
        self.folder = folder
        return self

    def _devirtualize_filename(self, filename: str) -> str:
        return str(self.folder / filename.removeprefix("file://"))

    def _virtualize_filename(self, filename: str) -> str:
        return filename

    def _resolve_source_relative_path(self, filename: str) -> str:
        return filename

    def _write(
        self, serialize: Callable[[Value.Base, IO[bytes]], None]
    ) -> Callable[[Value.Base], Value.File]:
        """Files are named by their content, so that a call's hash is the same next time."""
        kind = _RESULT_OF.get(serialize.__name__, "lines")

        def write(value: Value.Base) -> Value.File:
            buffer = io.BytesIO()
            serialize(value, buffer)
            digest = hashlib.md5(buffer.getvalue(), usedforsecurity=False).hexdigest()
            path = self.folder / f"write_{kind}_{digest}.tmp"
            self.folder.mkdir(parents=True, exist_ok=True)
            path.write_bytes(buffer.getvalue())
            return Value.File(str(path))

        return write

    def _substitute(
        self, text: Value.String, pattern: Value.String, new: Value.String
    ) -> Value.String:
        # Not POSIX, as in stock miniwdl: Java takes the first alternative that fits.
        compiled = StdLib.regex.compile(pattern.value)  # type: ignore[attr-defined]
        lenient = self.wdl_version not in {"draft-2", "1.0"}
        replacement = java_replacement(new.value, lenient=lenient)
        return Value.String(compiled.sub(replacement, text.value))


class OutputLibrary(Library):
    """The functions of a task's outputs, whose files are below `folder`."""

    def __init__(self, version: str, folder: Path = Path()) -> None:
        super().__init__(version, folder)
        functions: list[tuple[str, list[Type.Base], Type.Base, Callable[..., Value.Base]]] = [
            ("stdout", [], Type.File(), lambda: Value.File(str(self.folder / "stdout"))),
            ("stderr", [], Type.File(), lambda: Value.File(str(self.folder / "stderr"))),
            ("glob", [Type.String()], Type.Array(Type.File()), self._glob),
        ]
        for name, arguments, result, function in functions:
            setattr(self, name, StdLib.StaticFunction(name, arguments, result, function))

    def _glob(self, pattern: Value.String) -> Value.Array:
        place = self.folder / glob_folder(pattern.value)
        found = sorted(place.iterdir()) if place.is_dir() else sorted(self._late(pattern.value))
        return Value.Array(Type.File(), [Value.File(str(path)) for path in found])

    def _late(self, pattern: str) -> list[Path]:
        """A pattern that only an output knows was not globbed by the script."""
        return [path for path in self.folder.glob(pattern) if path.is_file()]


def glob_folder(pattern: str) -> str:
    """The name of the folder in which a script gathers what `pattern` matches."""
    return "glob-" + hashlib.md5(pattern.encode(), usedforsecurity=False).hexdigest()


class _Division(StdLib._DivisionOperator):
    def _call_eager(self, expr: Expr.Apply, arguments: list[Value.Base]) -> Value.Base:
        kind = self.infer_type(expr)
        left, right = (argument.coerce(kind).value for argument in arguments)
        if right == 0:
            raise Error.EvalError(expr, "divided by zero")
        if isinstance(kind, Type.Float):
            return Value.Float(left / right)
        return Value.Int(wrapped(truncated_division(left, right)))


class _Addition(StdLib._AddOperator):
    def _call_eager(self, expr: Expr.Apply, arguments: list[Value.Base]) -> Value.Base:
        if any(isinstance(argument, Value.Null) for argument in arguments):
            raise Error.EvalError(expr, "+ on an optional value that is empty")
        answer = super()._call_eager(expr, arguments)
        return Value.Int(wrapped(answer.value)) if isinstance(answer, Value.Int) else answer


class _Equality(StdLib._EqualityOperator):
    """Cromwell compares single values, and only those that are there."""

    def _call_eager(self, expr: Expr.Apply, arguments: list[Value.Base]) -> Value.Base:
        for one in arguments:
            if isinstance(one, Value.Null | Value.Array | Value.Struct):
                raise Error.EvalError(expr, f"{self.name} can't compare {one}")
        return super()._call_eager(expr, arguments)


class _Range(StdLib._Range):
    def _call_eager(self, expr: Expr.Apply, arguments: list[Value.Base]) -> Value.Base:
        if arguments[0].value < 0:
            return Value.Array(Type.Int(), [])
        return super()._call_eager(expr, arguments)


class _Lookup(StdLib._At):
    def _call_eager(self, expr: Expr.Apply, arguments: list[Value.Base]) -> Value.Base:
        table, key = arguments
        if not isinstance(table, Value.Map):
            return super()._call_eager(expr, arguments)
        kind = table.type.item_type[0]
        wanted = (key if isinstance(kind, Type.Any) else key.coerce(kind)).value
        for name, value in reversed(table.value):
            if name.value == wanted:
                return value
        raise Error.OutOfBounds(expr.arguments[1], f"the map has no key {key}")


def _wrapping(operation: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    def apply(left: Any, right: Any) -> Any:
        answer = operation(left, right)
        return wrapped(answer) if isinstance(answer, int) else answer

    return apply


_WRAPPED = {
    "sub": ("-", _wrapping(lambda a, b: a - b)),
    "mul": ("*", _wrapping(lambda a, b: a * b)),
}


def _remainder(left: int, right: int) -> int:
    return left - right * truncated_division(left, right)


def _strict_int(text: str) -> int:
    number = int(text.strip())
    if not -MAX_INT - 1 <= number <= MAX_INT:
        raise ValueError(f"{number} is no Int")
    return number


def _lines(text: str) -> Value.Array:
    """Java's split: empty lines at the end are none."""
    lines = text.split("\n")
    while lines and not lines[-1]:
        lines.pop()
    return Value.Array(Type.String(), [Value.String(line.rstrip("\r")) for line in lines])


def _map(text: str) -> Value.Map:
    pairs = [line.value.split("\t") for line in _lines(text).value]
    if any(len(pair) != 2 for pair in pairs):
        raise ValueError("each line of a map has two fields")
    texts = (Type.String(), Type.String())
    return Value.Map(texts, [(Value.String(k), Value.String(v)) for k, v in dict(pairs).items()])


def _serialize_json(value: Value.Base, file: IO[bytes]) -> None:
    raw = value.json
    if isinstance(value.expr, Expr.Map):  # a literal is its pairs to Cromwell, a name is not
        raw = [{"left": key.json, "right": item.json} for key, item in value.value]
    file.write(json.dumps(raw, separators=(",", ":"), ensure_ascii=False).encode())


def _serialize_object(value: Value.Base, file: IO[bytes]) -> None:
    members: dict[str, Any] = value.json
    rows = ["\t".join(members), "\t".join(str(one) for one in members.values())]
    file.write(("\n".join(rows) + "\n").encode())
