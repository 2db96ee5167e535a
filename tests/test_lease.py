"""Who may serve an instance; nothing here starts a server."""

from __future__ import annotations

import errno
import fcntl
import json
import os
import subprocess
import sys
import time
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path

import pytest
from served import kill, until

from cromwell_userdb import lease
from cromwell_userdb.errors import Held
from cromwell_userdb.lease import Lease
from cromwell_userdb.record import Identity


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "lease.json"


@pytest.fixture
def guarded(tmp_path: Path) -> Path:
    """The file that a living server would have locked."""
    file = tmp_path / "ibdata1"
    file.touch()
    return file


@pytest.fixture
def ours() -> Lease:
    return lease.new(Identity.of(os.getpid()), server="test")


def put(path: Path, guarded: Path, **changes: object) -> Lease:
    """A lease of this process, but for `changes` in its holder."""
    held = lease.new(replace(Identity.of(os.getpid()), **changes))
    lease.take(path, held, guarded=guarded)
    return held


def dead_pid() -> int:
    child = subprocess.Popen(["true"])
    child.wait()
    return child.pid


def test_a_free_lease_is_taken_and_read_back(path, guarded, ours):
    assert lease.take(path, ours, guarded=guarded) is None
    assert lease.read(path) == ours
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_held_lease_is_refused_with_who_and_since_when(path, guarded, ours):
    put(path, guarded)
    with pytest.raises(Held, match=f"served by {ours.holder.host} since [0-9]+:[0-9]+"):
        lease.take(path, ours, guarded=guarded)


def test_the_job_that_holds_it_is_named(path, guarded, ours):
    lease.take(path, replace(ours, job="81234"), guarded=guarded)
    with pytest.raises(Held, match="served by job 81234 on"):
        lease.take(path, lease.new(ours.holder), guarded=guarded)


def test_what_is_released_is_free_again(path, guarded, ours):
    held = put(path, guarded)
    lease.release(path, held)
    assert lease.take(path, ours, guarded=guarded) is None


def test_nobody_releases_the_lease_of_another(path, guarded, ours):
    held = put(path, guarded)
    lease.release(path, ours)
    assert lease.read(path) == held


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"pid": dead_pid()}, id="its process is gone"),
        pytest.param({"ticks": 1}, id="its pid is another process now"),
        pytest.param({"boot": "earlier"}, id="the host was rebooted"),
    ],
)
def test_a_dead_holder_is_replaced(path, guarded, ours, changes):
    dead = put(path, guarded, **changes)
    assert lease.take(path, ours, guarded=guarded) == dead
    assert lease.read(path) == ours


def test_a_zombie_is_dead(path, guarded, ours):
    child = subprocess.Popen(["sleep", "0.2"])
    lease.take(path, lease.new(Identity.of(child.pid)), guarded=guarded)
    until(lambda: Path(f"/proc/{child.pid}/stat").read_text().split()[2] == "Z")
    assert lease.take(path, ours, guarded=guarded) is not None
    child.wait()


def test_a_dead_holder_whose_server_still_has_the_data_is_not_replaced(path, guarded, ours):
    put(path, guarded, pid=dead_pid())
    with locked(guarded) as pid, pytest.raises(Held):
        assert lease.locked_by(guarded) == pid
        lease.take(path, ours, guarded=guarded)


def test_another_host_is_never_called_dead(path, guarded, ours):
    put(path, guarded, host="n114", pid=dead_pid(), boot="another")
    with pytest.raises(Held, match="served by n114"):
        lease.take(path, ours, guarded=guarded)


@pytest.mark.parametrize("answer", [False, None])
def test_a_job_that_may_live_keeps_its_lease(path, guarded, ours, answer):
    held = lease.new(replace(ours.holder, host="n114"), job="7")
    lease.take(path, held, guarded=guarded)
    with pytest.raises(Held):
        lease.take(path, ours, guarded=guarded, job_ended=lambda job: answer)


def test_a_job_that_ended_loses_its_lease(path, guarded, ours):
    held = lease.new(replace(ours.holder, host="n114"), job="7")
    lease.take(path, held, guarded=guarded)
    assert lease.take(path, ours, guarded=guarded, job_ended=lambda job: job == "7") == held


def test_a_process_that_outlived_its_job_keeps_its_lease(path, guarded, ours):
    lease.take(path, replace(ours, job="7"), guarded=guarded)
    with pytest.raises(Held):
        lease.take(path, lease.new(ours.holder), guarded=guarded, job_ended=lambda job: True)


def test_force_takes_a_lease_that_stands_still(path, guarded, ours):
    held = put(path, guarded, host="n114")
    assert lease.force(path, ours, guarded=guarded, watch=0.1) == held


def test_force_spares_a_lease_whose_counter_moves(path, guarded, ours):
    held = put(path, guarded, host="n114")
    beating = subprocess.Popen(
        [sys.executable, "-c", BEAT, path, json.dumps(held.as_dict())], text=True
    )
    with pytest.raises(Held, match="its counter moves"):
        lease.force(path, ours, guarded=guarded, watch=3)
    beating.wait()


BEAT = """
import sys, time
from pathlib import Path
from cromwell_userdb import lease
path = Path(sys.argv[1])
time.sleep(0.2)
lease.beat(path, lease.read(path))
"""


def test_force_spares_a_server_that_has_its_data_locked(path, guarded, ours):
    put(path, guarded, host="n114")
    with locked(guarded), pytest.raises(Held, match="it has ibdata1 locked"):
        lease.force(path, ours, guarded=guarded, watch=0)


def test_a_beat_counts_and_a_stolen_lease_is_noticed(path, guarded, ours):
    lease.take(path, ours, guarded=guarded)
    assert lease.beat(path, ours).counter == 1
    path.unlink()
    put(path, guarded)
    with pytest.raises(Held):
        lease.beat(path, ours)


def test_what_is_no_lease_proves_nothing(path, guarded, ours):
    path.write_text("{")
    with pytest.raises(Held, match="no lease that can be read"):
        lease.take(path, ours, guarded=guarded)
    assert lease.force(path, ours, guarded=guarded, watch=0) is None


def test_of_many_who_find_a_dead_holder_one_takes_over(path, guarded):
    for _ in range(5):
        path.unlink(missing_ok=True)
        put(path, guarded, pid=dead_pid())
        with get_context("fork").Pool(8) as pool:
            won = pool.starmap(_try, [(path, guarded)] * 8, chunksize=1)
        assert won.count(True) == 1
        assert [name.name for name in path.parent.glob("*lease.json*")] == ["lease.json"]


def _try(path: Path, guarded: Path) -> bool:
    # Held by a process that goes on living: the test itself.
    try:
        lease.take(path, lease.new(Identity.of(os.getppid())), guarded=guarded)
    except Held:
        return False
    return True


def test_a_takeover_that_was_killed_halfway_does_not_block_the_next(path, guarded, ours):
    dead = put(path, guarded, pid=dead_pid())
    claim = lease.new(replace(ours.holder, pid=dead_pid()))
    claimed = path.with_name(f"{path.name}.{dead.nonce}")
    claimed.write_text(json.dumps(claim.as_dict()))
    lease.take(path, ours, guarded=guarded)
    assert lease.read(path) == ours and not claimed.exists()


def test_a_disk_without_hard_links_will_do(path, guarded, ours, monkeypatch):
    def refuse(*args: object) -> None:
        raise OSError(errno.EPERM, "no links here")

    monkeypatch.setattr(os, "link", refuse)
    lease.take(path, ours, guarded=guarded)
    assert lease.read(path) == ours
    with pytest.raises(Held):
        lease.take(path, lease.new(ours.holder), guarded=guarded)


class locked:
    """Another process that has an fcntl lock on a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __enter__(self) -> int:
        read, write = os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            fd = os.open(self.path, os.O_RDWR)
            fcntl.lockf(fd, fcntl.LOCK_EX)
            os.write(write, b"x")
            time.sleep(60)
            os._exit(0)
        os.read(read, 1)
        os.close(read)
        os.close(write)
        return self.pid

    def __exit__(self, *error: object) -> None:
        kill(self.pid)
        os.waitpid(self.pid, 0)
