"""A real Cromwell's tables on a scratch MariaDB, and what that Cromwell said of each run."""

from __future__ import annotations

import contextlib
import gzip
import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import folders
import pytest
from served import until

from cromwell_userdb import database, process
from cromwell_userdb.database import Connection

HERE = Path(__file__).parent / "recordings"

RUNS = {
    "01-hello": "e536aafa-3a3f-49d4-bbbe-a36232ff09c1",
    "02-hello-hit": "0774cc59-e70b-42ec-846f-74a8ef0ece4e",
    "03-hello-miss": "f08dda70-45a6-4425-9b2b-ae097d914985",
    "04-scatter": "e61612cf-6641-4ebd-a6cb-70ab564900a1",
    "05-subworkflows": "21f11ae6-a5a6-4220-a78f-ebce205ff3c9",
    "06-fail-retry": "6f86e682-bb44-468c-b170-16da6d27d03a",
    "07-oom-retry": "5e64fcef-2ff1-4124-b5dd-bb21f9edfecb",
    "08-cancelled-shard": "9b7a3044-7b7e-441c-9dba-2a904436e832",
    "09-aborted": "b699c21b-c25e-4ad9-89f2-47b8771836cf",
    "10-killed-leader": "02a65e19-bb22-4dab-b0cc-ac3768c50163",
    "11-adopted": "60770d48-e084-4585-8529-c56c2db464d4",
    "12-types": "e0caf5bf-7739-4036-88de-50748433947c",
    "13-many-failures": "8efce365-6538-4962-9380-18b5d97b8e29",
    "14-nested-failure": "5e2b6a04-fb33-4c24-991e-7618dceda784",
    "15-draft2": "6b3c8c19-8dc7-4c90-a6f0-03eb0ab26ef0",
    "16-files": "38338aa4-8db5-420b-949c-0a278f4dc88c",
    "17-syntax-error": "a58a1dbc-a230-409f-8f58-b79bf2bddfb6",
    "18-wrong-input": "9a47fce4-53e3-4706-b7a8-7af53f3f772c",
    "19-bad-runtime": "f6d9c105-d3b0-4432-8d67-bd445a486ac1",
    "20-no-new-calls": "b252335f-be81-4be8-aca8-8dae77a8343a",
    "21-one-input-changed": "70119187-fa24-4191-be77-4d458c0a8f71",
}
"""Workflow id of each recorded run."""


def metadata_of(run: str) -> dict[str, Any]:
    """What Cromwell's `-m` wrote for `run`; empty where it never came to that."""
    text = (HERE / "runs" / run / "metadata.json").read_text()
    return json.loads(text) if text else {}


@contextlib.contextmanager
def mariadb() -> Iterator[Path]:
    """The socket of an empty server without accounts: whoever reaches it is let in."""
    mariadbd = shutil.which("mariadbd", path=f"{os.environ['PATH']}:/usr/sbin:/usr/libexec")
    if not mariadbd:
        pytest.skip("no mariadbd on this machine")
    # Not in pytest's own folder: a socket's path may have 107 bytes.
    place = folders.made("scratch")
    (place / "data").mkdir()
    (place / "tmp").mkdir()
    child = process.spawn(_argv(mariadbd, place), out=place / "log")
    try:
        until(lambda: database.accepts(place / "s", user="anyone"), timeout=60)
        yield place / "s"
    finally:
        process.terminate(child)
        folders.gone(place)


def _argv(mariadbd: str, place: Path) -> list[str]:
    argv = [
        mariadbd,
        "--no-defaults",
        f"--datadir={place / 'data'}",
        f"--socket={place / 's'}",
        # A server that starts deletes what other servers have in a tmpdir that they share.
        f"--tmpdir={place / 'tmp'}",
        "--skip-networking",
        # With no accounts to look up, a server starts on an empty datadir, in a third of a second.
        "--skip-grant-tables",
        "--innodb-buffer-pool-size=64M",
        "--innodb-log-file-size=8M",
        "--innodb-flush-log-at-trx-commit=0",
    ]
    return [*argv, "--user=root"] if os.geteuid() == 0 else argv


def load(socket: Path, schema: str) -> Connection:
    """A connection to a new `schema` that holds the recorded tables."""
    with database.connect(socket, user="anyone") as connection:
        database.execute(connection, f"CREATE DATABASE {schema} CHARACTER SET utf8mb4")
    connection = database.connect(socket, user="anyone", database=schema)
    with gzip.open(HERE / "cromwell.sql.gz", "rt") as dump:
        database.run_script(connection, dump.read())
    return connection


@pytest.fixture(scope="module")
def socket() -> Iterator[Path]:
    """A server of a module's own."""
    with mariadb() as path:
        yield path


@pytest.fixture
def connection(socket: Path) -> Iterator[Connection]:
    """There, with an empty schema `cromwell`, and none of ours."""
    with database.connect(socket, user="root") as connection:
        for name in ("cromwell", "cromwell_userdb"):
            database.execute(connection, f"DROP DATABASE IF EXISTS {name}")
        database.execute(connection, "CREATE DATABASE cromwell CHARACTER SET utf8mb4")
        yield connection


@pytest.fixture(scope="session")
def scratch_server() -> Iterator[Path]:
    with mariadb() as socket:
        yield socket


@pytest.fixture(scope="session")
def recorded(scratch_server: Path) -> Iterator[Connection]:
    """The recorded tables, to be read only."""
    with load(scratch_server, "cromwell") as connection:
        yield connection


@pytest.fixture
def changeable(scratch_server: Path) -> Iterator[Connection]:
    """The recorded tables once more, for a test that changes them."""
    with load(scratch_server, "changeable") as connection:
        yield connection
        database.execute(connection, "DROP DATABASE changeable")


@pytest.fixture
def nothing(scratch_server: Path) -> Iterator[Connection]:
    """A schema without a table: an instance that no Cromwell has met."""
    with database.connect(scratch_server, user="anyone") as connection:
        database.execute(connection, "CREATE DATABASE nothing")
        connection.select_db("nothing")
        yield connection
        database.execute(connection, "DROP DATABASE nothing")
