"""What a run's jobs will ask of SLURM, looked at before anything starts."""

from __future__ import annotations

import difflib
import re
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any

from cromwell_userdb import policy
from cromwell_userdb.adoption import Overrides, megabytes
from cromwell_userdb.cli import believed
from cromwell_userdb.demands import Demand
from cromwell_userdb.errors import SettingError, UsageError
from cromwell_userdb.hooks import check_extra
from cromwell_userdb.options import default_attributes
from cromwell_userdb.settings import NAMES, Resolved, Settings
from cromwell_userdb.wish import UNKNOWN, Wish

_ATTRIBUTES = {
    "partition": ("slurm_partition",),
    "account": ("slurm_account",),
    "qos": ("slurm_qos",),
    "time": ("slurm_time", "runtime_minutes", "time_minutes"),
    "constraint": ("slurm_constraint",),
    "reservation": ("slurm_reservation",),
    "cpu": ("cpu",),
    "memory_mb": ("memory",),
    "gpus": ("gpuCount", "acceleratorCount", "gpu", "gpuType"),
    "gpu_type": ("gpuType",),
}
"""Parts of a demand, each with a task's attributes for it, the first before the others."""

_INSTEAD = {"memory_mb": "--memory", "time": "--time", "cpu": "--cpu"}
"""What `resume` takes for a call."""

_WORDS = {
    "cpu": (r"[1-9]\d*", "a number of cores"),
    "memory": (r"\d+(\.\d+)?\s*[KMGT]?i?B?", 'an amount such as "8 GB"'),
    "gpuCount": (r"\d+", "a number of GPUs"),
    "maxRetries": (r"\d+", "a number, 0 or more"),
}
"""What attributes that are asked for in words or numbers have to look like."""

_OURS = ("slurm_exclude", "slurm_extra", *(one[0] for one in _ATTRIBUTES.values()))


def check_settings(settings: Settings) -> None:
    """Refuse what SLURM would refuse of every task; raises UsageError."""
    own = _of_settings(settings)
    further = [Demand(partition=name) for name in settings.slurm_longer]
    demands = [(lambda part: "", demand) for demand in (own, *further)]
    believed.check(demands, name=settings.slurm_cluster)


def check(
    resolved: Resolved,
    wishes: Sequence[Wish],
    options: Mapping[str, Any],
    *,
    overrides: Overrides | None = None,
) -> None:
    """Refuse at once what the site or SLURM would not have, naming task and line.

    `options` are the run's, which may have attributes for tasks without their own; `overrides`
    are what a resumed run asks for in their place. Raises UsageError, SettingError.
    """
    defaults = default_attributes(options)
    settings = resolved.settings
    own = replace(_of_settings(settings), memory_mb=settings.run_memory_mb)
    _check_site(resolved, wishes, defaults)
    _check_extra(wishes)
    demands = [
        one
        for wish in wishes
        for one in _demands(wish, of_task(wish, own, defaults), overrides or {})
    ]
    believed.check(demands, name=settings.slurm_cluster)


def _demands(
    wish: Wish, demand: Demand, overrides: Overrides
) -> Iterator[tuple[believed.Cause, Demand]]:
    """What a task's calls ask for, and those of its shards that are to have something else."""
    whole = overrides.get(wish.call, {})
    demand = _with(demand, whole)
    yield _Cause(wish, wish.call, whole), demand
    for call, asked in overrides.items():
        if call.startswith(f"{wish.call}["):
            yield _Cause(wish, call, asked), _with(demand, asked)


def _with(demand: Demand, asked: Mapping[str, Any]) -> Demand:
    """As the hooks take it: memory never gets less."""
    return replace(
        demand, **{**asked, "memory_mb": max(demand.memory_mb, asked.get("memory_mb", 0))}
    )


def _check_site(resolved: Resolved, wishes: Iterable[Wish], defaults: Mapping[str, Any]) -> None:
    """Refuse what the site forbids as a setting and a task asks for by itself."""
    for wish in wishes:
        asked = {**defaults, **wish.values}
        for name in (one for one in asked if one.startswith("slurm_")):
            setting, value = name.replace("_", ".", 1), asked[name]
            if setting not in NAMES or not isinstance(value, str | int):
                continue
            words = str(value).split() if name == "slurm_extra" else [str(value)]
            try:
                for word in words:
                    policy.check_asked(setting, word, resolved)
            except SettingError as error:
                raise SettingError(f"{wish.cause(name)}: {error}") from error


def check_engine(settings: Settings, wishes: Sequence[Wish], *, engine: str, backend: str) -> None:
    """Refuse what the engine would fail at on this back end; raises UsageError.

    A Cromwell takes not all that WDL 1.1 has on a machine of one's own.
    """
    _check_names(wishes)
    _check_words(wishes)
    for wish in wishes if engine == "cromwell" else ():
        disks = wish.known("disks")
        if wish.known("gpu") is True:
            raise UsageError(
                f"{wish.cause('gpu')}: Cromwell takes gpu: true in clouds only; "
                "write gpuCount: 1 in its place."
            )
        if backend == "slurm" and settings.slurm_disks_as_tmp and isinstance(disks, list):
            raise UsageError(
                f"{wish.cause('disks')}: Cromwell takes no array of disks here; "
                f'write "{", ".join(map(str, disks))}".'
            )


def _check_extra(wishes: Iterable[Wish]) -> None:
    for wish in wishes:
        try:
            check_extra(str(wish.known("slurm_extra") or "").split())
        except UsageError as error:
            raise UsageError(f"{wish.cause('slurm_extra')}: {error}") from error


def _check_names(wishes: Iterable[Wish]) -> None:
    """Refuse a misspelled attribute of ours: an engine would leave it unread, and run elsewhere."""
    for wish in wishes:
        for name in (one for one in wish.values if one.startswith("slurm") and one not in _OURS):
            if near := difflib.get_close_matches(name, _OURS, n=1, cutoff=0.9):
                raise UsageError(
                    f"{wish.cause(name)}: nobody reads {name}. Did you mean {near[0]}?"
                )


def _check_words(wishes: Iterable[Wish]) -> None:
    """Refuse values that no engine understands; a Cromwell would look at them sixteen times."""
    for wish in wishes:
        for name, (pattern, what) in _WORDS.items():
            value = wish.known(name)
            text = str(value).strip() if isinstance(value, int | str) else None
            if text is not None and not re.fullmatch(pattern, text, re.IGNORECASE):
                raise UsageError(f"{wish.cause(name)}: {name} takes {what}, not {text!r}.")


def _of_settings(settings: Settings) -> Demand:
    return Demand(
        partition=settings.slurm_partition,
        account=settings.slurm_account,
        qos=settings.slurm_qos,
        time=settings.slurm_time,
        constraint=settings.slurm_constraint,
        reservation=settings.slurm_reservation,
    )


class _Cause:
    """Where a task asks for a part of what it asks for, or what is asked for `instead`."""

    def __init__(self, wish: Wish, call: str = "", instead: Container[str] = ()) -> None:
        self.wish, self.call, self.instead = wish, call, instead

    def __call__(self, part: str) -> str:
        if part in self.instead:
            return f"{_INSTEAD[part]} {self.call}: "
        # A limit of the task's partition may be hit by what the settings say.
        return f"{self.wish.cause(*_ATTRIBUTES[part], *_ATTRIBUTES['partition'])}: "


def of_task(wish: Wish, own: Demand, defaults: Mapping[str, Any]) -> Demand:
    """What a call of the task asks for, where `own` is what the run asks for all of them."""
    asked: dict[str, Any] = {}
    for part, names in _ATTRIBUTES.items():
        values = [
            wish.values.get(name, defaults.get(name))
            for name in names
            if name in wish.values or name in defaults
        ]
        values = [value for value in values if value is not None]
        if any(value is UNKNOWN for value in values):
            asked[part] = None if part == "partition" else _NOTHING[part]
        elif values:
            asked[part] = _READERS.get(part, str)(values[0])
    known = {part: value for part, value in asked.items() if value != ""}
    return replace(own, **known)


def _memory(value: Any) -> int:
    """In MB; a bare number is bytes, as in Cromwell. What is no memory is Cromwell's to refuse."""
    text = str(value).strip()
    try:
        return int(float(text)) >> 20
    except ValueError:
        pass
    try:
        return megabytes(text)
    except UsageError:
        return 0


def _number(value: Any) -> int:
    if isinstance(value, bool):
        return int(value)
    try:
        return int(float(value))
    except ValueError:
        return 0


def _gpus(value: Any) -> int:
    """A type alone asks for one."""
    text = str(value).lower()
    if text in {"true", "false"}:
        return int(text == "true")
    return _number(value) if text.isdigit() else 1


_READERS = {"cpu": _number, "memory_mb": _memory, "gpus": _gpus}
_NOTHING = asdict(Demand())
