"""One attempt of one call: its folders, its script, and what it leaves behind."""

from __future__ import annotations

import contextlib
import shlex
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from WDL import Env, Error, Expr, Tree, Type, Value

from cromwell_userdb.embedded.attributes import Attributes, attributes_of
from cromwell_userdb.embedded.localize import localize
from cromwell_userdb.embedded.provider import Provider
from cromwell_userdb.embedded.values import Library, OutputLibrary, Values, bound, glob_folder
from cromwell_userdb.errors import WdlError
from cromwell_userdb.record import read_text
from cromwell_userdb.wdl import is_synthetic


@dataclass(frozen=True)
class Place:
    """The files of one attempt, below its call root."""

    root: Path

    @property
    def execution(self) -> Path:
        return self.root / "execution"

    @property
    def script(self) -> Path:
        return self.execution / "script"

    @property
    def stdout(self) -> Path:
        return self.execution / "stdout"

    @property
    def stderr(self) -> Path:
        return self.execution / "stderr"

    @property
    def rc(self) -> Path:
        return self.execution / "rc"

    @property
    def wants_memory(self) -> bool:
        """Whether the job was killed for its memory, as a hook or an epilogue noted."""
        return read_text(self.execution / "memory_retry_rc").strip() == "0"

    def return_code(self) -> int | None:
        """None as long as the job has not ended."""
        text = read_text(self.rc).strip()
        return int(text) if text.lstrip("-").isdigit() else None


@dataclass(frozen=True)
class Plan:
    """What is known of a task before any call of it: worked out once."""

    task: Tree.Task
    order: tuple[Tree.Decl, ...]
    inputs: tuple[Tree.Decl, ...]
    globs: tuple[Expr.Base, ...]
    library: Library
    output_library: OutputLibrary


@dataclass(frozen=True)
class Prepared:
    """An attempt whose inputs are known, on their original paths; nothing has been made yet."""

    plan: Plan
    place: Place
    environment: Values
    attributes: Attributes

    @property
    def inputs(self) -> dict[str, Value.Base]:
        return {decl.name: self.environment[decl.name] for decl in self.plan.inputs}


def plan_of(task: Tree.Task) -> Plan:
    """Order the task's declarations by what they need."""
    declared = {d.workflow_node_id: d for d in [*(task.inputs or []), *task.postinputs]}
    order: dict[str, Tree.Decl] = {}

    def visit(node: str) -> None:
        if node in declared and node not in order:
            for needed in sorted(declared[node].workflow_node_dependencies):
                visit(needed)
            order[node] = declared[node]

    for node in declared:
        visit(node)
    return Plan(
        task=task,
        order=tuple(order.values()),
        inputs=tuple(b.value for b in task.available_inputs if not is_synthetic(b.name)),
        globs=tuple(pattern for decl in task.outputs for pattern in _globs(decl.expr)),
        library=Library(task.effective_wdl_version),
        output_library=OutputLibrary(task.effective_wdl_version),
    )


def _globs(expr: Any) -> Iterable[Expr.Base]:
    if isinstance(expr, Expr.Apply) and expr.function_name == "glob":
        yield expr.arguments[0]
    for below in getattr(expr, "children", ()):
        yield from _globs(below)


def prepare(
    plan: Plan,
    given: Values,
    place: Place,
    provider: Provider,
    *,
    defaults: Mapping[str, Any],
    memory_factor: float = 1.0,
) -> Prepared:
    """Evaluate declarations and runtime section; raises an error of WDL's or WdlError."""
    library = plan.library.at(place.execution)
    supplied = {one.name: one.value for one in given}
    environment: Values = Env.Bindings()
    for decl in plan.order:
        environment = environment.bind(decl.name, _declared(decl, supplied, environment, library))
    asked = {
        name: expr.eval(environment, stdlib=library).json
        for name, expr in plan.task.runtime.items()
    }
    attributes = attributes_of(
        {**defaults, **asked}, provider, version=library.wdl_version, memory_factor=memory_factor
    )
    return Prepared(plan, place, environment, attributes)


def _declared(
    decl: Tree.Decl, supplied: Mapping[str, Value.Base], so_far: Values, library: Library
) -> Value.Base:
    if decl.name in supplied:
        return supplied[decl.name]
    if decl.expr is not None:
        return decl.expr.eval(so_far, stdlib=library).coerce(decl.type)
    if not decl.type.optional:
        raise WdlError(f"The input {decl.name} ({decl.type}) has no value.")
    return Value.Null()


def make(prepared: Prepared, provider: Provider) -> tuple[str, str]:
    """Make the folders and bring the inputs; return the command line, and the script to write."""
    place = prepared.place
    place.execution.mkdir(parents=True, exist_ok=True)
    inside = _inside(provider, prepared.attributes)
    localized = localize(prepared.environment, place.root, provider.localization, inside)
    library = prepared.plan.library.at(place.execution)
    task = prepared.plan.task
    command = str(task.command.eval(localized, stdlib=library).value).strip("\n").rstrip()
    script = script_text(
        inside(place.execution),
        command,
        _patterns(prepared, library),
        epilogue=str(provider.get("script-epilogue", "")),
        scratch=str(provider.get("temporary-directory", '$(mktemp -d "$PWD"/tmp.XXXXXX)')),
    )
    return command, script


def _inside(provider: Provider, attributes: Attributes) -> Callable[[Path], Path]:
    """How a path of the call is called in its container, if it has one."""
    if not attributes.image or Path(provider.docker_root) == provider.root:
        return lambda path: path
    return lambda path: Path(provider.docker_root) / path.relative_to(provider.root)


def _patterns(prepared: Prepared, library: Library) -> list[str]:
    """Patterns that need an output's value are left to the output itself."""
    found = []
    for pattern in prepared.plan.globs:
        with contextlib.suppress(Error.RuntimeError, KeyError):
            found.append(str(pattern.eval(prepared.environment, stdlib=library).value))
    return list(dict.fromkeys(found))


def script_text(
    folder: Path, command: str, patterns: Iterable[str], *, epilogue: str, scratch: str
) -> str:
    """The job's script: it leaves stdout, stderr, the globs and, last of all, rc."""
    here = shlex.quote(str(folder))
    lines = [
        "#!/bin/bash",
        "",
        f"cd {here} || exit 1",
        f"tmpDir={scratch}",
        'export _JAVA_OPTIONS=-Djava.io.tmpdir="$tmpDir"',
        'export TMPDIR="$tmpDir"',
        "(",
        f"cd {here}",
        command,
        ") > stdout 2> stderr < /dev/null",
        "echo $? > rc.tmp",
        "(",
        f"cd {here}",
        *([epilogue] if epilogue else []),
        *(_glob_line(pattern) for pattern in patterns),
        ")",
        "mv rc.tmp rc",
        "",
    ]
    return "\n".join(lines)


def _glob_line(pattern: str) -> str:
    # The pattern is the task's own shell text: quoting it would keep it from matching.
    into = glob_folder(pattern)
    return (
        f'mkdir -p {into}; for f in {pattern}; do [ -f "$f" ] || continue; '
        f'ln -L "$f" {into}/ 2>/dev/null || ln -s "$PWD/$f" {into}/; done; '
        f"ls -1 {into} > {into}.list"
    )


def outputs_of(prepared: Prepared) -> Values:
    """The task's outputs, their files checked; raises an error of WDL's or WdlError."""
    execution = prepared.place.execution
    library = prepared.plan.output_library.at(execution)
    environment = prepared.environment
    found = {}
    for decl in prepared.plan.task.outputs:
        assert decl.expr
        raw = decl.expr.eval(environment, stdlib=library)
        value = _checked(raw.coerce(decl.type), decl, execution)
        environment = environment.bind(decl.name, value)
        found[decl.name] = value
    return bound(found)


def _checked(value: Value.Base, decl: Tree.Decl, execution: Path) -> Value.Base:
    missing: list[Path] = []

    def look(file: Value.File | Value.Directory) -> str | None:
        path = execution / file.value.removeprefix("file://")
        if "://" in file.value or path.exists():
            return file.value if "://" in file.value else str(path)
        missing.append(path)
        return None

    checked = Value.rewrite_paths(value, look)
    if missing and not _may_miss(decl.type):
        raise WdlError(f"The output {decl.name} is missing: there is no file {missing[0]}.")
    return checked


def _may_miss(kind: Type.Base) -> bool:
    """Whether a File in a value of this type may be absent."""
    if isinstance(kind, Type.File | Type.Directory):
        return kind.optional
    return any(_may_miss(below) for below in kind.parameters)
