"""How the settings want images: by which program, from which store, pulled where."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from cromwell_userdb import docker, images, runtimes
from cromwell_userdb.cli.place import Place, cache_folder
from cromwell_userdb.docker import Containers
from cromwell_userdb.errors import NotFound, UserDBError
from cromwell_userdb.images import Store
from cromwell_userdb.instance import RunFolder
from cromwell_userdb.options import default_attributes
from cromwell_userdb.record import make_private, read_json, write_private
from cromwell_userdb.reference import parse
from cromwell_userdb.runtimes import Runtime
from cromwell_userdb.settings import Settings
from cromwell_userdb.wish import UNKNOWN, Wish


def containers(where: Place, *, told: Path | None = None, tried: bool = True) -> Containers | None:
    """What a run here needs to know of images; None where tasks run without theirs.

    `told` is the file in which it is kept what becomes of pulls. Raises NotFound where there is
    no program to run images, or none that works; that is not `tried` where no task has one.
    """
    settings = where.settings
    runtime = _runtime(settings, tried=tried)
    if runtime is None:
        return None
    return Containers(
        runtime, store(settings), settings.container_pull, tuple(sbatch_options(settings)), told
    )


def _runtime(settings: Settings, *, tried: bool) -> Runtime | None:
    kind, program = settings.container_runtime, settings.container_program
    try:
        return runtimes.find(kind, program, tried=tried)
    except NotFound:
        is_local = settings.run_backend == "local"
        if kind == "auto" or is_local or settings.container_pull == "here":
            raise
        # Named on purpose, and not needed here: the nodes may have it.
        return Runtime(kind, Path(program or kind))


def are_wanted(settings: Settings) -> bool:
    """Whether tasks get the images that they name."""
    return settings.container_runtime != "none"


def check(where: Place, wishes: Sequence[Wish], options: Mapping[str, Any]) -> None:
    """Refuse tasks that name images where nothing can run them, by task, line and image.

    `options` are the run's, which may name an image for tasks without one. Raises NotFound.
    """
    for wish, name, image in wanted(wishes, options):
        try:
            containers(where)
        except NotFound as error:
            shown = f"an image ({name})" if image is UNKNOWN else f"the image {image}"
            raise NotFound(f"{wish.cause(name)} wants {shown}. {error}") from error
        return


def named(wishes: Sequence[Wish], options: Mapping[str, Any]) -> tuple[str, ...] | None:
    """The images that are sure to be wanted, each once; None where no task wants any."""
    found = [image for _, _, image in wanted(wishes, options)]
    sure = dict.fromkeys(image for image in found if isinstance(image, str))
    return tuple(sure) if found else None


def wanted(wishes: Sequence[Wish], options: Mapping[str, Any]) -> Iterator[tuple[Wish, str, Any]]:
    """Each task's image, and the name of the attribute that asks for it."""
    defaults = default_attributes(options)
    for wish in wishes:
        asked = {
            name: wish.values.get(name, defaults.get(name)) for name in ("container", "docker")
        }
        for name, image in asked.items():
            if image:
                first = image[0] if isinstance(image, list) else image
                yield wish, name, first
                break


_FETCH = """\
trap 'kill "$child" 2>/dev/null; exit 143' TERM
while [ "$1" != -- ]; do
    docker pull "$1" & child=$!
    wait "$child"
    shift
done
shift
trap - TERM
exec "$@"
"""


def fetching(where: Place, run: RunFolder, argv: Sequence[str]) -> list[str]:
    """The engine's words, behind the pulls of images that are not here.

    A Cromwell gives up an image that does not come within five minutes.
    """
    missing = _missing(where, read_json(run.images) or ())
    return ["/bin/sh", "-c", _FETCH, "sh", *missing, "--", *argv] if missing else list(argv)


def _missing(where: Place, wanted: Sequence[str]) -> list[str]:
    try:
        found = containers(where) if wanted else None
        here = {(name, tag) for name, tag, _ in docker.answer(found)} if found else set()
        references = {image: parse(image) for image in wanted} if found else {}
    except UserDBError:
        # The engine will meet it, too, and it is told there.
        return []
    return [
        image
        for image, one in references.items()
        if not any((name, one.version) in here for name in one.spellings)
    ]


def for_hooks(where: Place, run: RunFolder, root: Path) -> dict[str, Any]:
    """What the run's hooks need to know, as fields of HookSettings."""
    settings = where.settings
    try:
        found = containers(where, tried=run.images.exists())
    except NotFound:
        found = None
    if found is None:
        return {"own_path": str(_bin(run))}
    return {
        "own_path": str(_bin(run)),
        "container_kind": found.runtime.kind,
        "container_program": str(found.runtime.program),
        "container_pull": found.pull,
        "container_root": str(root),
        "container_folders": tuple(map(str, found.store.folders)),
        "container_binds": settings.container_binds,
    }


def program(where: Place, run: RunFolder) -> Path | None:
    """The folder with the run's own `docker`, made now; None where images are left alone.

    Where nothing runs images it says so, to an engine that meets a task with one after all.
    """
    try:
        found = containers(where, told=run.pulls, tried=run.images.exists())
        if found is None:
            return None
        text = docker.program_text(sys.executable, found)
    except NotFound as error:
        text = f"#!/bin/sh\nprintf '%s\\n' {shlex.quote(str(error))} >&2\nexit 1\n"
    folder = make_private(_bin(run))
    write_private(folder / "docker", text, mode=0o700)
    return folder


def environment(folder: Path | None, base: Mapping[str, str]) -> dict[str, str]:
    """The engine's environment, with the folder of `program` first on its PATH."""
    found = dict(base)
    if folder:
        found["PATH"] = os.pathsep.join([str(folder), base.get("PATH", os.defpath)])
    return found


def _bin(run: RunFolder) -> Path:
    return run.path / "docker-bin"


def store(settings: Settings) -> Store:
    """The folders of images, whether or not they are there yet; NotPrivate for unsafe ones."""
    own = settings.container_images
    sites = settings.container_site_images
    found = Store(
        Path(own).expanduser() if own else cache_folder() / "images",
        tuple(Path(folder).expanduser() for folder in sites),
    )
    return images.check(found)


def sbatch_options(settings: Settings) -> Sequence[str]:
    """Where a job that pulls goes: as the user's calls."""
    options = {
        "partition": settings.local_partition,
        "account": settings.slurm_account,
        "qos": settings.slurm_qos,
        "constraint": settings.slurm_constraint,
        "reservation": settings.slurm_reservation,
        "exclude": settings.slurm_exclude,
        "time": settings.slurm_time,
    }
    return [f"--{name}={value}" for name, value in options.items() if value]
