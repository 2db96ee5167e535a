"""What the options file and the configuration ask of a run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cromwell_userdb import hocon
from cromwell_userdb.errors import SettingError, UsageError

FAILURE_MODES = ("NoNewCalls", "ContinueWhilePossible")


@dataclass(frozen=True)
class Options:
    """Names as in Cromwell's options file; folders are None where nothing is to be copied."""

    failure_mode: str = "NoNewCalls"
    read_from_cache: bool = True
    write_to_cache: bool = True
    max_age_days: int = 36500
    cache_prefixes: tuple[str, ...] = ()
    default_runtime_attributes: Mapping[str, Any] = field(default_factory=dict)
    memory_retry_multiplier: float = 1.0
    outputs_folder: Path | None = None
    relative_paths: bool = False
    log_folder: Path | None = None
    call_logs_folder: Path | None = None
    abort_jobs: bool = True
    jobs_per_second: float = 0.0


def options_of(given: Mapping[str, Any], config: hocon.Tree, backend: hocon.Tree) -> Options:
    """`given` is the options file, `backend` the provider's own configuration."""

    def true(name: str, default: bool) -> bool:
        return hocon.is_true(given.get(name, default))

    def folder(name: str) -> Path | None:
        return Path(str(given[name])).absolute() if given.get(name) else None

    prefixes = given.get("call_cache_hit_path_prefixes") or []
    if not isinstance(prefixes, list) or not all(isinstance(one, str) for one in prefixes):
        raise UsageError(
            f"call_cache_hit_path_prefixes should be a list of folders, but is {prefixes!r}."
        )
    caching = hocon.is_true(hocon.get(config, "call-caching.enabled", False))
    fallback = hocon.get(config, "workflow-options.workflow-failure-mode", FAILURE_MODES[0])
    mode = str(given.get("workflow_failure_mode", fallback))
    if mode not in FAILURE_MODES:
        raise UsageError(
            f"workflow_failure_mode should be {' or '.join(FAILURE_MODES)}, but is {mode!r}."
        )
    rate = hocon.get(config, "system.job-rate-control", {})
    return Options(
        failure_mode=mode,
        read_from_cache=caching and true("read_from_cache", True),
        write_to_cache=caching and true("write_to_cache", True),
        max_age_days=int(hocon.get(config, "call-caching.max-result-age-days", 90)),
        cache_prefixes=tuple(one.rstrip("/") + "/" for one in prefixes),
        default_runtime_attributes={
            **backend.get("default-runtime-attributes", {}),
            **given.get("default_runtime_attributes", {}),
        },
        memory_retry_multiplier=_factor(given.get("memory_retry_multiplier", 1.0)),
        outputs_folder=folder("final_workflow_outputs_dir"),
        relative_paths=true("use_relative_output_paths", False),
        log_folder=folder("final_workflow_log_dir"),
        call_logs_folder=folder("final_call_logs_dir"),
        abort_jobs=hocon.is_true(hocon.get(config, "system.abort-jobs-on-terminate", True)),
        jobs_per_second=float(rate.get("jobs", 0)) / _seconds(rate.get("per", "1 second")),
    )


def _seconds(raw: Any) -> float:
    """A duration of the configuration; without a unit it is in milliseconds, as in Cromwell."""
    if isinstance(raw, str):
        raw = hocon.parse(f"per = {raw}", origin="system.job-rate-control.per")["per"]
    seconds = raw / 1000 if isinstance(raw, int) else raw
    if not isinstance(seconds, float) or seconds <= 0:
        raise SettingError(f"system.job-rate-control.per should be a duration, but is {raw!r}.")
    return seconds


def _factor(raw: Any) -> float:
    try:
        factor = float(raw)
    except (TypeError, ValueError):
        factor = 0.0
    if not 1.0 <= factor <= 99.0:
        raise SettingError(f"memory_retry_multiplier should be 1.0 to 99.0, but is {raw!r}.")
    return factor
