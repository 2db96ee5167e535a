"""The process that serves an instance: it holds the lease, and the server is its child.

Started detached by `startup`, as ``python -m cromwell_userdb.supervisor ROOT FD``, and small:
it imports neither libraries nor subprocess. The server gets TERM from the kernel when this
process dies, however it dies.
"""

from __future__ import annotations

import contextlib
import json
import os
import resource
import signal
import socket
import sys
import time
import traceback
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cromwell_userdb import disk, lease, locks, sockets
from cromwell_userdb.errors import Held
from cromwell_userdb.instance import Instance
from cromwell_userdb.lease import Lease
from cromwell_userdb.record import Identity, write_private

TICK = 1.0
GLANCE = 3.0
HEARTBEAT = 15.0
GRACE = 3.0
"""Seconds after somebody asked for the server in which it is not idle, connected or not."""

PATIENCE = 60.0
"""Seconds without a line in its log after which a server that starts or stops is given up."""

SHORT_PATIENCE = 3.0
"""The same for one told to stop while it started: MariaDB may hang for ever then."""

FIRST_CALL = 6.0
"""Seconds that whoever had it started has for a first connection."""

ROOM = 8 << 20
MAX_CRASHES = 3
CRASH_WINDOW = 600.0

LOST = "the lease is another's"
UNSEEN = "nobody outside its network sees its socket"

_SIGNALS = {signal.SIGCHLD, signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1}


@dataclass(frozen=True)
class Plan:
    """What `startup` wants; `nonce` is that of the lease that it took for us."""

    argv: Sequence[str]
    env: Mapping[str, str]
    nonce: str
    user: str
    runtime: str | None = None
    idle_seconds: float = 600


@dataclass
class Service:
    """A server being kept alive, and what was seen of it. `pid` 0: there is none."""

    instance: Instance
    plan: Plan
    lease: Lease
    asker: socket.socket | None
    pid: int = 0
    login: int = 0
    ready: bool = False
    status: int = 0
    log_start: int = 0
    log_seen: tuple[int, float] = (0, 0.0)
    used: float = 0.0
    glanced: float = 0.0
    beaten: float = 0.0
    crashes: list[float] = field(default_factory=list)
    lock: int | None = None
    guard: contextlib.AbstractContextManager[bool] | None = None


def main(root: str, fd: str) -> int:
    """Serve the instance at `root` as the plan says that is read from the socket `fd`."""
    asker = socket.socket(fileno=int(fd))
    asker.set_inheritable(False)
    told = _read_all(asker)
    if not told:
        return 0  # whoever wanted a server was refused
    plan = Plan(**json.loads(told))
    if os.fork():
        os._exit(0)  # nobody's child from here on
    os.chdir("/")
    # Before the lease is ours: from then on others send signals.
    signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
    instance = Instance(Path(root), Path(plan.runtime) if plan.runtime else None)
    service = None
    try:
        held = lease.adopt(instance.lease, plan.nonce, Identity.of(os.getpid()))
        service = Service(instance, plan, held, asker)
        service.lock = locks.hold(instance.serving)
        if service.lock is None:
            raise Held(f"Another server still works on {instance.datadir}.")
        _say(f"serves {root} as {os.getpid()}")
        _serve(service)
    except Held as error:
        _say(str(error))
        _tell(asker, state="held", words=str(error))
        return 6
    except BaseException:  # noqa: BLE001
        _say(traceback.format_exc())
        _tell(asker, state="failed", words="The supervisor failed; its log says how.")
        return 1
    finally:
        if service is not None:
            _leave(service)
    return 0


def _read_all(asker: socket.socket) -> bytes:
    text = b""
    while part := asker.recv(65536):
        text += part
    return text


def _serve(service: Service) -> None:
    """Until there is a reason to end; a server that dies of itself is started again."""
    while True:
        _start(service)
        reason = _watch(service)
        if reason != "crashed":
            _stop(service, reason)
            return
        _say(f"the server died with status {service.status}")
        if not service.ready:
            _tell_failure(service)
            return
        _no_longer_ready(service)
        if not _may_restart(service):
            _say("it died too often; not started again")
            return
        _give_ballast(service)


def _may_restart(service: Service) -> bool:
    now = time.monotonic()
    service.crashes = [when for when in service.crashes if now - when < CRASH_WINDOW] + [now]
    return len(service.crashes) <= MAX_CRASHES


def _start(service: Service) -> None:
    instance = service.instance
    _unclean(instance)
    for stale in (instance.root / "s", instance.root / "s.lock"):
        stale.unlink(missing_ok=True)
    service.log_start = _size(instance.server_log)
    service.log_seen = (service.log_start, time.monotonic())
    # First, so that its imports and the server's start overlap.
    service.login = _fork(lambda: _log_in(instance, service.plan), signal.SIGKILL)
    service.pid = _fork(lambda: _exec(service), signal.SIGTERM)


def _fork(work: Any, dies_with_us: signal.Signals) -> int:
    """A child that runs `work` and gets the signal when this thread dies."""
    parent = os.getpid()
    pid = os.fork()
    if pid:
        return pid
    status = 127
    try:
        import ctypes

        ctypes.CDLL(None).prctl(1, int(dies_with_us))  # PR_SET_PDEATHSIG
        signal.pthread_sigmask(signal.SIG_SETMASK, [])
        if os.getppid() == parent:
            status = work()
    except BaseException:  # noqa: BLE001
        _say(traceback.format_exc())
    finally:
        os._exit(status)


def _exec(service: Service) -> int:
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # a core would hold the secret
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    if most != resource.RLIM_INFINITY:
        # As many files as may be: the server itself asks for more than that, and gets no more.
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    path = service.instance.server_log
    log = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(log, 1)
    os.dup2(log, 2)
    if service.lock is not None:
        os.set_inheritable(service.lock, True)
    plan = service.plan
    os.execve(plan.argv[0], list(plan.argv), dict(plan.env))


def _log_in(instance: Instance, plan: Plan) -> int:
    """0 once both accounts can log in, 3 when the server refuses them.

    By password too, each time: MySQL lets an engine in only after somebody did so.
    """
    from cromwell_userdb import database
    from cromwell_userdb.errors import DatabaseError, NotRunning

    secret = instance.secret.read_text().strip()
    refused = 0
    while refused < 20:
        try:
            for user, password in ((plan.user, ""), ("cromwell", secret)):
                database.connect(instance.socket, user=user, password=password).close()
            return 0
        except NotRunning:
            time.sleep(0.01)
        except DatabaseError as error:
            _say(str(error))
            refused += 1
            time.sleep(0.1)
    return 3


def _watch(service: Service) -> str:
    """Wait for a reason to end, and name it."""
    service.used = time.monotonic() + FIRST_CALL - GRACE
    while True:
        event = signal.sigtimedwait(_SIGNALS, TICK if service.ready else 0.1)
        number = event.si_signo if event else 0
        if number == signal.SIGTERM:
            return "asked to"
        if number == signal.SIGUSR1:
            service.used = max(service.used, time.monotonic())
        if number == signal.SIGCHLD and (reason := _reap(service)):
            return reason
        if reason := _heartbeat(service) or _reason(service):
            return reason


def _reap(service: Service) -> str | None:
    for pid, status in _dead_children():
        if pid == service.pid:
            service.pid, service.status = 0, status
            return "crashed"
        if pid == service.login:
            service.login = 0
            if status:
                return "login refused"
            if not sockets.listens(service.instance.socket):
                return UNSEEN
            _now_ready(service)
    return None


def _dead_children() -> Iterator[tuple[int, int]]:
    with contextlib.suppress(ChildProcessError):
        while True:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if not pid:
                return
            yield pid, os.waitstatus_to_exitcode(status)


def _now_ready(service: Service) -> None:
    # The server makes it 0777, whatever the umask.
    (service.instance.root / "s").chmod(0o600)
    service.ready = True
    service.lease = lease.beat(service.instance.lease, service.lease, ready=True)
    service.used = time.monotonic() + FIRST_CALL - GRACE
    _say("ready")
    _tell(service.asker, state="ready")
    if service.asker is not None:
        service.asker.close()
        service.asker = None


def _no_longer_ready(service: Service) -> None:
    service.ready = False
    with contextlib.suppress(OSError):
        service.lease = lease.beat(service.instance.lease, service.lease, ready=False)


def _heartbeat(service: Service) -> str | None:
    """Count on in the lease, after a look whether it is still ours."""
    now = time.monotonic()
    if now - service.glanced < GLANCE:
        return None
    service.glanced = now
    present = lease.read(service.instance.lease)
    if present is not None and present.nonce != service.lease.nonce:
        return LOST
    _give_ballast(service)
    if now - service.beaten < HEARTBEAT:
        return None
    service.beaten = now
    try:
        service.lease = lease.beat(service.instance.lease, service.lease)
    except Held:
        return LOST
    except FileNotFoundError:
        return "the instance is gone"
    except OSError as error:
        _say(f"no heartbeat: {error}")
    return None


def _reason(service: Service) -> str | None:
    now = time.monotonic()
    if not service.ready:
        _report_progress(service)
        return "silent" if now - service.log_seen[1] > PATIENCE else None
    instance = service.instance
    wanted = _is_there(instance.lease_wanted)
    limit = GRACE if wanted else max(GRACE, service.plan.idle_seconds)
    if sockets.connections(instance.socket):
        service.used = now
    elif now - service.used > limit and _is_still_idle(service):
        return "wanted elsewhere" if wanted else "idle"
    return None


def _is_there(path: Path) -> bool:
    # Listing the folder: over NFS a name that was not there is remembered as such.
    with contextlib.suppress(OSError):
        return path.name in os.listdir(path.parent)  # noqa: PTH208
    return False


def _is_still_idle(service: Service) -> bool:
    """Look again while nobody else can start; then keep it so until the server has ended."""
    guard = locks.exclusive(service.instance.lock, 0)
    try:
        guard.__enter__()
    except Held:
        return False
    asked = signal.sigtimedwait({signal.SIGUSR1}, 0)
    if asked or sockets.connections(service.instance.socket):
        service.used = time.monotonic()
        guard.__exit__(None, None, None)
        return False
    service.guard = guard  # let go by the end of this process
    return True


def _report_progress(service: Service) -> None:
    size, when = _size(service.instance.server_log), time.monotonic()
    if size != service.log_seen[0]:
        service.log_seen = (size, when)
        _tell(service.asker, state="starting")


def _stop(service: Service, reason: str) -> None:
    """End the server with TERM; with KILL only when it neither ends nor logs any more."""
    _say(f"stops: {reason}")
    service.log_seen = (_size(service.instance.server_log), time.monotonic())
    if service.login:
        os.kill(service.login, signal.SIGKILL)
    if service.pid:
        os.kill(service.pid, signal.SIGTERM)
    patience = PATIENCE if service.ready else SHORT_PATIENCE
    while service.pid:
        signal.sigtimedwait(_SIGNALS, TICK)
        _reap_quietly(service)
        size = _size(service.instance.server_log)
        if size != service.log_seen[0]:
            service.log_seen = (size, time.monotonic())
        elif service.pid and time.monotonic() - service.log_seen[1] > patience:
            _say("it does not end: KILL")
            os.kill(service.pid, signal.SIGKILL)
        if reason != LOST:
            _heartbeat(service)
    if reason == UNSEEN:
        _tell(service.asker, state="unseen")
    elif not service.ready:
        _tell_failure(service)


def _reap_quietly(service: Service) -> None:
    for pid, status in _dead_children():
        if pid == service.pid:
            service.pid, service.status = 0, status


def _tell_failure(service: Service) -> None:
    words = _last_words(service)
    full = any(sign in words for sign in ("rrcode: 28", "error 28", "rrcode: 122", "error 122"))
    full = full or "No space left" in words or "quota exceeded" in words.lower()
    full = full or "Could not set the file size" in words
    _tell(service.asker, state="full" if full else "failed", words=words)


def _last_words(service: Service) -> str:
    """What the server logged since this start: its errors, or its last lines."""
    try:
        with service.instance.server_log.open("rb") as file:
            file.seek(max(service.log_start, _size(service.instance.server_log) - 32768))
            lines = file.read().decode(errors="replace").splitlines()
    except FileNotFoundError:
        return ""
    errors = [line for line in lines if "[ERROR]" in line or "[FATAL]" in line]
    return "\n".join((errors or lines)[-8:])


def _leave(service: Service) -> None:
    """Give back whatever is still held, the lease last."""
    if service.pid:
        _stop(service, "the supervisor ends")
    instance = service.instance
    if service.status == 0 and service.ready:
        with contextlib.suppress(OSError):
            write_private(instance.datadir / "clean", service.lease.server + "\n")
    with contextlib.suppress(OSError):
        lease.release(instance.lease, service.lease)
    _say(f"ends; the server ended with status {service.status}")


def _unclean(instance: Instance) -> None:
    (instance.datadir / "clean").unlink(missing_ok=True)


def _give_ballast(service: Service) -> None:
    """Make room of the file that was kept for this; the next start lays it by again."""
    with contextlib.suppress(OSError):
        if disk.free_space(service.instance.root) < ROOM and service.instance.ballast.exists():
            service.instance.ballast.unlink()
            _say("the disk is full: gave the ballast back")


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _tell(asker: socket.socket | None, **facts: str) -> None:
    if asker is not None:
        with contextlib.suppress(OSError):
            asker.sendall(json.dumps(facts).encode() + b"\n")


def _say(words: str) -> None:
    """A line in the log; a full disk must not end us."""
    with contextlib.suppress(OSError):
        stamp = time.strftime("%Y-%m-%d %H:%M:%S")
        sys.stderr.write(f"{stamp} {words}\n")
        sys.stderr.flush()


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
