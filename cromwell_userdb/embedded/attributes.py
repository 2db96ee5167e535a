"""Runtime attributes of one call: what was asked for, in the words of Cromwell."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from WDL import Tree, Type

from cromwell_userdb.embedded.provider import Provider
from cromwell_userdb.embedded.values import UNITS, java_double
from cromwell_userdb.errors import WdlError
from cromwell_userdb.wdl import Mismatch, value_of

_INT = Type.Int()


@dataclass(frozen=True)
class Attributes:
    """`hook` is what the templates may name, `shown` what Cromwell's metadata have.

    `memory` is in bytes, 0 where nothing was asked for; `return_codes` is None when each is good.
    `exact_image` is the image by its digest, where that was looked up.
    """

    hook: Mapping[str, Any]
    shown: Mapping[str, str]
    return_codes: frozenset[int] | None
    fail_on_stderr: bool
    max_retries: int
    cpu: int
    memory: int
    image: str | None
    exact_image: str | None = None


def attributes_of(
    asked: Mapping[str, Any], provider: Provider, *, version: str, memory_factor: float = 1.0
) -> Attributes:
    """What `asked`, the runtime section as JSON, means for `provider`; raises WdlError."""
    if version in {"draft-2", "1.0"}:
        asked = {name: value for name, value in asked.items() if name != "gpu"}
    codes = asked.get("continueOnReturnCode")
    if codes is None and version not in {"draft-2", "1.0"}:
        codes = asked.get("returnCodes")
    runs_images = any(d.name in {"docker", "container"} for d in provider.attributes)
    image = _image(asked) if runs_images else None
    wanted = _bytes(asked.get("memory")) * memory_factor
    declared = {d.name: _declared(d, asked, image, wanted) for d in provider.attributes}
    cpu = int(declared.get("cpu") or _number("cpu", asked.get("cpu", 1)))
    if cpu < 1:
        raise WdlError(f"The runtime attribute cpu should be 1 or more but is {cpu}.")
    memory = int(wanted) or _default_memory(declared)
    shown = {name: str(value) for name, value in _plain(declared).items() if value is not None}
    if memory and any(name.startswith("memory_") for name in declared):
        shown["memory"] = f"{java_double(memory / 2**30)} GB"
    if image:
        shown["docker"] = image
    retries = _number("maxRetries", asked.get("maxRetries", 0))
    fails = _boolean("failOnStderr", asked.get("failOnStderr", False))
    return Attributes(
        hook={name: value for name, value in declared.items() if value is not None},
        shown={
            **shown,
            "continueOnReturnCode": _codes_shown(codes),
            "failOnStderr": str(fails).lower(),
            "maxRetries": str(retries),
        },
        return_codes=_codes(codes),
        fail_on_stderr=fails,
        max_retries=retries,
        cpu=cpu,
        memory=memory,
        image=image,
    )


def _declared(decl: Tree.Decl, asked: Mapping[str, Any], image: str | None, memory: float) -> Any:
    """The value of an attribute that the back end declares, None where nothing gives one."""
    name = decl.name
    if name in {"docker", "container"}:
        return image
    if name.startswith("memory_") and memory:
        unit = name.removeprefix("memory_").upper().replace("I", "i")
        value = memory / UNITS.get(unit, 1)
        return int(value) if isinstance(decl.type, Type.Int) else value
    if name not in asked or asked[name] is None:
        return None if decl.expr is None else decl.expr.literal and decl.expr.literal.json
    raw = asked[name]
    if name == "disks" and isinstance(raw, list):
        raw = ", ".join(map(str, raw))
    if isinstance(decl.type, Type.String) and not isinstance(raw, str | list | dict):
        raw = str(raw).lower() if isinstance(raw, bool) else str(raw)
    try:
        return value_of(decl.type, raw).json
    except Mismatch as error:
        raise WdlError(f"The runtime attribute {name} {error.words}.") from error


def _plain(declared: Mapping[str, Any]) -> dict[str, Any]:
    """Memory has one name in the metadata, and an image another."""
    hidden = ("memory_", "docker", "container")
    return {name: value for name, value in declared.items() if not name.startswith(hidden)}


def _default_memory(declared: Mapping[str, Any]) -> int:
    for name, value in declared.items():
        if name.startswith("memory_") and value:
            unit = name.removeprefix("memory_").upper().replace("I", "i")
            return int(value * UNITS.get(unit, 1))
    return 0


def _bytes(raw: Any) -> float:
    """Bytes of ``"2 GB"`` or a plain number; 0 for none; raises WdlError for other words."""
    if raw is None:
        return 0.0
    if isinstance(raw, int | float) and not isinstance(raw, bool):
        return float(raw)
    found = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([KMGT]?)(i?)(B?)\s*", str(raw), re.I)
    if not found:
        raise WdlError(f"The runtime attribute memory should be like 8 GB but is {raw!r}.")
    unit = found[2].upper()
    return float(found[1]) * (UNITS[unit] if unit else 1)


def _image(asked: Mapping[str, Any]) -> str | None:
    found = asked.get("container") or asked.get("docker")
    if isinstance(found, list):
        found = found[0] if found else None
    return None if found is None else str(found)


def _number(name: str, raw: Any) -> int:
    try:
        return int(value_of(_INT, raw).value)
    except Mismatch as error:
        raise WdlError(f"The runtime attribute {name} {error.words}.") from error


def _boolean(name: str, raw: Any) -> bool:
    try:
        return bool(value_of(Type.Boolean(), raw).value)
    except Mismatch as error:
        raise WdlError(f"The runtime attribute {name} {error.words}.") from error


def _codes(raw: Any) -> frozenset[int] | None:
    if raw is True or raw in ("*", "true"):
        return None
    if raw is None or raw is False or raw == "false":
        return frozenset([0])
    several = raw if isinstance(raw, list) else [raw]
    return frozenset(_number("continueOnReturnCode", one) for one in several)


def _codes_shown(raw: Any) -> str:
    codes = _codes(raw)
    if codes is None:
        return "true"
    if isinstance(raw, list):
        return f"[{','.join(str(one) for one in raw)}]"
    return "false" if raw is False else str(min(codes))
