"""A run's own copy of the hooks in `slurm/`, and the settings beside it."""

from __future__ import annotations

import difflib
import os
import re
import shlex
import socket
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from pathlib import Path

from cromwell_userdb.errors import UsageError
from cromwell_userdb.record import make_private, write_private

_PACKAGED = Path(__file__).with_name("slurm")


@dataclass(frozen=True)
class HookSettings:
    """What the hooks read from `settings` beside them; each name is a variable there.

    `state` is a private folder of the user's, for snapshots where there is no
    XDG_RUNTIME_DIR. `cluster` is a name for `--clusters`, "" for the only one. `own_path` is a
    folder that the engine has on PATH and jobs shall not. `resumes` is the run whose jobs are to
    be taken up, by the files that lie beside. `partition` to `extra` are the
    run's defaults, which a task's attributes override. A call that ran out of time gets
    `time_percent` of it at its next attempt; 100 gives no more. `limits` are the longest times of
    partitions ("long=2880", in minutes), the default one first; where a call's own has no such
    time, it goes to the first of `longer` that has.
    `missing_seconds` is how long SLURM may not know a job before the call is given up.
    `modules` are environment modules that a job loads where it did not inherit them.
    `cores`, `memory_mb` and `nice` are for calls on this machine. `container_kind` is the program
    that runs images, "" to leave them alone, and `container_program` where it is, if it is there
    on a node as well; `container_folders` are looked into for a file, `container_binds` and
    `container_root` are what each container sees.
    """

    state: Path
    comment: str = ""
    cluster: str = ""
    own_path: str = ""
    resumes: str = ""
    partition: str = ""
    account: str = ""
    qos: str = ""
    constraint: str = ""
    reservation: str = ""
    time_limit: str = ""
    exclude: str = ""
    extra: tuple[str, ...] = ()
    time_percent: int = 200
    limits: tuple[str, ...] = ()
    longer: tuple[str, ...] = ()
    poll_seconds: int = 30
    look_seconds: int = 12
    patience: int = 7200
    missing_seconds: int = 900
    modules: tuple[str, ...] = ()
    cores: int = 1
    memory_mb: int = 1024
    nice: int = 0
    container_kind: str = ""
    container_program: str = ""
    container_pull: str = ""
    container_root: str = ""
    container_folders: tuple[str, ...] = ()
    container_binds: tuple[str, ...] = ()


def settings_text(settings: HookSettings) -> str:
    """Bash assignments, quoted so that no value is ever code.

    >>> print(settings_text(HookSettings(Path("/s"), comment="run 1; $(id)")).splitlines()[1])
    comment='run 1; $(id)'
    """
    lines = [f"{known.name}={_word(getattr(settings, known.name))}" for known in fields(settings)]
    return "\n".join(lines) + "\n"


def _word(value: Path | str | int | tuple[str, ...]) -> str:
    if isinstance(value, tuple):
        return f"({' '.join(map(shlex.quote, value))})"
    return shlex.quote(str(value))


def install(folder: Path, settings: HookSettings) -> None:
    """Copy the hooks to `folder`, so that a changed install never changes a run."""
    make_private(folder)
    for hook in os.scandir(_PACKAGED):
        if hook.is_file():
            # Thirty waits for the disk would be a good part of a run's start.
            write_private(folder / hook.name, Path(hook).read_bytes(), mode=0o700, durable=False)
    write_private(folder / "batch", batch_text(settings), durable=False)
    write_private(folder / "settings", settings_text(settings), durable=False)


def batch_text(settings: HookSettings) -> str:
    """What a job runs: one text, because a node may see none of the hooks."""
    names = ["modules"] if settings.modules else []
    names += ["container"] if settings.container_kind else []
    texts = [_PACKAGED.joinpath(name).read_text() for name in [*names, "call", "job"]]
    own = ["modules", *(one.name for one in fields(settings) if one.name.startswith("container_"))]
    values = [f"{name}={_word(getattr(settings, name))}" for name in own]
    return "\n".join(["#!/bin/bash", *values, *texts])


def snapshot(state: Path, environ: Mapping[str, str], *, cluster: str = "") -> Path:
    """Where the hooks keep their look at the queue: `shared_folder` of slurm/functions."""
    key = re.sub(r"[^A-Za-z0-9@]", "_", f"{environ.get('SLURM_CONF', '')}@{cluster}")[-80:]
    runtime = Path(environ.get("XDG_RUNTIME_DIR") or "/nowhere")
    if runtime.exists() and runtime.stat().st_uid == os.getuid():
        return runtime / "cromwell-userdb" / key / "queue"
    return state / socket.gethostname() / key / "queue"


def new_marker() -> str:
    """The end of the document in which a template hands attributes to a hook: not guessable."""
    return f"END-{os.urandom(12).hex()}"


def template_values(
    *, memory_mb: int = 0, disks_as_tmp: bool = False, containers: bool = False
) -> dict[str, object]:
    """What slurm.conf.j2 and local.conf.j2 need besides the values of every configuration.

    `memory_mb` is for tasks that ask for none, 0 leaves it to the back end; `disks_as_tmp` makes a
    task's `disks` a demand for local disk.
    """
    return {
        "marker": new_marker(),
        "memory_mb": memory_mb,
        "disks_as_tmp": disks_as_tmp,
        "containers": containers,
    }


def extra_options() -> tuple[str, ...]:
    """Options of sbatch that `slurm.extra` and a task's `slurm_extra` may hold.

    Those left out are the hooks' own, have a name of their own here, or make more jobs of one.
    """
    return tuple(_PACKAGED.joinpath("extra-options").read_text().split())


def check_extra(options: Iterable[str]) -> tuple[str, ...]:
    """The options, each one word and allowed; raises UsageError with the likely name."""
    chosen = tuple(options)
    for option in chosen:
        name = option.partition("=")[0].removeprefix("--")
        known = extra_options()
        if not option.startswith("--") or name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            listed = ", ".join(f"--{word}" for word in known)
            hint = f"Did you mean --{near[0]}?" if near else f"Possible are {listed}."
            raise UsageError(f"{option!r} is no option for SLURM's sbatch here. {hint}")
    return chosen
