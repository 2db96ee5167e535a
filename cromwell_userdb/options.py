"""Workflow options by their names: which there are, and which of them change nothing."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import Any

_HEEDED = frozenset(
    {
        "backend",
        "call_cache_hit_path_prefixes",
        "default_runtime_attributes",
        "final_call_logs_dir",
        "final_workflow_log_dir",
        "final_workflow_outputs_dir",
        "memory_retry_multiplier",
        "read_from_cache",
        "use_relative_output_paths",
        "workflow_failure_mode",
        "write_to_cache",
    }
)
_KEPT = "delete_intermediate_output_files"
_OF_CROMWELL = {
    _KEPT: "all files of the calls stay where they are",
    "final_workflow_outputs_dir_metadata": "the metadata name the calls' own files",
    "hogGroup": "all calls of a run share its limits alike",
    "workflow_callback_uri": "nobody is called back; cromwell-userdb status tells how it ended",
}
"""Options that Cromwell heeds on one's own machines, and what holds in the embedded engine."""


def default_attributes(given: Mapping[str, Any]) -> Mapping[str, Any]:
    """What these options say for tasks whose runtime section does not.

    >>> default_attributes({"default_runtime_attributes": {"cpu": 2}}), default_attributes({})
    ({'cpu': 2}, {})
    """
    found = given.get("default_runtime_attributes")
    return found if isinstance(found, dict) else {}


def remarks(given: Mapping[str, Any], *, engine: str) -> list[str]:
    """A sentence for each option that changes nothing, unless it asks for nothing.

    >>> remarks({"read_from_cach": False, "write_to_cache": False}, engine="cromwell")
    ['The option read_from_cach is ignored: Cromwell has none (did you mean read_from_cache?).']
    """
    idle = {name for name in _OF_CROMWELL if given.get(name) is False}
    names = [name for name, value in given.items() if value is not None and name not in _HEEDED]
    say = _embedded if engine == "embedded" else _cromwell
    told = {name: say(name) for name in names if name not in idle}
    return [f"The option {name} is ignored: {words}." for name, words in told.items() if words]


def _embedded(name: str) -> str:
    return _OF_CROMWELL.get(name) or f"the embedded engine knows none of this name{_hint(name)}"


def _cromwell(name: str) -> str:
    """Only what was surely meant otherwise: of clouds and sites there are many more."""
    if name == _KEPT:
        # Its own configuration would have to allow it, and cached results would be gone.
        return _OF_CROMWELL[name]
    hint = "" if name in _OF_CROMWELL else _hint(name, cutoff=0.85)
    return f"Cromwell has none{hint}" if hint else ""


def _hint(name: str, *, cutoff: float = 0.6) -> str:
    near = difflib.get_close_matches(name, _HEEDED, n=1, cutoff=cutoff)
    return f" (did you mean {near[0]}?)" if near else ""
