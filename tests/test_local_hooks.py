"""Calls on this machine: in turn, within its cores and memory, ended with all they started."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from calls import Call, Run, wait_for
from disks import fill

pytestmark = pytest.mark.functional

CHECK, KILL = "local-check-alive", "local-kill"


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """A run on a machine of two cores and 1000 MB."""
    return Run(tmp_path, run_here, settings={"cores": 2, "memory_mb": 1000}).install()


def run_here(argv: object) -> subprocess.CompletedProcess[str]:
    words = [str(word) for word in argv]  # type: ignore[attr-defined]
    return subprocess.run(words, capture_output=True, text=True, timeout=60, check=False)


def submit(call: Call) -> Call:
    return call.submit("local-submit")


def end(call: Call) -> int:
    return call.end(hook=CHECK, timeout=40)


def logging(run: Run) -> Callable[[str], str]:
    """A command that writes its name when it begins and when it ends."""
    log = run.base / "log"
    return lambda name: f"echo +{name} >> {log}; sleep 0.4; echo -{name} >> {log}"


def marks(run: Run) -> list[str]:
    return (run.base / "log").read_text().split()


def started(call: Call) -> bool:
    return (call.here / "began").exists()


def test_a_call_runs_and_its_id_stands_alone(run: Run) -> None:
    call = submit(run.call("echo hello"))
    assert (end(call), (call.here / "stdout").read_text()) == (0, "hello\n")


def test_the_ledger_is_the_users_alone_and_a_call_has_the_users_umask(run: Run) -> None:
    call = submit(run.call("touch made; sleep 1"))
    wait_for(lambda: (call.here / "made").exists())
    assert (call.here / "made").stat().st_mode & 0o777 == 0o666 & ~_umask()
    assert run.open_to_others() == []


def _umask() -> int:
    os.umask(before := os.umask(0o022))
    return before


def test_calls_come_in_turn_and_never_take_more_cores_than_there_are(run: Run) -> None:
    command = logging(run)
    wide = {2: "2"}
    calls = [submit(run.call(command(str(i)), cpu=wide.get(i, "1"))) for i in range(5)]
    assert {end(call) for call in calls} == {0}
    running = 0
    for mark in marks(run):
        running += int(mark[0] + wide.get(int(mark[1:]), "1"))
        assert running <= 2
    assert sorted(mark for mark in marks(run)[:2]) == ["+0", "+1"]
    assert marks(run).index("+2") < marks(run).index("+3")


def test_memory_is_shared_as_cores_are(run: Run) -> None:
    command = logging(run)
    calls = [submit(run.call(command(str(i)), wanted_mb="600")) for i in range(3)]
    assert {end(call) for call in calls} == {0}
    assert marks(run) == ["+0", "-0", "+1", "-1", "+2", "-2"]


@pytest.mark.parametrize("asked", [{"cpu": "3"}, {"wanted_mb": "1001"}])
def test_more_than_the_machine_has_ends_at_once_with_a_sentence(
    run: Run, asked: dict[str, str]
) -> None:
    call = submit(run.call(**asked))
    assert call.rc == 85
    assert "calls may have 2 cores and 1000 MB of this machine" in call.stderr


def test_a_script_that_the_shell_does_not_understand_ends_with_its_words(run: Run) -> None:
    call = submit(run.call("echo 'it"))
    assert end(call) == 85
    assert "no return code, but status 2: script: line " in call.stderr


@pytest.mark.parametrize("cpu", ["a[$(touch PWNED)]", "1 + 1", "-1", ""])
def test_what_is_no_number_is_never_computed(run: Run, cpu: str) -> None:
    call = submit(run.call(cpu=cpu))
    assert (call.job, "cpu, memory and gpuCount take numbers" in call.said) == ("", True)
    assert list(run.base.rglob("PWNED")) == []


def test_a_kill_ends_all_that_the_call_started(run: Run, tmp_path: Path) -> None:
    command = "sleep 9.71 & setsid sleep 9.72 & trap '' TERM; touch began; sleep 9.73; sleep 9.74"
    call = submit(run.call(command))
    wait_for(lambda: started(call))
    run.hook(KILL, call.job)
    wait_for(lambda: not sleepers("9.7"), timeout=20)
    assert end(call) in {79, 84}


def sleepers(times: str) -> list[str]:
    found = subprocess.run(["pgrep", "-fx", rf"sleep {times}\d*"], capture_output=True, check=False)
    return found.stdout.decode().split()


def test_a_call_that_waits_can_be_killed(run: Run) -> None:
    first = submit(run.call("touch began; sleep 30", cpu="2"))
    second = submit(run.call("touch began", cpu="2"))
    wait_for(lambda: started(first))
    run.hook(KILL, second.job)
    assert (end(second), started(second)) == (84, False)
    run.hook(KILL, first.job)
    end(first)


def test_what_a_killed_call_held_is_free_again(run: Run) -> None:
    first = submit(run.call("touch began; sleep 30", cpu="2"))
    wait_for(lambda: started(first))
    os.killpg(int(first.job), signal.SIGKILL)
    second = submit(run.call("true", cpu="2"))
    assert (end(second), end(first)) == (0, 79)


def test_two_runs_share_one_machine(tmp_path: Path) -> None:
    """Where the user's runtime directory says that they are one user's."""
    runtime = tmp_path / "runtime"
    runtime.mkdir(mode=0o700)

    def run_as(argv: object) -> subprocess.CompletedProcess[str]:
        return run_here(["env", f"XDG_RUNTIME_DIR={runtime}", *argv])  # type: ignore[misc]

    settings = {"cores": 1, "memory_mb": 1000}
    one = Run(tmp_path / "one", run_as, settings=settings).install()
    two = Run(tmp_path / "two", run_as, settings=settings).install()
    command = logging(one)
    calls = [submit(run.call(command(str(i)))) for i, run in enumerate([one, two, one])]
    assert {end(call) for call in calls} == {0}
    assert marks(one) == ["+0", "-0", "+1", "-1", "+2", "-2"]


def test_a_number_that_another_process_has_by_now_is_left_alone(run: Run) -> None:
    other = subprocess.Popen(["sleep", "30"], start_new_session=True)
    run.hook(KILL, str(other.pid))
    time.sleep(0.2)
    assert other.poll() is None
    other.kill()
    other.wait()


def test_nothing_is_left_behind(run: Run) -> None:
    end(submit(run.call("sleep 9.81 & setsid sleep 9.82 & true")))
    wait_for(lambda: not sleepers("9.8"))
    (folder,) = (run.base / "state").glob("*/machine")
    wait_for(lambda: not [*folder.glob("wait.*"), *folder.glob("run.*")])


def test_a_calls_end_takes_no_step_for_each_process_of_the_machine(run: Run) -> None:
    look = ["bash", "-xc", '. "$0"; read_members $$; echo "${members[*]} of $$"']
    told = run_here([*look, run.hooks / "processes"])
    assert len(told.stderr.splitlines()) < 10
    members, _, own = told.stdout.partition(" of ")
    assert own.strip() not in members.split(), "it leads no session of its own"
    told = run_here(["setsid", "--wait", *look, run.hooks / "processes"])
    members, _, own = told.stdout.partition(" of ")
    assert own.strip() in members.split()


FILLS = "cat /dev/zero > filler"


@pytest.mark.root
@pytest.mark.parametrize("script", ["as it is", "without our epilogue"])
def test_a_call_that_fills_its_disk_ends_with_a_code_that_says_so(
    small_disk: Path, script: str
) -> None:
    run = Run(small_disk, run_here, settings={"cores": 2, "memory_mb": 1000}).install()
    call = run.call(f"{FILLS}; true")
    if script != "as it is":
        text = (call.here / "script").read_text()
        (call.here / "script").write_text(text.replace(" || mv -f .rc.full rc.tmp", ""))
    assert end(submit(call)) == 86
    (call.here / "filler").unlink()
    assert end(submit(run.call("true"))) == 0


@pytest.mark.root
def test_a_call_killed_on_a_full_disk_ends_all_the_same(small_disk: Path) -> None:
    run = Run(small_disk, run_here, settings={"cores": 2, "memory_mb": 1000}).install()
    call = submit(run.call(f"{FILLS}; touch began; sleep 30"))
    wait_for(lambda: started(call))
    os.killpg(int(call.job), signal.SIGKILL)
    asks = f". {run.hooks}/{CHECK} {call.job} {call.here}/script.check"
    wait_for(lambda: run_here(["/bin/bash", "-c", asks]).returncode == 0 and call.rc)
    assert call.rc == 86


@pytest.mark.root
def test_no_call_begins_on_a_disk_that_is_full(small_disk: Path) -> None:
    run = Run(small_disk, run_here, settings={"cores": 2, "memory_mb": 1000}).install()
    call = run.call("touch began")
    call.write_submit("local-submit")
    fill(small_disk / "filler")
    done = run_here(["/bin/bash", call.here / "script.submit"])
    assert (done.returncode, done.stdout) == (1, "")
    assert "There is no room on the disk" in done.stderr
    assert not started(call)
