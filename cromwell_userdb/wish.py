"""What one task of a workflow asks for, as far as it is known before anything runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any


class Unknown(Enum):
    """The one value that stands for a value: it is the same again in another process."""

    UNKNOWN = "what only the run will tell"


UNKNOWN = Unknown.UNKNOWN
"""What only the run will tell."""


@dataclass(frozen=True)
class Wish:
    """The runtime section of one task, in the values that a call of it gives.

    `values` are as JSON, or UNKNOWN; `lines` say where each stands, as ``align.wdl:12``; `call`
    is what the workflow calls the task.
    """

    task: str
    values: Mapping[str, Any]
    lines: Mapping[str, str]
    call: str = ""

    def known(self, name: str) -> Any:
        """The value, None where there is none or nobody knows it yet."""
        value = self.values.get(name)
        return None if value is UNKNOWN else value

    def cause(self, *names: str) -> str:
        """The task, behind the line of the first of these that it asks for, to begin a sentence.

        >>> Wish("t", {"cpu": 2}, {"cpu": "a.wdl:3"}).cause("memory", "cpu")
        'a.wdl:3: task t'
        """
        line = next((f"{self.lines[name]}: " for name in names if name in self.lines), "")
        return f"{line}task {self.task}"
