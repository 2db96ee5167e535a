"""The leader of a run: the process in which its engine lives, from start to verdict."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from cromwell_userdb import (
    cancels,
    database,
    forks,
    process,
    pulled,
    register,
    runs,
    slurm,
    workflows,
)
from cromwell_userdb.enginelog import EngineLog
from cromwell_userdb.errors import DatabaseError, Stopped, UserDBError
from cromwell_userdb.instance import RunFolder
from cromwell_userdb.record import Identity
from cromwell_userdb.runs import Request, State
from cromwell_userdb.verdicts import describe_failures
from cromwell_userdb.watch import Watch

FRESH = 10.0
"""Seconds after which the state on disk is written again though nothing changed."""

LAST_LOOK = 60.0
"""Seconds that a database which is away is waited for, to learn of the verdict, and a full disk.

What could not be written then is put right by the next command that looks.
"""

HASTE = 10.0
"""The same where the user wants to see the end of it."""

ARRIVAL = 10.0
"""Seconds that a leader has to make itself known."""

CANCELS = 600.0
"""Seconds that a leader stays until SLURM was told of all jobs to cancel: who tells it may end too.

What is left then is done by the next command that looks.
"""

FAREWELL = 90.0
"""Seconds an engine has to leave once its workflow has ended."""


@dataclass(frozen=True)
class Task:
    """One engine to lead.

    `connect` gives a connection to the instance, with its server started where need be;
    `cancel` ends jobs by their ids; `afterwards` sees to what the run leaves besides, and gives
    a word on it. `snapshot` is the hooks' last look at SLURM's queue.
    """

    folder: RunFolder
    request: Request
    argv: Sequence[str]
    environment: Mapping[str, str]
    connect: Callable[[], database.Connection]
    cancel: Callable[[Sequence[str]], None]
    afterwards: Callable[[State], str] = lambda state: ""
    snapshot: Path | None = None


STOPPED = "stopped before its end; its jobs go on"
"""The note of a run that was left to be resumed."""


def lead(task: Task) -> State:
    """Start the engine, follow it until it has gone, and write down what became of the run.

    A file `abort` in the run's folder aborts, and so does TERM, but for a run that is to be
    resumed: there TERM stops the engine and leaves the jobs. Once more kills.
    """
    leading = _Leading(task)
    signal.signal(signal.SIGTERM, leading.on_term)
    return leading.until_the_end()


def start(task: Task) -> None:
    """Have a process of its own lead the run; the run's folder names it when this returns."""
    pid = forks.detached(lambda: lead(task), log=task.folder.leader_log)
    deadline = time.monotonic() + ARRIVAL
    while time.monotonic() < deadline:
        over = forks.is_over(pid)
        state = runs.read_state(task.folder)
        if not (state and state.leader and state.leader.pid == os.getpid()):
            return
        if over:
            # It could not name itself any more.
            runs.write_state(task.folder, replace(state, leader=replace(state.leader, pid=pid)))
            return
        time.sleep(0.01)


class _Leading:
    """The engine, its connection and what was seen of it so far."""

    def __init__(self, task: Task) -> None:
        self.task = task
        self.terms = 0
        self.told = 0
        self.aborting = False
        self.connection: database.Connection | None = None
        self.watch = Watch(task.request, task.folder.outputs, task.snapshot)
        self.log = EngineLog(task.folder.engine_log)
        self.written = 0.0
        self.seen_off = False
        self.patient_until = 0.0
        # Nobody shall take the run for dead while an engine that they do not know of is alive.
        self.child = process.spawn_held(
            task.argv, out=task.folder.engine_log, env=task.environment, cwd=_cwd(task)
        )
        self.state = replace(
            runs.read_state(task.folder) or State(task.request.run, runs.RUNNING, runs.now()),
            state=runs.RUNNING,
            started=runs.now(),
            leader=Identity.of(os.getpid()),
            job=os.environ.get("SLURM_JOB_ID", ""),
            engine_process=Identity.of(self.child.pid),
        )
        self.write()
        process.release(self.child)

    def on_term(self, signum: int, frame: Any) -> None:
        self.terms += 1

    def until_the_end(self) -> State:
        pause = 0.05
        while not process.has_ended(self.child, within=pause):
            before = self.calls_to_come
            self.obey()
            self.observe()
            # The last call may have been the last: the end is near, or the next begins.
            pause = min(1.0, pause * 1.1) if self.calls_to_come or not before else 0.05
        self.patient_until = time.monotonic() + (HASTE if self.aborting else LAST_LOOK)
        while (not self.observe() or cancels.noted(self.task.folder)) and self.is_patient:
            time.sleep(1)
        self.conclude()
        if self.connection is not None:
            self.connection.close()
        self.patient_until = time.monotonic() + CANCELS
        while cancels.noted(self.task.folder) and self.is_patient:
            time.sleep(1)
        return self.state

    @property
    def calls_to_come(self) -> int:
        return sum(one.total - one.done - one.failed for one in self.state.calls)

    @property
    def is_patient(self) -> bool:
        """Whether what is missing at the end is still waited for; a signal ends that."""
        return time.monotonic() < self.patient_until and self.terms == self.told

    @property
    def leaves_jobs(self) -> bool:
        """Whether the engine, told to end, leaves its jobs to a successor."""
        return self.task.request.on_limit != "abort"

    def obey(self) -> None:
        """Pass on an abort, a stop and a hopeless start; see off an engine that is done."""
        if self.log.hopeless() and not self.terms:
            self.terms = 1
        if self.task.folder.abort.exists() and not self.aborting:
            self.aborting = True
            self.terms = max(self.terms, 1)
        if self.terms > self.told:
            self.told = self.terms
            self.aborting = self.aborting or not self.leaves_jobs
            self.state = replace(self.state, aborting=self.aborting)
            self.write()
            self.child.send_signal(signal.SIGTERM) if self.told == 1 else self.kill()
        if self.watch.terminal_since is not None:
            self.see_off(time.monotonic() - self.watch.terminal_since)

    def see_off(self, lingering: float) -> None:
        """Have an engine leave whose workflow has ended.

        By itself a Cromwell notices it up to a minute and a half later, the longer the run the
        later. Told to, it leaves in the same way, but without the metadata it was to write.
        """
        by_itself = self.told or self.seen_off or self.task.request.metadata_output
        if self.log.is_done and not by_itself:
            self.seen_off = True
            self.child.send_signal(signal.SIGTERM)
        if lingering > FAREWELL:
            self.kill()

    def kill(self) -> None:
        process.signal_group(self.child, signal.SIGKILL)
        if self.aborting:
            self.task.cancel(self.state.jobs)

    def observe(self) -> bool:
        """Bring the state up to date; False where the database, for now, does not answer."""
        try:
            if self.connection is None:
                self.connection = self.task.connect()
                register.save(self.connection, self.task.request, self.state)
            state = self.watch.look(self.connection, self.state)
        except (UserDBError, database.Error, OSError) as error:
            _tell(f"{runs.now()} {error}")
            self.connection = None
            return False
        # Once the engine has gone, the verdict is written at once, and all else with it.
        running = self.child.returncode is None
        changed = running and replace(state, as_of=self.state.as_of) != self.state
        self.state = state
        if changed or time.monotonic() - self.written > FRESH:
            self.write()
        return True

    def write(self) -> None:
        """Put the state on disk; a full disk keeps the old one, and the run goes on."""
        self.state = replace(self.state, as_of=runs.now())
        try:
            runs.write_state(self.task.folder, self.state)
        except OSError as error:
            _tell(f"{self.state.as_of} {error}")
            return
        self.written = time.monotonic()

    def conclude(self) -> None:
        """Write the verdict: Cromwell's own last status, and only then the exit code."""
        state, note = self.verdict()
        if self.connection is not None:
            with contextlib.suppress(DatabaseError, database.Error, OSError):
                self.state = self.watch.last_look(self.connection, self.state)
        after = self.task.afterwards(replace(self.state, state=state))
        self.state = replace(
            self.state,
            state=state,
            note="; ".join(filter(None, [note, after])),
            ended=runs.now(),
            failures=self.failures() if state == runs.FAILED else (),
        )
        if state == runs.ABORTED:
            self.state = runs.as_aborted(self.state, self.state.note)
        self.insist_on_writing()
        if self.connection is not None:
            with contextlib.suppress(DatabaseError, database.Error):
                register.save(self.connection, self.task.request, self.state)
                workflows.repair_summary(self.connection, self.state.id)

    def insist_on_writing(self) -> None:
        """The verdict has to get to the disk: wait for room, if need be."""
        before = self.written
        self.write()
        while self.written == before and self.is_patient:
            time.sleep(1)
            self.write()

    def verdict(self) -> tuple[str, str]:
        """The run's state, and a word on it where Cromwell's status does not say all."""
        ending = _ending(self.child.returncode)
        if hopeless := self.log.hopeless():
            return runs.FAILED, hopeless
        if self.watch.verdict:
            return self.watch.verdict, ""
        if self.aborting:
            if self.leaves_jobs:
                self.task.cancel(self.state.jobs)
            return runs.ABORTED, ""
        if self.told:
            again = f"{runs.REQUEUED}, as job {self.state.job}"
            return runs.LOST, again if self.task.request.on_limit == "requeue" else STOPPED
        if self.child.returncode == Stopped.exit_code:
            return runs.LOST, self.log.parting_words()
        if self.state.id:
            return runs.LOST, f"its engine {ending}"
        return runs.FAILED, self.log.last_words() or f"its engine {ending}"

    def failures(self) -> tuple[runs.Failure, ...]:
        if self.connection is None or not self.state.id:
            return ()
        return describe_failures(
            self.connection, self.state.id, list(pulled.told(self.task.folder.pulls))
        )


def _cwd(task: Task) -> Path:
    """The folder that relative paths in inputs are meant from; the run's own where that is gone."""
    asked = Path(task.request.cwd)
    return asked if os.access(asked, os.X_OK) and asked.is_dir() else task.folder.path


def _tell(line: str) -> None:
    """A line in the leader's log, unless that is on the full disk, too."""
    with contextlib.suppress(OSError):
        print(line, flush=True)


def _ending(status: int) -> str:
    if status < 0:
        return f"was killed by {signal.Signals(-status).name}"
    return f"ended with status {status}"


def ask_to_abort(folder: RunFolder, state: State) -> None:
    """Leave word for the leader, and wake it where it is on this host; one in a queue is taken out.

    Raises CommandFailed where SLURM can't be told.
    """
    here = next((one for one in (state.leader, state.engine_process) if one and one.is_alive), None)
    try:
        folder.abort.touch(0o600)
    except OSError:
        # A full disk takes no word for it; a process of this host needs none.
        if here is None:
            raise
    if state.state == runs.QUEUED and state.job:
        slurm.cancel([state.job])
    if here:
        # The engine, where its leader was killed and nobody else tells it.
        os.kill(here.pid, signal.SIGTERM)
