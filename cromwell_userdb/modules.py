"""Environment modules: what a site's ``module load`` makes of an environment."""

from __future__ import annotations

import importlib.resources
from collections.abc import Mapping, Sequence

from cromwell_userdb import process
from cromwell_userdb.errors import CommandFailed, SettingError

_FUNCTIONS = importlib.resources.files("cromwell_userdb").joinpath("slurm", "modules")
_SHELLS_OWN = {"_", "OLDPWD", "PWD", "SHLVL"}


def are_loaded(wanted: Sequence[str], environ: Mapping[str, str]) -> bool:
    """Whether each one is loaded, of some version where none is asked for.

    >>> are_loaded(["Java", "gcc/12"], {"LOADEDMODULES": "Java/17:gcc/12"})
    True
    """
    loaded = environ.get("LOADEDMODULES", "").split(":")
    return all(any(f"{name}/".startswith(f"{one}/") for name in loaded) for one in wanted)


def load(wanted: Sequence[str], environ: Mapping[str, str]) -> dict[str, str]:
    """What the modules change in `environ`; raises SettingError in the module command's words."""
    script = f". '{_FUNCTIONS}'\nload_modules \"$@\" >&2 && exec env -0"
    argv = ["bash", "--noprofile", "--norc", "-c", script, "modules", *wanted]
    try:
        text = process.run(argv, env=environ, timeout=120)
    except CommandFailed as error:
        words = str(error).partition(": ")[2] or str(error)
        raise SettingError(
            f"run.modules: {', '.join(wanted)} can't be loaded here: {words}"
        ) from error
    pairs = (entry.partition("=") for entry in text.split("\0") if entry)
    return {
        name: value
        for name, _, value in pairs
        if name not in _SHELLS_OWN and environ.get(name) != value
    }
