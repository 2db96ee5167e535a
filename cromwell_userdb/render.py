"""Templates to text: one function per file, and no template ever renders a hole."""

from __future__ import annotations

import contextlib
import json
import shlex
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from traceback import walk_tb
from typing import Any
from urllib.parse import urlencode

from jinja2 import (
    ChoiceLoader,
    Environment,
    FileSystemBytecodeCache,
    FileSystemLoader,
    PackageLoader,
    StrictUndefined,
    TemplateError,
    TemplateSyntaxError,
)
from jinja2.bccache import Bucket

from cromwell_userdb.errors import SettingError
from cromwell_userdb.instance import Instance
from cromwell_userdb.record import own_cache


@dataclass(frozen=True)
class CromwellConf:
    """What a run's configuration depends on.

    `backend` names the provider, and the template `<backend>.conf.j2` beside it;
    `provider` holds what that one needs besides. `snippet` is HOCON of the user's own.
    """

    url: str
    password: str
    backend: str
    root: str
    hooks: str
    workflow_logs: str
    hashing: str
    localization: tuple[str, ...]
    duplication: tuple[str, ...]
    concurrent_jobs: int = 0
    job_rate: int = 20
    poll_seconds: int = 30
    failure_mode: str = "NoNewCalls"
    abort_jobs: bool = True
    migrates: bool = False
    snippet: str = ""
    snippet_origin: str = ""
    provider: Mapping[str, Any] = field(default_factory=dict)


def cromwell_conf(conf: CromwellConf, *, own: Path | None = None) -> str:
    """The run's cromwell.conf, which holds the database's password.

    Raises SettingError for a template of the folder `own` that does not render.
    """
    values = asdict(conf) | dict(conf.provider)
    try:
        return environment(own).get_template("cromwell.conf.j2").render(values)
    except (TemplateError, UnicodeDecodeError, OSError) as error:
        if own is None:
            raise
        raise SettingError(f"{own}: {_place(error, own)}{str(error).rstrip('.')}.") from error


def _place(error: BaseException, own: Path) -> str:
    """The template of `own` and its line that an error comes from, "" where nobody can tell."""
    if isinstance(error, TemplateSyntaxError):
        return f"{error.name}:{error.lineno}: "
    lines = [
        f"{Path(frame.f_code.co_filename).name}:{line}: "
        for frame, line in walk_tb(error.__traceback__)
        if Path(frame.f_code.co_filename).parent == own
    ]
    return lines[-1] if lines else ""


def leader_script(run: int, *, root: Path, python: str) -> str:
    """The batch script of a run's leader."""
    template = environment().get_template("leader.sh.j2")
    return template.render(run=run, root=str(root), python=python)


def jdbc_url(*, snapshot_isolation: bool, truncates: bool = True) -> str:
    """The URL for MariaDB's driver over our Unix socket, which serves MySQL's server too.

    `snapshot_isolation` turns a silent lost update between several runs into an error that
    Cromwell tries again; only for servers that know the switch, never while migrating.
    `truncates` lets a value too long for its column be cut, not end the run.
    """
    options = {"socketFactory": "UnixSocketFactory", "rewriteBatchedStatements": "true"}
    if truncates:
        options["jdbcCompliantTruncation"] = "false"
    if snapshot_isolation:
        options["sessionVariables"] = "innodb_snapshot_isolation=ON"
    return "jdbc:mariadb://localhost/cromwell?" + urlencode(options, safe="=")


@dataclass(frozen=True)
class Tuning:
    """What a server's option file leaves open; sizes in MiB.

    `trx_commit` 2 may lose the last second when the whole machine dies, and is three times as
    fast on slow disks; 1 loses nothing.
    """

    buffer_pool_mb: int = 64
    redo_mb: int = 8
    trx_commit: int = 1
    flush_method: str = "O_DIRECT"
    max_connections: int = 300


def my_cnf(instance: Instance, tuning: Tuning, *, flavour: str, os_user: str) -> str:
    """The server's option file; only this file is read, never the user's own."""
    return (
        environment()
        .get_template("my.cnf.j2")
        .render(instance=instance, flavour=flavour, os_user=os_user, **asdict(tuning))
    )


def init_sql(*, flavour: str, os_user: str, secret: str) -> str:
    """The accounts, one statement a line, run at each start before anybody can connect."""
    return (
        environment()
        .get_template("init.sql.j2")
        .render(
            flavour=flavour,
            admin=sql_string(os_user),
            engine=sql_string("cromwell"),
            secret=sql_string(secret),
        )
    )


def sql_string(text: str) -> str:
    """`text` as SQL, whatever it holds.

    >>> print(sql_string("O'Neil"))
    'O''Neil'
    """
    return "'" + text.replace("\\", "\\\\").replace("'", "''") + "'"


def environment(own: Path | None = None) -> Environment:
    """The templates of the package; those in the folder `own` come first."""
    loaders = [FileSystemLoader(own)] if own else []
    kept = own_cache("templates")
    templates = Environment(
        bytecode_cache=_Compiled(str(kept)) if kept else None,
        loader=ChoiceLoader([*loaders, PackageLoader("cromwell_userdb")]),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    templates.filters["bash"] = shlex.quote
    templates.filters["hocon"] = hocon
    return templates


class _Compiled(FileSystemBytecodeCache):
    """Templates as they were compiled once, where the disk has room for it."""

    def dump_bytecode(self, bucket: Bucket) -> None:
        with contextlib.suppress(OSError):
            super().dump_bytecode(bucket)


def hocon(value: Any) -> str:
    """`value` as HOCON, of which JSON is a part: quotes, escapes, lists and booleans.

    >>> print(hocon('${x} "é"'))
    "${x} \\"é\\""
    """
    if isinstance(value, StrictUndefined):
        str(value)  # raises, and names what is missing
    return json.dumps(value, ensure_ascii=False)
