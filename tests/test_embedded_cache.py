"""What the call cache counts and keeps."""

from __future__ import annotations

import json
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st
from WDL import Type

from cromwell_userdb.embedded import cache
from cromwell_userdb.embedded.cache import FileHashes, simpletons
from cromwell_userdb.wdl import value_of

STRING, INT = Type.String(), Type.Int()
TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=8)
INTS = st.integers(-(2**31), 2**31 - 1)


def optional(strategy):
    return st.none() | strategy


KINDS = {
    "optional text": (Type.String(optional=True), optional(TEXTS)),
    "arrays of arrays": (Type.Array(Type.Array(INT)), st.lists(st.lists(INTS, max_size=3))),
    "optional items": (Type.Array(Type.String(optional=True)), st.lists(optional(TEXTS))),
    "optional array": (Type.Array(INT, optional=True), optional(st.lists(INTS, max_size=3))),
    "map": (Type.Map((STRING, Type.Array(INT))), st.dictionaries(TEXTS, st.lists(INTS))),
    "pair": (
        Type.Pair(Type.Array(STRING), Type.Boolean()),
        st.fixed_dictionaries({"left": st.lists(TEXTS), "right": st.booleans()}),
    ),
    "floats": (
        Type.Array(Type.Float()),
        st.lists(st.floats(allow_nan=False, allow_infinity=False)),
    ),
}


@pytest.mark.parametrize("name", KINDS)
@given(data=st.data())
def test_a_value_comes_back_from_its_leaves_as_it_was(name, data):
    kind, strategy = KINDS[name]
    value = value_of(kind, data.draw(strategy))
    tree = {}
    for key, text, sort in simpletons("x", value):
        cache._plant(tree, cache._steps(key), {"None": None, "Empty": {}}.get(sort, text))
    back = value_of(kind, cache._shaped(kind, tree["x"]))
    assert json.dumps(back.json) == json.dumps(value.json)


@pytest.mark.parametrize(
    ("strategy", "same_after_touch", "same_after_copy"),
    [
        ("md5", True, True),
        ("fingerprint", False, False),
        ("path+modtime", False, False),
        ("path", True, False),
    ],
)
def test_each_strategy_hashes_what_it_says(tmp_path, strategy, same_after_touch, same_after_copy):
    first, second = tmp_path / "a", tmp_path / "b"
    first.write_text("reads")
    second.write_text("reads")
    before = FileHashes(strategy)(str(first))
    os.utime(second, (1, 1))
    assert (FileHashes(strategy)(str(second)) == before) is same_after_copy
    os.utime(first, (1, 1))
    assert (FileHashes(strategy)(str(first)) == before) is same_after_touch


def test_another_content_is_another_hash_by_all_that_look(tmp_path):
    path = tmp_path / "a"
    for strategy in ("md5", "xxh64", "fingerprint"):
        path.write_text("reads")
        before = FileHashes(strategy)(str(path))
        path.write_text("other")
        assert FileHashes(strategy)(str(path)) != before
