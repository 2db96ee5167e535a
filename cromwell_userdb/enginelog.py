"""An engine's own log: what it tells that the database does not, or not yet."""

from __future__ import annotations

import re
from pathlib import Path

from cromwell_userdb import process


class EngineLog:
    """The log of an engine that runs; `is_done` once that has told of its workflow's end."""

    HOPELESS = re.compile(r"Initialization failed on attempt \d+.*(?:\n.*){0,12}")
    # Told to end between the workflow's last row and this line, Cromwell would wait for an hour.
    DONE = re.compile(r"Workflow actor for \S+ completed with status")

    def __init__(self, path: Path) -> None:
        self.path = path
        self.offset = 0
        self.found = ""
        self.is_done = False

    def hopeless(self) -> str:
        """What the engine said of a start that it would try for a quarter of an hour, or ""."""
        with self.path.open("rb") as file:
            file.seek(self.offset)
            read = file.read(1 << 20)
            self.offset += len(read)
        text = read.decode(errors="replace")
        if not self.found and (match := self.HOPELESS.search(text)):
            self.found = _reasons(match[0])
        self.is_done = self.is_done or bool(self.DONE.search(text))
        return self.found

    def last_words(self) -> str:
        return process.tail(self.path, lines=6)

    def parting_words(self) -> str:
        """The last thing that the engine said, without when."""
        return process.tail(self.path, lines=1).partition(" - ")[2]


def _reasons(text: str) -> str:
    """What is behind a failed initialization, one line for each thing that is wrong.

    >>> _reasons("failed on attempt 1.\\nFailure:\\n\\tTask a has no cpu\\n\\tSuppressed: x")
    'Task a has no cpu'
    """
    lines = [line.strip() for line in text.splitlines()[1:] if line.startswith("\t")]
    found = [line for line in lines if not line.startswith(("Suppressed:", "at ", "..."))]
    found = [re.sub(r"Valid\(Wom\w+\((.*?)\)\)", r"\1", line) for line in found]
    return "\n".join(dict.fromkeys(found)) or text.splitlines()[0]


def told_id(log: Path) -> str:
    """The workflow's id by an engine's log, "" where it did not get so far.

    An engine may be killed when jobs are under way and the database knows nothing of them yet.
    """
    try:
        with log.open(errors="replace") as lines:
            for line in lines:
                if found := re.search(r"submitted UUID\(([0-9a-f-]{36})\)", line):
                    return found[1]
    except FileNotFoundError:
        pass
    return ""
