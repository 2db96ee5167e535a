"""What the folders of calls tell where the database does not answer."""

from __future__ import annotations

from pathlib import Path

import pytest

from cromwell_userdb import layout

ID = "7d1c0f4e-0000-4000-8000-00000000000"


@pytest.fixture
def workflow(tmp_path: Path) -> Path:
    top = tmp_path / "w" / f"{ID}1"
    for below, code in {
        "call-one": "0",
        "call-each/shard-2": "82",
        "call-each/shard-2/attempt-2": "",
        "call-each/shard-10/cacheCopy": "0",
        f"call-sub/shard-1/inner/{ID}2/call-deep": "3",
    }.items():
        execution = top / below / "execution"
        execution.mkdir(parents=True)
        if code:
            (execution / "rc").write_text(f"{code}\n")
    return top


def test_each_attempt_is_told_with_its_name_and_how_it_ended(workflow: Path) -> None:
    told = [(one.label, one.attempt, one.status) for one in layout.calls(workflow)]
    assert told == [
        ("each[10]", 1, "Done"),
        ("each[2]", 1, "Failed"),
        ("each[2]", 2, "Running"),
        ("one", 1, "Done"),
        ("sub[1]/deep", 1, "Failed"),
    ]


def test_its_logs_are_below_its_folder(workflow: Path) -> None:
    call = layout.calls(workflow)[1]
    assert call.stderr == str(workflow / "call-each/shard-2/execution/stderr")
