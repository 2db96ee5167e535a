"""What a resumed run takes up from dead ones: their calls, their jobs, and what to ask for instead.

The decision about each call is the submit hook's (`slurm/adopt`), which sees the new call as
well; here is what it has to know, and what becomes of the jobs that it had no use for.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from cromwell_userdb.cluster import minutes_of
from cromwell_userdb.enginelog import told_id
from cromwell_userdb.errors import UsageError
from cromwell_userdb.instance import RunFolder
from cromwell_userdb.metadata import Call
from cromwell_userdb.record import Identity
from cromwell_userdb.runs import Request, State, read_request, read_state

BAD_ENDS = frozenset({"Failed", "RetryableFailure", "Aborted"})
"""Calls with these are run again, whatever their return code says."""

Overrides = Mapping[str, Mapping[str, str | int]]
"""By call (`align`, `align[17]`), what to ask for: `memory_mb` at least, `time`, `cpu`."""


@dataclass(frozen=True)
class Dead:
    """A run whose engine is gone, and Cromwell's folder of its workflow, if it came to one."""

    run: int
    id: str
    workflow: Path | None


def lineage(folder: RunFolder) -> list[Dead]:
    """The run in `folder`, then what it resumed in its turn, the newest first."""
    found: list[Dead] = []
    while request := read_request(folder):
        state = read_state(folder)
        found.append(_dead(folder, request, state))
        if request.resumes is None:
            break
        folder = folder.sibling(request.resumes)
    return found


def _dead(folder: RunFolder, request: Request, state: State | None) -> Dead:
    id = (state.id if state else "") or told_id(folder.engine_log)
    # The name is Cromwell's business: a workflow that we could not read is named by its file.
    root = Path(request.executions) if request.executions else None
    places = list(root.glob(f"*/{id}")) if id and root and root.is_dir() else []
    return Dead(folder.number, id, places[0] if places else None)


def adopts_text(root: Path, dead: Iterable[Dead]) -> str:
    """The hooks' file `adopts`: Cromwell's root, then the folders to look in."""
    lines = [str(root), *(str(one.workflow) for one in dead if one.workflow)]
    return "\n".join(lines) + "\n"


def failed_text(calls: Iterable[Call]) -> str:
    """The hooks' file `failed`: roots of calls never to be taken up, and of whose job they had."""
    roots = [Path(call.root) for call in calls if call.root and call.status in BAD_ENDS]
    return "".join(f"{root}\n" for root in dict.fromkeys(_with_origins(roots)))


def _with_origins(roots: Iterable[Path]) -> Iterator[Path]:
    for root in roots:
        yield root
        for _ in range(1000):
            try:
                root = Path((root / "execution/.adopted").read_text().strip())
            except OSError:
                break
            yield root


def overrides_text(overrides: Overrides) -> str:
    """The hooks' file `overrides`.

    >>> overrides_text({"align": {"memory_mb": 8192, "time": "2:00:00"}})
    'align memory_mb 8192\\nalign time 2:00:00\\n'
    """
    return "".join(
        f"{call} {key} {value}\n"
        for call, asked in overrides.items()
        for key, value in asked.items()
    )


def read_overrides(
    memory: Sequence[str], time: Sequence[str], cpu: Sequence[str] = ()
) -> dict[str, dict[str, str | int]]:
    """What ``call=8GB``, ``call=2:00:00`` and ``call=4`` say; UsageError for anything else."""
    found: dict[str, dict[str, str | int]] = {}
    for word in memory:
        call, value = _split(word, "--memory", "call=8GB")
        found.setdefault(call, {})["memory_mb"] = megabytes(value)
    for word in time:
        call, value = _split(word, "--time", "call=2:00:00")
        if minutes_of(value) is None:
            raise UsageError(f"--time {word}: write minutes, hours:minutes:seconds or days-hours.")
        found.setdefault(call, {})["time"] = value
    for word in cpu:
        call, value = _split(word, "--cpu", "call=4")
        if not re.fullmatch(r"[1-9]\d{0,4}", value):
            raise UsageError(f"--cpu {word}: write a number of cores.")
        found.setdefault(call, {})["cpu"] = int(value)
    return found


def merged(before: Overrides, more: Overrides) -> dict[str, dict[str, str | int]]:
    """What was asked for, with what is asked for besides or in its place."""
    calls = before.keys() | more.keys()
    return {call: {**before.get(call, {}), **more.get(call, {})} for call in sorted(calls)}


def _split(word: str, option: str, example: str) -> tuple[str, str]:
    call, equals, value = word.partition("=")
    if not equals or not re.fullmatch(r"[A-Za-z0-9_.]+(\[\d+\])?", call.strip()):
        raise UsageError(f"{option} {word}: write it as {example}.")
    return call.strip().rpartition(".")[2], value.strip()


def megabytes(text: str) -> int:
    """Memory in the units of Cromwell's hooks, which count by 1,024; a bare number is MB.

    >>> megabytes("8GB"), megabytes("1.5 GiB"), megabytes("500")
    (8192, 1536, 500)
    """
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([KMGT]?)i?B?", text, re.IGNORECASE)
    if not found:
        raise UsageError(f"{text!r} is no amount of memory: write it as 8GB.")
    scale = {"K": 1 / 1024, "": 1, "M": 1, "G": 1024, "T": 1024**2}[found[2].upper()]
    return max(1, round(float(found[1]) * scale))


def leftovers(jobs: Iterable[tuple[str, str]], dead: Iterable[Dead], taken: set[str]) -> list[str]:
    """Ids of the jobs, given with their work folders, that are of dead runs and nobody's now."""
    roots = tuple(f"{one.workflow}/" for one in dead if one.workflow)
    return [id for id, folder in jobs if roots and folder.startswith(roots) and id not in taken]


def sessions_below(root: Path) -> Iterator[tuple[str, str]]:
    """Sessions of calls on this machine that live, each with its call's root."""
    for claim in root.rglob("execution/.claim"):
        try:
            pid, ticks, boot, host = claim.read_text().split()
            alive = Identity(host, boot, int(pid), int(ticks)).is_alive
        except (OSError, ValueError):
            continue
        if alive:
            yield pid, str(claim.parent.parent)
