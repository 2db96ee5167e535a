"""This machine as commands meet it: a login node or not, its modules, and what to keep to."""

from __future__ import annotations

import functools
import os
import shutil
import socket

from cromwell_userdb import cluster, java, limits, modules, policy
from cromwell_userdb.cli.place import Place
from cromwell_userdb.errors import CommandFailed, UsageError
from cromwell_userdb.record import Machine


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
