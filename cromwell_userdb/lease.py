"""Who may serve an instance: a file that one process holds, on whatever host it is.

Taking over needs proof that the holder is dead. Times of two hosts are never compared.
"""

from __future__ import annotations

import errno
import fcntl
import json
import os
import struct
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from cromwell_userdb import locks
from cromwell_userdb.errors import Held
from cromwell_userdb.record import Identity, read_json, write_private

JobEnded = Callable[[str], bool | None]
"""Whether SLURM says that a job has ended; None where it cannot tell."""


@dataclass(frozen=True)
class Lease:
    """Who serves, as the holder wrote it; `counter` grows as long as the holder lives.

    `since` is in seconds since the epoch, on the holder's clock: shown, never compared.
    """

    holder: Identity
    nonce: str
    since: float
    job: str | None = None
    server: str = ""
    ready: bool = False
    counter: int = 0

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)

    @property
    def sentence(self) -> str:
        """Who serves, where and since when: "job 81234 on n114 since 13:02"."""
        who = f"job {self.job} on {self.holder.host}" if self.job else self.holder.host
        began = datetime.fromtimestamp(self.since)
        today = began.date() == datetime.now().date()
        return f"{who} since {began:%H:%M}" if today else f"{who} since {began:%Y-%m-%d %H:%M}"


def new(holder: Identity, *, job: str | None = None, server: str = "") -> Lease:
    """A lease that nobody has yet, with a nonce of its own."""
    return Lease(holder, os.urandom(8).hex(), time.time(), job, server)


def read(path: Path) -> Lease | None:
    """The lease at `path`; None when there is none, or none that can be read."""
    facts: Any = read_json(path)
    try:
        return Lease(
            Identity.from_dict(facts["holder"]),
            str(facts["nonce"]),
            float(facts["since"]),
            facts.get("job"),
            str(facts.get("server", "")),
            bool(facts.get("ready")),
            int(facts.get("counter", 0)),
        )
    except (KeyError, TypeError, ValueError):
        return None


def take(
    path: Path, lease: Lease, *, guarded: Path, job_ended: JobEnded | None = None
) -> Lease | None:
    """Make `lease` the one at `path`; return the dead one that it replaced, if any.

    `guarded` is the file that a living server has locked. Raises Held unless the present
    holder is proven dead.
    """
    if _create(path, lease):
        return None
    present = read(path)
    if present is None and not path.exists():
        return take(path, lease, guarded=guarded, job_ended=job_ended)
    if not is_dead(path, present, guarded=guarded, job_ended=job_ended):
        raise Held(_held(path, present))
    _replace(path, present, lease)
    return present


def force(path: Path, lease: Lease, *, guarded: Path, watch: float) -> Lease | None:
    """Replace whatever lease is there, if it stands still for `watch` seconds and no lock is held.

    Only for a user who said so: on a file system without shared locks this is no proof.
    """
    present = read(path)
    deadline = time.monotonic() + watch
    while time.monotonic() < deadline:
        if present != read(path):
            raise Held(f"{_held(path, present)} It is alive: its counter moves.")
        time.sleep(min(1.0, watch))
    if locked_by(guarded) is not None:
        raise Held(f"{_held(path, present)} It is alive: it has {guarded.name} locked.")
    if present is None and not path.exists():
        return take(path, lease, guarded=guarded)
    _replace(path, present, lease)
    return present


def is_dead(
    path: Path, lease: Lease | None, *, guarded: Path, job_ended: JobEnded | None = None
) -> bool:
    """Whether the holder is proven dead; a file that is no lease proves nothing."""
    if lease is None or lease.holder.is_alive:
        return False
    if lease.job is not None and job_ended is not None and job_ended(lease.job):
        return True
    # A second look, because a container may hide its processes, and two machines may
    # have one name; neither hides a lock.
    return lease.holder.is_alive is False and _is_free(guarded)


def adopt(path: Path, nonce: str, holder: Identity) -> Lease:
    """Make `holder` the holder of the lease that another process took for it; or raise Held.

    The nonce changes, so that whoever meanwhile found that process dead does not also succeed.
    """
    found = read(path)
    if found is None or found.nonce != nonce:
        raise Held(f"Somebody else took the lease of {path.parent} in the meantime.")
    ours = replace(found, holder=holder, nonce=new(holder).nonce)
    _replace(path, found, ours)
    return ours


def beat(path: Path, lease: Lease, *, ready: bool | None = None) -> Lease:
    """Count one further; raise Held when the lease is another's now."""
    present = read(path)
    if present is not None and present.nonce != lease.nonce:
        raise Held(_held(path, present))
    if present is None and path.exists():
        raise Held(f"Somebody else wrote {path}.")
    counted = replace(
        lease, counter=lease.counter + 1, ready=lease.ready if ready is None else ready
    )
    write_private(path, _text(counted))
    return counted


def release(path: Path, lease: Lease) -> None:
    """Give the lease back, if it is still this one."""
    present = read(path)
    if present is not None and present.nonce == lease.nonce:
        path.unlink(missing_ok=True)


def locked_by(path: Path) -> int | None:
    """Pid of the process that has an fcntl lock on `path`, None when it is free or missing.

    The pid is 0 or another host's on some network file systems: only "locked" counts there.
    """
    try:
        fd = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    try:
        asked = struct.pack("hhqqi4x", fcntl.F_WRLCK, 0, 0, 0, 0)
        kind, _, _, _, pid = struct.unpack("hhqqi4x", fcntl.fcntl(fd, fcntl.F_GETLK, asked))
        return None if kind == fcntl.F_UNLCK else int(pid)
    finally:
        os.close(fd)


def _create(path: Path, lease: Lease) -> bool:
    """True for exactly one of all who try; whoever reads meets a whole lease."""
    beside = _beside(path, lease)
    try:
        os.link(beside, path)
    except FileExistsError:
        # Over NFS a repeated request may be answered so although the first one did it.
        present = read(path)
        return present is not None and present.nonce == lease.nonce
    except OSError as error:
        if error.errno not in {errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK}:
            raise
        return _create_unlinked(path, lease)
    finally:
        beside.unlink(missing_ok=True)
    return True


def _create_unlinked(path: Path, lease: Lease) -> bool:
    """The same where the file system has no hard links."""
    try:
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    except FileExistsError:
        return False
    with os.fdopen(fd, "w") as file:
        file.write(_text(lease))
        file.flush()
        os.fsync(fd)
    return True


def _replace(path: Path, dead: Lease | None, lease: Lease) -> None:
    """Put `lease` in the place of `dead`; of all who try, one succeeds, the rest raise Held."""
    claim = path.with_name(f"{path.name}.{dead.nonce if dead else 'unreadable'}")
    if not _create(claim, lease):
        other = read(claim)
        if other is None or other.holder.is_alive is not False:
            raise Held(f"Another command is taking over {path.parent}. Try again in a moment.")
        claim.unlink(missing_ok=True)
        if not _create(claim, lease):
            raise Held(f"Another command is taking over {path.parent}. Try again in a moment.")
    # Whoever was before us has moved its claim by now: look again, then move ours.
    present = read(path)
    if (present and present.nonce) != (dead and dead.nonce):
        claim.unlink(missing_ok=True)
        raise Held(_held(path, present))
    claim.replace(path)


def _beside(path: Path, lease: Lease) -> Path:
    beside = path.with_name(f".{path.name}.{lease.nonce}")
    write_private(beside, _text(lease))
    return beside


def _text(lease: Lease) -> str:
    return json.dumps(lease.as_dict(), indent=1) + "\n"


def _is_free(path: Path) -> bool:
    try:
        return locked_by(path) is None
    except OSError as error:
        # No locks at all on this file system: then they cannot prove anything either.
        return error.errno in locks.MISSING


def _held(path: Path, lease: Lease | None) -> str:
    if lease is None:
        return f"{path} is no lease that can be read; nobody can tell who serves {path.parent}."
    return f"The database of {path.parent} is served by {lease.sentence}."
