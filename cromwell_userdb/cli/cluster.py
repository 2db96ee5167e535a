"""`cluster`: what we believe of the SLURM cluster."""

from __future__ import annotations

from collections.abc import Sequence

import click

from cromwell_userdb import cluster
from cromwell_userdb.cli import here, screen
from cromwell_userdb.cli import place as places
from cromwell_userdb.cli.believed import seen
from cromwell_userdb.cli.options import JSON
from cromwell_userdb.cli.place import Place
from cromwell_userdb.cli.verbs import Verbs
from cromwell_userdb.cluster import Association, Cluster, Partition
from cromwell_userdb.disk import os_user
from cromwell_userdb.errors import NotFound
from cromwell_userdb.report.words import duration, table


@click.group("cluster", cls=Verbs)
def cluster_() -> None:
    """Show what we believe of the SLURM cluster.

    \b
    Example:
      cromwell-userdb cluster show
    """


@cluster_.command()
@click.option("--slurm-cluster", metavar="CLUSTER", help="Another cluster, by SLURM's name.")
@JSON
@places.options
def show(place: Place, slurm_cluster: str | None, as_json: bool) -> None:
    """Show partitions, your accounts and limits, as SLURM tells them, and what this host is.

    It is the cluster that the settings name for calls, else the local one.

    \b
    Examples:
      cromwell-userdb cluster show
      cromwell-userdb cluster show --slurm-cluster hal
    """
    name = slurm_cluster or place.settings.slurm_cluster
    if not here.has_slurm():
        raise NotFound("No SLURM answers here (looked for sbatch and scontrol ping).")
    found = seen(name)
    usable = {one.name for one in found.usable()}
    shares = cluster.shares(os_user(), cluster=name)
    if as_json:
        facts = cluster.as_json(found)
        facts["partitions"] = [
            one | {"usable": one["name"] in usable} for one in facts["partitions"]
        ]
        facts |= {"fair_shares": shares, "login_node": here.is_login_node()}
        return screen.answer(facts | {"limited": here.is_limited(place)})
    print(f"cluster {found.name}, SLURM {found.version}; you may charge: {accounts(found)}")
    most = found.most_jobs()
    kept = f"{most}; a run keeps to {max(1, most - 1)} of them" if most else "any number"
    print(f"jobs of yours at once: {kept}")
    print(f"this host is {here.said(place)}\n")
    proposed = place.settings.site_partitions
    lines = [_line(one, one.name in usable, one.name in proposed) for one in found.partitions]
    heads = ["partition", "up to", "if unasked", "nodes", "cores", "memory", "gres", ""]
    print(_table(heads, lines, right="nodes cores"))
    if rows := [_account(one, shares.get(one.account)) for one in found.associations]:
        heads = ["account", "partition", "queued", "running", "up to", "a job", "together"]
        heads += ["fair share", "quality of service"]
        print("\n" + _table(heads, rows, right="queued running"))


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]], *, right: str) -> str:
    """Without the columns in which nothing stands."""
    kept = [at for at in range(len(heads)) if any(row[at] for row in rows)]
    return table(
        [heads[at] for at in kept], [[row[at] for at in kept] for row in rows], right=right
    )


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


def _line(one: Partition, is_usable: bool, is_proposed: bool) -> list[str]:
    notes = {"default": one.is_default, "proposed": is_proposed, "not for you now": not is_usable}
    return [
        one.name,
        limit(one).removeprefix("up to "),
        duration(one.default_minutes * 60) if one.default_minutes else "",
        str(one.nodes),
        str(one.cores),
        f"{one.memory_mb / 1024:.0f} GB",
        one.gres,
        ", ".join(note for note, holds in notes.items() if holds),
    ]


def _account(one: Association, share: float | None) -> list[str]:
    """One account and its limits; what is empty has none."""
    return [
        one.account,
        one.partition,
        str(one.max_submit or ""),
        str(one.max_jobs or ""),
        duration(one.minutes * 60) if one.minutes else "",
        one.per_job,
        one.together,
        f"{share:.2f}" if share else "",
        ", ".join(one.qos),
    ]
