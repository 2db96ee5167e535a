"""Locks keep others out, for as long as whoever has them lives, and where there are any."""

from __future__ import annotations

import errno
import fcntl
import os
import sys
from multiprocessing import get_context
from pathlib import Path

import pytest

from cromwell_userdb import locks
from cromwell_userdb.errors import Held


def test_only_one_is_inside_at_a_time(tmp_path):
    lock = tmp_path / "lock"
    with locks.exclusive(lock, 1):
        inside = get_context("fork").Process(target=_enter, args=(lock,))
        inside.start()
        inside.join(10)
    assert inside.exitcode == 6


def _enter(lock: Path) -> None:
    try:
        with locks.exclusive(lock, 0.1, doing="a test"):
            sys.exit(0)
    except Held as error:
        assert "Another command has been working on" in str(error)
        sys.exit(6)


def test_what_is_held_is_held_until_the_last_who_inherited_it_has_ended(tmp_path):
    lock = tmp_path / "lock"
    ours = locks.hold(lock)
    assert ours is not None
    heir = os.dup(ours)
    os.close(ours)
    assert locks.is_held(lock)
    assert locks.hold(lock) is None
    os.close(heir)
    assert not locks.is_held(lock)


def test_whoever_waits_is_told_once(tmp_path):
    told = []
    with (
        locks.exclusive(tmp_path / "lock", 1, waiting=lambda: told.append("in vain")),
        pytest.raises(Held, match=r"^Wait\.$"),
        locks.exclusive(tmp_path / "lock", 0.1, refusal="Wait.", waiting=lambda: told.append("")),
    ):
        pass
    assert told == [""]


def test_a_file_system_without_locks_keeps_nobody_out(tmp_path, monkeypatch):
    def none(*_: object) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", none)
    (tmp_path / "lock").touch()
    with locks.exclusive(tmp_path / "lock", 1) as alone:
        assert alone is False
    assert not locks.is_held(tmp_path / "lock")
