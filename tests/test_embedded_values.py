"""Numbers, text and patterns as Java has them, and expressions against a plain model."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from oracle import answer

from cromwell_userdb.embedded.values import (
    java_double,
    java_replacement,
    truncated_division,
    wrapped,
)

SIGNS = {
    "-a": -7,
    "--a": 7,
    "3 - -a": 10,
    "-a * -b": 14,
    "-(a + b)": -9,
    "-[1, 2][1]": -2,
    "a -b": 5,
    "a-1": 6,
    "if a > -1 then -1 else 1": -1,
}
INTS = st.integers(-(2**31) + 1, 2**31 - 1)


@pytest.mark.parametrize("version", ["", "version 1.0", "version 1.1", "version development"])
def test_a_minus_may_stand_before_any_expression(version, tmp_path):
    text = "".join(f"Int x{n} = {one}\n" for n, one in enumerate(SIGNS))
    found = answer(
        f"{version}\nworkflow w {{ Int a = 7\nInt b = 2\noutput {{ {text} }} }}", {}, tmp_path
    )
    assert list(found["outputs"].values()) == list(SIGNS.values())


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0.0, "0.0"),
        (-0.0, "-0.0"),
        (1.0, "1.0"),
        (0.001, "0.001"),
        (0.00099, "9.9E-4"),
        (9999999.0, "9999999.0"),
        (1e7, "1.0E7"),
        (12345678.9, "1.23456789E7"),
        (1 / 3, "0.3333333333333333"),
        (1e300, "1.0E300"),
        (float("inf"), "Infinity"),
    ],
)
def test_a_float_has_the_text_that_java_gives_it(number, text):
    assert java_double(number) == text


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_the_text_of_a_float_is_that_float(number):
    assert float(java_double(number)) == number


@given(st.integers())
def test_an_int_runs_over_at_32_bits(number):
    assert -(2**31) <= wrapped(number) < 2**31
    assert (wrapped(number) - number) % 2**32 == 0


@given(INTS, INTS.filter(bool))
def test_division_goes_toward_zero(left, right):
    quotient = truncated_division(left, right)
    assert abs(quotient) == abs(left) // abs(right)
    assert abs(left - quotient * right) < abs(right)


@pytest.mark.parametrize(
    ("java", "python"), [("$2$1", r"\g<2>\g<1>"), (r"\$1", "$1"), (r"\\", r"\\"), ("a", "a")]
)
def test_a_replacement_of_java_is_one_of_python(java, python):
    assert java_replacement(java) == python


def test_a_dollar_that_refers_to_nothing_is_refused_before_wdl_1_1():
    with pytest.raises(ValueError, match="refers to nothing"):
        java_replacement("a$b")
    assert java_replacement("a$b", lenient=True) == "a$b"


TREES = st.recursive(
    st.integers(0, 100).map(lambda n: (str(n), n)),
    lambda below: st.tuples(below, st.sampled_from("+-*"), below).map(
        lambda t: (f"({t[0][0]} {t[1]} {t[2][0]})", _model(t[0][1], t[1], t[2][1]))
    ),
    max_leaves=12,
)


def _model(left, operator, right):
    return wrapped({"+": left + right, "-": left - right, "*": left * right}[operator])


@settings(max_examples=60, deadline=None)
@given(st.lists(TREES, min_size=1, max_size=6))
def test_expressions_are_what_a_plain_model_makes_of_them(tmp_path_factory, trees):
    lines = [f"Int x{i} = {text}" for i, (text, _) in enumerate(trees)]
    body = "\n".join(lines)
    found = answer(
        f"version 1.0\nworkflow w {{ output {{\n{body}\n}} }}", {}, tmp_path_factory.mktemp("w")
    )
    assert found["outputs"] == {f"w.x{i}": value for i, (_, value) in enumerate(trees)}


TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\r\n\0"), max_size=40)


@settings(max_examples=40, deadline=None)
@given(st.lists(TEXTS, min_size=1, max_size=5))
def test_any_text_goes_through_a_file_and_comes_back(tmp_path_factory, texts):
    folder: Path = tmp_path_factory.mktemp("w")
    found = answer(
        "version 1.0\nworkflow w { input { Array[String] xs }"
        " output { Array[String] x = read_json(write_json(xs)) } }",
        {"w.xs": texts},
        folder,
    )
    assert json.dumps(found["outputs"]["w.x"]) == json.dumps(texts)
