"""What a language and an engine promise, asked of `cromwell-userdb run`, construct by construct."""

from __future__ import annotations

from pathlib import Path

import pytest
from lab import Lab

pytestmark = pytest.mark.functional


@pytest.mark.parametrize(
    ("asked", "words"),
    [("cpu: 4096", "it asks for 4096 cores and "), ('memory: "900 TB"', "943718400 MB")],
    ids=["cores", "memory"],
)
def test_a_call_that_asks_for_more_than_the_machine_has_is_refused_in_words(
    lab: Lab, tmp_path: Path, asked: str, words: str
):
    path = tmp_path / "greedy.wdl"
    path.write_text(
        f"version 1.0\ntask greedy {{ command {{ }} runtime {{ {asked} }} }}\n"
        "workflow w { call greedy }\n"
    )
    done = lab.do("run", path)
    assert done.returncode == 1
    assert "greedy failed" in done.stderr
    assert words in done.stderr
    assert "of this machine" in done.stderr
