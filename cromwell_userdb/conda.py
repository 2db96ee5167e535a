"""Programs from a conda channel, each in a folder of its own below the user's cache."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from cromwell_userdb import disk, locks
from cromwell_userdb.errors import NotFound
from cromwell_userdb.record import make_private

CHANNEL = "conda-forge"


def install(
    prefix: Path,
    wanted: Sequence[str],
    *,
    cache: Path,
    what: str,
    channel: str = CHANNEL,
    progress: Callable[[str], None] = lambda words: None,
) -> None:
    """Install the first of the specs `wanted` that the channel has into `prefix`, once.

    Needs the extra `managed`. `what` it is, for the sentences. What was interrupted is done
    again from the start.
    """
    make_private(cache)
    lock = cache / f".{prefix.name}.lock"
    with locks.exclusive(lock, 1800, doing=f"the installation of a {what}"):
        done = prefix / "complete"
        if done.exists():
            return
        shutil.rmtree(prefix, ignore_errors=True)
        with disk.no_space(cache):
            _install(prefix, wanted, cache / "conda", what, channel, progress)
            done.write_text(channel + "\n")


def _install(
    prefix: Path,
    wanted: Sequence[str],
    cache: Path,
    what: str,
    channel: str,
    progress: Callable[[str], None],
) -> None:
    import asyncio

    try:
        import rattler
        import rattler.exceptions
    except ImportError as error:
        raise NotFound(
            f"Installing a {what} needs an extra:"
            f' {sys.executable} -m pip install "cromwell-userdb[managed]"'
        ) from error

    async def fetch() -> None:
        records = await _solve(rattler, wanted, channel, cache / "index")
        size = sum(record.size or 0 for record in records) >> 20
        progress(f"fetching {len(records)} packages ({size} MB) from {channel}")
        await rattler.install(
            records, target_prefix=prefix, cache_dir=cache / "packages", show_progress=False
        )

    try:
        asyncio.run(fetch())
    except rattler.exceptions.SolverError as error:
        raise NotFound(f"{channel} has no {what} that runs on this machine: {error}") from error
    except Exception as error:
        # The library has a dozen errors of its own for networks, disks and damaged packages.
        shutil.rmtree(prefix, ignore_errors=True)
        if isinstance(error, OSError):
            raise
        *_, reason = type(error).__name__, *str(error).strip().splitlines()
        raise NotFound(
            f"No {what} could be fetched from {channel}: {reason.strip()}. Without a way there, use"
            " one of your own."
        ) from error


async def _solve(rattler: Any, wanted: Sequence[str], channel: str, index: Path) -> Any:
    """The packages of the first of `wanted` that the channel has for this machine."""
    unsolved: Exception | None = None
    for spec in wanted:
        try:
            return await rattler.solve(
                [rattler.Channel(channel)],
                [spec],
                platforms=[str(rattler.Subdir.current()), "noarch"],
                virtual_packages=rattler.VirtualPackage.detect(),
                gateway=rattler.Gateway(cache_dir=index),
            )
        except rattler.exceptions.SolverError as error:
            unsolved = error
    assert unsolved is not None
    raise unsolved
