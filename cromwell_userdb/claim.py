"""A start's claim to the lease: who else starts or serves is waited for, asked, or named."""

from __future__ import annotations

import contextlib
import socket
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from cromwell_userdb import lease, locks
from cromwell_userdb.errors import Held
from cromwell_userdb.instance import Instance
from cromwell_userdb.lease import JobEnded, Lease
from cromwell_userdb.record import write_private
from cromwell_userdb.server import await_orphan, serves

GIVE_WAY = 8.0
"""Seconds in which an idle holder on another host lets go, with some to spare."""

FORCE_WATCH = 40.0
"""Seconds in which the counter of a living holder would have moved."""

_LOOK_AT_JOB = 15.0


@dataclass(frozen=True)
class Asked:
    """How far a start may go to have the lease."""

    job_ended: JobEnded | None
    force: bool
    wait: float
    patience: float
    progress: Callable[[str], None]


@contextlib.contextmanager
def alone(instance: Instance, asked: Asked) -> Iterator[None]:
    """With no other start beside us, and no other host that may still give way.

    That is waited for without the lock: who gives way takes it, to end in peace.
    """
    deadline = time.monotonic() + max(asked.wait, GIVE_WAY)
    while True:
        _await_other_host(instance, asked, deadline)
        with locks.exclusive(instance.lock, asked.patience, doing="a start"):
            # Somebody on a third host may have been quicker.
            if time.monotonic() > deadline or not _elsewhere(instance, asked):
                yield
                return


def obtain(instance: Instance, mine: Lease, asked: Asked) -> bool:
    """Take the lease; False when a server of this host has it and is ready."""
    guarded = instance.datadir / "ibdata1"
    while not serves(instance, asked.patience):
        await_orphan(instance, asked.patience, asked.progress)
        try:
            lease.take(instance.lease, mine, guarded=guarded, job_ended=asked.job_ended)
            return True
        except Held as error:
            held = lease.read(instance.lease)
            if held is not None and held.holder.is_alive:
                continue  # the supervisor of a start that was killed: it goes on without
            if not asked.force:
                raise Held(f"{error} {_way_on(instance, held)}") from error
        lease.force(instance.lease, mine, guarded=guarded, watch=FORCE_WATCH)
        return True
    return False


def _way_on(instance: Instance, held: Lease | None) -> str:
    """What somebody may do who finds the lease taken."""
    if held is None:
        return f"If nobody does: cromwell-userdb db start --force --root {instance.root}"
    return 'Use "submit" to queue behind it, or --wait.'


def _elsewhere(instance: Instance, asked: Asked) -> Lease | None:
    """The lease of a holder on another host that may still live."""
    held = lease.read(instance.lease)
    if held is None or held.holder.is_here or _has_ended(held, asked):
        return None
    return held


def _await_other_host(instance: Instance, asked: Asked, deadline: float) -> None:
    """Ask a holder on another host to give way, and wait: it does at once when it is idle."""
    held = _elsewhere(instance, asked)
    if held is None:
        return
    asked.progress(f"asking {held.sentence} to give way")
    write_private(instance.lease_wanted, f"{socket.gethostname()}\n")
    try:
        look = time.monotonic() + _LOOK_AT_JOB
        while time.monotonic() < deadline and _is_still(instance, held):
            time.sleep(0.25)
            if time.monotonic() > look:
                look = time.monotonic() + _LOOK_AT_JOB
                if _has_ended(held, asked):
                    return
    finally:
        instance.lease_wanted.unlink(missing_ok=True)


def _has_ended(held: Lease, asked: Asked) -> bool:
    return bool(held.job and asked.job_ended and asked.job_ended(held.job))


def _is_still(instance: Instance, held: Lease) -> bool:
    now = lease.read(instance.lease)
    return now is not None and now.nonce == held.nonce


@contextlib.contextmanager
def released(instance: Instance, mine: Lease) -> Iterator[None]:
    """Release what we took where the start fails, unless a supervisor has it: that one ends it."""
    try:
        yield
    except BaseException:
        held = lease.read(instance.lease)
        if held is not None and held.holder == mine.holder:
            lease.release(instance.lease, mine)
        raise
