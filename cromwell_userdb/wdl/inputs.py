"""Values of an inputs JSON, taken and refused as Cromwell does."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from WDL import Error, Type, Value

from cromwell_userdb.wdl.dialect import MAX_INT


class Mismatch(ValueError):
    """A JSON value that is not of the type; `where` is its place, as in ``.reads[3]``."""

    def __init__(self, words: str, where: str = "") -> None:
        super().__init__(words)
        self.words, self.where = words, where

    def below(self, place: str) -> Mismatch:
        return Mismatch(self.words, place + self.where)


def absent_files(type_: Type.Base, raw: Any) -> Iterator[tuple[str, str, str]]:
    """Place in a `raw` that is of the type, path, and what is wrong with it, of each file that
    can't be read here.

    Relative paths are of the current folder; what is at an address is not looked at.
    """
    if isinstance(type_, Type.File | Type.Directory) and raw is not None:
        path = raw.removeprefix("file://")
        if "://" not in path and not os.access(path, os.R_OK):
            yield "", path, _wrong_with(path)
    for where, below, part in _parts(type_, raw):
        for inner, path, wrong in absent_files(below, part):
            yield where + inner, path, wrong


def _parts(type_: Type.Base, raw: Any) -> Iterator[tuple[str, Type.Base, Any]]:
    if raw is None:
        return
    if isinstance(type_, Type.Array):
        yield from ((f"[{i}]", type_.item_type, part) for i, part in enumerate(raw))
    elif isinstance(type_, Type.Map):
        keys, values = type_.item_type
        for key, part in raw.items():
            yield f".{key}", keys, key
            yield f".{key}", values, part
    elif isinstance(type_, Type.Pair):
        sides = {"left": type_.left_type, "right": type_.right_type}
        yield from ((f".{side.lower()}", sides[side.lower()], raw[side]) for side in raw)
    elif isinstance(type_, Type.StructInstance):
        members = type_.members or {}
        yield from ((f".{name}", kind, raw.get(name)) for name, kind in members.items())


def _wrong_with(path: str) -> str:
    try:
        Path(path).stat()
    except FileNotFoundError:
        return "is not there"
    except OSError as error:
        return f"can't be read: {(error.strerror or str(error)).lower()}"
    return "can't be read: permission denied"


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
    Type.Any: lambda _, raw: Value.from_json(Type.Any(), raw),  # an Object
}
