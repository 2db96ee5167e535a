"""What a test starts in a folder of its own ends with the test, however that ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from folders import gone, made, processes
from served import alive, until


@pytest.mark.parametrize("trace", ["argument", "environment", "cwd"])
def test_what_lives_in_a_folder_goes_with_it_and_nothing_else(trace: str):
    folder, other = made("swept"), made("swept")
    argv = ["sh", "-c", "sleep 600 & wait", str(folder / "x") if trace == "argument" else "x"]
    env = {"PATH": os.defpath} | ({"X": f"{folder}/x"} if trace == "environment" else {})
    cwd = folder if trace == "cwd" else "/"
    lives = subprocess.Popen(argv, env=env, cwd=cwd)
    stays = subprocess.Popen(["sleep", "600"], cwd=other)
    until(lambda: len(list(processes(folder))) == (1 if trace == "argument" else 2))
    gone(folder)
    assert (lives.wait(), stays.poll()) == (-signal.SIGKILL, None)
    assert not folder.exists()
    gone(other)
    assert stays.wait() == -signal.SIGKILL


def test_a_test_run_that_is_killed_leaves_nothing():
    script = (
        "import subprocess, time; from folders import made; folder = made('killed')\n"
        "child = subprocess.Popen(['sleep', '600'], cwd=folder)\n"
        "print(folder, child.pid, flush=True); time.sleep(600)"
    )
    argv = [sys.executable, "-c", script]
    run = subprocess.Popen(argv, cwd=Path(__file__).parent, stdout=subprocess.PIPE, text=True)
    assert run.stdout is not None
    folder, pid = run.stdout.readline().split()
    run.kill()
    run.wait()
    until(lambda: not alive(int(pid)) and not Path(folder).exists())
