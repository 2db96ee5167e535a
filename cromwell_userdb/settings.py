"""Settings: their names, types and defaults, and which layer of several wins.

Layers, the first that names a setting wins: flag, ``CROMWELL_USERDB_*``,
``./cromwell-userdb.toml``, the instance's ``settings.toml``, the user's file, the site's file.
"""

from __future__ import annotations

import contextlib
import difflib
import math
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any

from cromwell_userdb.errors import SettingError

ENVIRONMENT = "CROMWELL_USERDB_"

Value = str | int | float | bool | tuple[str, ...]


def _setting(
    default: Value,
    text: str,
    *,
    choices: tuple[str, ...] = (),
    anywhere: bool = True,
    path: bool = False,
    site: bool = False,
) -> Any:
    metadata = {
        "text": text,
        "choices": choices,
        "anywhere": anywhere and not path and not site,
        "path": path,
    }
    return field(default=default, metadata=metadata)


_STRATEGIES = ("hard-link", "soft-link", "copy")
_HASHES = ("auto", "fingerprint", "path+modtime", "path", "md5", "xxh64")


@dataclass(frozen=True)
class Settings:
    """One value per setting; ``server_idle_minutes`` is ``server.idle_minutes`` in a file."""

    server_binary: str = _setting("", "mariadbd or mysqld to use", path=True)
    server_idle_minutes: float = _setting(10.0, "minutes without a connection before it stops")
    server_buffer_pool_mb: int = _setting(64, "memory for the database's pages, MB")
    server_flush: str = _setting(
        "auto", "innodb_flush_log_at_trx_commit; auto: by the disk", choices=("auto", "1", "2")
    )
    server_allow_no_locks: bool = _setting(
        False, "serve from a file system without working locks", anywhere=False
    )
    engine_kind: str = _setting(
        "auto",
        "which engine runs workflows",
        choices=("auto", "cromwell", "embedded"),
        anywhere=False,
    )
    engine_cromwell: str = _setting("", "cromwell.jar, or an executable cromwell", path=True)
    engine_java: str = _setting("", "java to start Cromwell with", path=True)
    engine_heap_mb: int = _setting(0, "memory for Cromwell's JVM, MB; 0: by its own measure")
    engine_url: str = _setting("", "where releases are downloaded from", anywhere=False)
    engine_network_imports: bool = _setting(
        False, "let workflows import from http and https addresses", anywhere=False
    )
    run_backend: str = _setting(
        "auto", "where calls run; decided at init", choices=("auto", "local", "slurm")
    )
    run_executions: str = _setting("", "folder that workflows run in", path=True)
    run_concurrent_jobs: int = _setting(0, "calls at the same time; 0: as many as the place takes")
    run_job_rate: int = _setting(20, "calls started a second, at most")
    run_memory_mb: int = _setting(2000, "memory of a task that asks for none, MB")
    run_memory_factor: float = _setting(1.0, "more next time, if a call ran out of its memory")
    run_failure_mode: str = _setting(
        "NoNewCalls",
        "after a failed call",
        choices=("NoNewCalls", "ContinueWhilePossible"),
    )
    run_modules: tuple[str, ...] = _setting(
        (), "environment modules that engine and calls get", anywhere=False
    )
    run_copy_outputs_to: str = _setting("", "folder that outputs are copied to", path=True)
    cache_hashing: str = _setting(
        "auto", "how files are told apart; auto: fingerprint", choices=_HASHES
    )
    cache_localization: tuple[str, ...] = _setting(
        _STRATEGIES, "how inputs come to a call", choices=_STRATEGIES
    )
    cache_duplication: tuple[str, ...] = _setting(
        _STRATEGIES, "how a cached result comes to a call", choices=_STRATEGIES
    )
    local_cores: int = _setting(0, "cores for calls on this machine; 0: all")
    local_memory_mb: int = _setting(0, "memory for calls on this machine, MB; 0: nine tenths")
    local_nice: int = _setting(0, "niceness of calls on this machine")
    slurm_cluster: str = _setting("", "cluster of the calls, by SLURM's name; else the local one")
    slurm_partition: str = _setting("", "partition")
    slurm_account: str = _setting("", "account")
    slurm_qos: str = _setting("", "quality of service")
    slurm_constraint: str = _setting("", "features that nodes must have")
    slurm_reservation: str = _setting("", "reservation")
    slurm_time: str = _setting("", "time limit: minutes or d-hh:mm:ss")
    slurm_exclude: str = _setting("", "nodes to leave out")
    slurm_extra: tuple[str, ...] = _setting((), "more options of sbatch")
    slurm_disks_as_tmp: bool = _setting(False, "ask for a task's disks as --tmp")
    slurm_time_factor: float = _setting(2.0, "longer next time, if a call ran out of its time")
    slurm_longer: tuple[str, ...] = _setting((), "partitions for calls that ran out of their time")
    slurm_poll_seconds: int = _setting(30, "seconds between two looks at the queue")
    leader_partition: str = _setting("", "partition of leaders; else that of calls")
    leader_time: str = _setting("", "time limit of a leader: minutes or d-hh:mm:ss")
    leader_memory_mb: int = _setting(0, "memory of a leader, MB; 0: 2000 and the engine's heap")
    leader_cpus: int = _setting(2, "cores of a leader")
    leader_signal_seconds: int = _setting(300, "seconds before its limit that a leader stops")
    container_runtime: str = _setting(
        "auto",
        "what runs the images that tasks name; none: they are ignored",
        choices=("auto", "apptainer", "singularity", "podman", "docker", "none"),
    )
    container_program: str = _setting("", "that program; else the one on PATH", path=True)
    container_images: str = _setting("", "folder that images are kept in", path=True)
    container_site_images: tuple[str, ...] = _setting(
        (), "folders of images that others see to, looked into first", path=True
    )
    container_pull: str = _setting(
        "here", "where missing images are pulled", choices=("here", "job", "never")
    )
    container_binds: tuple[str, ...] = _setting(
        (), "more folders that containers see: SRC, SRC:DST or SRC:DST:ro"
    )
    limits_when: str = _setting(
        "auto",
        "keep engine and server to the limits below; auto: on a login node",
        choices=("auto", "always", "never"),
    )
    limits_nice: int = _setting(10, "niceness there")
    limits_io: str = _setting("low", "turn at the disks there", choices=("normal", "low", "idle"))
    limits_cores: int = _setting(2, "cores there, all together; 0: all")
    limits_memory_mb: int = _setting(4096, "engine's heap and database's pages there, MB; 0: any")
    site_locked: tuple[str, ...] = _setting((), "settings that users may not change", site=True)
    site_forbidden: tuple[str, ...] = _setting(
        (), "what users may not choose, as setting=value", site=True
    )
    site_partitions: tuple[str, ...] = _setting(
        (), "partitions that init proposes, the best first", site=True
    )
    site_run_on_login_node: bool = _setting(
        True, "let run lead on a login node; else it says to use submit", site=True
    )
    site_message: str = _setting("", "words for whom something is refused", site=True)
    template_dir: str = _setting("", "folder of templates that come before ours", path=True)
    template_snippet: str = _setting("", "HOCON put at the end of cromwell.conf", path=True)

    @property
    def local_partition(self) -> str:
        """The partition for what runs on this cluster wherever the calls do."""
        return "" if self.slurm_cluster else self.slurm_partition

    def by_name(self) -> dict[str, Value]:
        """Every setting under its name in a file, in the order of the manual."""
        return {name: getattr(self, _attribute(name)) for name in NAMES}


def _dotted(attribute: str) -> str:
    return attribute.replace("_", ".", 1)


def _attribute(name: str) -> str:
    return name.replace(".", "_", 1)


def variable(name: str) -> str:
    """The variable of the environment that sets `name`."""
    return ENVIRONMENT + _attribute(name).upper()


_FIELDS = {_dotted(known.name): known for known in fields(Settings)}
NAMES = tuple(_FIELDS)
_DEFAULTS = Settings().by_name()


def paths(name: str, value: Value) -> tuple[str, ...]:
    """The files and folders in a setting's value; none where it is of another kind."""
    if not _FIELDS[name].metadata["path"]:
        return ()
    return value if isinstance(value, tuple) else tuple(filter(None, [str(value)]))


def describe(name: str) -> str:
    """One line on the setting: what it is, and what it takes where that is a choice."""
    metadata = _FIELDS[name].metadata
    choices = f" ({', '.join(metadata['choices'])})" if metadata["choices"] else ""
    return f"{metadata['text']}{choices}"


def check(name: str, value: Any, *, origin: str) -> Value:
    """The value in the setting's type; SettingError names the origin, and the likely name.

    >>> check("server.idle_minutes", "5", origin="the environment")
    5.0
    """
    known(name, origin=origin)
    default, metadata = _DEFAULTS[name], _FIELDS[name].metadata
    try:
        result = _coerced(value, default)
    except ValueError as error:
        raise SettingError(f"{origin}: {name} takes {error}, not {value!r}.") from error
    for part in result if isinstance(result, tuple) else (result,):
        if metadata["choices"] and part not in metadata["choices"]:
            raise SettingError(
                f"{origin}: {name} takes {', '.join(metadata['choices'])}, not {part!r}."
            )
    return result


def known(name: str, *, origin: str) -> str:
    """The name of a setting; SettingError, with the likely one, where there is none."""
    if name not in _FIELDS:
        raise SettingError(f"{origin}: there is no setting {name!r}.{_likely(name, NAMES)}")
    return name


def _likely(name: str, names: Sequence[str]) -> str:
    """What is meant by `name`: spelled so, or a last part that only one name has."""
    folded = {known.lower(): known for known in names}
    near = difflib.get_close_matches(name.lower().replace("-", "_"), folded, n=1)
    same = [known for known in names if known.partition(".")[2] == name.rpartition(".")[2]]
    meant = folded[near[0]] if near else same[0] if len(same) == 1 else ""
    return f" Did you mean {meant}?" if meant else ' "config show" lists them all.'


def _coerced(value: Any, default: Value) -> Value:
    if isinstance(default, bool):
        words = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
        if str(value).lower() in words:
            return words[str(value).lower()]
        raise ValueError("true or false")
    if isinstance(default, tuple):
        if isinstance(value, str):
            # Options such as --mail-type=END,FAIL have commas of their own.
            between = r",\s*(?=-)" if value.lstrip().startswith("-") else ","
            return tuple(part.strip() for part in re.split(between, value) if part.strip())
        if isinstance(value, list | tuple) and all(isinstance(part, str) for part in value):
            return tuple(value)
        raise ValueError("a list of words")
    if isinstance(default, str):
        if isinstance(value, str | int) and not isinstance(value, bool):
            return str(value)
        raise ValueError("text")
    kind, word = (float, "a number") if isinstance(default, float) else (int, "a whole number")
    try:
        number = kind(value) if not isinstance(value, bool) else -1
    except (TypeError, ValueError):
        number = -1
    if not 0 <= number < math.inf or (kind is int and isinstance(value, float)):
        raise ValueError(f"{word} from 0 on")
    return number


def from_toml(text: str, *, origin: str, anywhere: bool = False) -> dict[str, Value]:
    """The settings in a TOML file; `anywhere` refuses those that a stray file may not set."""
    try:
        sections = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise SettingError(f"{origin}: {error}.") from error
    found: dict[str, Value] = {}
    for section, content in sections.items():
        if not isinstance(content, dict):
            raise SettingError(f"{origin}: {section!r} stands outside of a [section].")
        for key, value in content.items():
            name = f"{section}.{key}"
            found[name] = check(name, value, origin=origin)
            for path in paths(name, found[name]):
                if not path.startswith(("/", "~")):
                    raise SettingError(
                        f"{origin}: {name} takes a whole path, from / or ~ on, not {path!r}: it "
                        "has to mean the same wherever you are."
                    )
            if anywhere and not _FIELDS[name].metadata["anywhere"]:
                raise SettingError(
                    f"{origin}: {name} may not be set in the current folder; use "
                    f"cromwell-userdb config set {name} …"
                )
    return found


def from_environment(environ: Mapping[str, str]) -> dict[str, Value]:
    """The settings in CROMWELL_USERDB_<SECTION>_* variables; other variables are left alone."""
    found = {}
    known = {variable(name): name for name in NAMES}
    sections = tuple(f"{ENVIRONMENT}{name.partition('.')[0].upper()}_" for name in NAMES)
    for given, text in environ.items():
        if given in known:
            found[known[given]] = check(known[given], text, origin=f"${given}")
        elif given.startswith(sections):
            raise SettingError(f"${given} is no setting.{_likely(given, tuple(known))}")
    return found


@dataclass(frozen=True)
class Layer:
    """Settings from one origin, such as a file's path or "command line"."""

    origin: str
    values: Mapping[str, Value]
    is_site: bool = False


@dataclass(frozen=True)
class Resolved:
    """The settings in force, the origin of each one that is no default, and which are fixed."""

    settings: Settings
    origins: Mapping[str, str]
    fixed: frozenset[str] = frozenset()


def resolve(layers: Sequence[Layer], *, fixed: frozenset[str] = frozenset()) -> Resolved:
    """Merge, the first layer that names a setting wins."""
    values: dict[str, Value] = {}
    origins: dict[str, str] = {}
    for layer in reversed(layers):
        values.update(layer.values)
        origins.update(dict.fromkeys(layer.values, layer.origin))
    chosen: dict[str, Any] = {_attribute(name): value for name, value in values.items()}
    return Resolved(Settings(**chosen), origins, fixed)


def to_toml(values: Mapping[str, Value]) -> str:
    """The text of a settings file with these values, in the order of the manual."""
    lines: list[str] = []
    section = ""
    for name in NAMES:
        if name in values:
            head, _, key = name.partition(".")
            if head != section:
                lines += ([""] if lines else []) + [f"[{head}]"]
                section = head
            lines.append(f"{key} = {_literal(values[name])}")
    return "\n".join(lines) + "\n" if lines else ""


def edited(text: str, name: str, value: Value | None, *, origin: str) -> str:
    """The text of a settings file with one setting changed, or taken out where it is None.

    Comments and order stay where the file is written line by line, as we write it.
    """
    wanted = from_toml(text, origin=origin)
    wanted.pop(name, None)
    if value is not None:
        wanted[name] = value
    changed = "\n".join(_edited(text.splitlines(), name, value)) + "\n"
    with contextlib.suppress(SettingError):
        if from_toml(changed, origin=origin) == wanted:
            return changed
    return to_toml(wanted)


def _edited(lines: list[str], name: str, value: Value | None) -> list[str]:
    section, _, key = name.partition(".")
    heads = [number for number, line in enumerate(lines) if line.strip() == f"[{section}]"]
    new = [] if value is None else [f"{key} = {_literal(value)}"]
    if not heads:
        return [*lines, *([""] if lines else []), f"[{section}]", *new] if new else lines
    begin = heads[0] + 1
    after = (number for number, line in enumerate(lines) if line.startswith("["))
    end = next((number for number in after if number >= begin), len(lines))
    for pattern in (rf"\s*{key}\s*=", rf"\s*#\s*{key}\s*="):
        for number in range(begin, end):
            if re.match(pattern, lines[number]) and (new or "#" not in pattern):
                return [*lines[:number], *new, *lines[number + 1 :]]
    while end > begin and not lines[end - 1].strip():
        end -= 1
    return [*lines[:end], *new, *lines[end:]]


def commented() -> str:
    """A settings file to start from: every setting with its default, none of them in force."""
    lines: list[str] = []
    for name, value in _DEFAULTS.items():
        section, _, key = name.partition(".")
        if f"[{section}]" not in lines:
            lines += [*([""] if lines else []), f"[{section}]"]
        lines += [f"# {describe(name)}", f"# {key} = {_literal(value)}"]
    return "\n".join(lines) + "\n"


def _literal(value: Value) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(value)
    if isinstance(value, tuple):
        return "[" + ", ".join(_literal(part) for part in value) + "]"
    escaped = "".join(
        f"\\u{ord(char):04x}" if char < " " or char in '"\\' or char == "\x7f" else char
        for char in value
    )
    return f'"{escaped}"'
