"""How a run's calls stand in SLURM's queue, by the hooks' last look at it."""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime
from operator import itemgetter
from pathlib import Path

from cromwell_userdb.progress import Place, Progress, Standing
from cromwell_userdb.runs import Longest, Waiting
from cromwell_userdb.slurm import Queued, parse_snapshot

Queue = Mapping[str, Queued]
"""The user's jobs by id."""


def standing(snapshot: Path | None) -> Queue:
    """The user's jobs as they were at the hooks' last look; none where nobody looked."""
    try:
        return _read(snapshot, snapshot.stat().st_mtime_ns) if snapshot else {}
    except OSError:
        return {}


@functools.lru_cache(maxsize=1)
def _read(snapshot: Path, written: int) -> Queue:
    """Once for each look: a leader asks every second, and the queue may be long."""
    return parse_snapshot(snapshot.read_text(errors="replace"))


def waiting(progress: Progress, queue: Queue) -> tuple[Waiting, ...]:
    """Jobs that wait, by call and SLURM's reason, the most first."""
    found = Counter(
        (place.name, job.reason)
        for place, one in _running(progress).items()
        if (job := queue.get(one.job_id or "")) and job.state == "PENDING"
    )
    return tuple(Waiting(call, reason, count) for (call, reason), count in found.most_common())


def longest(progress: Progress, queue: Queue) -> Longest | None:
    """The call that runs for longest, its wait in the queue not counted."""
    found = []
    for place, one in _running(progress).items():
        job = queue.get(one.job_id or "")
        if (job and job.state == "PENDING") or not one.running_since:
            continue
        began = job.began if job and job.began else one.running_since.timestamp()
        found.append((began, place, job.node if job else ""))
    if not found:
        return None
    began, place, node = min(found, key=itemgetter(0))
    return Longest(place.name, place.shard, datetime.fromtimestamp(began, UTC).isoformat(), node)


def _running(progress: Progress) -> dict[Place, Standing]:
    return {place: one for place, one in progress.tasks.items() if one.column == "running"}
