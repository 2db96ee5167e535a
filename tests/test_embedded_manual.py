"""The manual's page on the embedded engine says what the engine does."""

from __future__ import annotations

import json
import re
from pathlib import Path

import oracle
import pytest

from cromwell_userdb import options
from cromwell_userdb.embedded import frontend
from cromwell_userdb.errors import WdlError

HOUSE = Path(__file__).parent.parent
PAGE = (HOUSE / "docs" / "embedded.rst").read_text()
TABLE = (HOUSE / "docs" / "embedded-differences.txt").read_text()


def test_every_listed_case_is_in_the_manual_with_its_reason():
    listed = json.loads((oracle.RECORDED.parent / "differences.json").read_text())
    shown = [int(number) for number in re.findall(r"\| (\d+), ", TABLE)]
    assert shown == [case for entry in listed for case in entry["cases"]]
    assert TABLE.count("   * - ") == 1 + len(listed)


def test_the_manual_says_how_many_answers_are_compared():
    assert f"{len(oracle.cases())} small documents" in PAGE


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("``env``", "task t { input { env String s } command { } }\nworkflow w { call t }"),
        ("``call?``", "task t { command { } }\nworkflow w { call? t }"),
    ],
)
def test_what_the_manual_says_is_refused_is_refused_with_its_line(name, text, tmp_path):
    path = tmp_path / "w.wdl"
    path.write_text(f"version development\n{text}\n")
    with pytest.raises(WdlError, match=r"w\.wdl:\d+:\d+: .*embedded engine"):
        frontend.document(frontend.Request(path))
    assert name in PAGE


def test_the_manual_names_the_options_that_are_heeded():
    heeded = PAGE.partition("Heeded are")[2].partition("Any other")[0]
    names = re.findall(r"``(\w+)``", heeded)
    assert names
    assert set(names) == options._HEEDED


def test_directories_come_with_wdl_1_2_as_the_manual_says(tmp_path):
    path = tmp_path / "w.wdl"
    text = "workflow w { input { Directory? d } }\n"
    path.write_text(f"version 1.2\n{text}")
    assert frontend.document(frontend.Request(path)).version == "1.2"
    path.write_text(f"version 1.1\n{text}")
    with pytest.raises(WdlError):
        frontend.document(frontend.Request(path))
