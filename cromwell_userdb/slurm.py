"""Jobs of SLURM: how to ask for them, and what the answers mean."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from cromwell_userdb import process
from cromwell_userdb.errors import CommandFailed

ENDED = frozenset({
    "BOOT_FAIL", "CANCELLED", "COMPLETED", "DEADLINE", "FAILED", "NODE_FAIL", "OUT_OF_MEMORY",
    "PREEMPTED", "TIMEOUT",
})  # fmt: skip
"""States that a job leaves only when somebody requeues it."""

_BATCH = 200
"""Jobs a command line; SLURM takes more, and answers slower than linearly."""


@dataclass(frozen=True)
class Job:
    """A job as SLURM knows it; `reason` says why it waits, or how it ended."""

    id: str
    state: str
    reason: str = ""

    @property
    def has_ended(self) -> bool:
        return self.state in ENDED


def squeue_argv(cluster: str = "") -> list[str]:
    """All of this user's jobs in one cheap question: the server itself picks them."""
    return ["squeue", *_on(cluster), "-h", "--me", "-t", "all", "-o", "%i %T %r"]


def sacct_argv(jobs: Iterable[str], cluster: str = "") -> list[str]:
    argv = ["sacct", *_on(cluster), "-n", "-X", "-P", "-o", "JobID,State,ExitCode"]
    return [*argv, "-j", ",".join(jobs)]


def scancel_argv(jobs: Iterable[str], cluster: str = "") -> list[str]:
    return ["scancel", *_on(cluster), *jobs]


def _on(cluster: str) -> list[str]:
    return [f"--clusters={cluster}"] if cluster else []


def parse_squeue(text: str) -> list[Job]:
    """Read what `squeue_argv` prints; a line of another kind is no job.

    >>> parse_squeue("7 PENDING Priority\\nCLUSTER: hal\\n8 RUNNING None\\n")[0]
    Job(id='7', state='PENDING', reason='Priority')
    """
    found = (line.split(None, 2) for line in text.splitlines())
    return [Job(*words) for words in found if len(words) >= 2 and words[0][0].isdigit()]


def parse_sacct(text: str) -> list[Job]:
    """Read what `sacct_argv` prints.

    >>> parse_sacct("363|FAILED|0:9\\n368|CANCELLED by 1001|0:0\\n")[1]
    Job(id='368', state='CANCELLED', reason='0:0')
    """
    rows = (line.split("|") for line in text.splitlines())
    return [Job(row[0], row[1].split()[0], row[2]) for row in rows if len(row) == 3 and row[1]]


def folders_of_jobs(cluster: str = "") -> list[tuple[str, str]]:
    """This user's jobs that have not ended, each with its work folder; raises CommandFailed."""
    argv = ["squeue", *_on(cluster), "-h", "--me", "-o", "%i %Z"]
    found = (line.split(None, 1) for line in process.run(argv).splitlines())
    return [(words[0], words[1]) for words in found if len(words) == 2 and words[0].isdigit()]


def jobs(ids: Iterable[str], *, cluster: str = "") -> dict[str, Job]:
    """What is known of the jobs, by id: one squeue for all, one sacct for those that are gone.

    A job that neither knows is left out. Raises CommandFailed when squeue gives no answer; an
    accounting that gives none is taken for one that knows nothing.
    """
    wanted = list(ids)
    queue = {job.id: job for job in parse_squeue(process.run(squeue_argv(cluster)))}
    gone = [job for job in wanted if job not in queue]
    found = {job: queue[job] for job in wanted if job in queue}
    for batch in _batches(gone):
        try:
            text = process.run(sacct_argv(batch, cluster))
        except CommandFailed:
            break
        found |= {job.id: job for job in parse_sacct(text) if job.id in batch}
    return found


def _batches(ids: Sequence[str]) -> list[Sequence[str]]:
    return [ids[start : start + _BATCH] for start in range(0, len(ids), _BATCH)]


def job_ended(job: str, *, cluster: str = "") -> bool | None:
    """Whether SLURM says that the job, of whatever user, has ended; None where it cannot tell.

    That SLURM does not know a job proves nothing: a controller can lose its memory.
    """
    if not re.fullmatch(r"[0-9]+(_[0-9]+)?", job):
        return None
    argv = ["squeue", *_on(cluster), "-h", "-t", "all", "-j", job, "-o", "%i %T %r"]
    try:
        found = parse_squeue(process.run(argv, timeout=30))
    except CommandFailed as error:
        if "Invalid job id" not in str(error):
            return None
        found = []
    if not found:
        try:
            found = parse_sacct(process.run(sacct_argv([job], cluster), timeout=30))
        except CommandFailed:
            return None
    return found[-1].has_ended if found else None


def cancel(ids: Iterable[str], *, cluster: str = "") -> None:
    """Cancel the jobs; those that have ended are no error. Raises CommandFailed."""
    for batch in _batches([job for job in ids if job.isdigit()]):
        process.run(scancel_argv(batch, cluster), timeout=120)


def scrubbed(environ: Mapping[str, str]) -> dict[str, str]:
    """The environment for an sbatch that is called within a job.

    SLURM_* of the outer job would reach the inner one, where srun then refuses to start.
    """
    unwanted = {"SBATCH_WAIT", "SBATCH_ARRAY_INX", "SBATCH_CLUSTERS", "SBATCH_OPEN_MODE"}
    return {
        name: value
        for name, value in environ.items()
        if name == "SLURM_CONF" or not (name.startswith("SLURM_") or name in unwanted)
    }
