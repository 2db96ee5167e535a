"""What jobs ask for, held against what the cluster gives: a refusal of SLURM's, told early."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from cromwell_userdb.cluster import Cluster, Partition, in_words, minutes_of


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
    for part, sentence, fits in _measures(cluster, chosen, asked):
        if not any(fits(one) for one in chosen):
            others = [one.name for one in cluster.usable() if fits(one)]
            yield part, sentence + (f" {_listed(others)} would do." if others else "")


def _measures(
    cluster: Cluster, chosen: Sequence[Partition], asked: Demand
) -> list[tuple[str, str, Callable[[Partition], bool]]]:
    """Parts of the demand: what is said where none of `chosen` gives it, and whether one does."""
    names = _listed([one.name for one in chosen])
    cores = max(one.cores for one in chosen)
    memory = max(one.memory_mb for one in chosen)
    longest = max(one.minutes or _NO_LIMIT for one in chosen)
    minutes = minutes_of(asked.time) or _NO_LIMIT
    gpus = "a GPU" if asked.gpus == 1 else f"{asked.gpus} GPUs"
    kind = f" of type {asked.gpu_type}" if asked.gpu_type else ""
    return [
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
