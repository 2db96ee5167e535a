from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

COMMAND = [sys.executable, "-m", "cromwell_userdb"]


def test_an_interrupted_command_ends_with_130_and_no_traceback(tmp_path: Path) -> None:
    pipe = tmp_path / "cromwell.jar"
    os.mkfifo(pipe)
    argv = [*COMMAND, "engine", "install", "92", "--from", pipe]
    child = subprocess.Popen(argv, stderr=subprocess.PIPE, text=True, preexec_fn=_hears_interrupts)
    with pipe.open("wb"):
        child.send_signal(signal.SIGINT)
        words = child.communicate(timeout=60)[1]
    assert (child.returncode, words.split()[-1]) == (130, "Interrupted.")


def _hears_interrupts() -> None:
    """Whoever started the tests in the background made them deaf to Ctrl-C."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@pytest.mark.parametrize("words", [["frobnicate"], ["init", "--nmae", "x"], ["run"]])
def test_wrong_words_end_with_2(words: list[str]) -> None:
    done = subprocess.run([*COMMAND, *words], capture_output=True, timeout=60, check=False)
    assert done.returncode == 2
    assert b"Traceback" not in done.stderr


def test_a_reader_that_has_seen_enough_is_no_failure() -> None:
    child = subprocess.Popen(
        [*COMMAND, "config", "show", "--json"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert child.stdout and child.stderr
    child.stdout.close()
    assert (child.wait(60), child.stderr.read()) == (0, b"")


@pytest.mark.parametrize(
    ("redirected", "status", "words"),
    [(">/dev/full", 5, "no space left on device"), (">&-", 0, "")],
)
def test_an_answer_that_can_not_be_written_ends_in_a_sentence(redirected, status, words) -> None:
    command = f'exec "$0" -m cromwell_userdb engine list {redirected}'
    done = subprocess.run(
        ["/bin/sh", "-c", command, sys.executable], capture_output=True, text=True, check=False
    )
    assert done.returncode == status
    assert words in done.stderr
    assert "Sorry" not in done.stderr and "Exception" not in done.stderr


def test_what_is_no_text_in_utf_8_is_refused_in_a_sentence() -> None:
    argv = [*COMMAND, "run", b"n\xf6.wdl"]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (
        2,
        "'n\\xf6.wdl' is no text in UTF-8: rename it, or write it so.\n",
    )


def test_files_are_never_closed_to_their_owner(tmp_path: Path) -> None:
    argv = [*COMMAND, "init", "--allow-root", "--root", str(tmp_path / "db"), "--server", "/nope"]
    environment = {**os.environ, "XDG_CACHE_HOME": str(tmp_path / "cache")}
    subprocess.run(argv, capture_output=True, timeout=60, check=False, umask=0o777, env=environment)
    assert (tmp_path / "cache/cromwell-userdb").stat().st_mode & 0o777 == 0o700
