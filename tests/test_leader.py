"""The leader of a run, where it gets no chance to lead."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NoReturn

import pytest

from cromwell_userdb import leader, runs, verdicts
from cromwell_userdb.errors import NotRunning
from cromwell_userdb.instance import RunFolder
from cromwell_userdb.leader import Task
from cromwell_userdb.record import Identity
from cromwell_userdb.runs import Request, State


def nobody() -> NoReturn:
    raise NotRunning("no database here")


def test_a_leader_that_dies_before_its_engine_begins_is_not_waited_for_and_has_its_words_passed_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    folder = RunFolder(tmp_path)
    request = Request(
        run=7, token="t", wdl="w.wdl", workflow="w", created=runs.now(), cwd=str(tmp_path),
        backend="local", engine="embedded", engine_version="1",
    )  # fmt: skip
    runs.write_state(folder, State(7, runs.QUEUED, runs.now(), leader=Identity.of(os.getpid())))
    folder.engine_log.mkdir()
    task = Task(folder, request, ["true"], {}, connect=nobody, cancel=lambda jobs: None)
    with capsys.disabled():  # so that the fork's words go into its log
        leader.start(task)
    state = runs.read_state(folder)
    assert state is not None
    lost = verdicts.reconcile(folder, state, nobody, lambda job: None)
    assert lost.state == runs.LOST
    assert lost.note.startswith("its leader ended before its engine began: IsADirectoryError: ")
