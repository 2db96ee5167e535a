"""Jobs of SLURM: how to ask for them, and what the answers mean."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

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


@dataclass(frozen=True)
class Queued(Job):
    """A job in the snapshot that the hooks share; `began` is in seconds since 1970, 0 for never."""

    node: str = ""
    began: int = 0


def parse_snapshot(text: str) -> dict[str, Queued]:
    """Read the file `queue` of slurm/refresh, by id.

    >>> parse_snapshot("1700000000\\n7 /x RUNNING None|n1|1690000000\\n")["7"].node
    'n1'
    """
    found = {}
    for line in text.splitlines()[1:]:
        words = line.split(None, 3)
        if len(words) == 4:
            reason, node, began = [*words[3].rsplit("|", 2), "", ""][:3]
            start = int(began) if began.isdigit() else 0
            found[words[0]] = Queued(words[0], words[2], reason, node, start)
    return found


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


@dataclass(frozen=True)
class Usage:
    """What the accounting knows of a job: granted, used, and where."""

    id: str
    folder: str
    node: str
    partition: str
    cpu: int
    memory_mb: int
    limit_seconds: int
    elapsed_seconds: int
    cpu_seconds: float
    used_memory_mb: int


_USAGE = (
    "JobIDRaw", "WorkDir", "NodeList", "Partition", "AllocTRES", "TimelimitRaw", "ElapsedRaw",
    "TotalCPU", "MaxRSS",
)  # fmt: skip


def usage(ids: Iterable[str], *, cluster: str = "") -> dict[str, Usage]:
    """What jobs that have ended were granted and used, by id; nothing without accounting."""
    found: dict[str, Usage] = {}
    for batch in _batches(sorted({job for job in ids if job.isdigit()}, key=int)):
        where = _on(cluster) or ["--federation"]
        argv = ["sacct", *where, "-n", "-P", "--delimiter=\x1f", "--units=M"]
        try:
            text = process.run([*argv, "-o", ",".join(_USAGE), "-j", ",".join(batch)], timeout=60)
        except CommandFailed:
            break
        found |= parse_usage(text)
    return found


def parse_usage(text: str) -> dict[str, Usage]:
    """Read what `usage` asks for: a row for each job, and then one for each of its steps."""
    found: dict[str, Usage] = {}
    for line in text.splitlines():
        row = dict(zip(_USAGE, line.split("\x1f"), strict=False))
        id, _, step = row["JobIDRaw"].partition(".")
        if step and id in found:
            most = max(found[id].used_memory_mb, _megabytes(row.get("MaxRSS", "")))
            found[id] = replace(found[id], used_memory_mb=most)
        elif id.isdigit() and len(row) == len(_USAGE):
            found[id] = _usage(id, row)
    return found


def _usage(id: str, row: Mapping[str, str]) -> Usage:
    granted = dict(pair.partition("=")[::2] for pair in row["AllocTRES"].split(","))
    return Usage(
        id=id,
        folder=row["WorkDir"],
        node="" if row["NodeList"] == "None assigned" else row["NodeList"],
        partition=row["Partition"],
        cpu=int(granted.get("cpu") or 0),
        memory_mb=_megabytes(granted.get("mem", "")),
        limit_seconds=60 * int(row["TimelimitRaw"]) if row["TimelimitRaw"].isdigit() else 0,
        elapsed_seconds=int(row["ElapsedRaw"] or 0),
        cpu_seconds=_seconds(row["TotalCPU"]),
        used_memory_mb=_megabytes(row["MaxRSS"]),
    )


def _megabytes(text: str) -> int:
    """
    >>> _megabytes("2000M"), _megabytes("62.50G"), _megabytes("396.20M"), _megabytes("")
    (2000, 64000, 396, 0)
    """
    found = re.fullmatch(r"([\d.]+)([KMGT]?)", text)
    if not found:
        return 0
    return int(
        float(found[1]) * {"": 2**-20, "K": 2**-10, "M": 1, "G": 2**10, "T": 2**20}[found[2]]
    )


def _seconds(text: str) -> float:
    """
    >>> _seconds("00:01.250"), _seconds("02:00:01"), _seconds("1-00:00:00")
    (1.25, 7201.0, 86400.0)
    """
    days, _, rest = text.rpartition("-")
    total = 0.0
    for part in rest.split(":"):
        total = total * 60 + float(part or 0)
    return total + 86400 * int(days or 0)


def folders_of_jobs(cluster: str = "", *, timeout: float = 60) -> list[tuple[str, str]]:
    """This user's jobs that have not ended, each with its work folder; raises CommandFailed."""
    argv = ["squeue", *_on(cluster), "-h", "--me", "-o", "%i %Z"]
    found = (line.split(None, 1) for line in process.run(argv, timeout=timeout).splitlines())
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
