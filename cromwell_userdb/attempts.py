"""One attempt of a call in numbers: what it asked for, what it was granted, what it used."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

REASONS = {
    79: "KILLED",
    80: "OUT_OF_MEMORY",
    81: "TIMEOUT",
    82: "NODE_FAIL",
    83: "PREEMPTED",
    84: "CANCELLED",
    85: "NOT_STARTED",
    86: "DISK_FULL",
}
"""Return codes that the hooks write, each for an end that was not the task's own."""


@dataclass(frozen=True)
class Share:
    """A part of a machine, for a time; 0 is not known, or not asked for."""

    cpu: float = 0
    memory_mb: int = 0
    seconds: int = 0


@dataclass(frozen=True)
class Attempt:
    """An attempt that has ended, or a further one that goes on: its `return_code` is None.

    `reason` says why it was ended from outside, "" where it was not. `used.cpu` is how many
    cores it kept busy. `root` is its folder, by which it is known.
    """

    call: str
    shard: int | None
    attempt: int
    root: str
    job: str = ""
    return_code: int | None = None
    reason: str = ""
    node: str = ""
    partition: str = ""
    asked: Share = Share()
    granted: Share = Share()
    used: Share = Share()

    @property
    def path(self) -> str:
        """The calls that lead to it, by the names of its folders.

        >>> Attempt("bad", None, 1, "/x/w/8e/call-inner/shard-2/s/9f/call-bad/attempt-2").path
        'inner[2]/bad'
        """
        calls: list[str] = []
        for part in self.root.split("/"):
            kind, _, rest = part.partition("-")
            if kind == "call":
                calls.append(rest)
            elif kind == "shard" and calls:
                calls[-1] += f"[{rest}]"
        return "/".join(calls)

    @property
    def given(self) -> Share:
        """What it had: as granted, or else as asked for."""
        both = zip(_numbers(self.granted), _numbers(self.asked), strict=True)
        return Share(*(granted or asked for granted, asked in both))  # type: ignore[arg-type]


def _numbers(share: Share) -> list[float]:
    return [getattr(share, part.name) for part in fields(Share)]


def from_json(facts: Mapping[str, Any]) -> Attempt:
    """What `dataclasses.asdict` was given."""
    shares = {name: Share(**facts[name]) for name in ("asked", "granted", "used")}
    return Attempt(**{**facts, **shares})
