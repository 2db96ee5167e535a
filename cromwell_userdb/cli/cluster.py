"""`cluster`: what we believe of the SLURM cluster."""

from __future__ import annotations

import contextlib
import grp
import os
import re
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import click

from cromwell_userdb import cluster, process
from cromwell_userdb.cli import place, screen
from cromwell_userdb.cli.session import has_slurm
from cromwell_userdb.cluster import Cluster, Demand, Partition
from cromwell_userdb.disk import os_user
from cromwell_userdb.errors import CommandFailed, NotFound, UsageError
from cromwell_userdb.record import make_private, read_json, write_json
from cromwell_userdb.report.words import duration, table


@click.group("cluster")
def cluster_() -> None:
    """Show what we believe of the SLURM cluster.

    \b
    Example:
      cromwell-userdb cluster show
    """


@cluster_.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def show(as_json: bool) -> None:
    """Show partitions, your accounts and limits, as SLURM tells them.

    \b
    Example:
      cromwell-userdb cluster show
    """
    if not has_slurm():
        raise NotFound("No SLURM answers here (looked for sbatch and scontrol ping).")
    found = seen()
    usable = {one.name for one in found.usable()}
    if as_json:
        facts = cluster.as_json(found)
        facts["partitions"] = [
            one | {"usable": one["name"] in usable} for one in facts["partitions"]
        ]
        return screen.answer(facts)
    print(f"cluster {found.name}, SLURM {found.version}; you may charge: {accounts(found)}")
    most = found.most_jobs()
    print(f"jobs of yours at once: {'any number' if most is None else most}\n")
    lines = [_line(one, one.name in usable) for one in found.partitions]
    print(table(("partition", "up to", "nodes", "cores", "memory", ""), lines, right="nodes cores"))


FRESH = 3600.0
"""Seconds after which what is remembered of a cluster is looked at again, in the background."""


def seen() -> Cluster:
    """What SLURM tells of itself and of us, now; raises CommandFailed without an answer."""
    groups = [_name(gid) for gid in os.getgroups()]
    found = cluster.look(os_user(), groups=groups)
    with contextlib.suppress(OSError):
        write_json(_memory(), cluster.as_json(found))
    return found


def _memory() -> Path:
    """The file in which this cluster is remembered; it may be deleted."""
    name = re.sub(r"\W+", "_", os.environ.get("SLURM_CONF", "slurm")).strip("_")[-100:]
    return make_private(place.cache_folder() / "clusters") / f"{name}.json"


def remembered() -> Cluster | None:
    """What SLURM told last, without asking it; what is old is looked at behind our back."""
    path = _memory()
    try:
        found = cluster.from_json(read_json(path) or {})
        age = time.time() - path.stat().st_mtime
    except (KeyError, TypeError, OSError):
        return None
    if not 0 <= age < FRESH:
        path.touch()
        process.fork_detached(seen, log=path.with_suffix(".log"))
    return found


def check(demands: Sequence[tuple[Cause, Demand]]) -> None:
    """Refuse what SLURM would; raises UsageError with a sentence for each cause.

    SLURM itself is asked only where nothing is remembered, and before anything is refused.
    """
    found = remembered()
    if found is None or _complaints(found, demands):
        # While it does not answer, what is remembered holds, and sbatch judges the rest.
        with contextlib.suppress(CommandFailed):
            found = seen()
    if found and (told := _complaints(found, demands)):
        raise UsageError("\n".join(told))


Cause = Callable[[str], str]
"""What a sentence about a part of a demand begins with: where it was asked for."""


def _complaints(found: Cluster, demands: Sequence[tuple[Cause, Demand]]) -> list[str]:
    told = [
        f"{cause(part)}{sentence}"
        for cause, demand in demands
        for part, sentence in cluster.problems(found, demand)
    ]
    return list(dict.fromkeys(told))


def _name(gid: int) -> str:
    try:
        return grp.getgrgid(gid).gr_name
    except KeyError:
        return str(gid)


def accounts(found: Cluster) -> str:
    return ", ".join(found.accounts) or "SLURM says (no accounting here)"


def partitions(found: Cluster) -> str:
    """The partitions that take our jobs, with their limits.

    >>> from types import SimpleNamespace
    >>> partitions(SimpleNamespace(usable=lambda: [Partition("short", minutes=720)]))
    'short (up to 12 h)'
    """
    return ", ".join(f"{one.name} ({limit(one)})" for one in found.usable())


def limit(partition: Partition) -> str:
    if partition.minutes is None:
        return "any time"
    return f"up to {duration(partition.minutes * 60)}"


def _line(one: Partition, is_usable: bool) -> list[str]:
    notes = [*(["default"] if one.is_default else []), *([] if is_usable else ["not for you now"])]
    return [
        one.name,
        limit(one).removeprefix("up to "),
        str(one.nodes),
        str(one.cores),
        f"{one.memory_mb / 1024:.0f} GB",
        ", ".join(notes),
    ]
