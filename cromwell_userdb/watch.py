"""The watch on a running workflow: what the database, and SLURM's queue, tell of it by and by."""

from __future__ import annotations

import contextlib
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from cromwell_userdb import metadata, runs, workflows
from cromwell_userdb.database import Connection
from cromwell_userdb.queue import longest, standing, waiting
from cromwell_userdb.record import write_json
from cromwell_userdb.runs import Request, State
from cromwell_userdb.tally import Tally
from cromwell_userdb.verdicts import VERDICTS

TALLY = 30.0
"""Seconds between two questions for the numbers of attempts that have ended."""


class Watch:
    """One run's workflow, look by look; `terminal_since` is when its end was first seen.

    `outputs` is the file that keeps what it made; `snapshot` the hooks' last look at the queue.
    """

    def __init__(self, request: Request, outputs: Path, snapshot: Path | None) -> None:
        self.terminal_since: float | None = None
        self._token = request.token
        self._outputs, self._snapshot = outputs, snapshot
        self._follower: metadata.Follower | None = None
        self._tally = Tally(
            request.run,
            accounting=snapshot is not None,
            cluster=str(request.settings.get("slurm.cluster", "")),
        )
        self._looked_at: tuple[object, ...] = ()
        self._kept: dict[str, Any] | None = None

    @property
    def verdict(self) -> str:
        """The run's state by Cromwell's own last word on the workflow, "" before that."""
        return VERDICTS.get(self._follower.status, "") if self._follower else ""

    def look(self, connection: Connection, state: State) -> State:
        """`state` with all that is told since the last look."""
        if self._follower is None:
            found = workflows.find_by_label(connection, runs.LABEL, self._token)
            if found is None:
                return state
            self._follower = metadata.Follower(found)
        seen = self._follower
        state = replace(state, id=seen.id)
        seen.update(connection)
        if self.verdict and self.terminal_since is None:
            self.terminal_since = time.monotonic()
            self._keep_outputs(connection, seen.id)
        if self._has_numbers(seen) and time.monotonic() - self._tally.looked > TALLY:
            self._tally.look(connection, seen.workflows)
        queue = standing(self._snapshot)
        looked_at = (seen.progress, queue, self._tally.looked)
        if looked_at == self._looked_at:
            return state  # with 5,000 calls it takes 20 ms to count them
        self._looked_at = looked_at
        return replace(
            self._counted(seen, state),
            jobs=tuple(seen.jobs()),
            waiting=waiting(seen.progress, queue),
            longest=longest(seen.progress, queue),
        )

    def last_look(self, connection: Connection, state: State) -> State:
        """`state` with what comes late: outputs, and the numbers of the last attempts."""
        seen = self._follower
        if self.terminal_since is not None and seen:
            # Cromwell's status may be in the tables some moments before its last outputs.
            with contextlib.suppress(OSError):
                self._keep_outputs(connection, seen.id)
        if not seen or not self._has_numbers(seen):
            return state
        # The accounting may lag behind for a moment.
        for last in (False, False, True):
            if self._tally.look(connection, seen.workflows, last=last):
                break
            time.sleep(1)
        return replace(self._counted(seen, state), waiting=(), longest=None)

    def _counted(self, seen: metadata.Follower, state: State) -> State:
        calls = tuple(seen.progress.counts_with(self._tally.seconds))
        return replace(state, calls=calls, attempts=self._tally.attempts)

    def _has_numbers(self, seen: metadata.Follower) -> bool:
        """Whether attempts are worth a look: those of SLURM always, others where one failed."""
        return bool(self._snapshot) or any(
            one.attempt > 1 or one.column == "failed" for one in seen.progress.calls.values()
        )

    def _keep_outputs(self, connection: Connection, id: str) -> None:
        outputs = metadata.outputs(connection, id)
        if outputs != self._kept:
            write_json(self._outputs, outputs)
            self._kept = outputs
