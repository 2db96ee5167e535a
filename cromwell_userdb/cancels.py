"""Jobs that SLURM is still to be told to cancel, as a run's hooks noted them in its folder."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from cromwell_userdb import runs, slurm
from cromwell_userdb.instance import RunFolder

_UNSEEN = 60.0
"""Seconds in which a submission that got no answer may still become a job."""


@dataclass(frozen=True)
class Note:
    """What `kill` or `withdraw` left: a job, a call's folder, or both; "" is not known."""

    path: Path
    job: str
    folder: str

    @property
    def is_fresh(self) -> bool:
        """Whether the job may come to be only after a look that did not see it."""
        return not self.job and time.time() - self.path.stat().st_mtime < _UNSEEN

    def means(self, job: str, folder: str, *, executions: str) -> bool:
        """Whether this is the job: a controller that lost its state gives numbers twice."""
        known = folder == self.folder or (
            not self.folder and Path(folder).is_relative_to(executions)
        )
        return known and self.job in ("", job)


def noted(folder: RunFolder) -> list[Note]:
    """What is still to be cancelled, as the hooks that were to do it left it, or have it now."""
    return list(_noted(folder)) if folder.cancel.is_dir() else []


def _noted(folder: RunFolder) -> Iterator[Note]:
    for path in folder.cancel.iterdir():
        try:
            yield Note(path, path.name if path.name.isdigit() else "", path.read_text().strip())
        except FileNotFoundError:
            continue


def finish(folder: RunFolder, left: Sequence[Note]) -> int:
    """Cancel what was noted; returns how many jobs there were. CommandFailed without an answer."""
    request = runs.request_of(folder)
    cluster = str(request.settings.get("slurm.cluster", ""))
    queue = slurm.folders_of_jobs(cluster, timeout=20)
    found = {
        note: [job for job, place in queue if note.means(job, place, executions=request.executions)]
        for note in left
    }
    jobs = {job for ids in found.values() for job in ids}
    slurm.cancel(sorted(jobs), cluster=cluster)
    for note, ids in found.items():
        if ids or not note.is_fresh:
            note.path.unlink(missing_ok=True)
    return len(jobs)
