"""What a run is given, by the settings in force: its configuration and its hooks."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Sequence
from pathlib import Path

from cromwell_userdb import disk, process, render
from cromwell_userdb.cli import believed, containers, executions, here, overrides, place
from cromwell_userdb.cli.place import Place
from cromwell_userdb.errors import CommandFailed, NotPrivate, NotRunning
from cromwell_userdb.hooks import HookSettings, check_extra, install, template_values
from cromwell_userdb.instance import RunFolder
from cromwell_userdb.record import make_private
from cromwell_userdb.settings import Settings


def hooks_state(where: Place) -> Path:
    """What the hooks of all of a user's runs share, on a machine without a better place."""
    with contextlib.suppress(OSError, NotPrivate):
        folder = make_private(place.state_folder() / "hooks")
        if disk.has_locks(folder):
            return folder
    return where.instance.root / "hooks"


def hooks(where: Place, run: RunFolder, *, resumes: int | None = None) -> None:
    """Copy the hooks beside the run, with their settings: no later change reaches them."""
    settings = where.settings
    cores, memory_mb = here.share(where)
    limits, longer = believed.limits(settings) if here.backend(where) == "slurm" else ((), ())
    install(
        run.hooks,
        HookSettings(
            state=hooks_state(where),
            comment=f"cromwell-userdb run {run.path.name}",
            cluster=settings.slurm_cluster,
            resumes=str(resumes or ""),
            partition=settings.slurm_partition,
            account=settings.slurm_account,
            qos=settings.slurm_qos,
            constraint=settings.slurm_constraint,
            reservation=settings.slurm_reservation,
            time_limit=settings.slurm_time,
            exclude=settings.slurm_exclude,
            extra=check_extra(settings.slurm_extra),
            time_percent=max(100, int(settings.slurm_time_factor * 100)),
            limits=limits,
            longer=longer,
            poll_seconds=settings.slurm_poll_seconds,
            cores=cores,
            memory_mb=memory_mb,
            modules=settings.run_modules,
            nice=settings.local_nice,
            **containers.for_hooks(where, run, executions.place(where)),
        ),
    )


def cancel(where: Place, run: RunFolder, jobs: Sequence[str]) -> None:
    """End jobs through the run's own kill hook; one that can't be reached goes on trying."""
    kill = "kill" if here.backend(where) == "slurm" else "local-kill"
    for job in jobs:
        try:
            process.run([run.hooks / kill, job], timeout=30)
        except CommandFailed as error:
            print(error, file=sys.stderr)


def conf(
    where: Place,
    folder: RunFolder,
    root: Path,
    *,
    snapshot_isolation: bool,
    migrates: bool = False,
    abort_jobs: bool = True,
    hidden: bool = False,
) -> str:
    """The cromwell.conf of a run in `folder`.

    `hidden` is for eyes only: without the password, and with whatever the user put over it.
    """
    settings, on_slurm = where.settings, here.backend(where) == "slurm"
    values = render.CromwellConf(
        url=render.jdbc_url(snapshot_isolation=snapshot_isolation, truncates=not migrates),
        password="(hidden)" if hidden else password(where),
        backend=here.backend(where),
        root=str(root),
        hooks=str(folder.hooks),
        workflow_logs=str(folder.path / "workflow-logs"),
        hashing=hashing(settings),
        localization=settings.cache_localization,
        duplication=settings.cache_duplication,
        concurrent_jobs=believed.concurrent_jobs(settings)
        if on_slurm
        else here.concurrent_jobs(where),
        job_rate=settings.run_job_rate,
        poll_seconds=settings.slurm_poll_seconds,
        failure_mode=settings.run_failure_mode,
        migrates=migrates,
        abort_jobs=abort_jobs,
        snippet=overrides.snippet(settings),
        snippet_origin=settings.template_snippet,
        provider=template_values(
            memory_mb=settings.run_memory_mb,
            disks_as_tmp=settings.slurm_disks_as_tmp,
            containers=containers.are_wanted(settings),
        ),
    )
    text = render.cromwell_conf(values, own=overrides.templates(settings))
    if not hidden:
        overrides.check(text, settings)
    return text


def conf_to_show(where: Place) -> str:
    """The cromwell.conf of a run to come, of which no more is needed than its settings."""
    facts = disk.facts(where.instance) or {}
    return conf(
        where,
        RunFolder(where.instance.runs / "N"),
        executions.place(where),
        snapshot_isolation=facts.get("flavour") == "mariadb",
        hidden=True,
    )


def check_overrides(where: Place) -> None:
    """Refuse a snippet or templates of the user's that Cromwell would stumble over.

    Costs nothing where there are none.
    """
    if where.settings.template_snippet or where.settings.template_dir:
        overrides.check(conf_to_show(where), where.settings)


def hashing(settings: Settings) -> str:
    return "fingerprint" if settings.cache_hashing == "auto" else settings.cache_hashing


def password(where: Place) -> str:
    """The secret of the account that engines use."""
    try:
        return where.instance.secret.read_text().strip()
    except FileNotFoundError as error:
        raise NotRunning(
            f"{where.instance.secret}, the engine's password, is gone; the server gets a new one"
            f" when it starts: cromwell-userdb db stop{where.option}, then this again."
        ) from error
