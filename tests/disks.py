"""Small disks, which fill."""

from __future__ import annotations

import contextlib
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest


@contextlib.contextmanager
def mounted(size: str) -> Iterator[Path]:
    """A disk of this size, such as "2m", at a place of its own."""
    place = Path(tempfile.mkdtemp(prefix="disk-", dir="/tmp"))
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size},mode=755", "x", place], check=True)
    try:
        yield place
    finally:
        subprocess.run(["umount", "--lazy", place], check=True)
        place.rmdir()


def fill(path: Path) -> None:
    """Take all the room that is left into this file; without it there is room again."""
    with contextlib.suppress(OSError), path.open("wb", buffering=0) as file:
        while True:
            file.write(bytes(1 << 12))


@pytest.fixture
def small_disk() -> Iterator[Path]:
    with mounted("2m") as place:
        yield place
