"""The numbers of a run's attempts, gathered as they end: the accounting is asked once for many."""

from __future__ import annotations

import re
import time
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from cromwell_userdb import metadata, register, slurm
from cromwell_userdb.attempts import REASONS, Attempt, Share
from cromwell_userdb.cluster import minutes_of
from cromwell_userdb.database import Connection
from cromwell_userdb.record import read_text

KEYS = ("executionStatus", "jobId", "callRoot")
"""What tells that an attempt had a job, where, and that it has ended."""

ENDED = frozenset({"Done", "Failed", "RetryableFailure", "Aborted"})

KEPT = 300
"""Attempts that a run's state on disk has; the register has all."""

TRIES = 3
"""Times that the accounting is asked for a job that it does not know yet."""


class Key(NamedTuple):
    """One attempt of one call, as the journal has it."""

    workflow: str
    fqn: str
    shard: int | None
    attempt: int

    @property
    def call(self) -> tuple[str, str, int | None]:
        return (self.workflow, self.fqn, self.shard)


class Tally:
    """What is known of the attempts of run `run`; `accounting` says whether SLURM has any.

    `cluster` is where their jobs are, "" for the local one.
    """

    def __init__(self, run: int, *, accounting: bool, cluster: str = "") -> None:
        self.run = run
        self.accounting = accounting
        self.cluster = cluster
        self.seconds: dict[str, int] = {}
        self.looked = 0.0
        self._after = 0
        self._open: dict[Key, dict[str, str]] = defaultdict(dict)
        self._tries: dict[Key, int] = defaultdict(int)
        self._kept: dict[str, Attempt] = {}
        self._escalated: set[tuple[str, str, int | None]] = set()

    @property
    def attempts(self) -> tuple[Attempt, ...]:
        """Those of calls that were ended from outside at least once, by call."""
        newest = list(self._kept.values())[-KEPT:]
        return tuple(sorted(newest, key=lambda one: (one.call, one.shard or 0, one.attempt)))

    def look(self, connection: Connection, ids: Sequence[str], *, last: bool = False) -> bool:
        """Gather what has ended since; False where a later look would know more."""
        self.looked = time.monotonic()
        self._read(connection, ids)
        ended = sorted(key for key, facts in self._open.items() if _is_over(facts))
        known = self._usage(ended)
        found: dict[Key, Attempt] = {}
        held: set[tuple[str, str, int | None]] = set()
        for key in ended:
            attempt = _attempt(key, self._open[key], known)
            self._tries[key] += 1
            if attempt.reason:
                self._escalated.add(key.call)
            wanted = key.call in self._escalated and not attempt.used.seconds
            # Those of one call are taken in their order: only the first tells of the others.
            if key.call in held or (wanted and self._may_wait(key, last=last)):
                held.add(key.call)
                continue
            found[key] = attempt
        register.save_attempts(connection, self.run, found.values())
        for key, attempt in found.items():
            self._keep(key, attempt)
            del self._open[key], self._tries[key]
        for key, facts in self._open.items():
            if key.call in self._escalated and "callRoot" in facts:
                self._keep(key, _attempt(key, facts, {}))
        return not held

    def _read(self, connection: Connection, ids: Sequence[str]) -> None:
        new = metadata.changes(connection, ids, self._after, keys=KEYS)
        for change in new:
            if change.fqn is not None and change.value:
                key = Key(change.workflow, change.fqn, change.shard, change.attempt or 1)
                self._open[key][change.key] = change.value
        self._after = new[-1].journal_id if new else self._after

    def _usage(self, ended: Iterable[Key]) -> dict[str, slurm.Usage]:
        jobs = [self._open[key]["jobId"] for key in ended] if self.accounting else []
        return slurm.usage(jobs, cluster=self.cluster)

    def _may_wait(self, key: Key, *, last: bool) -> bool:
        return self.accounting and not last and self._tries[key] < TRIES

    def _keep(self, key: Key, attempt: Attempt) -> None:
        if attempt.used.seconds:
            self.seconds[attempt.job] = attempt.used.seconds
        if key.call in self._escalated:
            self._kept[attempt.root] = attempt


def _is_over(facts: dict[str, str]) -> bool:
    return len(facts) == len(KEYS) and facts["executionStatus"] in ENDED


def _attempt(key: Key, facts: dict[str, str], known: dict[str, slurm.Usage]) -> Attempt:
    attempt = Attempt(
        call=key.fqn.rpartition(".")[2],
        shard=key.shard,
        attempt=key.attempt,
        root=facts["callRoot"],
        job=facts.get("jobId", ""),
    )
    if facts.get("executionStatus") == "Done":
        attempt = replace(attempt, return_code=0)
    usage = known.get(attempt.job)
    # A controller that lost its state counts from 1 again: another job may have the number.
    if usage and usage.folder in (attempt.root, _adopted(attempt.root)):
        attempt = _with_usage(attempt, usage)
    return with_files(attempt)


def _adopted(root: str) -> str:
    """The call of an earlier run whose job a call has taken up, "" where it has its own."""
    return read_text(Path(root) / "execution/.adopted").strip()


def _with_usage(attempt: Attempt, usage: slurm.Usage) -> Attempt:
    busy = usage.cpu_seconds / usage.elapsed_seconds if usage.elapsed_seconds else 0
    return replace(
        attempt,
        node=usage.node,
        partition=usage.partition,
        granted=Share(usage.cpu, usage.memory_mb, usage.limit_seconds),
        used=Share(round(busy, 2), usage.used_memory_mb, usage.elapsed_seconds),
    )


def with_files(attempt: Attempt) -> Attempt:
    """With what the hooks left beside the call: what was asked of SLURM, and where it ran."""
    here = Path(attempt.root) / "execution"
    asked = dict(line.partition("=")[::2] for line in read_text(here / ".asked").splitlines())
    code, used = attempt.return_code, attempt.used
    if code is None:
        text = read_text(here / "rc").strip()
        code = int(text) if text.isdigit() else None
        said = said_memory(read_text(here / "stderr.batch"))
        used = replace(used, memory_mb=max(used.memory_mb, said))
    return replace(
        attempt,
        return_code=code,
        reason=REASONS.get(code or 0, ""),
        node=attempt.node or read_text(here / ".node").strip(),
        partition=attempt.partition or asked.get("partition", ""),
        asked=Share(
            _number(asked.get("cpu", "")),
            _number(asked.get("memory_mb", "")),
            60 * (minutes_of(asked.get("time", "")) or 0),
        ),
        used=used,
    )


def said_memory(text: str) -> int:
    """MB that a job used by slurmstepd's own words on its end, 0 where it says nothing of them.

    >>> said_memory("slurmstepd: error: StepId=7.batch exceeded memory limit (433590272 > 20), …")
    413
    """
    found = re.findall(r"exceeded memory limit \((\d+) > \d+\)", text)
    return int(found[-1]) >> 20 if found else 0


def _number(text: str) -> int:
    return int(text) if text.isdigit() else 0
