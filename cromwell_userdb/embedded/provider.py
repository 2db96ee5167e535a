"""The back end that the configuration names: its hooks, its root, its ways with files."""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import WDL
from WDL import Env, Error, StdLib, Tree, Value

from cromwell_userdb import hocon
from cromwell_userdb.errors import SettingError
from cromwell_userdb.wdl import Mismatch, value_of, warm_grammar

_LINKS = ("hard-link", "soft-link", "copy")

# What each template may name besides the runtime attributes, as in Cromwell.
_PLACES = "String job_name String cwd String out String err String script String job_shell"
_KNOWN = {
    "submit": _PLACES,
    "submit-docker": _PLACES
    + " String docker_cwd String docker_cid String docker_script"
    + " String docker_out String docker_err",
    "kill": "String job_id",
    "kill-docker": "String job_id String docker_cid",
    "check-alive": "String job_id",
}


@dataclass(frozen=True)
class Provider:
    """One of `backend.providers`; `config` is its own tree."""

    name: str
    config: Mapping[str, Any]

    def get(self, path: str, default: Any = None) -> Any:
        return hocon.get(dict(self.config), path, default)

    @property
    def root(self) -> Path:
        return Path(self.get("root", "cromwell-executions")).absolute()

    @property
    def docker_root(self) -> str:
        return str(self.get("dockerRoot", "/cromwell-executions"))

    @property
    def name_for_cache(self) -> str:
        return str(self.get("name-for-call-caching-purposes", self.name))

    @property
    def in_background(self) -> bool:
        """Whether the submit command is the job itself, as on one machine."""
        return hocon.is_true(self.get("run-in-background", False))

    @property
    def patience(self) -> float | None:
        """Seconds after which a job without an end is asked about; None is never."""
        seconds = self.get("exit-code-timeout-seconds")
        return None if seconds is None else float(seconds)

    @property
    def concurrent_jobs(self) -> int | None:
        limit = self.get("concurrent-job-limit")
        return None if limit is None else int(limit)

    @property
    def localization(self) -> tuple[str, ...]:
        return tuple(self.get("filesystems.local.localization", _LINKS))

    @property
    def duplication(self) -> tuple[str, ...]:
        return tuple(self.get("filesystems.local.caching.duplication-strategy", _LINKS))

    @property
    def hashing(self) -> str:
        return str(self.get("filesystems.local.caching.hashing-strategy", "md5"))

    @property
    def attributes_for_caching(self) -> frozenset[str]:
        """Attributes whose value makes another call of it, besides the three that always do."""
        chosen = self.get("runtime-attributes-for-caching", {})
        return frozenset(name for name, counts in chosen.items() if hocon.is_true(counts))

    @functools.cached_property
    def attributes(self) -> tuple[Tree.Decl, ...]:
        """The runtime attributes that the hooks may name."""
        return tuple(
            _parsed("runtime-attributes", self.get("runtime-attributes", ""), "").postinputs
        )

    def job_id(self, printed: str) -> str | None:
        """The job's id in what the submit hook printed: the whole of it has to fit."""
        pattern = str(self.get("job-id-regex", r"^(\d+).*"))
        found = re.fullmatch(pattern, printed.rstrip("\n"), re.S)
        return found[1] if found else None

    def has(self, template: str) -> bool:
        return bool(self.get(template))

    def render(self, template: str, values: Mapping[str, Any]) -> str:
        """The text of one hook; what `values` leave out takes its default or nothing."""
        return _rendered(self._task(template), values)

    def _task(self, template: str) -> Tree.Task:
        return _template(template, str(self.get(template)), str(self.get("runtime-attributes", "")))


def provider_of(config: hocon.Tree, name: str | None = None) -> Provider:
    """The provider called `name`, else the default one; raises SettingError."""
    name = name or str(hocon.get(config, "backend.default", ""))
    tree = hocon.get(config, "backend.providers", {}).get(name, {}).get("config")
    if not tree:
        raise SettingError(
            f"The configuration has no back end called {name!r}: look at backend.default "
            "and backend.providers."
        )
    provider = Provider(name, tree)
    if not provider.has("submit"):
        raise SettingError(f"The back end {name!r} has no submit command in the configuration.")
    _ = provider.attributes  # a broken declaration is told before anything starts
    return provider


@functools.cache
def _template(name: str, command: str, attributes: str) -> Tree.Task:
    declared = _KNOWN[name] + ("\n" + attributes if name.startswith("submit") else "")
    return _parsed(name, declared, command)


def _parsed(name: str, declared: str, command: str) -> Tree.Task:
    warm_grammar("draft-2", "tasks")
    text = f"task hook {{\n{declared}\ncommand <<<{command}>>>\n}}"
    try:
        (task,) = WDL.parse_tasks(text, version="draft-2")
        task.typecheck(check_quant=False)
    except (Error.SyntaxError, Error.ValidationError, Error.MultipleValidationErrors) as error:
        raise SettingError(
            f"{name} of the back end does not parse: {str(error).splitlines()[0]}."
        ) from error
    return task


def _rendered(task: Tree.Task, values: Mapping[str, Any]) -> str:
    library = StdLib.Base("draft-2")
    bound: Env.Bindings[Value.Base] = Env.Bindings()
    for decl in task.postinputs:
        raw = values.get(decl.name)
        try:
            if raw is not None:
                value = value_of(decl.type, raw)
            elif decl.expr is not None:
                value = decl.expr.eval(bound, stdlib=library).coerce(decl.type)
            else:
                value = Value.Null()
        except Mismatch as error:
            raise SettingError(f"{decl.name} {error.words}.") from error
        bound = bound.bind(decl.name, value)
    return str(task.command.eval(bound, stdlib=library).value)
