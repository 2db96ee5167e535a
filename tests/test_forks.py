"""Work beside a process, by one that it has made of itself."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from cromwell_userdb import forks
from cromwell_userdb.errors import CommandFailed


def test_what_was_done_beside_is_given() -> None:
    assert forks.beside("json").do(len, "four")() == 4


def test_what_went_wrong_beside_is_raised_here() -> None:
    with pytest.raises(FileNotFoundError, match=r"/nowhere/w\.wdl"):
        forks.beside("json").do(os.stat, Path("/nowhere/w.wdl"))()


def test_one_that_was_killed_is_said_in_a_sentence() -> None:
    other = forks.beside("json")
    os.kill(other.pid, signal.SIGKILL)
    os.waitid(os.P_PID, other.pid, os.WEXITED | os.WNOWAIT)
    with pytest.raises(CommandFailed, match="was killed; try again"):
        other.do(len, "four")()
