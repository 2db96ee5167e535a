"""`attach`, and how `run` and `resume` follow a run to its end."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import time
from typing import TYPE_CHECKING

import click

from cromwell_userdb import runs
from cromwell_userdb.cli import place, screen
from cromwell_userdb.cli.arguments import OnRun, run_argument
from cromwell_userdb.cli.options import followed_options
from cromwell_userdb.cli.place import Place, tilde
from cromwell_userdb.disk import free_space
from cromwell_userdb.instance import RunFolder
from cromwell_userdb.report import endings
from cromwell_userdb.runs import State

if TYPE_CHECKING:
    from types import FrameType

EXIT = {runs.SUCCEEDED: 0, runs.FAILED: 1, runs.ABORTED: 7, runs.LOST: 75}
"""What a run's end makes a command end with."""


@click.command("attach", cls=OnRun)
@run_argument(newest=True)
@followed_options
@place.options
def attach_(run: str, quiet: bool, as_json: bool, place: Place) -> None:
    """Follow a run that was left to itself, or that goes on elsewhere.

    Ctrl-C stops following; it does not abort.

    \b
    Examples:
      cromwell-userdb attach
      cromwell-userdb attach 12
    """
    from cromwell_userdb.cli.place import require

    instance = require(place).instance
    folder = instance.run(runs.find(instance, run))
    with Interrupts(aborts=False) as interrupts:
        folder = runs.newest(folder)
        state = follow(folder, place, interrupts, quiet=quiet)
        while state.goes_on and (after := successor(folder, place, state, interrupts, quiet=quiet)):
            folder = after
            state = follow(folder, place, interrupts, quiet=quiet)
        conclude(folder, state, place, as_json=as_json)


def successor(
    folder: RunFolder, where: Place, state: State, interrupts: Interrupts, *, quiet: bool
) -> RunFolder | None:
    """The run that goes on with one whose leader is queued again; None once its job is gone."""
    from cromwell_userdb import slurm

    if not quiet:
        screen.note(endings.ending(state, option=where.option))
    asked = time.monotonic()
    while (after := runs.newest(folder)) == folder:
        if interrupts.leave:
            sys.exit(0)
        if time.monotonic() > asked + 60:
            asked = time.monotonic()
            if slurm.job_ended(state.job):
                return None
        time.sleep(1)
    return after


class Interrupts:
    """Ctrl-C and TERM ask for an abort, Ctrl-\\ leaves the run to itself, HUP changes nothing."""

    def __init__(self, *, aborts: bool = True) -> None:
        self.aborts = aborts
        self.asked = 0
        self.leave = False

    def __enter__(self) -> Interrupts:
        self.before = {
            signum: signal.signal(signum, self.on_signal)
            for signum in (signal.SIGINT, signal.SIGTERM, signal.SIGQUIT, signal.SIGHUP)
        }
        return self

    def __exit__(self, *_: object) -> None:
        for signum, handler in self.before.items():
            signal.signal(signum, handler)

    def on_signal(self, signum: int, frame: FrameType | None) -> None:
        if signum == signal.SIGHUP:
            return
        if signum == signal.SIGQUIT or not self.aborts:
            self.leave = True
        else:
            self.asked += 1


def follow(folder: RunFolder, where: Place, interrupts: Interrupts, *, quiet: bool) -> State:
    """Show the run until it has ended; pass on what the user asks for meanwhile.

    Raises NotRunning when nobody leads the run and it never began.
    """
    from cromwell_userdb import leader

    told = pulls = 0
    waits = False
    with screen.screen(quiet=quiet, keys=_KEYS[interrupts.aborts]) as view:
        mark = _written(folder)
        state = _state(folder, where)
        if not quiet:
            view.say(screen.heading(state, where.name))
        while not state.has_ended or _ends(state):
            if interrupts.leave:
                view.say(
                    f"run {state.run} goes on; cromwell-userdb attach {state.run}{where.option}"
                )
                sys.exit(0)
            if interrupts.asked > told:
                told = interrupts.asked
                view.say(_ABORTING if told == 1 else _KILLING)
                leader.ask_to_abort(folder, state)
            if not waits and (waits := _waits_for_room(folder, state)):
                view.say(f"The disk of {tilde(folder.path)} is full: the run waits for room there.")
            pulls = _tell_of_pulls(folder, pulls, view)
            view.show(state)
            _await_news(folder, mark, pause=0.005 if endings.elapsed(state) < 20 else 0.1)
            mark = _written(folder)
            state = _state(folder, where)
        view.show(state)
    return state


_KEYS = {
    True: "Ctrl-C aborts, Ctrl-\\ leaves it to itself",
    False: "Ctrl-C leaves it to itself",
}
_ABORTING = "Aborting: the engine ends its jobs, which takes a moment. Ctrl-C again kills it."
_KILLING = "Killing the engine; its jobs are cancelled."


def _tell_of_pulls(folder: RunFolder, told: int, view: screen.Screen) -> int:
    """Say which images come, and which do not; `told` have been said before."""
    if not folder.pulls.exists():
        return told
    from cromwell_userdb import pulled

    found = list(pulled.told(folder.pulls))
    for one in found[told:]:
        view.say(str(one))
    return len(found)


def _waits_for_room(folder: RunFolder, state: State) -> bool:
    """Whether the leader, which writes every ten seconds, has no room to write in."""
    silent = not state.has_ended and endings.age(state) > 20
    return silent and free_space(folder.path) < 1 << 16


def _await_news(folder: RunFolder, mark: tuple[int, int] | None, *, pause: float) -> None:
    """Wait until the leader writes again, or for a moment: a look at a file's time is cheap."""
    deadline = time.monotonic() + 0.25
    while _written(folder) == mark and time.monotonic() < deadline:
        time.sleep(pause)


def _written(folder: RunFolder) -> tuple[int, int] | None:
    with contextlib.suppress(OSError):
        facts = folder.state.stat()
        return facts.st_ino, facts.st_mtime_ns
    return None


def _ends(state: State) -> bool:
    """Whether the engine is still there though its workflow has ended."""
    return bool(state.engine_process and state.engine_process.is_alive)


def _state(folder: RunFolder, where: Place) -> State:
    from cromwell_userdb.cli import standing

    _reap()
    return standing.of(where, folder)


def _reap() -> None:
    """Let a leader of ours that has ended be gone, not a zombie."""
    with contextlib.suppress(ChildProcessError):
        os.waitpid(-1, os.WNOHANG)


def conclude(folder: RunFolder, state: State, where: Place, *, as_json: bool) -> None:
    """Say how it ended, print its outputs, and leave with the verdict as exit code."""
    outputs = runs.read_outputs(folder) or {}
    if as_json:
        screen.answer(runs.as_json(state) | {"outputs": outputs})
    else:
        screen.note(endings.ending(state, option=where.option))
        if state.state == runs.SUCCEEDED and outputs:
            screen.note("")
            print(endings.outputs(outputs))
    sys.stdout.flush()
    sys.exit(EXIT[state.state])


def tell_detached(folder: RunFolder, where: Place, *, as_json: bool) -> None:
    """Give back the number of a run that goes on by itself."""
    state = runs.read_state(folder)
    if as_json:
        screen.answer(runs.as_json(state) if state else {"run": folder.number})
    else:
        print(folder.number)
        screen.note(
            f"run {folder.number} goes on by itself; cromwell-userdb attach "
            f"{folder.number}{where.option} follows it."
        )
    if warning := _ends_at_logout():
        screen.note(warning)


def _ends_at_logout() -> str:
    """A word of warning where logind ends users' processes when they log out."""
    from cromwell_userdb.cli.here import kills_at_logout

    if kills_at_logout():
        return (
            "This machine ends your processes when you log out, this run with them: stay, or use "
            '"cromwell-userdb submit".'
        )
    return ""
