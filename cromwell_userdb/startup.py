"""The start of an instance's server: its files, and the supervisor that has it."""

from __future__ import annotations

import contextlib
import json
import os
import resource
import socket
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from cromwell_userdb import claim, disk, lease, process, render, upgrades
from cromwell_userdb.binaries import Server
from cromwell_userdb.claim import Asked
from cromwell_userdb.errors import Held, NoSpace, NotInitialised, StartFailed, UserDBError
from cromwell_userdb.instance import Instance
from cromwell_userdb.lease import JobEnded, Lease
from cromwell_userdb.record import Identity, make_private, write_private
from cromwell_userdb.server import Status, status

_USUAL = 3.0
"""Seconds that a start may take without a word."""

_LOG_LIMIT = 4 << 20
_SMALL_REDO, _LARGE_REDO = 8, 48
_GROWN = 32 << 20


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
    disk.check_data(instance)
    asked = Asked(job_ended, force, wait, patience, progress)
    with disk.no_space(instance.root), claim.alone(instance, asked):
        mine = lease.new(Identity.of(os.getpid()), job=job, server=server.text)
        if not claim.obtain(instance, mine, asked):
            return status(instance)
        with claim.released(instance, mine), _supervisor(instance, patience) as supervisor:
            upgrades.check(instance, facts, server, allowed=upgrade)
            _check_limits(progress)
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
            _send(supervisor, instance, server, mine, idle_seconds)
            _await_report(instance, server, supervisor, patience, progress)
        upgrades.note(instance, facts, server)
        if upgrades.is_due(facts, server):
            upgrades.finish(instance, server, server_env(server), progress)
        return status(instance)


_OPEN_FILES = 512
_ADDRESSES = 2 << 30


def _check_limits(progress: Callable[[str], None]) -> None:
    limit = resource.getrlimit(resource.RLIMIT_AS)[0]
    if limit != resource.RLIM_INFINITY and limit < _ADDRESSES:
        allowed = f"This session may use {limit >> 20} MB of address space (ulimit -v)"
        if limit < _ADDRESSES // 2:
            raise StartFailed(
                f"{allowed}, and the server needs 1024. Raise the limit, or ask for more memory in"
                " the job."
            )
        progress(
            f"{allowed}: the server starts with that, but may end when many runs use it. Raise"
            f" the limit to {_ADDRESSES >> 20}."
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
    make_private(instance.tmp)
    write_private(
        instance.my_cnf,
        render.my_cnf(instance, tuning, flavour=server.flavour, os_user=user),
    )
    write_private(
        instance.init_sql, render.init_sql(flavour=server.flavour, os_user=user, secret=secret)
    )
    _link_alias(instance)


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


@contextlib.contextmanager
def _supervisor(instance: Instance, wait: float) -> Iterator[socket.socket]:
    """The way to a supervisor that waits to be told what to do, and leaves where nobody does.

    It takes as long to start as we take for the server's files.
    """
    make_private(instance.log)
    for log in (instance.server_log, instance.supervisor_log):
        if log.exists() and log.stat().st_size > _LOG_LIMIT:
            log.replace(log.with_suffix(".log.1"))
    ours, theirs = socket.socketpair()
    with theirs:
        child = process.spawn(
            supervisor_argv(instance, theirs.fileno()),
            out=instance.supervisor_log,
            env=_python_env(),
            cwd=Path("/"),
            pass_fds=[theirs.fileno()],
        )
    try:
        with ours:
            yield ours
    finally:
        process.has_ended(child, within=wait)  # it has left a grandchild where it was to serve


def _send(
    supervisor: socket.socket, instance: Instance, server: Server, mine: Lease, idle_seconds: float
) -> None:
    plan = {
        "argv": server_argv(server, instance),
        "env": server_env(server),
        "nonce": mine.nonce,
        "user": disk.os_user(),
        "runtime": str(instance.runtime) if instance.runtime else None,
        "idle_seconds": idle_seconds,
    }
    supervisor.sendall(json.dumps(plan).encode())
    supervisor.shutdown(socket.SHUT_WR)


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
    usual = time.monotonic() + _USUAL
    failure: UserDBError | None = None
    with report.makefile("r", encoding="utf-8") as lines:
        try:
            for line in lines:
                said = json.loads(line)
                if said["state"] == "ready":
                    return
                if said["state"] == "starting":
                    if time.monotonic() < usual:
                        continue
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
    words = f"{name} did not start. From {instance.server_log}:\n{said['words']}"
    if "InnoDB" in words:
        words += f"\nIts data in {instance.datadir} may be damaged. {disk.begin_anew(instance)}"
    return StartFailed(words)
