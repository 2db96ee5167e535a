"""What became of the images that a run has had pulled, told line by line in a file of the run."""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from cromwell_userdb.errors import UsageError
from cromwell_userdb.reference import parse

BEGUN, DONE, FAILED = "begun", "done", "failed"

_UNPULLED = re.compile(r"from '([^']+)' of type '\S*\.Containers'|Docker image (\S+) not found")
"""How Cromwell says that a task's image has no digest."""


@dataclass(frozen=True)
class Pull:
    """A step in the pull of an image, under the name that an engine asked for."""

    when: str
    image: str
    step: str
    words: str = ""

    def __str__(self) -> str:
        """
        >>> print(Pull("", "ubuntu:20.04", BEGUN))
        pulling ubuntu:20.04
        """
        return {BEGUN: f"pulling {self.image}", DONE: f"{self.image} is here"}.get(
            self.step, self.words
        )


def tell(file: Path, image: str, step: str, words: str = "") -> None:
    """Add a line; a full disk keeps none, and no pull from going on."""
    row = asdict(Pull(datetime.now(UTC).isoformat(timespec="seconds"), image, step, words))
    with contextlib.suppress(OSError):
        file.touch(0o600)
        with file.open("a") as lines:
            lines.write(json.dumps(row) + "\n")


def told(file: Path) -> Iterator[Pull]:
    """What has been told so far; whole lines only."""
    with contextlib.suppress(FileNotFoundError):
        for line in file.read_text().splitlines(keepends=True):
            if line.endswith("\n"):
                yield Pull(**json.loads(line))


def explained(message: str, pulls: Sequence[Pull]) -> str:
    """An engine's words for a call that failed, or why its image did not come, if it was that."""
    found = _UNPULLED.search(message)
    failed = [one for one in pulls if one.step == FAILED]
    if not found or not failed:
        return message
    try:
        image = parse(found[1] or found[2])
    except UsageError:
        return message
    return next((one.words for one in reversed(failed) if image in parse(one.image).meant), message)
