"""Files brought to where they are needed: linked, or copied, as the configuration has it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

from WDL import Value

from cromwell_userdb.embedded.values import Values
from cromwell_userdb.errors import WdlError


def localize(
    environment: Values,
    root: Path,
    strategies: tuple[str, ...],
    inside: Callable[[Path], Path] = lambda path: path,
) -> Values:
    """The same values with each file linked or copied below ``inputs`` of the call's `root`.

    What lies below the root already stays; `inside` tells how the call sees a path.
    """
    known: dict[str, str] = {}

    def bring(value: Value.File | Value.Directory) -> str:
        if value.value not in known:
            known[value.value] = str(inside(_brought(value.value, root, strategies)))
        return known[value.value]

    return Value.rewrite_env_paths(environment, bring)


def _brought(name: str, root: Path, strategies: tuple[str, ...]) -> Path:
    if "://" in name and not name.startswith("file://"):
        raise WdlError(f"The input {name} is not on a file system: download it first.")
    source = Path(name.removeprefix("file://")).absolute()
    if source.is_relative_to(root):
        return source
    folder = root / "inputs" / str(java_hash(str(source.parent)))
    target = folder / source.name
    folder.mkdir(parents=True, exist_ok=True)
    duplicate(source, target, strategies)
    return target


def duplicate(source: Path, target: Path, strategies: tuple[str, ...]) -> None:
    """Put `source` at `target` by the first of `strategies` that works."""
    words = "no strategy is configured"
    for strategy in strategies:
        try:
            _WAYS[strategy](source, target)
        except FileExistsError:
            return
        except (OSError, KeyError) as error:
            words = getattr(error, "strerror", None) or str(error)
        else:
            return
    raise WdlError(f"{source} can't be brought to {target.parent}: {words}.")


def _hard_link(source: Path, target: Path) -> None:
    os.link(source.resolve(strict=True), target)


def _soft_link(source: Path, target: Path) -> None:
    target.symlink_to(source.resolve(strict=True))


def _copy(source: Path, target: Path) -> None:
    beside = target.with_name(target.name + ".part")
    if source.is_dir():
        shutil.copytree(source, beside)
    else:
        shutil.copyfile(source, beside)
    beside.rename(target)


_WAYS: dict[str, Callable[[Path, Path], None]] = {
    "hard-link": _hard_link,
    "soft-link": _soft_link,
    "copy": _copy,
    "cached-copy": _copy,
}


def java_hash(text: str) -> int:
    """Java's String.hashCode, by which Cromwell names the folder of an input."""
    units = text.encode("utf-16-be")
    answer = 0
    for high, low in zip(units[::2], units[1::2], strict=True):
        answer = (answer * 31 + (high << 8 | low)) & 0xFFFFFFFF
    return answer - 2**32 if answer >= 2**31 else answer
