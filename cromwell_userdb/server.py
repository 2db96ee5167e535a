"""The life of an instance's server: start, stop, what it is doing now, and its end."""

from __future__ import annotations

import contextlib
import json
import os
import re
import resource
import shutil
import signal
import socket
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from cromwell_userdb import binaries, database, disk, lease, process, render, sockets
from cromwell_userdb.binaries import TITLE, Server
from cromwell_userdb.errors import (
    CommandFailed,
    Held,
    NoSpace,
    NotInitialised,
    NotRunning,
    StartFailed,
    UserDBError,
)
from cromwell_userdb.instance import Instance
from cromwell_userdb.lease import JobEnded, Lease
from cromwell_userdb.record import (
    Identity,
    make_private,
    write_json,
    write_private,
)

State = Literal["running", "starting", "stopped", "elsewhere", "crashed", "not initialised"]

GIVE_WAY = 8.0
"""Seconds in which an idle holder on another host lets go, with some to spare."""

FORCE_WATCH = 40.0
"""Seconds in which the counter of a living holder would have moved."""

_LOOK_AT_JOB = 15.0
_SILENCE, _SILENCE_AT_START = 30.0, 3.0
_LOG_LIMIT = 4 << 20
_SMALL_REDO, _LARGE_REDO = 8, 48
_GROWN = 32 << 20


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

    Cheaper than `start` by the search for a server program; connect soon after.
    """
    if lease.read(instance.lease) is None:
        return None
    with lease.exclusive(instance.lock, patience, doing="a start"):
        return status(instance) if _serves(instance, patience) else None


def start(
    instance: Instance,
    server: Server,
    *,
    idle_seconds: float = 600,
    buffer_pool_mb: int = 64,
    flush: str = "auto",
    max_connections: int = 300,
    job: str | None = None,
    job_ended: JobEnded | None = None,
    upgrade: bool = False,
    force: bool = False,
    wait: float = 0,
    patience: float = 60,
    progress: Callable[[str], None] = lambda words: None,
) -> Status:
    """Start the server of `instance`, or return the one that runs; connect soon after.

    `wait` is for another host that serves it, besides the moment that it may take to give way.
    `patience` is the time without any news from our server, not the whole: a recovery takes
    as long as it takes. `flush` is "1", "2" (innodb_flush_log_at_trx_commit), or "auto": by the
    disk. `force` takes a lease whose holder shows no life, without proof of its death; only at
    the user's word.
    """
    facts = disk.facts(instance)
    if facts is None:
        raise NotInitialised(
            f"There is no database at {instance.root} yet. Make it with: cromwell-userdb init"
        )
    disk.check_private(instance.root)
    alone = lease.exclusive(instance.lock, patience, doing="a start")
    with alone, disk.no_space(instance.root):
        mine = lease.new(Identity.of(os.getpid()), job=job, server=server.text)
        asked = _Asked(job_ended, force, wait, patience, progress)
        if not _obtain(instance, mine, asked):
            return status(instance)
        try:
            _check_version(instance, facts, server, upgrade)
            _check_limits()
            _make_room(instance)
            probed = disk.Probe(**facts["probe"])
            tuning = render.Tuning(
                buffer_pool_mb=buffer_pool_mb,
                redo_mb=_redo_mb(instance),
                trx_commit=probed.trx_commit if flush == "auto" else int(flush),
                flush_method=probed.flush_method,
                max_connections=max_connections,
            )
            _write_files(instance, server, tuning)
            _supervise(instance, server, mine, idle_seconds, patience, progress)
        except BaseException:
            _give_up(instance, mine)
            raise
        _note_version(instance, facts, server)
        if _is_newer(facts, server):
            _upgrade_tables(instance, server, progress)
        return status(instance)


@dataclass(frozen=True)
class _Asked:
    """How far a start may go to have the lease."""

    job_ended: JobEnded | None
    force: bool
    wait: float
    patience: float
    progress: Callable[[str], None]


def _obtain(instance: Instance, mine: Lease, asked: _Asked) -> bool:
    """Take the lease; False when a server of this host has it and is ready."""
    guarded = instance.datadir / "ibdata1"
    while not _serves(instance, asked.patience):
        _await_other_host(instance, asked)
        _await_orphan(instance, asked.patience, asked.progress)
        try:
            lease.take(instance.lease, mine, guarded=guarded, job_ended=asked.job_ended)
            return True
        except Held as error:
            held = lease.read(instance.lease)
            if held is not None and held.holder.is_alive:
                continue  # the supervisor of a start that was killed: it goes on without
            if not asked.force:
                raise Held(f"{error} {_way_on(held)}") from error
        lease.force(instance.lease, mine, guarded=guarded, watch=FORCE_WATCH)
        return True
    return False


def _way_on(held: Lease | None) -> str:
    """What somebody may do who finds the lease taken."""
    if held is None:
        return "If nobody does: cromwell-userdb db start --force"
    return 'Use "submit" to queue behind it, or --wait.'


def _serves(instance: Instance, wait: float) -> bool:
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


def _await_other_host(instance: Instance, asked: _Asked) -> None:
    """Ask a holder on another host to give way, and wait: it does at once when it is idle."""
    held = lease.read(instance.lease)
    if held is None or held.holder.is_here or _has_ended(held, asked):
        return
    asked.progress(f"asking {held.sentence} to give way")
    write_private(instance.lease_wanted, f"{socket.gethostname()}\n")
    try:
        deadline = time.monotonic() + max(asked.wait, GIVE_WAY)
        look = time.monotonic() + _LOOK_AT_JOB
        while time.monotonic() < deadline and _is_still(instance, held):
            time.sleep(0.25)
            if time.monotonic() > look:
                look = time.monotonic() + _LOOK_AT_JOB
                if _has_ended(held, asked):
                    return
    finally:
        instance.lease_wanted.unlink(missing_ok=True)


def _has_ended(held: Lease, asked: _Asked) -> bool:
    return bool(held.job and asked.job_ended and asked.job_ended(held.job))


def _is_still(instance: Instance, held: Lease) -> bool:
    now = lease.read(instance.lease)
    return now is not None and now.nonce == held.nonce


def _await_orphan(instance: Instance, wait: float, progress: Callable[[str], None]) -> None:
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
    if lease.is_held(instance.serving):
        return True
    try:
        return lease.locked_by(instance.datadir / "ibdata1") is not None
    except OSError:
        return False


def processes(instance: Instance) -> list[int]:
    """This user's server processes of `instance` on this host, whoever started them."""
    return [pid for pid, root in _serving(os.geteuid()) if root == instance.root]


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


def _give_up(instance: Instance, mine: Lease) -> None:
    """Release what we took, unless a supervisor has it by now: that one ends by itself."""
    held = lease.read(instance.lease)
    if held is not None and held.holder == mine.holder:
        lease.release(instance.lease, mine)


def _check_version(
    instance: Instance, facts: dict[str, Any], server: Server, upgrade: bool
) -> None:
    made_by = f"{TITLE[facts['flavour']]} {facts['version']}"
    before = tuple(int(part) for part in facts["version"].split("."))
    if facts["flavour"] != server.flavour:
        raise StartFailed(
            f"The database of {instance.root} is {made_by}'s; {server.path} is"
            f" {server.title}, which can't read it. Name the right server with --server."
        )
    if server.version[:2] < before[:2]:
        raise StartFailed(
            f"The database of {instance.root} was served by {made_by}; {server.path} is older"
            f" ({server.number}) and can't read it. Name a newer server with --server."
        )
    if _is_newer(facts, server):
        _check_upgrade(instance, made_by, server, upgrade)


def _is_newer(facts: dict[str, Any], server: Server) -> bool:
    before = tuple(int(part) for part in facts["version"].split("."))
    return server.version[:2] > before[:2]


def _check_upgrade(instance: Instance, made_by: str, server: Server, upgrade: bool) -> None:
    if not upgrade:
        raise StartFailed(
            f"The database of {instance.root} was served by {made_by}; {server.path} is"
            f" {server.title}, and what that has once opened {made_by} can't read any more. Copy"
            f" {instance.datadir} first, then:"
            f" cromwell-userdb db start --server {server.path} --upgrade"
        )
    if not (instance.datadir / "clean").exists():
        raise StartFailed(
            f"The database of {instance.root} was not stopped cleanly by {made_by}, so"
            f" {server.title} can't take it over. Start and stop it once with the older server"
            " (--server)."
        )


_OPEN_FILES = 512


def _check_limits() -> None:
    limit = resource.getrlimit(resource.RLIMIT_AS)[0]
    if limit != resource.RLIM_INFINITY and limit < 1 << 30:
        raise StartFailed(
            f"This session may use {limit >> 20} MB of address space (ulimit -v), and the server"
            " needs 1024. Raise the limit, or ask for more memory in the job."
        )
    # With fewer it starts, but can't open its tables: every write is refused, for ever.
    files = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    if files != resource.RLIM_INFINITY and files < _OPEN_FILES:
        raise StartFailed(
            f"This session may open {files} files at once (ulimit -n), and the server needs"
            f" {_OPEN_FILES}. Raise the limit."
        )


def _make_room(instance: Instance) -> None:
    """Refuse a disk too full to start on, after the ballast has been given; else lay it by."""
    free = disk.free_space(instance.root)
    if free < disk.ROOM_TO_START and instance.ballast.exists():
        instance.ballast.unlink()
        free = disk.free_space(instance.root)
    if free < disk.ROOM_TO_START:
        raise NoSpace(disk.space_sentence(instance.root, free))
    if free > disk.NEEDED + disk.BALLAST:
        disk.write_ballast(instance)


def _redo_mb(instance: Instance) -> int:
    """Small until there is something to log: 48 MB are a fifth faster, and three times a birth."""
    used = sum(path.stat().st_size for path in instance.datadir.glob("cromwell/*.ibd"))
    room = disk.free_space(instance.root) > 4 * (_LARGE_REDO << 20)
    return _LARGE_REDO if used > _GROWN and room else _SMALL_REDO


def _write_files(instance: Instance, server: Server, tuning: render.Tuning) -> None:
    disk.sweep(instance.root)
    user = disk.os_user()
    secret = disk.secret(instance)
    for folder in (instance.log, instance.tmp):
        make_private(folder)
    write_private(
        instance.my_cnf,
        render.my_cnf(instance, tuning, flavour=server.flavour, os_user=user),
    )
    write_private(
        instance.init_sql, render.init_sql(flavour=server.flavour, os_user=user, secret=secret)
    )
    _link_alias(instance)
    for log in (instance.server_log, instance.supervisor_log):
        if log.exists() and log.stat().st_size > _LOG_LIMIT:
            log.replace(log.with_suffix(".log.1"))


def _link_alias(instance: Instance) -> None:
    """The short way to a socket whose own path is too long to bind."""
    alias = instance.alias
    if alias is None or (alias.is_symlink() and alias.readlink() == instance.root):
        return
    disk.check_private(make_private(alias.parent))
    beside = alias.with_name(f".{alias.name}.{os.getpid()}")
    beside.symlink_to(instance.root)
    beside.replace(alias)


def server_argv(server: Server, instance: Instance) -> list[str]:
    # It has to come first, and keeps the user's own ~/.my.cnf out.
    return [str(server.path), f"--defaults-file={instance.my_cnf}"]


def server_env(server: Server) -> dict[str, str]:
    """Nothing of the user's session; the masks make files 0600 and folders 0700."""
    return {
        "UMASK": "0600",
        "UMASK_DIR": "0700",
        "PATH": f"{server.path.parent}:{os.defpath}",
        "HOME": "/nonexistent",
        "LANG": "C.UTF-8",
        "TZ": "UTC",
    }


def _supervise(
    instance: Instance,
    server: Server,
    mine: Lease,
    idle_seconds: float,
    wait: float,
    progress: Callable[[str], None],
) -> None:
    ours, theirs = socket.socketpair()
    plan = {
        "argv": server_argv(server, instance),
        "env": server_env(server),
        "nonce": mine.nonce,
        "user": disk.os_user(),
        "runtime": str(instance.runtime) if instance.runtime else None,
        "idle_seconds": idle_seconds,
    }
    with ours:
        with theirs:
            child = process.spawn(
                supervisor_argv(instance, theirs.fileno()),
                out=instance.supervisor_log,
                env=_python_env(),
                cwd=Path("/"),
                pass_fds=[theirs.fileno()],
            )
        ours.sendall(json.dumps(plan).encode())
        ours.shutdown(socket.SHUT_WR)
        child.wait(wait)  # it has left a grandchild, which goes on
        _await_report(instance, server, ours, wait, progress)


def supervisor_argv(instance: Instance, fd: int) -> list[str]:
    # -P: whatever lies in the current folder is no module of ours.
    # -S: the paths are told below, and looking for them takes a tenth of the start.
    argv = [sys.executable, "-P", "-S", "-m", "cromwell_userdb.supervisor"]
    return [*argv, str(instance.root), str(fd)]


def _python_env() -> dict[str, str]:
    ours = str(Path(__file__).parent.parent)
    paths = [ours, *(part for part in sys.path if part and Path(part).exists())]
    return {
        "PATH": os.defpath,
        "HOME": "/nonexistent",
        "LANG": "C.UTF-8",
        "PYTHONPATH": os.pathsep.join(paths),
        "PYTHONDONTWRITEBYTECODE": "1",
    }


def _await_report(
    instance: Instance,
    server: Server,
    report: socket.socket,
    wait: float,
    progress: Callable[[str], None],
) -> None:
    """Return when the server is ready; a failure is told when its supervisor has ended."""
    report.settimeout(wait)
    failure: UserDBError | None = None
    with report.makefile("r", encoding="utf-8") as lines:
        try:
            for line in lines:
                said = json.loads(line)
                if said["state"] == "ready":
                    return
                if said["state"] == "starting":
                    line = process.tail(instance.server_log, lines=1)
                    progress(f"{server.title} is still starting: {line}")
                else:
                    failure = _failure(instance, server.title, said)
        except TimeoutError as error:
            raise failure or StartFailed(
                f"{server.title} gave no sign in {wait:g} seconds; it goes on trying. The end of"
                f" {instance.server_log}:\n{process.tail(instance.server_log)}"
            ) from error
    raise failure or StartFailed(
        f"The supervisor of {instance.root} ended without a word. The end of"
        f" {instance.supervisor_log}:\n{process.tail(instance.supervisor_log)}"
    )


def _failure(instance: Instance, name: str, said: dict[str, str]) -> UserDBError:
    if said["state"] == "held":
        return Held(said["words"])
    if said["state"] == "full":
        return NoSpace(disk.space_sentence(instance.root, disk.free_space(instance.root)))
    if said["state"] == "unseen":
        return StartFailed(
            f"{name} runs in a network of its own, so nobody here can tell who is connected to it."
            " It listens on no network: have its script or container use this host's."
        )
    return StartFailed(f"{name} did not start. From {instance.server_log}:\n{said['words']}")


def _note_version(instance: Instance, facts: dict[str, Any], server: Server) -> None:
    if (facts["version"], facts.get("server")) != (server.number, str(server.path)):
        known = (disk.facts(instance) or facts) | {
            "version": server.number,
            "server": str(server.path),
        }
        write_json(instance.facts, known)


def _upgrade_tables(instance: Instance, server: Server, progress: Callable[[str], None]) -> None:
    """Bring MariaDB's own tables up to its release; MySQL does it by itself.

    Without it all goes well but for complaints in the log, so its failure is only told.
    """
    program = binaries.companion(server, "mariadb-upgrade", "mysql_upgrade")
    if server.flavour == "mysql" or program is None:
        return
    argv = [str(program), "--no-defaults", "--upgrade-system-tables", "--silent"]
    try:
        process.run(
            [*argv, f"--socket={instance.socket}", f"--user={disk.os_user()}"],
            timeout=300,
            env=server_env(server),
        )
    except CommandFailed as error:
        progress(str(error))


def stop(
    instance: Instance, *, force: bool = False, runs: Sequence[str] = (), wait: float = 120
) -> bool:
    """Stop the server cleanly; False when none ran. Refused while anybody uses it, unless forced.

    `runs` names those known to be alive, for the sentence.
    """
    with lease.exclusive(instance.lock, wait, doing="a stop"):
        held = lease.read(instance.lease)
        if held is None or held.holder.is_alive is False:
            _await_orphan(instance, wait, lambda words: None)
            return False
        if not held.holder.is_here:
            raise Held(
                f"The database of {instance.root} is served by {held.sentence}: stop it there."
            )
        if not force:
            _check_unused(instance, runs)
        os.kill(held.holder.pid, signal.SIGTERM)
        _await_end(instance, held, wait)
        return True


def _check_unused(instance: Instance, runs: Sequence[str]) -> None:
    deadline = time.monotonic() + 1  # whoever has just gone is still seen for a moment
    while (count := sockets.connections(instance.socket)) and time.monotonic() < deadline:
        time.sleep(0.02)
    if not count and not runs:
        return
    users = f"{count} connection{'s' * (count != 1)}"
    who = f" ({', '.join(runs)})" if runs else ""
    raise Held(
        f"The database of {instance.root} is in use: {users}{who}. Let that end first,"
        " or stop it all the same with --force."
    )


def _await_end(instance: Instance, held: Lease, wait: float) -> None:
    deadline = time.monotonic() + wait
    while held.holder.is_alive:
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
    with lease.exclusive(instance.lock, wait, doing="a removal"):
        held = lease.read(instance.lease)
        _await_orphan(instance, wait, lambda words: None)
        if held is not None and not lease.is_dead(
            instance.lease, held, guarded=instance.datadir / "ibdata1"
        ):
            raise Held(
                f"The database of {instance.root} is served by {held.sentence}."
                " Stop it first: cromwell-userdb db stop"
            )
        # Out of the way in one step: half an instance must not look like a whole one.
        doomed = instance.root.with_name(f".{instance.root.name}.removed-{int(time.time())}")
        instance.root.rename(doomed)
    if instance.alias is not None:
        instance.alias.unlink(missing_ok=True)
    shutil.rmtree(doomed)
