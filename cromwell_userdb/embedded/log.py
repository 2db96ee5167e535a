"""The engine's log: lines on stdout in the shape of Cromwell's LOG_MODE=STANDARD."""

from __future__ import annotations

import contextlib
import logging
import sys
import time
from collections.abc import Iterator
from pathlib import Path

_LOG = logging.getLogger(__name__)


class _Standard(logging.Formatter):
    def __init__(self) -> None:
        self.converter = time.gmtime
        super().__init__("%(asctime)s main %(short)s  - %(message)s", "%Y-%m-%d %H:%M:%S")

    def format(self, record: logging.LogRecord) -> str:
        record.short = record.levelname.removesuffix("ING")
        return super().format(record)


@contextlib.contextmanager
def to_stdout() -> Iterator[None]:
    """Whoever follows the file that stdout is, reads each line at once."""
    with _handler(logging.StreamHandler(sys.stdout)):
        yield


@contextlib.contextmanager
def also_to(path: Path | None) -> Iterator[None]:
    """A copy in a file of its own, unless there is none."""
    if path is None:
        yield
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    with _handler(logging.FileHandler(path)) as handler:
        yield
        handler.close()


@contextlib.contextmanager
def _handler(handler: logging.Handler) -> Iterator[logging.Handler]:
    handler.setFormatter(_Standard())
    _LOG.setLevel(logging.INFO)
    _LOG.propagate = False
    _LOG.addHandler(handler)
    try:
        yield handler
    finally:
        _LOG.removeHandler(handler)


def say(words: str) -> None:
    _LOG.info(words)


def warn(words: str) -> None:
    _LOG.warning(words)


def fail(words: str) -> None:
    _LOG.error(words)
