"""Jobs between their submission and their end: started through the hooks, looked at, killed."""

from __future__ import annotations

import contextlib
import heapq
import itertools
import math
import os
import signal
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from cromwell_userdb.embedded import hooks
from cromwell_userdb.embedded.flow import Attempt
from cromwell_userdb.embedded.job import Place
from cromwell_userdb.embedded.log import say
from cromwell_userdb.embedded.provider import Provider
from cromwell_userdb.embedded.record import Record
from cromwell_userdb.errors import CommandFailed
from cromwell_userdb.process import signal_group
from cromwell_userdb.record import read_text

SUBMITTERS = 8
"""Submit hooks at work at once: more would only press the controller."""

KILLED = 143
"""The return code of a job that was aborted."""

RC_GRACE = 2.0
"""Seconds in which the `rc` of a job that has gone may still turn up, as on NFS."""

SUBMIT_SECONDS = 60.0
"""Seconds that the submit hook of an engine that died is waited for."""

KILL_SECONDS = 60.0
"""Seconds that a kill hook has, before the job counts as killed all the same."""


class Ended(NamedTuple):
    """A job that is over: by its return code, or by a problem that kept it from starting."""

    attempt: Attempt
    code: int | None
    problem: str = ""


@dataclass
class Jobs:
    """The jobs of one run; `per_second` limits how fast they are submitted, 0 does not."""

    provider: Provider
    record: Record
    clock: Callable[[], float]
    per_second: float = 0.0
    is_aborted: bool = False
    _patient_until: float = math.inf
    _to_kill: deque[Attempt] = field(default_factory=deque)
    _submitting: set[Attempt] = field(default_factory=set)
    _running: set[Attempt] = field(default_factory=set)
    _looks: list[tuple[float, int, Attempt]] = field(default_factory=list)
    _order: itertools.count[int] = field(default_factory=itertools.count)
    _next_submit: float = -math.inf

    @property
    def wait(self) -> float:
        """Seconds until one of the jobs is to be looked at."""
        return max(0.0, self._looks[0][0] - self.clock()) if self._looks else math.inf

    @property
    def running(self) -> list[Attempt]:
        return list(self._running)

    @property
    def have_room(self) -> bool:
        """Whether one more may be submitted now."""
        limit = self.provider.concurrent_jobs
        if limit is not None and len(self._running) + len(self._submitting) >= limit:
            return False
        if self.provider.in_background:
            return True
        return len(self._submitting) < SUBMITTERS and self.clock() >= self._next_submit

    def submit(self, attempt: Attempt, script: str) -> None:
        """Write the script and start the submit hook; raises an error of ours."""
        if attempt.place.script.exists():
            self._clear(attempt)
        attempt.place.script.write_text(script)
        self.record.running(attempt.call, attempt.command)
        attempt.begin_running(self.clock())
        attempt.child = hooks.submit(self.provider, attempt.ready_prepared, attempt.call)
        if self.provider.in_background:
            self._runs(attempt, str(attempt.child.pid))
            return
        self._submitting.add(attempt)
        if self.per_second:
            self._next_submit = max(self._next_submit, self.clock() - 1) + 1 / self.per_second

    def take_up(self, attempt: Attempt, script: str) -> bool:
        """Go on with what an engine that died has left: a job that runs or has ended.

        Only for the same script in the same folder: then it is the same call.
        """
        place = attempt.place
        if read_text(place.script) != script:
            return False
        deadline = self.clock() + SUBMIT_SECONDS
        while (job := self._old_job(place)) is None and place.return_code() is None:
            if self.clock() > deadline or not hooks.is_submitting(place):
                break
            time.sleep(0.05)
        if job is None and place.return_code() is None:
            return False
        attempt.begin_running(self.clock())
        self.record.running(attempt.call, attempt.command)
        self._runs(attempt, job or "unknown")
        return True

    def _clear(self, attempt: Attempt) -> None:
        """End what an engine that died has left half done, so that nothing of it is read."""
        place = attempt.place
        job = None if place.return_code() is not None else self._old_job(place)
        if job is not None:
            attempt.job = job
            self._kill(attempt)
            attempt.code = None
            if attempt.child is not None:
                attempt.child.wait(KILL_SECONDS)
                attempt.child = None
        for name in ("rc", "pid", "memory_retry_rc", "stdout", "stderr"):
            (place.execution / name).unlink(missing_ok=True)

    def look(self) -> Iterator[Ended]:
        """What has ended since the last look."""
        if self.clock() > self._patient_until:
            self._end_submitting()
        for attempt in [one for one in self._submitting if _has_ended(one)]:
            yield from self._submitted(attempt)
        self._kill_some()
        if self.provider.in_background or self.is_aborted:
            for attempt in [one for one in self._running if self.is_aborted or _has_ended(one)]:
                yield from self._look_at(attempt)
        moment = self.clock()
        while self._looks and self._looks[0][0] <= moment:
            attempt = heapq.heappop(self._looks)[2]
            if attempt in self._running:
                yield from self._look_at(attempt)
            if attempt in self._running:
                self._look_later(attempt)

    def kill(self) -> None:
        """Kill all that run; who is being submitted is killed when its id is known."""
        self.is_aborted = True
        self._patient_until = self.clock() + KILL_SECONDS
        self._to_kill.extend(self._running)

    def _end_submitting(self) -> None:
        """Submit hooks may try for an hour: at an abort that is too long."""
        self._patient_until = math.inf
        for attempt in self._submitting:
            if attempt.child is not None:
                signal_group(attempt.child, signal.SIGTERM)

    def _old_job(self, place: Place) -> str | None:
        if self.provider.in_background:
            pid = hooks.background_job(place)
            return None if pid is None else str(pid)
        return self.provider.job_id(read_text(place.execution / "stdout.submit"))

    def _runs(self, attempt: Attempt, job: str) -> None:
        attempt.job = job
        attempt.asked = self.clock()
        say(f"[UUID({attempt.call.workflow[:8]}){attempt.call}]: job id: {job}")
        self.record.has_job(attempt.call, job)
        self._running.add(attempt)
        self._look_later(attempt)

    def _look_later(self, attempt: Attempt) -> None:
        """The longer a job runs, the less often it is looked at: 5 ms to 5 s."""
        pause = min(5.0, max(0.005, (self.clock() - attempt.born) / 10))
        heapq.heappush(self._looks, (self.clock() + pause, next(self._order), attempt))

    def _submitted(self, attempt: Attempt) -> Iterator[Ended]:
        self._submitting.discard(attempt)
        assert attempt.child
        status, attempt.child = attempt.child.returncode, None
        try:
            job = hooks.job_of(self.provider, attempt.place)
        except CommandFailed as error:
            yield Ended(attempt, None, str(error))
            return
        if status:
            yield Ended(attempt, None, f"The submit command ended with status {status}.")
            return
        self._runs(attempt, job)
        if self.is_aborted:
            self._to_kill.append(attempt)

    def _look_at(self, attempt: Attempt) -> Iterator[Ended]:
        code = attempt.code
        if code is None:
            code = attempt.place.return_code()
        if code is None:
            self._ask(attempt)
        elif not (self.is_aborted and self._is_being_killed(attempt)):
            self._running.discard(attempt)
            self.record.job_ended(attempt.call)
            yield Ended(attempt, code)

    def _is_being_killed(self, attempt: Attempt) -> bool:
        if attempt in self._to_kill:
            return True
        return _is_busy(attempt) and self.clock() - attempt.asked < KILL_SECONDS

    def _ask(self, attempt: Attempt) -> None:
        """See whether a job without an `rc` still lives; if it has gone, write one for it."""
        if self.provider.in_background:
            gone = not _is_busy(attempt) and hooks.background_job(attempt.place) is None
        else:
            gone = self._is_said_to_be_gone(attempt)
        if not gone:
            attempt.gone_since = None
        elif attempt.gone_since is None:
            attempt.gone_since = self.clock()
        elif self.clock() - attempt.gone_since > self._grace:
            list(attempt.place.execution.iterdir())  # NFS looks again when it lists
            if not hooks.write_rc(attempt.place, hooks.LOST):
                attempt.code = hooks.NO_ROOM

    def _is_said_to_be_gone(self, attempt: Attempt) -> bool:
        """Ask check-alive from time to time; what it said once, it need not say again."""
        if attempt.gone_since is not None:
            return True
        if _is_busy(attempt) or attempt.job is None:
            return False
        if attempt.child is not None:
            gone, attempt.child = attempt.child.returncode != 0, None
            return gone
        patience = self.provider.patience
        if patience is not None and self.clock() - attempt.asked >= patience:
            attempt.asked = self.clock()
            attempt.child = hooks.check(self.provider, attempt.place, attempt.job)
        return False

    @property
    def _grace(self) -> float:
        return RC_GRACE if self.provider.in_background else self.provider.patience or RC_GRACE

    def _kill_some(self) -> None:
        """Start kill hooks, but only so many at once."""
        at_work = sum(_is_busy(attempt) for attempt in self._running) if self._to_kill else 0
        while self._to_kill and (at_work < SUBMITTERS or self.provider.in_background):
            self._kill(self._to_kill.popleft())
            at_work += 1

    def _kill(self, attempt: Attempt) -> None:
        if not hooks.write_rc(attempt.place, KILLED):
            attempt.code = KILLED
        attempt.asked = self.clock()
        job = attempt.job or ""
        if self.provider.in_background:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(int(job), signal.SIGTERM)
            return
        image = attempt.ready_prepared.attributes.image
        attempt.child = hooks.kill(self.provider, attempt.place, job, image=image)


def _has_ended(attempt: Attempt) -> bool:
    return attempt.child is not None and attempt.child.poll() is not None


def _is_busy(attempt: Attempt) -> bool:
    return attempt.child is not None and attempt.child.poll() is None
