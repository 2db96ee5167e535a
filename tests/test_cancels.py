"""What a run's hooks have left to be cancelled, as the next command reads it."""

from __future__ import annotations

from pathlib import Path

import pytest

from cromwell_userdb import cancels
from cromwell_userdb.cancels import Note
from cromwell_userdb.instance import RunFolder


@pytest.mark.parametrize(
    ("job", "folder", "wanted"),
    [
        ("7", "/x/call-a", True),
        ("8", "/x/call-a", False),
        ("7", "/x/call-b", False),
        ("", "/x/call-a", True),
        ("", "/x/call-b", False),
        ("7", "", True),
    ],
)
def test_a_number_that_another_job_has_now_is_none_of_a_note(job: str, folder: str, wanted: bool):
    note = Note(Path("note"), job, folder)
    assert note.means("7", "/x/call-a", executions="/x") is wanted
    assert not note.means("7", "/y/call-a", executions="/x")


def test_what_kill_and_withdraw_noted_is_read(tmp_path: Path):
    folder = RunFolder(tmp_path)
    assert cancels.noted(folder) == []
    folder.cancel.mkdir()
    (folder.cancel / "7").write_text("/x/call-a\n")
    (folder.cancel / "call-70-1").write_text("/x/call-b\n")
    read = {(note.job, note.folder, note.is_fresh) for note in cancels.noted(folder)}
    assert read == {("7", "/x/call-a", False), ("", "/x/call-b", True)}
