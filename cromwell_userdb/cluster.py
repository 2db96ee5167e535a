"""The cluster as one user meets it: partitions, accounts, limits, and what may be asked for."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
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


def shares(user: str) -> dict[str, float]:
    """The user's fair share by account: from 0, all used up, to 1; nothing where none is kept."""
    try:
        argv = ["sshare", "-U", "-u", user, "-n", "-P", "-o", "Account,FairShare"]
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


def look(user: str, *, groups: Iterable[str] = (), cluster: str = "") -> Cluster:
    """Ask SLURM what it is and what `user` may do; raises CommandFailed without an answer."""
    on = [f"--clusters={cluster}"] if cluster else []
    config = dict(
        re.findall(r"^(\w+)\s+= (.*)$", process.run(["scontrol", *on, "show", "config"]), re.M)
    )
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


@dataclass(frozen=True)
class Demand:
    """What a job asks for; "" and 0 leave it to SLURM, and a `partition` of None is not known."""

    partition: str | None = ""
    account: str = ""
    qos: str = ""
    time: str = ""
    constraint: str = ""
    reservation: str = ""
    cpu: int = 0
    memory_mb: int = 0
    gpus: int = 0
    gpu_type: str = ""


def check(cluster: Cluster, asked: Demand) -> None:
    """Refuse at once what SLURM would refuse later, or let wait for ever; raises UsageError."""
    for _, sentence in problems(cluster, asked):
        raise UsageError(sentence)


def problems(cluster: Cluster, asked: Demand) -> Iterator[tuple[str, str]]:
    """What SLURM would refuse, or let wait for ever: part of the demand, and a sentence."""
    if asked.account and cluster.accounts and asked.account.lower() not in cluster.accounts:
        yield "account", _unknown("account", asked.account, cluster.accounts, whose="Yours")
    for name in _words(asked.reservation):
        if name not in cluster.reservations:
            known = cluster.reservations
            yield "reservation", _unknown("reservation", name, known, whose="There are")
    yield from _of_qos(cluster, asked)
    if asked.time and minutes_of(asked.time) is None and asked.time.upper() not in _ENDLESS:
        wrong = f"{asked.time!r} is no time limit: write minutes, hh:mm:ss or d-hh:mm:ss."
        yield "time", wrong
    elif asked.partition is not None:
        yield from _of_partitions(cluster, _words(asked.partition), asked)


_ENDLESS = {"UNLIMITED", "INFINITE"}


def _words(text: str) -> list[str]:
    return [one.strip() for one in text.split(",") if one.strip()]


def _of_qos(cluster: Cluster, asked: Demand) -> Iterator[tuple[str, str]]:
    mine = [one for one in cluster.associations if asked.account.lower() in {"", one.account}]
    known = sorted({name for one in mine for name in one.qos})
    if asked.qos and known and asked.qos.lower() not in known:
        yield "qos", _unknown("quality of service", asked.qos, known, whose="Yours")


def _of_partitions(
    cluster: Cluster, names: Sequence[str], asked: Demand
) -> Iterator[tuple[str, str]]:
    if not cluster.partitions:
        return
    known = {one.name: one for one in cluster.partitions}
    usable = [one.name for one in cluster.usable()]
    wrong = [name for name in names if name not in usable]
    for name in wrong:
        if name not in known:
            yield "partition", _unknown("partition", name, usable, whose="You may use")
        else:
            why = "takes no jobs of yours" if known[name].is_up else "is down"
            told = f"The partition {name} {why}. You may use {_listed(usable)}."
            yield "partition", told
    chosen = [one for one in cluster.usable() if (one.name in names if names else one.is_default)]
    if chosen and not wrong:
        yield from _of_size(cluster, chosen, asked)


def _of_size(
    cluster: Cluster, chosen: Sequence[Partition], asked: Demand
) -> Iterator[tuple[str, str]]:
    """What none of the partitions `chosen` gives, and which others do."""
    names = _listed([one.name for one in chosen])
    for feature in _features(asked.constraint):
        if not any(feature in one.features or not one.cores for one in chosen):
            known = sorted(frozenset().union(*(one.features for one in chosen)))
            whose = f"The nodes of {names} have"
            yield "constraint", _unknown("feature", feature, known, whose=whose)
    cores = max(one.cores for one in chosen)
    memory = max(one.memory_mb for one in chosen)
    longest = max(one.minutes or _NO_LIMIT for one in chosen)
    minutes = minutes_of(asked.time) or _NO_LIMIT
    gpus = "a GPU" if asked.gpus == 1 else f"{asked.gpus} GPUs"
    kind = f" of type {asked.gpu_type}" if asked.gpu_type else ""
    tests: list[tuple[str, str, Callable[[Partition], bool]]] = [
        (
            "time",
            f"A time limit of {asked.time} is more than {names} allows ({in_words(longest)}).",
            lambda one: (
                not asked.time or cluster.lifts(asked.qos) or (one.minutes or _NO_LIMIT) >= minutes
            ),
        ),
        (
            "cpu",
            f"{asked.cpu} cores are more than a node of {names} has ({cores}).",
            lambda one: not one.cores or one.cores >= asked.cpu,
        ),
        (
            "memory_mb",
            f"{in_gigabytes(asked.memory_mb)} of memory are more than a node of {names} has "
            f"({in_gigabytes(memory)}).",
            lambda one: not one.memory_mb or one.memory_mb >= asked.memory_mb,
        ),
        (
            "gpus",
            f"No node of {names} has {gpus}{kind}.",
            lambda one: not one.cores or one.most_gpus(asked.gpu_type) >= asked.gpus,
        ),
    ]
    for part, sentence, fits in tests:
        if not any(fits(one) for one in chosen):
            others = [one.name for one in cluster.usable() if fits(one)]
            yield part, sentence + (f" {_listed(others)} would do." if others else "")


_NO_LIMIT = 10**9


def _features(constraint: str) -> list[str]:
    """The names in an expression such as ``[rack1*2&rack2*4]`` or ``avx2|avx512``."""
    parts = re.split(r"[&|,()\[\]]", constraint)
    return [name for part in parts if (name := part.partition("*")[0].strip())]


def in_gigabytes(megabytes: int) -> str:
    """
    >>> in_gigabytes(64000), in_gigabytes(2097152), in_gigabytes(700)
    ('62.5 GB', '2048 GB', '700 MB')
    """
    return f"{round(megabytes / 1024, 1):g} GB" if megabytes >= 1024 else f"{megabytes} MB"


def _unknown(kind: str, name: str, known: Sequence[str], *, whose: str) -> str:
    near = difflib.get_close_matches(name, known, n=1)
    hint = f" Did you mean {near[0]}?" if near else ""
    return f"There is no {kind} {name!r}.{hint} {whose}: {_listed(known)}."


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names) or "none"


def in_words(minutes: int | None) -> str:
    """A time limit as people say it.

    >>> in_words(720), in_words(90), in_words(10080), in_words(None)
    ('12 h', '90 min', '7 days', 'no limit')
    """
    if minutes in (None, _NO_LIMIT):
        return "no limit"
    if minutes % 1440 == 0 and minutes > 1440:
        return f"{minutes // 1440} days"
    return f"{minutes // 60} h" if minutes % 60 == 0 else f"{minutes} min"


def hosts() -> frozenset[str]:
    """The cluster's nodes by their hosts' names; raises CommandFailed without an answer."""
    return frozenset(process.run(["sinfo", "-h", "-o", "%n"], timeout=20).split())
