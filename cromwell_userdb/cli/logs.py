"""`logs`: the last words of a run's calls."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import click

from cromwell_userdb import process
from cromwell_userdb.attempts import Attempt
from cromwell_userdb.cli import place, screen, standing
from cromwell_userdb.cli.arguments import OnRun, run_argument
from cromwell_userdb.cli.options import COUNT, JSON
from cromwell_userdb.cli.place import Place
from cromwell_userdb.errors import Held, UsageError
from cromwell_userdb.instance import RunFolder
from cromwell_userdb.report import numbers
from cromwell_userdb.report.words import shown
from cromwell_userdb.runs import State


@click.command("logs", cls=OnRun)
@run_argument(newest=True)
@click.option("--call", metavar="NAME[SHARD]", help="This call only, as align[17].")
@click.option("--failed", is_flag=True, help="Failed calls only.")
@click.option("--engine", "of_engine", is_flag=True, help="The engine's own log.")
@click.option("-n", "--lines", type=COUNT, default=10, show_default=True, help="Of each log.")
@click.option("--paths", is_flag=True, help="Where the logs are, not what is in them.")
@JSON
@place.options
def logs_(
    place: Place,
    run: str,
    call: str | None,
    failed: bool,
    of_engine: bool,
    lines: int,
    paths: bool,
    as_json: bool,
) -> None:
    """Show the last words of a run's calls, the newest run by default.

    \b
    Examples:
      cromwell-userdb logs --failed
      cromwell-userdb logs 12 --call align[17] -n 50
    """
    folder, state = standing.found(place, run)
    if of_engine:
        words = "" if paths else process.tail(folder.engine_log, lines=lines)
        if as_json:
            return screen.answer({"log": folder.engine_log, "words": words.splitlines()})
        return print(folder.engine_log if paths else words)
    found = list(_logs(_calls(place, folder, state), call, state.attempts, failed=failed))
    if as_json:
        return screen.answer(found)
    if not found:
        raise UsageError(_no_logs(state, call))
    for log in found:
        print(f"{log['call']} (attempt {log['attempt']}, {log['status']})")
        if log["numbers"]:
            print(f"  {log['numbers']}")
        for stream in ("stdout", "stderr"):
            gone = "" if Path(log[stream] or "/").exists() else "  (gone)"
            print(f"  {stream}  {log[stream]}{gone}")
            if log[stream] and not paths:
                words = process.tail(Path(log[stream]), lines=lines)
                print("".join(f"    {shown(line)}\n" for line in words.splitlines()), end="")


def _calls(where: Place, folder: RunFolder, state: State) -> list[Any]:
    """What the database knows of the run's calls; where another host serves it, their folders."""
    from cromwell_userdb import adoption, layout, metadata
    from cromwell_userdb.cli.session import connect

    if not state.id:
        return []
    try:
        with connect(where) as connection:
            return metadata.calls(connection, state.id)
    except Held:
        dead = adoption.lineage(folder)
        if not (dead and dead[0].workflow):
            raise
        screen.note("Another host serves the database: this is what the calls' folders tell.")
        return layout.calls(dead[0].workflow)


def _logs(
    calls: Iterable[Any], name: str | None, attempts: Iterable[Attempt], *, failed: bool
) -> Iterator[dict[str, Any]]:
    known = {one.root: one for one in attempts}
    for call in calls:
        numbered = known.get(call.root or "")
        bad = call.status in ("Failed", "RetryableFailure", "Aborted")
        if call.stderr and (not failed or bad) and (not name or _names(name, call)):
            yield {
                "call": call.label,
                "attempt": call.attempt,
                "status": call.status.lower(),
                "return_code": call.return_code,
                "stdout": call.stdout,
                "stderr": call.stderr,
                "root": call.root,
                "numbers": _numbers_of(numbered) if numbered else "",
            }


def _numbers_of(attempt: Attempt) -> str:
    return numbers.told(attempt) if attempt.reason else numbers.after(attempt)


def _names(text: str, call: Any) -> bool:
    """Whether `align` or `align[17]`, or its path below sub-workflows, means this call."""
    return text in (call.label, call.label.rpartition("/")[2], call.name, call.fqn) or text == (
        re.sub(r"\[\d+\]", "", call.label)
    )


def _no_logs(state: State, name: str | None) -> str:
    if name:
        known = ", ".join(calls.name for calls in state.calls) or "none"
        return f"run {state.run} has no call {name!r} with logs; its calls are: {known}."
    return f"run {state.run} has no such calls. Its engine's log: logs {state.run} --engine"
