"""An instance's server while it is there: what it is doing now, who uses it, and its end."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from cromwell_userdb import database, disk, lease, locks, process, sockets
from cromwell_userdb.binaries import TITLE
from cromwell_userdb.errors import Held, NotInitialised, NotRunning, StartFailed
from cromwell_userdb.instance import Instance
from cromwell_userdb.lease import Lease

State = Literal["running", "starting", "stopped", "elsewhere", "crashed", "not initialised"]

_SILENCE, _SILENCE_AT_START = 30.0, 3.0

SOON = 2.0
"""Seconds that a stop may take without a word."""


@dataclass(frozen=True)
class Status:
    """What an instance's server is doing; `since` as seconds since the epoch, there."""

    root: Path
    state: State
    pid: int | None = None
    host: str | None = None
    since: float | None = None
    version: str | None = None
    connections: int | None = None
    job: str | None = None


def status(instance: Instance) -> Status:
    """From the files and the kernel alone, so that it answers when the server does not."""
    facts = disk.facts(instance)
    if facts is None:
        return Status(instance.root, "not initialised")
    version = f"{TITLE[facts['flavour']]} {facts['version']}"
    held = lease.read(instance.lease)
    if held is None:
        return Status(instance.root, "stopped", version=version)
    state = _state(instance, held)
    return Status(
        instance.root,
        state,
        held.holder.pid,
        held.holder.host,
        held.since,
        version,
        sockets.connections(instance.socket) if state == "running" else None,
        held.job,
    )


def _state(instance: Instance, held: Lease) -> State:
    if not held.holder.is_here:
        return "elsewhere"
    if not held.holder.is_alive:
        return "crashed"
    return "running" if held.ready and sockets.listens(instance.socket) else "starting"


def listing(uid: int) -> list[Status]:
    """The servers of `uid` that run on this host, whatever their instance is."""
    roots = dict.fromkeys(root for _, root in _serving(uid))
    return [found for root in roots if (found := status(Instance(root))).state != "not initialised"]


def connect(instance: Instance, *, schema: str | None = None) -> database.Connection:
    """Log in as the administrator, which is the OS user."""
    return database.connect(instance.socket, user=disk.os_user(), database=schema)


def reuse(instance: Instance, *, patience: float = 60) -> Status | None:
    """The server that runs on this host, its idle time begun anew; None when none does.

    Cheaper than a start by the search for a server program.
    """
    with kept(instance, patience=patience) as there:
        return status(instance) if there else None


@contextlib.contextmanager
def kept(instance: Instance, *, patience: float = 60) -> Iterator[bool]:
    """Whether a server of this host is ready; inside, nobody starts or stops it."""
    if lease.read(instance.lease) is None:
        yield False
        return
    with locks.exclusive(instance.lock, patience, doing="a start"):
        yield serves(instance, patience)


def serves(instance: Instance, wait: float) -> bool:
    """Whether a server of this host is ready; one that is just starting is waited for."""
    deadline = time.monotonic() + wait
    while True:
        held = lease.read(instance.lease)
        if held is None or not held.holder.is_alive:
            return False
        if held.ready and sockets.listens(instance.socket):
            try:
                # Its idle time begins anew: it can't end between our answer and the first call.
                os.kill(held.holder.pid, signal.SIGUSR1)
            except ProcessLookupError:
                continue
            return True
        if time.monotonic() > deadline:
            raise StartFailed(
                f"The server of {instance.root} has been starting for {wait:g} seconds. It may be"
                f" recovering; {instance.server_log} tells."
            )
        time.sleep(0.05)


def await_orphan(instance: Instance, wait: float, progress: Callable[[str], None]) -> None:
    """Wait for a server whose supervisor was killed: the kernel has told it to stop.

    MariaDB hangs for ever when that reached it in the middle of its start, so one of this
    instance's that has nothing more to say is killed; what was committed is safe.
    """
    held = lease.read(instance.lease)
    if held is not None and held.holder.is_alive is not False:
        return
    if _is_worked_on(instance):
        progress("waiting for the last server to end")
    deadline = time.monotonic() + wait
    silence = _SILENCE if _was_ready(instance) else _SILENCE_AT_START
    size, heard = _log_size(instance), time.monotonic()
    while _is_worked_on(instance):
        now = time.monotonic()
        if _log_size(instance) != size:
            size, heard = _log_size(instance), now
        if now - heard > silence:
            for pid in processes(instance):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
        if now > deadline:
            raise Held(
                f"Another process still works on {instance.datadir} though the supervisor is gone."
                " Wait for its end, or end it, and try again."
            )
        time.sleep(0.02)


def _is_worked_on(instance: Instance) -> bool:
    if locks.is_held(instance.serving):
        return True
    try:
        return lease.locked_by(instance.datadir / "ibdata1") is not None
    except OSError:
        return False


def processes(instance: Instance) -> list[int]:
    """This user's server processes of `instance` on this host, whoever started them."""
    own = instance.root.resolve()
    return [pid for pid, root in _serving(os.geteuid()) if root.resolve() == own]


def _serving(uid: int) -> list[tuple[int, Path]]:
    """Pid and root of each server process of `uid`: its option file tells whose it is."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            argv = (entry / "cmdline").read_bytes() if entry.stat().st_uid == uid else b""
        except OSError:
            continue
        if option := re.search(rb"(?:^|\0)--defaults-file=(/[^\0]*)/my\.cnf\0", argv):
            found.append((int(entry.name), Path(os.fsdecode(option[1]))))
    return found


def _was_ready(instance: Instance) -> bool:
    text = process.tail(instance.server_log, lines=200)
    started = max(text.rfind("Starting MariaDB"), text.rfind("starting as process"))
    return text.rfind("ready for connections") > started


def _log_size(instance: Instance) -> int:
    return instance.server_log.stat().st_size if instance.server_log.exists() else 0


def stop(
    instance: Instance,
    *,
    force: bool = False,
    runs: Callable[[], Sequence[str]] = list,
    wait: float = 120,
    say: Callable[[str], None] = lambda line: None,
) -> bool:
    """Stop the server cleanly; False when none ran. Refused while anybody uses it, unless forced.

    `runs` names those alive, who may be about to connect again; whoever is seen in none of them
    has a connection, or waits for us. Says so when it takes long.
    """
    with locks.exclusive(instance.lock, wait, doing="a stop"):
        held = lease.read(instance.lease)
        if held is None or held.holder.is_alive is False:
            await_orphan(instance, wait, lambda words: None)
            return False
        if not held.holder.is_here:
            raise Held(
                f"The database of {instance.root} is served by {held.sentence}: stop it there."
            )
        if not force:
            _check_unused(instance, runs)
        os.kill(held.holder.pid, signal.SIGTERM)
        _await_end(instance, held, wait, say)
        return True


def _check_unused(instance: Instance, runs: Callable[[], Sequence[str]]) -> None:
    deadline = time.monotonic() + 1  # whoever has just gone is still seen for a moment
    while (count := sockets.connections(instance.socket)) and time.monotonic() < deadline:
        time.sleep(0.02)
    # After the look at connections: a run keeps its first until its folder names who leads it.
    alive = runs()
    if not count and not alive:
        return
    users = f"{count} connection{'s' * (count != 1)}"
    who = f" ({', '.join(alive)})" if alive else ""
    raise Held(
        f"The database of {instance.root} is in use: {users}{who}. Let that end first,"
        " or stop it all the same with --force."
    )


def _await_end(instance: Instance, held: Lease, wait: float, say: Callable[[str], None]) -> None:
    began = time.monotonic()
    deadline = began + wait
    told = False
    while held.holder.is_alive:
        if not told and time.monotonic() > began + SOON:
            told = True
            full = disk.free_space(instance.root) < disk.ROOM_TO_START
            why = "; its disk is full, and room would help" if full else ""
            say(f"Waiting up to {wait:g} seconds for the server to write what it has{why}.")
        if time.monotonic() > deadline:
            raise NotRunning(
                f"The server of {instance.root} has not ended in {wait:g} seconds; it is still"
                f" writing. {instance.supervisor_log} tells."
            )
        time.sleep(0.01)


def belongings(instance: Instance) -> list[tuple[Path, int]]:
    """What `remove` would delete: everything in the root, each with its bytes on disk."""
    return [(path, occupied(path)) for path in sorted(instance.root.iterdir())]


def occupied(path: Path) -> int:
    """Bytes on disk of `path` and everything below it; what can't be looked at counts nothing."""
    paths = [path, *path.rglob("*")] if path.is_dir() and not path.is_symlink() else [path]
    total = 0
    for part in paths:
        with contextlib.suppress(OSError):
            total += part.lstat().st_blocks * 512
    return total


def remove(instance: Instance, *, wait: float = 60) -> None:
    """Delete the instance; Held while a server has it. What was begun is finished by the next."""
    disk.check_private(instance.root)
    if disk.facts(instance) is None:
        raise NotInitialised(f"There is no database at {instance.root}.")
    with locks.exclusive(instance.lock, wait, doing="a removal"):
        held = lease.read(instance.lease)
        await_orphan(instance, wait, lambda words: None)
        if held is not None and not lease.is_dead(
            instance.lease, held, guarded=instance.datadir / "ibdata1"
        ):
            raise Held(
                f"The database of {instance.root} is served by {held.sentence}."
                f" Stop it first: cromwell-userdb db stop --root {instance.root}"
            )
        # Out of the way in one step: half an instance must not look like a whole one.
        doomed = instance.root.with_name(f".{instance.root.name}.removed-{int(time.time())}")
        instance.root.rename(doomed)
    if instance.alias is not None:
        instance.alias.unlink(missing_ok=True)
    shutil.rmtree(doomed)
