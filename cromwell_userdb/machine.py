"""What a process may use of its machine: by the kernel, its SLURM job and its control groups."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Machine:
    """What this process may use of this machine: cores, and bytes of memory."""

    cores: int
    memory: int

    @classmethod
    def here(cls) -> Machine:
        import psutil  # most commands that load this never ask

        memory = int(psutil.virtual_memory().total)
        cores = len(os.sched_getaffinity(0))
        job = share_of_job(os.environ)
        if job.memory:
            memory = min(memory, job.memory)
        return cls(min(cores, job.cores or cores), min(memory, memory_limit() or memory))


def share_of_job(environ: Mapping[str, str]) -> Machine:
    """What the SLURM job around us may have of this node, 0 for all; not every node enforces it.

    >>> share_of_job({"SLURM_JOB_ID": "7", "SLURM_CPUS_ON_NODE": "2", "SLURM_MEM_PER_NODE": "1"})
    Machine(cores=2, memory=1048576)
    """
    if "SLURM_JOB_ID" not in environ:
        return Machine(0, 0)
    cores, whole, each = (
        int(text) if (text := environ.get(f"SLURM_{name}", "")).isdecimal() else 0
        for name in ("CPUS_ON_NODE", "MEM_PER_NODE", "MEM_PER_CPU")
    )
    return Machine(cores, (whole or cores * each) << 20)


def memory_limit(
    groups: Path = Path("/proc/self/cgroup"), root: Path = Path("/sys/fs/cgroup")
) -> int | None:
    """The least limit that the control groups around a process set, in bytes; None without one."""
    limits = []
    for line in groups.read_text().splitlines() if groups.exists() else ():
        _, controllers, name = line.split(":", 2)
        if controllers == "":
            base, file = root, "memory.max"
        elif "memory" in controllers.split(","):
            base, file = root / "memory", "memory.limit_in_bytes"
        else:
            continue
        group = base / name.lstrip("/")
        for folder in (group, *group.parents):
            if folder.is_relative_to(base):
                with contextlib.suppress(OSError, ValueError):  # ValueError: "max"
                    limits.append(int((folder / file).read_text()))
    return min(limits, default=None)
