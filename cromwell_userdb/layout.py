"""The folders of a workflow's calls, for where its database is out of reach."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from cromwell_userdb.metadata import Call

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def calls(workflow: Path) -> list[Call]:
    """Each attempt of each call below a workflow's folder, as far as files tell.

    A return code other than 0 counts as failed, whatever the task says about such codes.
    """
    found = list(_below(workflow, ()))
    return sorted(found, key=lambda one: (one.label, one.attempt))


def _below(workflow: Path, within: tuple[str, ...]) -> Iterator[Call]:
    for folder in workflow.glob("call-*"):
        for place in (folder, *folder.glob("shard-*")):
            fqn = f"{workflow.parent.name}.{folder.name.removeprefix('call-')}"
            shard = None if place is folder else int(place.name.removeprefix("shard-"))
            for root in (place, place / "cacheCopy", *place.glob("attempt-*")):
                if (root / "execution").is_dir():
                    yield _call(root, workflow.name, fqn, shard, within)
            label = Call("", fqn, shard, 1).label
            for below in place.glob("*/*"):
                if _UUID.fullmatch(below.name):
                    yield from _below(below, (*within, label))


def _call(root: Path, workflow: str, fqn: str, shard: int | None, within: tuple[str, ...]) -> Call:
    code = _return_code(root)
    status = "Running" if code is None else "Failed" if code else "Done"
    _, _, attempt = root.name.partition("attempt-")
    return Call(
        workflow,
        fqn,
        shard,
        int(attempt or 1),
        status,
        return_code=code,
        stdout=str(root / "execution/stdout"),
        stderr=str(root / "execution/stderr"),
        root=str(root),
        within=within,
    )


def _return_code(root: Path) -> int | None:
    try:
        return int((root / "execution/rc").read_text())
    except (OSError, ValueError):
        return None
