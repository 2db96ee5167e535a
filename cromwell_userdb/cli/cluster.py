"""`cluster`: what we believe of the SLURM cluster."""

from __future__ import annotations

import click

from cromwell_userdb import cluster
from cromwell_userdb.cli import screen
from cromwell_userdb.cli.believed import seen
from cromwell_userdb.cli.session import has_slurm
from cromwell_userdb.cluster import Cluster, Partition
from cromwell_userdb.errors import NotFound
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
    kept = f"{most}; a run keeps to {max(1, most - 1)} of them" if most else "any number"
    print(f"jobs of yours at once: {kept}\n")
    lines = [_line(one, one.name in usable) for one in found.partitions]
    print(table(("partition", "up to", "nodes", "cores", "memory", ""), lines, right="nodes cores"))


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
