"""What `init` proposes for jobs: partition, account and times, by the cluster and its site."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import click

from cromwell_userdb import cluster
from cromwell_userdb.cli import screen
from cromwell_userdb.cli.place import Place
from cromwell_userdb.cluster import Cluster, in_words, minutes_of
from cromwell_userdb.demands import Demand, problems
from cromwell_userdb.settings import Value

DAY = 24 * 60
"""Minutes for a call in a partition that has no time of its own."""

LEADER = 7 * DAY
"""Minutes for a leader, where so many may be had; before its end it is queued again."""


@dataclass(frozen=True)
class Proposal:
    """A value for a setting, and how to ask for it; `by_slurm` where SLURM takes it by itself."""

    setting: str
    question: str
    value: str
    by_slurm: bool = False


def settle(where: Place, found: Cluster, *, ask: bool) -> dict[str, Value]:
    """The settings for jobs that nobody has made yet, as proposed or as typed.

    What SLURM takes by itself is left to it, lest a later change of the cluster's is missed.
    """
    chosen: dict[str, Value] = {}
    for proposal in _proposals(where, found, chosen):
        name, value = proposal.setting, proposal.value
        if ask:
            value = _asked(proposal, found, chosen)
        chosen[name] = "" if value == proposal.value and proposal.by_slurm else value
    return {name: value for name, value in chosen.items() if value}


def _proposals(where: Place, found: Cluster, chosen: Mapping[str, Value]) -> Iterator[Proposal]:
    """One after the other: the times depend on the partition that was chosen."""
    open_ = [name for name in _SETTINGS if name not in where.resolved.origins]
    open_ = [name for name in open_ if name not in where.resolved.fixed]
    names = [one.name for one in found.usable()]
    settings = where.settings
    if "slurm.partition" in open_ and names:
        wanted = [name for name in settings.site_partitions if name in names]
        default = [one.name for one in found.usable() if one.is_default]
        best = [*wanted, *default, *names][0]
        yield Proposal("slurm.partition", f"Partition ({', '.join(names)})", best, best in default)
    if "slurm.account" in open_ and len(found.accounts) > 1:
        accounts = found.accounts
        yield Proposal("slurm.account", f"Account ({', '.join(accounts)})", accounts[0], True)
    partition = str(chosen.get("slurm.partition") or settings.slurm_partition or "")
    account = str(chosen.get("slurm.account") or settings.slurm_account or "")
    # Of a partition that is hidden from us nobody knows what it allows: SLURM has a time for it.
    if "slurm.time" in open_ and _meant(found, partition):
        usual = _usual(found, partition)
        value = written(usual or _longest(found, partition, account, DAY))
        yield Proposal("slurm.time", "Time limit of a call that asks for none", value, bool(usual))
    partition = settings.leader_partition or partition
    if "leader.time" in open_ and _meant(found, partition):
        value = written(_longest(found, partition, account, LEADER))
        yield Proposal("leader.time", "Time limit of a leader's job", value)


_SETTINGS = ("slurm.partition", "slurm.account", "slurm.time", "leader.time")


def _usual(found: Cluster, partition: str) -> int | None:
    """The minutes that SLURM gives a job that asks for none."""
    return next((one.default_minutes for one in _meant(found, partition)), None)


def _longest(found: Cluster, partition: str, account: str, wanted: int) -> int:
    limits = [one.minutes for one in _meant(found, partition)]
    limits.append(found.longest(account.lower() or next(iter(found.accounts), ""), partition))
    return min([wanted, *(limit for limit in limits if limit)])


def _meant(found: Cluster, partition: str) -> list[cluster.Partition]:
    """The partitions of that name, or SLURM's default."""
    usable = found.usable()
    named = partition.split(",")
    return [one for one in usable if (one.name in named if partition else one.is_default)][:1]


def _asked(proposal: Proposal, found: Cluster, chosen: Mapping[str, Value]) -> str:
    """What was typed, once it is something that the cluster takes."""
    while True:
        value = str(click.prompt(proposal.question, default=proposal.value, err=True)).strip()
        given = {**chosen, proposal.setting: value}
        demand = Demand(
            partition=str(given.get("slurm.partition", "")),
            account=str(given.get("slurm.account", "")),
            time=value if proposal.setting.endswith(".time") else "",
        )
        told = [sentence for _, sentence in problems(found, demand)]
        if not told:
            return value
        screen.note("\n".join(told))


def written(minutes: int) -> str:
    """Minutes as SLURM takes them.

    >>> written(90), written(10080)
    ('1:30:00', '7-00:00:00')
    """
    days, rest = divmod(minutes, DAY)
    hours = f"{days}-{rest // 60:02}" if days else f"{rest // 60}"
    return f"{hours}:{rest % 60:02}:00"


def said(where: Place, found: Cluster) -> tuple[str, str]:
    """What jobs will ask for where neither task nor command line says otherwise."""
    settings = where.settings
    [partition] = [one.name for one in _meant(found, settings.slurm_partition)] or ["SLURM's own"]
    account = settings.slurm_account or next(iter(found.accounts), "")
    usual = minutes_of(settings.slurm_time) or _usual(found, settings.slurm_partition)
    facts = [f"partition {partition}"]
    facts += [f"account {account}"] if account else []
    facts += [f"{in_words(usual)} a call"] if usual else []
    leader = minutes_of(settings.leader_time)
    facts += [f"{in_words(leader)} a leader"] if leader else []
    return ", ".join(facts), f"else: cromwell-userdb config set{where.option} slurm.partition …"
