"""Short folders below /tmp, and the end of all that lives in one, however its test ended."""

from __future__ import annotations

import contextlib
import functools
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO


def made(prefix: str) -> Path:
    """A new folder; what lives in it ends with this process at the latest, killed or not."""
    folder = Path(tempfile.mkdtemp(prefix=f"{prefix}-", dir="/tmp"))
    watcher = _watcher()
    watcher.write(f"{folder}\n")
    watcher.flush()
    return folder


def gone(folder: Path) -> None:
    """End what lives in a folder, and remove it."""
    sweep(folder)
    shutil.rmtree(folder, ignore_errors=True)


def sweep(folder: Path, *, timeout: float = 30) -> None:
    """End what lives in a folder, with all that it starts meanwhile."""
    deadline = time.monotonic() + timeout
    while found := list(processes(folder)):
        assert time.monotonic() < deadline, f"these do not end: {found}"
        for pid in found:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.02)


def processes(folder: Path) -> Iterator[int]:
    """Those that name the folder in their arguments or environment, or stand in it."""
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            # One that has gone, or is not ours to look at.
            with contextlib.suppress(OSError):
                told = (entry / "cmdline").read_bytes() + (entry / "environ").read_bytes()
                stands = os.fsencode((entry / "cwd").readlink()) + b"/"
                if os.fsencode(folder) in told or os.fsencode(folder) + b"/" in stands:
                    yield int(entry.name)


@functools.cache
def _watcher() -> IO[str]:
    """Where to write which folders are to be gone when we are."""
    watcher = subprocess.Popen(
        [sys.executable, __file__], stdin=subprocess.PIPE, start_new_session=True, text=True
    )
    assert watcher.stdin is not None
    return watcher.stdin


if __name__ == "__main__":
    for line in sys.stdin.read().splitlines():
        gone(Path(line))
