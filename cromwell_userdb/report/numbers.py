"""What attempts asked for, were granted and used, in words and as a table."""

from __future__ import annotations

from collections.abc import Sequence

from cromwell_userdb.attempts import Attempt
from cromwell_userdb.report.words import called, duration, table

BECAME = {
    "OUT_OF_MEMORY": "ran out of memory",
    "TIMEOUT": "ran out of time",
    "NODE_FAIL": "lost the node",
    "PREEMPTED": "gave way to jobs of higher priority",
    "CANCELLED": "was cancelled",
    "NOT_STARTED": "could not be run",
}
"""Ends from outside, as a sentence goes on after the call's name."""


def megabytes(number: int) -> str:
    """
    >>> megabytes(2000), megabytes(64000)
    ('2000 MB', '62.5 GB')
    """
    return f"{number} MB" if number < 10_000 else f"{round(number / 1024, 1):g} GB"


def told(attempt: Attempt) -> str:
    """Why an attempt was ended, in the numbers that matter for it.

    >>> from cromwell_userdb.attempts import Share
    >>> one = Attempt("a", None, 1, "/a", node="n1", reason="OUT_OF_MEMORY",
    ...               asked=Share(1, 2000), used=Share(0, 1998, 9))
    >>> told(one)
    'OUT_OF_MEMORY: asked 2000 MB, used 1998 MB on n1'
    >>> told(Attempt("a", None, 1, "/a", reason="NOT_STARTED"))
    'could not be run'
    """
    parts = _memory(attempt) if attempt.reason == "OUT_OF_MEMORY" else _time(attempt)
    numbers = ", ".join(parts)
    where = f" on {attempt.node}" if attempt.node else ""
    # No word of SLURM's: the call's own last words say what was in the way.
    reason = "could not be run" if attempt.reason == "NOT_STARTED" else attempt.reason
    return f"{reason}{': ' if numbers else ''}{numbers}{where}"


def _memory(attempt: Attempt) -> list[str]:
    verb = "asked" if attempt.asked.memory_mb else "had"
    had, used = attempt.asked.memory_mb or attempt.granted.memory_mb, attempt.used.memory_mb
    return [
        *([f"{verb} {megabytes(had)}"] if had else []),
        *([f"used {megabytes(used)}"] if used else []),
    ]


def _time(attempt: Attempt) -> list[str]:
    verb = "asked" if attempt.asked.seconds else "had"
    had, used = attempt.asked.seconds or attempt.granted.seconds, attempt.used.seconds
    return [
        *([f"{verb} {duration(had)}"] if had and attempt.reason == "TIMEOUT" else []),
        *([f"ran {duration(used)}"] if used else []),
    ]


def after(attempt: Attempt) -> str:
    """An attempt that followed one of those, in what it was given."""
    given = attempt.given
    parts = [
        *([f"granted {megabytes(given.memory_mb)}"] if given.memory_mb else []),
        *([duration(given.seconds)] if given.seconds else []),
        *([f"used {megabytes(attempt.used.memory_mb)}"] if attempt.used.memory_mb else []),
    ]
    where = f" on {attempt.node}" if attempt.node else ""
    return f"{ended(attempt)}: {', '.join(parts)}{where}" if parts else ended(attempt)


def ended(attempt: Attempt) -> str:
    """How an attempt ended, in a word or two."""
    if attempt.reason:
        return attempt.reason
    if attempt.return_code is None:
        return "running"
    return "done" if attempt.return_code == 0 else f"exit code {attempt.return_code}"


def name(attempt: Attempt) -> str:
    """The call of an attempt, as people type it."""
    return called(attempt.call, attempt.shard)


def lines(attempts: Sequence[Attempt], most: int = 12) -> list[str]:
    """A line for each attempt, those of one call beneath each other."""
    width = max((len(name(one)) for one in attempts), default=0)
    shown, before = [], ""
    for one in attempts[:most]:
        label = name(one) if name(one) != before else ""
        before = name(one)
        words = told(one) if one.reason else after(one)
        shown.append(f"{label:<{width}}  attempt {one.attempt}  {words}")
    return shown


def as_table(attempts: Sequence[Attempt]) -> str:
    """Every attempt with all of its numbers."""
    rows = [
        (
            name(one),
            str(one.attempt),
            ended(one),
            *(f"{number:g}" if number else "–" for number in (one.given.cpu, one.used.cpu)),
            *(megabytes(number) if number else "–" for number in _memories(one)),
            *(duration(number) if number else "–" for number in _times(one)),
            one.node,
            one.job,
        )
        for one in attempts
    ]
    return table(_HEADERS, rows, right="attempt cores busy asked granted used limit took job")


_HEADERS = (
    "call", "attempt", "ended", "cores", "busy", "asked", "granted", "used", "limit", "took",
    "node", "job",
)  # fmt: skip


def _memories(one: Attempt) -> tuple[int, ...]:
    return (one.asked.memory_mb, one.granted.memory_mb, one.used.memory_mb)


def _times(one: Attempt) -> tuple[int, ...]:
    return (one.given.seconds, one.used.seconds)
