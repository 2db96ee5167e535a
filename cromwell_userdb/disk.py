"""The disk under an instance: whose the place is, what it can do, and how much room is left."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import pwd
import re
import shutil
import stat
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cromwell_userdb.errors import NoSpace, NotPrivate, UsageError
from cromwell_userdb.instance import FORMAT, Instance
from cromwell_userdb.record import read_json, write_private

NEEDED = 64 << 20
"""Bytes that must be free for an instance to be born."""

BALLAST = 12 << 20
"""As much as an empty datadir may still take of its own accord: redo log and temporary space."""

ROOM_TO_START = 8 << 20
"""Bytes without which a server can't even open what it has."""


@dataclass(frozen=True)
class Probe:
    """What the file system under an instance can do; `fsync` in seconds, `free` in bytes."""

    locks: bool
    fsync: float
    o_direct: bool
    free: int
    type: str
    hard_links: bool
    soft_links: bool

    @property
    def trx_commit(self) -> int:
        """2 on slow disks, three times as fast there and safe but for a machine's crash."""
        return 2 if self.fsync > 0.001 else 1

    @property
    def flush_method(self) -> str:
        return "O_DIRECT" if self.o_direct else "fsync"


def facts(instance: Instance) -> dict[str, Any] | None:
    """What instance.json says; None where no birth was finished. Newer formats are refused."""
    found = read_json(instance.facts)
    if not isinstance(found, dict):
        return None
    if int(found.get("format", 0)) > FORMAT:
        raise UsageError(
            f"{instance.root} was made by a newer version (format {found['format']}); this one"
            f" knows format {FORMAT}. Update with: pip install -U cromwell-userdb"
        )
    return found


def begin_anew(instance: Instance) -> str:
    """What to do where an instance has lost its data."""
    return (
        "Bring them back from a backup, or begin anew: cromwell-userdb db remove --yes --root"
        f" {instance.root}, and then init."
    )


def check_data(instance: Instance) -> None:
    """Raises UsageError for an instance whose birth was finished, and that has lost its data."""
    if facts(instance) is not None and not (instance.datadir / "ibdata1").exists():
        raise UsageError(
            f"The data of {instance.root} are gone: {instance.datadir}. {begin_anew(instance)}"
        )


def os_user() -> str:
    """Name of the user we are, which is the database administrator's too."""
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError as error:
        raise UsageError(
            f"User id {os.geteuid()} has no name on this host, so the database can't know it."
        ) from error


def check_private(root: Path) -> None:
    """Refuse a root that is another's, or that others could put something else in the place of."""
    with contextlib.suppress(FileNotFoundError):
        try:
            _check_own(root, root.lstat())
        except PermissionError as error:
            raise NotPrivate(f"{root} can't be looked into. Choose another --root.") from error
    check_stays(root, "--root")


def check_stays(folder: Path, option: str) -> None:
    """Refuse a folder that others could put another in the place of; `option` names a better."""
    for path in folder.absolute().parents:
        try:
            mode = path.stat().st_mode
        except FileNotFoundError:
            continue
        except PermissionError as error:
            raise NotPrivate(f"{path} can't be looked into. Choose another {option}.") from error
        if mode & stat.S_IWOTH and not mode & stat.S_ISVTX:
            raise NotPrivate(
                f"Everybody can write to {path}, and so put another folder in the place of"
                f" {folder}. Choose another {option}, or: chmod o-w {path}"
            )


def _check_own(root: Path, found: os.stat_result) -> None:
    if not stat.S_ISDIR(found.st_mode):
        raise NotPrivate(f"{root} is no folder. Choose another --root.")
    if found.st_uid != os.geteuid():
        raise NotPrivate(f"{root} belongs to {_name_of(found.st_uid)}. Choose another --root.")


def _name_of(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"user {uid}"


def probe(root: Path) -> Probe:
    """Try what matters on the file system of the folder `root`; it takes milliseconds."""
    scratch = root / f".probe.{os.getpid()}"
    other = root / f".probe.{os.getpid()}.other"
    space = os.statvfs(root)
    fd = os.open(scratch, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        return Probe(
            locks=_locks_work(fd, scratch),
            fsync=_fsync_time(fd),
            o_direct=_o_direct_works(scratch),
            free=space.f_bavail * space.f_frsize,
            type=filesystem_type(root),
            hard_links=_works(lambda: other.hardlink_to(scratch), other),
            soft_links=_works(lambda: other.symlink_to(scratch), other),
        )
    finally:
        os.close(fd)
        scratch.unlink(missing_ok=True)


def has_hard_links(folder: Path) -> bool:
    """Whether a file in `folder` can have two names: what calls hand on takes no room then."""
    scratch = folder / f".probe.{os.getpid()}"
    other = folder / f".probe.{os.getpid()}.other"
    scratch.touch(0o600)
    try:
        return _works(lambda: other.hardlink_to(scratch), other)
    finally:
        scratch.unlink(missing_ok=True)


def has_locks(folder: Path) -> bool:
    """Whether a file in `folder` can be locked as programs of the shell do it."""
    scratch = folder / f".probe.{os.getpid()}"
    try:
        with scratch.open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
    except OSError:
        return False
    finally:
        scratch.unlink(missing_ok=True)


def _locks_work(fd: int, path: Path) -> bool:
    """Whether another process sees our fcntl lock: mount options may make it pretend."""
    try:
        fcntl.lockf(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    child = os.fork()
    if child == 0:
        refused = 1
        try:
            # A file description of its own, as another program would have.
            fcntl.lockf(os.open(path, os.O_RDWR), fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            refused = 0
        finally:
            os._exit(refused)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def _fsync_time(fd: int) -> float:
    """The middle of five, each after a page was written."""
    times = []
    for _ in range(5):
        os.pwrite(fd, b"x" * 4096, 0)
        began = time.perf_counter()
        os.fdatasync(fd)
        times.append(time.perf_counter() - began)
    return round(sorted(times)[2], 6)


def _o_direct_works(path: Path) -> bool:
    try:
        os.close(os.open(path, os.O_RDWR | os.O_DIRECT | os.O_CLOEXEC))
    except OSError:
        return False
    return True


def _works(make: Callable[[], None], made: Path) -> bool:
    try:
        make()
    except OSError:
        return False
    made.unlink(missing_ok=True)
    return True


def filesystem_type(path: Path) -> str:
    """As /proc/mounts names it: ext4, nfs4, lustre; "" where nobody can tell."""
    device = path.stat().st_dev
    number = f"{os.major(device)}:{os.minor(device)}"
    with contextlib.suppress(OSError):
        for line in Path("/proc/self/mountinfo").read_text().splitlines():
            if line.split()[2] == number:
                return line.partition(" - ")[2].split()[0]
    return ""


def check_quota(root: Path) -> None:
    """Ask for what is needed and give it back: free space says nothing about a quota."""
    import ctypes  # 1 MB, which the supervisor need not have

    scratch = root / f".probe.{os.getpid()}"
    fd = os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        libc = ctypes.CDLL(None, use_errno=True)
        # Not posix_fallocate, which writes each block where the file system can't do it.
        if libc.fallocate(fd, 0, ctypes.c_long(0), ctypes.c_long(NEEDED)):
            number = ctypes.get_errno()
            if number in {errno.ENOSPC, errno.EDQUOT}:
                raise OSError(number, os.strerror(number), str(scratch))
    finally:
        os.close(fd)
        scratch.unlink(missing_ok=True)


def space_sentence(root: Path, free: int | None = None) -> str:
    """What to tell about a full disk at `root`; `free` None means a quota."""
    left = "no" if free is None else f"{free >> 20} MB"
    what = "quota is" if free is None else "disk is"
    where = _mount_point(root)
    return (
        f"The {what} full ({where}): {left} left where {NEEDED >> 20} MB are needed."
        " Nothing is lost. Free some, then try again."
    )


def _mount_point(path: Path) -> Path:
    while not path.exists() or not os.path.ismount(path):
        path = path.parent
    return path


@contextlib.contextmanager
def no_space(root: Path) -> Iterator[None]:
    """Turn "no space left" and "quota exceeded" into their sentence."""
    try:
        yield
    except OSError as error:
        if error.errno not in {errno.ENOSPC, errno.EDQUOT}:
            raise
        quota = error.errno == errno.EDQUOT
        raise NoSpace(space_sentence(root, None if quota else free_space(root))) from error


def free_space(path: Path) -> int:
    """Bytes that this user may still write on the file system of `path`."""
    while not path.exists():
        path = path.parent
    space = os.statvfs(path)
    return space.f_bavail * space.f_frsize


def secret(instance: Instance) -> str:
    """The engine's password, made where it is missing: each start of the server sets it anew."""
    if not instance.secret.exists():
        import secrets  # once in an instance's life

        write_private(instance.secret, secrets.token_urlsafe(24) + "\n")
    return instance.secret.read_text().strip()


def write_ballast(instance: Instance) -> None:
    """Occupy 12 MiB, to give back when the disk is full; what compresses would occupy nothing."""
    with contextlib.suppress(FileNotFoundError):
        if instance.ballast.stat().st_size == BALLAST:
            return
    beside = instance.ballast.with_name(f".probe.{os.getpid()}")
    block = os.urandom(1 << 20)
    with open(beside, "wb", opener=private) as file:
        for _ in range(BALLAST >> 20):
            file.write(block)
    beside.replace(instance.ballast)


def private(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_CLOEXEC, 0o600)


_PASSING = re.compile(
    r"\.(data|probe|secret|instance\.json|settings\.toml|my\.cnf|init\.sql|lease\.(json|wanted))"
    r"\.[0-9a-f]+(\.other)?"
)


def is_passing(name: str) -> bool:
    """Whether it is the name under which something of ours is written before it has its own."""
    return _PASSING.fullmatch(name) is not None


def sweep(root: Path, *, age: float = 3600) -> None:
    """Remove what was being written when its writer was killed, `age` seconds ago at least."""
    for path in filter(lambda path: is_passing(path.name), root.iterdir()):
        with contextlib.suppress(FileNotFoundError):
            if age and time.time() - path.lstat().st_mtime < age:
                continue
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink()
