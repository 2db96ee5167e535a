"""This machine as commands meet it: what runs here, its modules, and what to keep to."""

from __future__ import annotations

import functools
import os
import shutil
import socket
from pathlib import Path

from cromwell_userdb import cluster, java, limits, locks, modules, policy, process
from cromwell_userdb.cli.place import Place
from cromwell_userdb.errors import CommandFailed, UsageError
from cromwell_userdb.machine import Machine


def look_around(where: Place) -> None:
    """Ask and load what a start will need of this machine, while there is something to wait for."""
    is_limited(where)
    Machine.here()
    locks.load()


@functools.cache
def is_login_node() -> bool:
    """Whether jobs are submitted here, and none run here; False where SLURM does not say."""
    if os.environ.get("SLURM_JOB_ID") or not shutil.which("sbatch"):
        return False
    try:
        hosts = {host.partition(".")[0] for host in cluster.hosts()}
    except CommandFailed:
        return False
    return bool(hosts) and socket.gethostname().partition(".")[0] not in hosts


def is_limited(where: Place) -> bool:
    """Whether engine and server keep to `limits` on this machine."""
    chosen = where.settings.limits_when
    return chosen == "always" or (chosen == "auto" and is_login_node())


def keep_to_limits(where: Place) -> None:
    """Have this process, and with it all that it starts, be a good neighbour where that is due."""
    if is_limited(where):
        settings = where.settings
        limits.keep_to(
            nice=settings.limits_nice, io=settings.limits_io, cores=settings.limits_cores
        )


def said(where: Place) -> str:
    """What this machine is to SLURM, and what engine and server keep to on it."""
    what = "a login node" if is_login_node() else "no login node"
    if not is_limited(where):
        return f"{what}: engine and server take what they need"
    settings = where.settings
    kept = [f"niceness {settings.limits_nice}", f"{settings.limits_io} turns at the disks"]
    kept += [f"{settings.limits_cores} cores"] if settings.limits_cores else []
    kept += [f"{settings.limits_memory_mb} MB"] if settings.limits_memory_mb else []
    return f"{what}: engine and server keep to {', '.join(kept)}"


def heap_mb(where: Place) -> int:
    """The engine's heap as asked for, within this machine's limits; 0 is its own measure."""
    settings = where.settings
    if not settings.limits_memory_mb or not is_limited(where):
        return settings.engine_heap_mb
    wanted = settings.engine_heap_mb or java.heap_mb_for(Machine.here().memory)
    return max(256, min(wanted, settings.limits_memory_mb - settings.server_buffer_pool_mb))


def share(where: Place) -> tuple[int, int]:
    """How many cores and MB the calls here may take at once, all runs together."""
    settings, machine = where.settings, Machine.here()
    memory = settings.local_memory_mb or machine.memory * 9 // 10 // 2**20
    return settings.local_cores or machine.cores, memory


def concurrent_jobs(where: Place) -> int:
    """How many calls of a run may be here at once, with those that wait for their turn.

    Each that waits is a process, and each end looks at all processes: the engine keeps the rest.
    """
    return where.settings.run_concurrent_jobs or 100 + 2 * share(where)[0]


def check_run(where: Place) -> None:
    """Refuse to lead a run where the site lets none be led: on a login node; raises UsageError."""
    if where.settings.site_run_on_login_node or not is_login_node():
        return
    told = policy.refusal(where.resolved, "run on a login node", rule="site.run_on_login_node")
    raise UsageError(f"{told} Use submit, or resume --submit: the run is then led by a job.")


def load_modules(where: Place) -> None:
    """Have the modules that settings name in our environment, and in that of what we start."""
    wanted = where.settings.run_modules
    if not modules.are_loaded(wanted, os.environ):
        os.environ.update(modules.load(wanted, os.environ))


def backend(where: Place) -> str:
    """Where calls run: what was asked for, or else what this machine has."""
    chosen = where.settings.run_backend
    if chosen == "auto":
        chosen = "slurm" if has_slurm() else "local"
        policy.check_choice("run.backend", chosen, where.resolved)
    return chosen


def has_slurm() -> bool:
    """Whether a controller answers here; asked at init, and recorded."""
    if not shutil.which("sbatch"):
        return False
    try:
        return "is UP" in process.run(["scontrol", "ping"], timeout=20)
    except CommandFailed:
        return False


def current_folder() -> Path | None:
    """The current folder, None where it is gone or may not be read."""
    try:
        return Path.cwd()
    except OSError:
        return None


def kills_at_logout() -> bool:
    """Whether logind ends this user's processes with the last session."""
    try:
        text = process.run(["loginctl", "show-user", str(os.getuid()), "-p", "Linger"], timeout=5)
        manager = process.run(
            ["busctl", "get-property", "org.freedesktop.login1", "/org/freedesktop/login1",
             "org.freedesktop.login1.Manager", "KillUserProcesses"],
            timeout=5,
        )  # fmt: skip
    except CommandFailed:
        return False
    return "Linger=no" in text and "true" in manager
