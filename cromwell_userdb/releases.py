"""Releases of Cromwell: where they are, what their jars should be, which ones are here."""

from __future__ import annotations

import re
from pathlib import Path


def place(cache: Path, version: str) -> Path:
    """Where the jar of `version` lies once it is installed."""
    return cache / "engines" / version / f"cromwell-{version}.jar"


def installed(cache: Path) -> dict[str, Path]:
    """Jars in the cache by version, the newest last."""
    jars = {path.parent.name: path for path in cache.glob("engines/*/cromwell-*.jar")}
    return {version: jars[version] for version in sorted(jars, key=_number)}


def _number(version: str) -> tuple[int, str]:
    found = re.match(r"\d+", version)
    return (int(found[0]) if found else 0, version)
