"""The cluster as one user meets it: partitions, accounts, limits, and what may be asked for."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NoReturn

from cromwell_userdb import process
from cromwell_userdb.errors import CommandFailed, UsageError


@dataclass(frozen=True)
class Partition:
    """Where jobs run; `minutes` is the longest a job may, None for as long as it likes.

    `cores` and `memory_mb` are of its largest node. An empty `accounts`, `groups` or `qos`
    lets all in; `denied` are accounts that it keeps out.
    """

    name: str
    is_default: bool = False
    is_up: bool = True
    minutes: int | None = None
    default_minutes: int | None = None
    nodes: int = 0
    cores: int = 0
    memory_mb: int = 0
    gres: str = ""
    accounts: frozenset[str] = frozenset()
    denied: frozenset[str] = frozenset()
    groups: frozenset[str] = frozenset()
    qos: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Association:
    """An account that the user may charge; `partition` is "" for all of them.

    `max_submit` is how many jobs may be queued or running at once, None for any number.
    """

    account: str
    partition: str = ""
    qos: tuple[str, ...] = ()
    is_default: bool = False
    max_submit: int | None = None


@dataclass(frozen=True)
class Cluster:
    """What we believe of the cluster, seen by one user.

    Without accounting there are no associations, and any account is SLURM's to judge.
    """

    name: str
    version: str
    partitions: tuple[Partition, ...]
    associations: tuple[Association, ...] = ()
    groups: frozenset[str] = frozenset()
    qos_max_submit: Mapping[str, int] | None = None

    @property
    def accounts(self) -> tuple[str, ...]:
        """The default one first."""
        ordered = sorted(self.associations, key=lambda one: (not one.is_default, one.account))
        return tuple(dict.fromkeys(one.account for one in ordered))

    def usable(self) -> tuple[Partition, ...]:
        """Partitions that take this user's jobs, the default one first."""
        open_ones = [one for one in self.partitions if one.is_up and self._admits(one)]
        return tuple(sorted(open_ones, key=lambda one: not one.is_default))

    def _admits(self, partition: Partition) -> bool:
        if partition.groups and self.groups and not partition.groups & self.groups:
            return False
        mine = frozenset(self.accounts)
        if not mine:
            return True
        bound = {one.partition for one in self.associations}
        if "" not in bound and partition.name not in bound:
            return False
        return bool((partition.accounts or mine) & mine - partition.denied)

    def most_jobs(self, account: str = "") -> int | None:
        """How many jobs the user may have at once on `account`, None for any number."""
        chosen = account or next(iter(self.accounts), "")
        mine = [one for one in self.associations if one.account == chosen]
        limits = [one.max_submit for one in mine if one.max_submit is not None]
        known = self.qos_max_submit or {}
        limits += [known[name] for one in mine for name in one.qos if name in known]
        return min(limits, default=None)


def parse_partitions(scontrol: str, sinfo: str) -> tuple[Partition, ...]:
    """Read ``scontrol --oneliner show partition`` and ``sinfo -h -o '%R|%c|%m|%G'``."""
    largest: dict[str, tuple[int, int, str]] = {}
    for line in sinfo.splitlines():
        name, cores, memory, gres = line.split("|", 3)
        size = (_number(cores) or 0, _number(memory) or 0, "" if gres == "(null)" else gres)
        largest[name] = max(largest.get(name, (0, 0, "")), size)
    return tuple(_partition(_pairs(line), largest) for line in scontrol.splitlines() if line)


def _pairs(line: str) -> dict[str, str]:
    return dict(pair.split("=", 1) for pair in line.split() if "=" in pair)


def _partition(facts: Mapping[str, str], largest: Mapping[str, tuple[int, int, str]]) -> Partition:
    name = facts["PartitionName"]
    cores, memory, gres = largest.get(name, (0, 0, ""))
    return Partition(
        name=name,
        is_default=facts.get("Default") == "YES",
        is_up=facts.get("State") == "UP",
        minutes=minutes_of(facts.get("MaxTime", "")),
        default_minutes=minutes_of(facts.get("DefaultTime", "")),
        nodes=_number(facts.get("TotalNodes", "")) or 0,
        cores=cores,
        memory_mb=memory,
        gres=gres,
        accounts=_names(facts.get("AllowAccounts", "ALL")),
        denied=_names(facts.get("DenyAccounts", "")),
        groups=_names(facts.get("AllowGroups", "ALL")),
        qos=_names(facts.get("AllowQos", "ALL")),
    )


def _names(text: str) -> frozenset[str]:
    return frozenset() if text in {"ALL", "", "(null)"} else frozenset(text.split(","))


def _number(text: str) -> int | None:
    """The number that `text` begins with: SLURM writes "64+" for "at least 64".

    >>> _number("64+"), _number("UNLIMITED")
    (64, None)
    """
    found = re.match(r"\d+", text)
    return int(found[0]) if found else None


def parse_associations(text: str) -> tuple[Association, ...]:
    """Read ``sacctmgr -nP show user NAME withassoc format=…`` of `_ASSOCIATIONS`."""
    rows = [line.split("|") for line in text.splitlines()]
    return tuple(
        Association(
            account=account,
            partition=partition,
            qos=tuple(name for name in qos.split(",") if name),
            is_default=account == default,
            max_submit=_number(max_submit),
        )
        for default, account, partition, qos, max_submit in (row for row in rows if len(row) == 5)
        if account
    )


_ASSOCIATIONS = "defaultaccount,account,partition,qos,maxsubmit"


def minutes_of(text: str) -> int | None:
    """Minutes in a time as SLURM writes and takes it, None for no limit or no time.

    >>> [minutes_of(text) for text in ("90", "1:30", "2:00:00", "1-12", "7-00:00:00")]
    [90, 2, 120, 2160, 10080]
    >>> minutes_of("UNLIMITED"), minutes_of("soon")
    (None, None)
    """
    pattern = r"(?:(\d+)-)?(\d+)(?::(\d+))?(?::(\d+))?"
    found = re.fullmatch(pattern, text.strip())
    if not found:
        return None
    days, first, second, third = (int(part) if part else None for part in found.groups())
    if days is not None:
        seconds = days * 86400 + (first or 0) * 3600 + (second or 0) * 60 + (third or 0)
    elif third is not None:
        seconds = (first or 0) * 3600 + (second or 0) * 60 + third
    else:
        seconds = (first or 0) * 60 + (second or 0)
    return -(-seconds // 60)


def look(user: str, *, groups: Iterable[str] = (), cluster: str = "") -> Cluster:
    """Ask SLURM what it is and what `user` may do; raises CommandFailed without an answer."""
    on = [f"--clusters={cluster}"] if cluster else []
    config = dict(
        re.findall(r"^(\w+)\s+= (.*)$", process.run(["scontrol", *on, "show", "config"]), re.M)
    )
    partitions = parse_partitions(
        process.run(["scontrol", *on, "--oneliner", "show", "partition"]),
        process.run(["sinfo", *on, "-h", "-o", "%R|%c|%m|%G"]),
    )
    name = config.get("ClusterName", cluster)
    associations, limits = _accounting(user, name)
    return Cluster(
        name=name,
        version=config.get("SLURM_VERSION", ""),
        partitions=partitions,
        associations=associations,
        groups=frozenset(groups),
        qos_max_submit=limits,
    )


def _accounting(user: str, cluster: str) -> tuple[tuple[Association, ...], dict[str, int]]:
    """Nothing where there is no accounting, or it does not answer."""
    where = [user, "withassoc", f"cluster={cluster}", f"format={_ASSOCIATIONS}"]
    try:
        associations = process.run(["sacctmgr", "-nP", "show", "user", *where], timeout=30)
        qos = process.run(
            ["sacctmgr", "-nP", "show", "qos", "format=name,maxsubmitjobsperuser"], timeout=30
        )
    except CommandFailed:
        return (), {}
    rows = (line.partition("|") for line in qos.splitlines())
    limits = {name: _number(number) for name, _, number in rows}
    return parse_associations(associations), {
        name: number for name, number in limits.items() if number is not None
    }


def check(
    cluster: Cluster, *, partition: str = "", account: str = "", qos: str = "", time: str = ""
) -> None:
    """Refuse at once what SLURM would refuse later, or let wait for ever; raises UsageError."""
    if account and cluster.accounts and account.lower() not in cluster.accounts:
        _refuse("account", account, cluster.accounts, whose="Yours")
    names = [one.strip() for one in partition.split(",") if one.strip()]
    for name in names:
        _check_partition(cluster, name)
    _check_qos(cluster, account, qos)
    if time:
        _check_time(cluster, names, time)


def _check_partition(cluster: Cluster, name: str) -> None:
    known = {one.name: one for one in cluster.partitions}
    usable = [one.name for one in cluster.usable()]
    if name not in known:
        _refuse("partition", name, usable, whose="You may use")
    if name not in usable:
        why = "takes no jobs of yours" if known[name].is_up else "is down"
        raise UsageError(f"The partition {name} {why}. You may use {_listed(usable)}.")


def _check_qos(cluster: Cluster, account: str, qos: str) -> None:
    mine = [one for one in cluster.associations if account.lower() in {"", one.account}]
    known = sorted({name for one in mine for name in one.qos})
    if qos and known and qos.lower() not in known:
        _refuse("quality of service", qos, known, whose="Yours")


def _check_time(cluster: Cluster, names: Sequence[str], time: str) -> None:
    minutes = minutes_of(time)
    if minutes is None and time.upper() not in {"UNLIMITED", "INFINITE"}:
        raise UsageError(f"{time!r} is no time limit: write minutes, hh:mm:ss or d-hh:mm:ss.")
    usable = cluster.usable()
    chosen = [one for one in usable if one.name in names] or list(usable)[:1]
    limits = [one.minutes for one in chosen]
    if not chosen or None in limits:
        return
    longest = max(limit for limit in limits if limit is not None)
    if minutes is None or minutes > longest:
        longer = [one.name for one in usable if (one.minutes or 10**9) >= (minutes or 10**9)]
        hint = f" {_listed(longer)} would do." if longer else ""
        raise UsageError(
            f"A time limit of {time} is more than {_listed([one.name for one in chosen])} allows "
            f"({in_words(longest)}).{hint}"
        )


def _refuse(kind: str, name: str, known: Sequence[str], *, whose: str) -> NoReturn:
    near = difflib.get_close_matches(name, known, n=1)
    hint = f" Did you mean {near[0]}?" if near else ""
    raise UsageError(f"There is no {kind} {name!r}.{hint} {whose}: {_listed(known)}.")


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names) or "none"


def in_words(minutes: int | None) -> str:
    """A time limit as people say it.

    >>> in_words(720), in_words(90), in_words(10080), in_words(None)
    ('12 h', '90 min', '7 days', 'no limit')
    """
    if minutes is None:
        return "no limit"
    if minutes % 1440 == 0 and minutes > 1440:
        return f"{minutes // 1440} days"
    return f"{minutes // 60} h" if minutes % 60 == 0 else f"{minutes} min"
