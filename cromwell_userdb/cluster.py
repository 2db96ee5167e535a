"""The cluster as one user meets it: partitions, accounts and limits."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any, NamedTuple, TypeVar

from cromwell_userdb import process
from cromwell_userdb.errors import CommandFailed, UsageError

_T = TypeVar("_T")


@dataclass(frozen=True)
class Partition:
    """Where jobs run; `minutes` is the longest a job may, None for as long as it likes.

    `cores` and `memory_mb` are the most that one node has; `gres` and `features` are what some
    node has. An empty `accounts`, `groups` or `qos` lets all in; `denied` are accounts that it
    keeps out.
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
    features: frozenset[str] = frozenset()

    def most_gpus(self, type: str = "") -> int:
        """How many GPUs, of that type where one is named, a node has at most."""
        found = re.findall(r"(?:^|,)gpu(?::([^:,()]+))?:(\d+)(?=[,(]|$)", self.gres)
        return max((int(count) for kind, count in found if type in ("", kind)), default=0)


@dataclass(frozen=True)
class Association:
    """An account that the user may charge; `partition` is "" for all of them.

    `max_submit` is how many jobs may be queued or running at once, None for any number;
    `max_jobs` how many may run, `minutes` the longest that one may, `per_job` and `together`
    what one of them, or all of the account's, may have ("cpu=64,mem=256G"). What the cluster
    does not enforce is no limit.
    """

    account: str
    partition: str = ""
    qos: tuple[str, ...] = ()
    is_default: bool = False
    max_submit: int | None = None
    max_jobs: int | None = None
    minutes: int | None = None
    per_job: str = ""
    together: str = ""


@dataclass(frozen=True)
class Cluster:
    """What we believe of the cluster, seen by one user.

    Without accounting there are no associations, and any account is SLURM's to judge; so are
    partitions and nodes where the user may not see them. `lifting_qos` lift the time limits of
    partitions; None where nobody told.
    """

    name: str
    version: str
    partitions: tuple[Partition, ...]
    associations: tuple[Association, ...] = ()
    groups: frozenset[str] = frozenset()
    qos_max_submit: Mapping[str, int] | None = None
    lifting_qos: frozenset[str] | None = None
    reservations: tuple[str, ...] = ()

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

    def lifts(self, qos: str) -> bool:
        """May a quality of service, the one that is asked for or else the user's own, lift limits?

        One that is given to a partition or a job by others is not known here.
        """
        if self.lifting_qos is None:
            return bool(qos)
        own = {name for one in self.associations for name in one.qos}
        return bool(({qos.lower()} if qos else own) & self.lifting_qos)

    def most_jobs(self, account: str = "") -> int | None:
        """How many jobs the user may have at once on `account`, None for any number."""
        chosen = account or next(iter(self.accounts), "")
        mine = [one for one in self.associations if one.account == chosen]
        limits = [one.max_submit for one in mine if one.max_submit is not None]
        known = self.qos_max_submit or {}
        limits += [known[name] for one in mine for name in one.qos if name in known]
        return min(limits, default=None)

    def longest(self, account: str, partition: str = "") -> int | None:
        """The minutes that a job may run at most on `account`, None for as long as it likes.

        A quality of service may say otherwise, and then wins.
        """
        mine = [one for one in self.associations if one.account == account]
        bound = [one for one in mine if one.partition == partition] or mine
        if not bound or any(one.minutes is None for one in bound):
            return None
        return max(one.minutes for one in bound if one.minutes is not None)


def parse_partitions(scontrol: str, sinfo: str) -> tuple[Partition, ...]:
    """Read ``scontrol --oneliner show partition`` and ``sinfo -h -o '%R|%c|%m|%G|%f'``."""
    nodes: dict[str, list[_Nodes]] = {}
    for line in sinfo.splitlines():
        name, cores, memory, gres, features = line.split("|", 4)
        some = _Nodes(_number(cores) or 0, _number(memory) or 0, _listed_in(gres), features)
        nodes.setdefault(name, []).append(some)
    return tuple(_partition(_pairs(line), nodes) for line in scontrol.splitlines() if line)


class _Nodes(NamedTuple):
    """Some nodes of a partition that are alike."""

    cores: int
    memory_mb: int
    gres: str
    features: str


def _listed_in(text: str) -> str:
    return "" if text == "(null)" else text


def _pairs(line: str) -> dict[str, str]:
    return dict(pair.split("=", 1) for pair in line.split() if "=" in pair)


def _partition(facts: Mapping[str, str], nodes: Mapping[str, Sequence[_Nodes]]) -> Partition:
    name = facts["PartitionName"]
    own = nodes.get(name, ())
    return Partition(
        name=name,
        is_default=facts.get("Default") == "YES",
        is_up=facts.get("State") == "UP",
        minutes=minutes_of(facts.get("MaxTime", "")),
        default_minutes=minutes_of(facts.get("DefaultTime", "")),
        nodes=_number(facts.get("TotalNodes", "")) or 0,
        cores=max((some.cores for some in own), default=0),
        memory_mb=max((some.memory_mb for some in own), default=0),
        gres=",".join(dict.fromkeys(some.gres for some in own if some.gres)),
        accounts=_names(facts.get("AllowAccounts", "ALL")),
        denied=_names(facts.get("DenyAccounts", "")),
        groups=_names(facts.get("AllowGroups", "ALL")),
        qos=_names(facts.get("AllowQos", "ALL")),
        features=frozenset().union(*(_names(some.features) for some in own)),
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
            max_submit=_number(submit),
            max_jobs=_number(jobs),
            minutes=minutes_of(wall),
            per_job=per_job,
            together=together,
        )
        for default, account, partition, qos, submit, jobs, wall, per_job, together in (
            row for row in rows if len(row) == len(_ASSOCIATIONS.split(","))
        )
        if account
    )


_ASSOCIATIONS = "defaultaccount,account,partition,qos,maxsubmit,maxjobs,maxwall,maxtres,grptres"


def parse_shares(text: str) -> dict[str, float]:
    """Read ``sshare -U -nP -o Account,FairShare``: fair share by account, where it counts.

    >>> parse_shares("depta|0.750000\\ndeptb|\\n")
    {'depta': 0.75}
    """
    rows = (line.strip().partition("|") for line in text.splitlines())
    return {account: float(share) for account, _, share in rows if share and float(share)}


def shares(user: str, *, cluster: str = "") -> dict[str, float]:
    """The user's fair share by account: from 0, all used up, to 1; nothing where none is kept."""
    try:
        on = ["-M", cluster] if cluster else []
        argv = ["sshare", *on, "-U", "-u", user, "-n", "-P", "-o", "Account,FairShare"]
        return parse_shares(process.run(argv, timeout=30))
    except (CommandFailed, ValueError):
        return {}


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


def look(user: str, *, groups: Iterable[str] = (), cluster: str = "") -> Cluster:
    """Ask SLURM what it is and what `user` may do; raises CommandFailed without an answer.

    Raises UsageError where there is no such `cluster`.
    """
    on = [f"--clusters={cluster}"] if cluster else []
    try:
        told = process.run(["scontrol", *on, "show", "config"])
    except CommandFailed:
        if cluster and cluster not in (known := _clusters()) and known:
            listed = ", ".join(known)
            raise UsageError(f"There is no cluster {cluster!r}. SLURM has: {listed}.") from None
        raise
    config = dict(re.findall(r"^(\w+)\s+= (.*)$", told, re.M))
    partitions = parse_partitions(
        _unless_denied(["scontrol", *on, "--oneliner", "show", "partition"]),
        _unless_denied(["sinfo", *on, "-h", "-o", "%R|%c|%m|%G|%f"]),
    )
    reserved = process.run(["scontrol", *on, "--oneliner", "show", "reservation"])
    name = config.get("ClusterName", cluster)
    associations, limits, lifting = _accounting(user, name)
    if "limits" not in config.get("AccountingStorageEnforce", ""):
        associations = tuple(_unlimited(one) for one in associations)
        limits = {}
    return Cluster(
        name=name,
        version=config.get("SLURM_VERSION", ""),
        partitions=partitions,
        associations=associations,
        groups=frozenset(groups),
        qos_max_submit=limits,
        lifting_qos=lifting,
        reservations=tuple(re.findall(r"(?m)^ReservationName=(\S+)", reserved)),
    )


def _clusters() -> list[str]:
    """The clusters of the accounting, none where it does not answer."""
    try:
        return process.run(["sacctmgr", "-nP", "list", "cluster", "format=cluster"]).split()
    except CommandFailed:
        return []


def _unless_denied(argv: Sequence[str]) -> str:
    """What the command says; nothing where SLURM's PrivateData hides it from this user."""
    try:
        return process.run(argv)
    except CommandFailed as error:
        if "permission denied" in str(error):
            return ""
        raise


def _unlimited(one: Association) -> Association:
    return Association(one.account, one.partition, one.qos, one.is_default)


def as_json(cluster: Cluster) -> dict[str, Any]:
    """What `from_json` makes the same cluster of."""
    return asdict(cluster, dict_factory=_with_lists)


def _with_lists(pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    return {name: sorted(v) if isinstance(v, frozenset) else v for name, v in pairs}


def from_json(facts: Mapping[str, Any]) -> Cluster:
    """Raises KeyError or TypeError for what another version wrote."""
    known = dict(facts)
    known["partitions"] = tuple(_frozen(Partition, one) for one in known["partitions"])
    known["associations"] = tuple(_frozen(Association, one) for one in known["associations"])
    return _frozen(Cluster, known)


def _frozen(kind: type[_T], facts: Mapping[str, Any]) -> _T:
    """A value of `kind`, whose collections JSON knows as lists only."""
    types = {part.name: str(part.type) for part in fields(kind)}  # type: ignore[arg-type]
    makers = {"frozenset": frozenset, "tuple": tuple}
    made = {
        name: makers.get(types[name].partition("[")[0], lambda same: same)(value)
        for name, value in facts.items()
        if value is not None
    }
    return kind(**made)


def _accounting(
    user: str, cluster: str
) -> tuple[tuple[Association, ...], dict[str, int], frozenset[str] | None]:
    """The user's associations, and of qualities of service what they limit and which lift.

    Nothing where there is no accounting, or it does not answer.
    """
    where = [user, "withassoc", f"cluster={cluster}", f"format={_ASSOCIATIONS}"]
    columns = "format=name,maxsubmitjobsperuser,flags"
    try:
        associations = process.run(["sacctmgr", "-nP", "show", "user", *where], timeout=30)
        qos = process.run(["sacctmgr", "-nP", "show", "qos", columns], timeout=30)
    except CommandFailed:
        return (), {}, None
    rows = [line.split("|") for line in qos.splitlines()]
    limits = {name: _number(number) for name, number, _ in rows}
    lifting = frozenset(name for name, _, flags in rows if "PartitionTimeLimit" in flags)
    known = {name: number for name, number in limits.items() if number is not None}
    return parse_associations(associations), known, lifting


def hosts() -> frozenset[str]:
    """The cluster's nodes by their hosts' names; raises CommandFailed without an answer."""
    return frozenset(process.run(["sinfo", "-h", "-o", "%n"], timeout=20).split())
