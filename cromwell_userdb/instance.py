"""An instance: one root directory and the names inside it.

Nothing here touches the disk, so an instance can be named, compared and printed
before it exists. The layout is the manual's "What lies where".
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

from cromwell_userdb.errors import UsageError

MAX_SOCKET_PATH = 107
"""Bytes: sun_path on Linux has 108, the last one a NUL."""

FORMAT = 1
"""Version of the layout on disk, recorded in instance.json."""

_SAFE_PLACE = re.compile(r"[A-Za-z0-9._/@+=-]+")
_SAFE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


def check_place(path: Path) -> Path:
    """Return `path`, or refuse it: Cromwell's scripts hold unquoted paths."""
    if not _SAFE_PLACE.fullmatch(str(path)):
        raise UsageError(
            f"{str(path)!r} can't hold an instance or executions: only letters, digits and "
            "._/@+=- are safe in Cromwell's scripts. Choose another place with --root"
            " or --executions."
        )
    return path


def check_name(name: str) -> str:
    """Return `name`, or refuse what could not be a folder's plain name."""
    if not _SAFE_NAME.fullmatch(name):
        raise UsageError(
            f"{name!r} is no name for an instance: use up to 64 letters, digits and ._-, "
            "beginning with a letter or digit."
        )
    return name


@dataclass(frozen=True)
class RunFolder:
    """The files of run `number`, below the instance's `runs/`."""

    path: Path

    @property
    def number(self) -> int:
        return int(self.path.name)

    def sibling(self, number: int) -> RunFolder:
        """Another run of the same instance."""
        return RunFolder(self.path.with_name(str(number)))

    @property
    def request(self) -> Path:
        return self.path / "request.json"

    @property
    def conf(self) -> Path:
        return self.path / "cromwell.conf"

    @property
    def inputs(self) -> Path:
        return self.path / "inputs.json"

    @property
    def options(self) -> Path:
        return self.path / "options.json"

    @property
    def labels(self) -> Path:
        return self.path / "labels.json"

    @property
    def imports(self) -> Path:
        return self.path / "imports.zip"

    @property
    def hooks(self) -> Path:
        return self.path / "hooks"

    @property
    def engine_log(self) -> Path:
        return self.path / "engine.log"

    @property
    def leader_log(self) -> Path:
        return self.path / "leader.log"

    @property
    def state(self) -> Path:
        return self.path / "state.json"

    @property
    def outputs(self) -> Path:
        return self.path / "outputs.json"

    @property
    def pulls(self) -> Path:
        """What became of the images that the run's tasks need."""
        return self.path / "pulls.jsonl"

    @property
    def images(self) -> Path:
        """The names of images that the run is sure to want; no file where no task wants any."""
        return self.path / "images.json"

    @property
    def abort(self) -> Path:
        return self.path / "abort"

    @property
    def cancel(self) -> Path:
        """Jobs that SLURM is still to be told to cancel."""
        return self.path / "cancel"


@dataclass(frozen=True)
class Instance:
    """One private database with its settings and runs.

    `runtime` is the user's runtime directory; it lends a short name to a socket
    whose own path is too long to bind.
    """

    root: Path
    runtime: Path | None = None

    @property
    def facts(self) -> Path:
        return self.root / "instance.json"

    @property
    def settings(self) -> Path:
        return self.root / "settings.toml"

    @property
    def my_cnf(self) -> Path:
        return self.root / "my.cnf"

    @property
    def init_sql(self) -> Path:
        return self.root / "init.sql"

    @property
    def secret(self) -> Path:
        return self.root / "secret"

    @property
    def ballast(self) -> Path:
        return self.root / "ballast"

    @property
    def datadir(self) -> Path:
        return self.root / "data"

    @property
    def tmp(self) -> Path:
        return self.root / "tmp"

    @property
    def lease(self) -> Path:
        return self.root / "lease.json"

    @property
    def lease_wanted(self) -> Path:
        return self.root / "lease.wanted"

    @property
    def lock(self) -> Path:
        return self.root / "lock"

    @property
    def serving(self) -> Path:
        """Locked by supervisor and server, from before the one makes the other to the end."""
        return self.root / "serving"

    @property
    def tables_lock(self) -> Path:
        """Held while Cromwell's tables are made."""
        return self.root / "tables.lock"

    @property
    def log(self) -> Path:
        return self.root / "log"

    @property
    def server_log(self) -> Path:
        return self.log / "server.log"

    @property
    def supervisor_log(self) -> Path:
        return self.log / "supervisor.log"

    @property
    def runs(self) -> Path:
        return self.root / "runs"

    def run(self, number: int) -> RunFolder:
        return RunFolder(self.runs / str(number))

    @property
    def alias(self) -> Path | None:
        """A short link to the root in the runtime directory, where the socket needs one."""
        if len(os.fsencode(self.root / "s")) <= MAX_SOCKET_PATH or self.runtime is None:
            return None
        # Brings OpenSSL with it: 4 MB that the supervisor rarely needs.
        import hashlib

        digest = hashlib.sha256(os.fsencode(self.root)).hexdigest()[:12]
        return self.runtime / "cromwell-userdb" / digest

    @property
    def socket(self) -> Path:
        """The path to bind and connect to; raises UsageError when none is short enough."""
        path = (self.alias or self.root) / "s"
        if len(os.fsencode(path)) > MAX_SOCKET_PATH:
            raise UsageError(
                f"No socket fits under {self.root}: its path may have {MAX_SOCKET_PATH} bytes. "
                "Choose a shorter --root."
            )
        return path
