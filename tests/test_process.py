"""Children that wait to be let go."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from served import alive, until

from cromwell_userdb import process
from cromwell_userdb.errors import CommandFailed


def held(mark: Path) -> process.Child:
    return process.spawn_held(
        ["touch", mark], out=Path(os.devnull), env={"PATH": os.environ["PATH"]}, cwd=mark.parent
    )


def test_the_last_line_of_a_log_is_whole_however_long_it_is(tmp_path: Path):
    log = tmp_path / "log"
    log.write_text("before\n" + "word " * 400 + "end\n")
    assert process.tail(log, lines=1) == "word " * 400 + "end"


def test_what_gave_no_answer_leaves_nothing_behind(tmp_path: Path):
    script = f"sleep 60 & echo $! >{tmp_path}/pid; wait"
    with pytest.raises(CommandFailed, match=r"^sh gave no answer in 1 seconds\.$"):
        process.run(["sh", "-c", script], timeout=1)
    left = int((tmp_path / "pid").read_text())
    until(lambda: not alive(left))


def test_a_child_that_is_held_begins_when_it_is_let_go(tmp_path: Path):
    child = held(tmp_path / "mark")
    assert not process.has_ended(child, within=0.2)
    process.release(child)
    assert child.wait(10) == 0
    assert (tmp_path / "mark").exists()


def test_a_child_that_is_held_never_begins_once_its_parent_is_gone(tmp_path: Path):
    code = (
        "import os, pathlib, sys\nfrom cromwell_userdb import process\n"
        "child = process.spawn_held(['touch', sys.argv[1]], out=pathlib.Path(os.devnull),\n"
        "    env=dict(os.environ), cwd=pathlib.Path('/'))\n"
        "print(child.pid, flush=True)\nos._exit(0)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, tmp_path / "mark"], capture_output=True, text=True, check=True
    )
    until(lambda: not Path("/proc", done.stdout.strip()).exists())
    assert not (tmp_path / "mark").exists()


def test_a_child_that_died_while_held_is_let_go_all_the_same(tmp_path: Path):
    child = held(tmp_path / "mark")
    child.kill()
    child.wait(10)
    process.release(child)
    assert not (tmp_path / "mark").exists()
