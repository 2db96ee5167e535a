"""The embedded engine against what a real Cromwell answered: case by case."""

from __future__ import annotations

import json
from pathlib import Path

import oracle
import pytest

CASES = oracle.cases()
DIFFERENCES = {
    case: entry["reason"]
    for entry in json.loads((Path(__file__).parent / "recordings" / "differences.json").read_text())
    for case in entry["cases"]
}


@pytest.fixture(autouse=True, scope="module")
def cache(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.mark.parametrize("number", [n for n in range(len(CASES)) if n not in DIFFERENCES])
def test_the_engine_answers_as_cromwell_did(number, tmp_path):
    case = CASES[number]
    found = oracle.answer(case["wdl"], case.get("inputs", {}), tmp_path)
    assert oracle.agrees(case, found), f"{case}\n{found}"


@pytest.mark.parametrize("number", sorted(DIFFERENCES))
def test_a_listed_difference_is_one(number, tmp_path):
    case = CASES[number]
    found = oracle.answer(case["wdl"], case.get("inputs", {}), tmp_path)
    assert not oracle.agrees(case, found), "no difference any more: take it off the list"
