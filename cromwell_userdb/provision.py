"""The birth of an instance: a private place, probed, with a datadir from a template.

`instance.json` is written last, so a folder without one is an unfinished birth, which the
next one completes.
"""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cromwell_userdb import binaries, conda, disk, locks, pack, process, render
from cromwell_userdb.binaries import Server
from cromwell_userdb.errors import (
    CommandFailed,
    NoSpace,
    NotFound,
    StartFailed,
    UsageError,
)
from cromwell_userdb.instance import FORMAT, Instance, check_place
from cromwell_userdb.record import make_private, write_json

_TEMPLATE_FORMAT = 3
_SCRIPTS = ("system_tables.sql", "performance_tables.sql", "system_tables_data.sql")
_SCHEMA = (
    "CREATE DATABASE cromwell CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci;\nUSE cromwell;\n"
)
# What a birth leaves before it is finished; anything else in the folder is somebody's own.
_OURS = {"lock", "log", "runs", "tmp", "secret", "my.cnf", "init.sql", "ballast", "data"}
_OURS |= {"settings.toml", "executions", "lease.json", "serving", "s"}


def birth(
    instance: Instance,
    server: Server,
    *,
    cache: Path,
    allow_root: bool = False,
    allow_no_locks: bool = False,
    tables: str = "",
    timeout: float = 120,
) -> dict[str, Any]:
    """Make `instance` and return its facts; twice, or two at once, is as good as once.

    `tables` is SQL that a template for MariaDB has run once, in an empty schema `cromwell`:
    so the instances made from it need not.
    """
    check_place(instance.root)
    _ = instance.socket  # refused here when no name is short enough
    if os.geteuid() == 0 and not allow_root:
        raise UsageError(
            "An instance of root's would run every workflow as root. Do this as yourself,"
            " or say --allow-root."
        )
    disk.check_private(instance.root)
    with disk.no_space(instance.root):
        _make_root(instance.root)
        with locks.exclusive(instance.lock, timeout, doing="init"):
            return _finished(instance) or _bear(instance, server, cache, tables, allow_no_locks)


def _make_root(root: Path) -> None:
    try:
        make_private(root)
    except PermissionError as error:
        raise UsageError(
            f"{root} can't be made: permission denied. Choose another --root."
        ) from error


def _finished(instance: Instance) -> dict[str, Any] | None:
    return disk.facts(instance) if instance.datadir.is_dir() else None


def _bear(
    instance: Instance, server: Server, cache: Path, tables: str, allow_no_locks: bool
) -> dict[str, Any]:
    disk.check_data(instance)
    _check_empty(instance.root)
    disk.sweep(instance.root, age=0)  # nobody else writes here yet
    probed = disk.probe(instance.root)
    _check_able(instance.root, probed, allow_no_locks)
    for folder in (instance.log, instance.runs, instance.tmp):
        make_private(folder)
    disk.secret(instance)
    disk.write_ballast(instance)
    if not instance.datadir.is_dir():
        _unpack(template(server, cache, tables), instance.datadir)
    known = {
        "format": FORMAT,
        "flavour": server.flavour,
        "version": server.number,
        "server": str(server.path),
        "user": disk.os_user(),
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "probe": asdict(probed),
    }
    write_json(instance.facts, known)
    return known


def _check_empty(root: Path) -> None:
    names = {path.name for path in root.iterdir()} - _OURS
    strange = [name for name in names if not disk.is_passing(name)]
    if strange and "data" in {path.name for path in root.iterdir()}:
        raise UsageError(
            f"{root} has a database, but its instance.json is gone or damaged. Bring that file"
            " back from a backup, or make another instance with --root or --name."
        )
    if strange:
        raise UsageError(
            f"{root} holds things that are no instance's ({sorted(strange)[0]}). Choose a new"
            " or an empty folder with --root."
        )
    root.chmod(0o700)


def _check_able(root: Path, probed: disk.Probe, allow_no_locks: bool) -> None:
    if not probed.locks and not allow_no_locks:
        raise UsageError(
            f"The file system of {root} ({probed.type or 'of unknown type'}) has no working locks,"
            " so two servers could ruin one database. Choose another --root, or say"
            " --allow-no-locks."
        )
    if probed.free < disk.NEEDED:
        raise NoSpace(disk.space_sentence(root, probed.free))
    disk.check_quota(root)


def install_server(
    cache: Path,
    *,
    channel: str = conda.CHANNEL,
    progress: Callable[[str], None] = lambda words: None,
) -> Server:
    """Put a server into `cache`, unless there is one; `channel` is a name or a URL.

    Needs the extra `managed`. What was interrupted is done again from the start.
    """
    # In this order; a channel need not have both.
    wanted = ("mariadb-server >=10.5", "mysql-server >=8.0")
    prefix = installed_server(cache)
    conda.install(prefix, wanted, cache=cache, what="server", channel=channel, progress=progress)
    return binaries.find_server(prefix)


def installed_server(cache: Path) -> Path:
    """Prefix of the server that `install_server` puts into `cache`, there or not."""
    return cache / "server"


# The template: an empty datadir, made once for each version of a server.


def template(server: Server, cache: Path, tables: str = "") -> Path:
    """The pack of a datadir of `server` without rows, made now if there is none yet."""
    name = f"{server.flavour}-{server.text}-{disk.os_user()}-{_TEMPLATE_FORMAT}"
    if tables:
        name += f"-{hashlib.sha256(tables.encode()).hexdigest()[:12]}"
    name = "".join(sign if sign.isalnum() or sign in "._-" else "_" for sign in name)
    file = make_private(cache / "datadir") / f"{name}.pack"
    if file.is_file():
        return file
    with locks.exclusive(file.with_name(f".{name}.lock"), 300, doing="first init"):
        if not file.is_file():
            _make_template(server, file, tables)
    return file


def _make_template(server: Server, file: Path, tables: str) -> None:
    for old in file.parent.glob(f".{file.stem}.*[0-9]"):
        shutil.rmtree(old, ignore_errors=True)
    making = make_private(file.with_name(f".{file.stem}.{os.getpid()}"))
    try:
        _initialise(server, making, tables)
        for name in ("auto.cnf", "*.pem", "ib_buffer_pool", "*.err", "*.pid"):
            for path in making.glob(name):
                path.unlink()
        pack.pack(making, file)
    finally:
        shutil.rmtree(making, ignore_errors=True)


def _initialise(server: Server, datadir: Path, tables: str) -> None:
    if server.flavour == "mysql":
        _initialise_mysql(server, datadir)
        return
    scripts = _system_scripts(server)
    if scripts is None:
        _install_db(server, datadir)
        return
    preface = (
        "create database if not exists mysql;\nuse mysql;\n"
        f"SET @auth_root_socket={render.sql_string(disk.os_user())};\n"
    )
    text = preface + "".join(path.read_text(errors="replace") for path in scripts)
    text += "\nDELETE FROM mysql.proxies_priv;\n"
    if tables:
        text += f"{_SCHEMA}SET foreign_key_checks = 0;\n{tables}\n"
    _run([*bootstrap_argv(server, datadir), *_as_root()], datadir, text)


def bootstrap_argv(server: Server, datadir: Path) -> list[str]:
    """Sizes are those of my.cnf: what a datadir is born with can't be changed later."""
    return [
        str(server.path),
        "--no-defaults",
        "--bootstrap",
        *_sizes(datadir),
        "--log-warnings=0",
        "--enforce-storage-engine=",
        "--max-allowed-packet=8M",
    ]


def _sizes(datadir: Path) -> list[str]:
    return [
        f"--datadir={datadir}",
        f"--tmpdir={datadir}",
        "--innodb-data-file-path=ibdata1:10M:autoextend",
        "--innodb-autoextend-increment=1",
        "--innodb-undo-tablespaces=3",
        "--innodb-log-file-size=8M",
        "--aria-log-file-size=8M",
        "--innodb-temp-data-file-path=ibtmp1:1M:autoextend",
        "--character-set-server=utf8mb4",
        "--collation-server=utf8mb4_general_ci",
        # Nothing of it matters before the folder gets its name, and it is synced then.
        "--innodb-flush-method=nosync",
        "--skip-sync-frm",
    ]


def _as_root() -> list[str]:
    return ["--user=root"] if os.geteuid() == 0 else []


def _system_scripts(server: Server) -> list[Path] | None:
    """The SQL that makes the system tables, beside the server; None where it is elsewhere."""
    prefix = server.path.resolve().parent.parent
    for share in ("share/mysql", "share/mariadb", "share"):
        for brand in ("mysql", "mariadb"):  # the latter since MariaDB 11
            scripts = [prefix / share / f"{brand}_{name}" for name in _SCRIPTS]
            if all(path.is_file() for path in scripts):
                return scripts
    return None


def _install_db(server: Server, datadir: Path) -> None:
    program = binaries.companion(server, "mariadb-install-db", "mysql_install_db")
    if program is None:
        raise NotFound(
            f"{server.path} lacks its own SQL files (mysql_system_tables.sql) and"
            " mariadb-install-db. Install the whole package of the server, or name another with"
            " --server."
        )
    argv = [str(program), "--no-defaults", *_sizes(datadir), "--force"]
    who = [f"--auth-root-socket-user={disk.os_user()}"]
    mode = ["--auth-root-authentication-method=socket", "--skip-test-db"]
    _run([*argv, *mode, *who, *_as_root()], datadir, "")


def _initialise_mysql(server: Server, datadir: Path) -> None:
    if disk.os_user() == "cromwell":
        raise UsageError(
            "MySQL can't have one account for you, cromwell, and for the engine of that name."
            " Use MariaDB, or another user."
        )
    argv = [
        str(server.path),
        "--no-defaults",
        "--initialize-insecure",
        f"--datadir={datadir}",
        f"--tmpdir={datadir.parent}",
        "--secure-file-priv=NULL",
        "--loose-mysqlx=OFF",
        "--innodb-redo-log-capacity=8M",
        "--innodb-data-file-path=ibdata1:10M:autoextend",
        "--disable-log-bin",
        "--character-set-server=utf8mb4",
        "--collation-server=utf8mb4_general_ci",
        *_as_root(),
    ]
    _run(argv, datadir, "")


def _run(argv: list[str], datadir: Path, text: str) -> None:
    env = {"UMASK": "0600", "UMASK_DIR": "0700", "LANG": "C", "TZ": "UTC", "HOME": str(datadir)}
    env["PATH"] = os.defpath
    try:
        process.run(argv, timeout=300, env=env, cwd=datadir, stdin=text)
    except CommandFailed as error:
        words = str(error)
        errors = [line for line in words.splitlines() if "ERROR" in line]
        if "No space left" in words or "rrcode: 28" in words or "error 28" in words:
            raise OSError(errno.ENOSPC, "while the datadir was made", str(datadir)) from error
        words = "\n".join(errors[-5:]) or words
        raise StartFailed(f"{argv[0]} could not make an empty database: {words}") from error


def _unpack(template: Path, datadir: Path) -> None:
    """Make the datadir of the template, and give it its name last."""
    making = datadir.with_name(f".data.{os.getpid()}")
    pack.unpack(template, making)
    making.rename(datadir)
    pack.sync(datadir.parent)
