"""Forks of this process: one that goes on without us, one that works beside us and answers."""

from __future__ import annotations

import contextlib
import gc
import importlib
import os
import pickle
import signal
import sys
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn, TypeVar

from cromwell_userdb.errors import CommandFailed
from cromwell_userdb.record import appending

Q = TypeVar("Q")
T = TypeVar("T")


def detached(work: Callable[[], object], *, log: Path) -> int:
    """Do `work` in a process of its own session, its output in the 0600 file `log`.

    Returns the pid, whose end the caller may wait for. The parent's terminal, signals and
    end do not reach it. What `work` needs is already imported: that is the point of a fork.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    # So that the collector leaves alone, in both, the pages that they share.
    gc.freeze()
    pid = os.fork()
    if pid:
        return pid
    status = 1
    try:
        os.setsid()
        for signum in (signal.SIGINT, signal.SIGQUIT, signal.SIGHUP):
            signal.signal(signum, signal.SIG_IGN)
        with appending(log) as out, Path(os.devnull).open("rb") as nothing:
            os.dup2(nothing.fileno(), 0)
            os.dup2(out, 1)
            os.dup2(out, 2)
        work()
        status = 0
    except BaseException:  # noqa: BLE001  # the end of a process: nobody else can tell of it
        # On a full disk nothing can be told; the fork must not go on as what it was made from.
        with contextlib.suppress(OSError):
            traceback.print_exc()
    finally:
        with contextlib.suppress(OSError):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(status)


def is_over(pid: int) -> bool:
    """Whether a child of ours has ended; others may still wait for it."""
    return os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None


@dataclass(frozen=True)
class Beside:
    """A process that has been told what to load, and does one thing with it."""

    pid: int
    questions: int
    answers: int

    def do(self, work: Callable[[Q], T], asked: Q) -> Callable[[], T]:
        """Begin `work`; what is returned waits for it, and gives or raises what it did.

        All of it is sent: what is asked, and what comes of it.
        """
        question = pickle.dumps((work, asked))
        # If it has been killed, the result tells.
        with contextlib.suppress(BrokenPipeError), open(self.questions, "wb") as file:  # noqa: PTH123
            file.write(question)
        return self._result

    def _result(self) -> Any:
        with open(self.answers, "rb") as file:  # noqa: PTH123  # a descriptor
            data = file.read()
        if os.waitpid(self.pid, 0)[1]:
            raise CommandFailed("A process of this command was killed; try again.")
        given, error = pickle.loads(data)
        if error is not None:
            raise error
        return given


def beside(module: str) -> Beside:
    """A fork that loads `module` while we load what we need; without anything to do it ends."""
    theirs, questions = os.pipe()
    answers, ours = os.pipe()
    sys.stdout.flush()
    sys.stderr.flush()
    pid = os.fork()
    if not pid:
        os.close(questions)
        os.close(answers)
        _serve(module, theirs, ours)
    os.close(theirs)
    os.close(ours)
    return Beside(pid, questions, answers)


def _serve(module: str, questions: int, answers: int) -> NoReturn:
    status = 1
    try:
        importlib.import_module(module)
        with open(questions, "rb") as file:  # a descriptor
            question = file.read()
        if question:
            work, asked = pickle.loads(question)
            answer: tuple[object, Exception | None]
            try:
                answer = work(asked), None
            except Exception as error:  # noqa: BLE001  # raised where somebody can tell of it
                error.add_note(traceback.format_exc())
                answer = None, error
            with open(answers, "wb") as file:  # a descriptor
                pickle.dump(answer, file)
        status = 0
    finally:
        os._exit(status)
