"""How the settings want images: by which program, from which store, pulled where."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from cromwell_userdb import runtimes
from cromwell_userdb.cli.place import Place, cache_folder
from cromwell_userdb.docker import Containers
from cromwell_userdb.images import Store
from cromwell_userdb.settings import Settings


def containers(where: Place, *, told: Path | None = None) -> Containers | None:
    """What a run here needs to know of images; None where tasks run without theirs.

    `told` is the file in which it is kept what becomes of pulls. Raises NotFound where there is
    no program to run images.
    """
    settings = where.settings
    runtime = runtimes.find(settings.container_runtime, settings.container_program)
    if runtime is None:
        return None
    return Containers(
        runtime, store(settings), settings.container_pull, tuple(sbatch_options(settings)), told
    )


def store(settings: Settings) -> Store:
    """The folders of images, whether or not they are there yet."""
    own = settings.container_images
    sites = settings.container_site_images
    return Store(
        Path(own).expanduser() if own else cache_folder() / "images",
        tuple(Path(folder).expanduser() for folder in sites),
    )


def sbatch_options(settings: Settings) -> Sequence[str]:
    """Where a job that pulls goes: as the user's calls."""
    options = {
        "partition": settings.slurm_partition,
        "account": settings.slurm_account,
        "qos": settings.slurm_qos,
        "constraint": settings.slurm_constraint,
        "reservation": settings.slurm_reservation,
        "exclude": settings.slurm_exclude,
        "time": settings.slurm_time,
    }
    return [f"--{name}={value}" for name, value in options.items() if value]
