"""The engine's log: lines on stdout in the shape of Cromwell's LOG_MODE=STANDARD."""

from __future__ import annotations

import sys
from datetime import UTC, datetime


def say(words: str, *, level: str = "INFO") -> None:
    """One entry; whoever follows the file reads it at once."""
    now = datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S")
    sys.stdout.write(f"{now} main {level}  - {words}\n")
    sys.stdout.flush()
