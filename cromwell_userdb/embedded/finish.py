"""After the last call: outputs and logs go where the options file wants them."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

from WDL import Value

from cromwell_userdb.embedded.options import Options
from cromwell_userdb.embedded.values import Values
from cromwell_userdb.errors import WdlError


def copy_outputs(outputs: Values, options: Options, root: Path) -> None:
    """Copy each file of the outputs; `root` is the executions' own. Raises WdlError."""
    if options.outputs_folder is None:
        return
    taken: dict[Path, Path] = {}
    for source in dict.fromkeys(_files(outputs)):
        target = options.outputs_folder / _name(source, root, relative=options.relative_paths)
        if target in taken:
            raise WdlError(
                f"Two outputs would both be {target}: {taken[target]} and {source}. "
                "Run without use_relative_output_paths, or name them apart."
            )
        taken[target] = source
        _copy(source, target)


def copy_call_logs(folder: Path, options: Options, root: Path) -> None:
    """Copy stdout and stderr of each call below the workflow's `folder`."""
    if options.call_logs_folder is None:
        return
    for log in sorted(folder.rglob("execution/std*")):
        if log.name in {"stdout", "stderr"}:
            _copy(log, options.call_logs_folder / log.relative_to(root))


def _files(outputs: Values) -> Iterator[Path]:
    stack = [one.value for one in outputs]
    while stack:
        value = stack.pop()
        if isinstance(value, Value.File | Value.Directory):
            yield Path(value.value)
        stack.extend(value.children)


def _name(source: Path, root: Path, *, relative: bool) -> Path:
    """Below the folder: the path below the root, or what follows ``execution/``."""
    if not source.is_relative_to(root):
        return Path(source.name)
    inside = source.relative_to(root)
    if relative and "execution" in inside.parts:
        last = len(inside.parts) - 1 - inside.parts[::-1].index("execution")
        return Path(*inside.parts[last + 1 :])
    return inside


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.is_dir():
        shutil.copytree(source, target, dirs_exist_ok=True)
    else:
        shutil.copyfile(source, target)
