"""Instances with a real server, for tests: born from one template, gone afterwards."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import folders
import pytest

from cromwell_userdb import binaries, database, lease, provision, server, startup
from cromwell_userdb.binaries import Server
from cromwell_userdb.errors import NotFound, UserDBError
from cromwell_userdb.instance import Instance

Birth = Callable[[Path], Instance]


@pytest.fixture(scope="session")
def program() -> Server:
    """The database server of this machine, or the one that TEST_SERVER names."""
    named = os.environ.get("TEST_SERVER")
    try:
        return binaries.find_server(Path(named) if named else None)
    except NotFound as error:
        pytest.skip(str(error))


@pytest.fixture(scope="session")
def templates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache, in which the first birth leaves its template for the others."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder with a short path, for sockets."""
    path = folders.made("db")
    yield path
    folders.gone(path)


@pytest.fixture
def born(program: Server, templates: Path) -> Iterator[Birth]:
    """Gives birth to instances, and ends their servers afterwards."""
    children: list[Instance] = []

    def birth(root: Path) -> Instance:
        instance = Instance(root)
        children.append(instance)
        provision.birth(instance, program, cache=templates, allow_root=True)
        return instance

    yield birth
    for instance in children:
        end(instance)


@pytest.fixture
def instance(born: Birth, folder: Path) -> Instance:
    """An instance whose server does not run yet."""
    return born(folder / "i")


@pytest.fixture
def served(instance: Instance, program: Server) -> Instance:
    """An instance whose server runs."""
    startup.start(instance, program)
    return instance


def end(instance: Instance) -> None:
    """Have no server of `instance` left, however it was left."""
    held = lease.read(instance.lease)
    if held is not None and held.holder.is_alive:
        kill(held.holder.pid)
    for pid in server.processes(instance):
        kill(pid)


def kill(pid: int, signum: signal.Signals = signal.SIGKILL) -> None:
    """Send the signal, and wait until the process is gone."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signum)
    until(lambda: not alive(pid))


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return False


def until(true: Callable[[], object], timeout: float = 30) -> None:
    """Wait for it; fail when it does not come."""
    deadline = time.monotonic() + timeout
    while not true():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)


def server_pid(instance: Instance) -> int | None:
    """The process that has the datadir."""
    return lease.locked_by(instance.datadir / "ibdata1")


def supervisor_pid(instance: Instance) -> int:
    held = lease.read(instance.lease)
    assert held is not None
    return held.holder.pid


class Writer(threading.Thread):
    """Commits rows one by one, and remembers those that the server acknowledged."""

    def __init__(self, instance: Instance, *, size: int = 10, first: int = 0) -> None:
        super().__init__(daemon=True)
        self.instance = instance
        self.size = size
        self.first = first
        self.acknowledged: list[int] = []
        self.error: Exception | None = None

    def run(self) -> None:
        try:
            with server.connect(self.instance) as connection:
                database.execute(
                    connection,
                    "CREATE TABLE IF NOT EXISTS cromwell.n (n INT PRIMARY KEY, t LONGTEXT)",
                )
                for number in range(self.first, 1_000_000):
                    text = os.urandom(self.size // 2).hex()
                    database.execute(
                        connection, "INSERT INTO cromwell.n VALUES (%s, %s)", (number, text)
                    )
                    self.acknowledged.append(number)
        except (database.Error, UserDBError, OSError) as error:
            self.error = error

    def again(self) -> Writer:
        """One that goes on where this one ended, and remembers what it had."""
        # Past the row that was committed but not acknowledged.
        first = max(self.acknowledged, default=0) + 100
        next_one = Writer(self.instance, size=self.size, first=first)
        next_one.acknowledged = self.acknowledged
        return next_one

    def missing(self) -> set[int]:
        """Acknowledged rows that are not there any more."""
        with server.connect(self.instance) as connection:
            there = {row[0] for row in database.rows(connection, "SELECT n FROM cromwell.n")}
        return set(self.acknowledged) - there
