"""What we believe of the cluster: what SLURM told, remembered from command to command."""

from __future__ import annotations

import contextlib
import grp
import os
import re
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from cromwell_userdb import cluster, forks
from cromwell_userdb.cli import place
from cromwell_userdb.cluster import Cluster, Partition
from cromwell_userdb.demands import Demand, problems
from cromwell_userdb.disk import os_user
from cromwell_userdb.errors import CommandFailed, UsageError
from cromwell_userdb.record import make_private, read_json, write_json
from cromwell_userdb.settings import Settings

FRESH = 3600.0
"""Seconds after which what is remembered of a cluster is looked at again, in the background."""


def seen(name: str = "") -> Cluster:
    """What SLURM tells of a cluster and of us there, now; raises CommandFailed without an answer.

    `name` is of another cluster than the local one.
    """
    groups = [_name(gid) for gid in os.getgroups()]
    found = cluster.look(os_user(), groups=groups, cluster=name)
    with contextlib.suppress(OSError):
        write_json(_memory(name), cluster.as_json(found))
    return found


def _memory(cluster: str) -> Path:
    """The file in which this cluster is remembered; it may be deleted."""
    key = f"{os.environ.get('SLURM_CONF', 'slurm')} {cluster}"
    name = re.sub(r"\W+", "_", key).strip("_")[-100:]
    return make_private(place.cache_folder() / "clusters") / f"{name}.json"


def remembered(name: str = "") -> Cluster | None:
    """What SLURM told last, without asking it; what is old is looked at behind our back."""
    path = _memory(name)
    try:
        found = cluster.from_json(read_json(path) or {})
        age = time.time() - path.stat().st_mtime
    except (KeyError, TypeError, OSError):
        return None
    if not 0 <= age < FRESH:
        path.touch()
        forks.detached(lambda: seen(name), log=path.with_suffix(".log"))
    return found


def check(demands: Sequence[tuple[Cause, Demand]], *, name: str = "") -> None:
    """Refuse what SLURM would; raises UsageError with a sentence for each cause.

    SLURM itself is asked only where nothing is remembered, and before anything is refused.
    """
    found = remembered(name)
    if found is None or _complaints(found, demands):
        # While it does not answer, what is remembered holds, and sbatch judges the rest.
        with contextlib.suppress(CommandFailed):
            found = seen(name)
    if found and (told := _complaints(found, demands)):
        raise UsageError("\n".join(told))


Cause = Callable[[str], str]
"""What a sentence about a part of a demand begins with: where it was asked for."""


def _complaints(found: Cluster, demands: Sequence[tuple[Cause, Demand]]) -> list[str]:
    told = [
        f"{cause(part)}{sentence}"
        for cause, demand in demands
        for part, sentence in problems(found, demand)
    ]
    return list(dict.fromkeys(told))


def _name(gid: int) -> str:
    try:
        return grp.getgrgid(gid).gr_name
    except KeyError:
        return str(gid)


def concurrent_jobs(settings: Settings) -> int:
    """How many calls a run may have in the queue at once, 0 for any number.

    Where no setting says so, it is what SLURM takes of the user, but for one: a leader's job.
    """
    if settings.run_concurrent_jobs:
        return settings.run_concurrent_jobs
    found = remembered(settings.slurm_cluster)
    most = found.most_jobs(settings.slurm_account.lower()) if found else None
    return max(1, most - 1) if most else 0


def limits(settings: Settings) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Partitions with their longest times, the default one first; and of `slurm.longer`."""
    found = remembered(settings.slurm_cluster)
    usable = {one.name: _limit(one) for one in found.usable()} if found else {}
    longer = [usable[name] for name in settings.slurm_longer if name in usable]
    return tuple(usable.values()), tuple(longer)


def _limit(partition: Partition) -> str:
    return f"{partition.name}={partition.minutes or _YEARS}"


_YEARS = 10 * 366 * 1440
