"""The whole tool on other servers than this machine's: one MySQL always, the rest on demand."""

from __future__ import annotations

import json
import os
import shutil
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
from lab import WDL, Lab, ended, environment
from matrix import MARIADB_10_5, MARIADB_11_8, MYSQL_9, Offer, Offers, Release
from served import Writer, alive, kill, server_pid, supervisor_pid, until

from cromwell_userdb import database, server
from cromwell_userdb.instance import Instance

pytestmark = [pytest.mark.functional, pytest.mark.timeout(900)]

HELLO = WDL / "hello.wdl"
OTHERS = [
    pytest.param(MYSQL_9, id="mysql-9"),
    pytest.param(MARIADB_10_5, id="mariadb-10.5", marks=pytest.mark.matrix),
    pytest.param(MARIADB_11_8, id="mariadb-11.8", marks=pytest.mark.matrix),
]


@pytest.fixture(scope="module", params=OTHERS)
def release(request: pytest.FixtureRequest) -> Release:
    return request.param


@pytest.fixture(scope="module")
def offer(release: Release, offers: Offers) -> Offer:
    return offers(release)


@pytest.fixture(scope="module")
def lab(offer: Offer) -> Iterator[Lab]:
    """One instance for all tests on this server."""
    lab = offer.lab("--engine", "embedded")
    yield lab
    ended(lab)


@pytest.fixture
def served(lab: Lab) -> Instance:
    """The instance, its server there."""
    done = lab.do("db start")
    assert done.returncode == 0, done.stderr
    return Instance(lab.root)


@pytest.fixture
def own_lab(offer: Offer) -> Iterator[Lab]:
    """An instance for a test that breaks it."""
    lab = offer.lab("--engine", "embedded")
    yield lab
    ended(lab)


# One end to the other.


def test_the_server_is_the_one_that_was_named(lab, release, offer):
    facts = lab.answer("init", "--server", offer.prefix)
    assert facts["Server"]["is"].startswith(release.title)
    assert lab.answer("db status")["version"].startswith(release.title)


def test_a_workflow_runs_and_the_same_again_comes_from_the_cache(lab):
    first = lab.run("scatter.wdl", "--input", "scat.width=3")
    again = lab.run("scatter.wdl", "--input", "scat.width=3")
    assert first["outputs"]["scat.ns"] == again["outputs"]["scat.ns"] == [0, 1, 2]
    assert (first["total"]["cached"], again["total"]["cached"]) == (0, 3)


def test_list_and_status_tell_what_ran(lab):
    run = lab.run("hello.wdl", "--label", "kind=told")
    assert lab.answer("list")[0]["id"] == run["id"]
    assert lab.answer("status", run["id"][:8])["state"] == "succeeded"
    assert lab.answer("label", "-1")["kind"] == "told"


def test_a_failure_is_told_in_the_task_s_own_words(lab):
    done = lab.do("run", WDL / "fail.wdl")
    assert done.returncode == 1
    assert "exit code 3" in done.stderr and "about to fail" in done.stderr


def test_text_of_all_alphabets_comes_back_as_it_was(lab):
    done = lab.do("run", HELLO, "--run-name", "ü→🦠", "--label", "🧬=日本語", "--json")
    assert json.loads(done.stdout)["name"] == "ü→🦠"
    assert lab.answer("label", "-1")["🧬"] == "日本語"


def test_several_runs_at_once_share_the_server(lab):
    commands = [
        lab.begin("run", WDL / "scatter.wdl", "--input", f"scat.pad=at-once-{one}")
        for one in range(3)
    ]
    words = [command.communicate(timeout=120)[1] for command in commands]
    assert [command.returncode for command in commands] == [0] * 3, words


def test_the_summary_is_mended_where_the_engine_s_update_was_lost(lab, served):
    with server.connect(served, schema="cromwell") as connection:
        database.execute(
            connection,
            "CREATE TRIGGER lost BEFORE UPDATE ON WORKFLOW_METADATA_SUMMARY_ENTRY FOR EACH ROW"
            " SET NEW.WORKFLOW_STATUS = IF(USER() LIKE 'cromwell@%', OLD.WORKFLOW_STATUS,"
            " NEW.WORKFLOW_STATUS)",
        )
        try:
            run = lab.run("hello.wdl", "--input", "hello.name=mended")
        finally:
            database.execute(connection, "DROP TRIGGER lost")
        found = database.rows(
            connection,
            "SELECT WORKFLOW_STATUS FROM WORKFLOW_METADATA_SUMMARY_ENTRY"
            " WHERE WORKFLOW_EXECUTION_UUID = %s",
            (run["id"],),
        )
    assert found == [("Succeeded",)]


@pytest.mark.matrix
@pytest.mark.parametrize("without", ["share", "bin/mariadb-install-db"])
def test_a_birth_takes_the_server_s_sql_files_or_its_installer(release, offer, tmp_path, without):
    if release is MYSQL_9:
        pytest.skip("MySQL needs neither")
    shutil.copytree(offer.prefix, tmp_path / "half", symlinks=True)
    (tmp_path / "half" / without).unlink()
    lab = offer.empty_lab(f"without-{Path(without).name}")
    try:
        words = ("--backend", "local", "--engine", "embedded")
        done = lab.do("init", "--server", tmp_path / "half", *words)
        assert done.returncode == 0, done.stderr
        assert lab.run("hello.wdl")["state"] == "succeeded"
    finally:
        ended(lab)


# The server and who may log in.


def test_stop_and_start_are_clean(lab, served):
    pids = supervisor_pid(served), server_pid(served)
    assert lab.do("db stop").returncode == 0
    assert lab.do("db status").returncode == 3
    assert not any(map(alive, filter(None, pids)))
    assert "ended with status 0" in served.supervisor_log.read_text().splitlines()[-1]
    assert lab.do("db start").returncode == 0
    assert lab.do("db status").returncode == 0


def test_the_supervisor_killed_the_server_ends_and_no_row_is_lost(own_lab):
    instance = Instance(own_lab.root)
    writer = _written(instance)
    pid = server_pid(instance)
    kill(supervisor_pid(instance))
    writer.join(60)
    assert own_lab.do("db start").returncode == 0
    assert not alive(pid)
    assert writer.acknowledged and writer.missing() == set()


def test_the_server_killed_is_started_again_and_no_row_is_lost(own_lab):
    instance = Instance(own_lab.root)
    writer = _written(instance)
    kill(server_pid(instance))
    writer.join(60)
    until(lambda: own_lab.do("db status").stdout.find(": running") > 0, timeout=60)
    assert writer.acknowledged and writer.missing() == set()
    assert own_lab.run("hello.wdl")["state"] == "succeeded"


def _written(instance: Instance) -> Writer:
    """A writer in the middle of its work."""
    writer = Writer(instance)
    writer.start()
    until(lambda: len(writer.acknowledged) > 200 or writer.error)
    return writer


def test_nobody_logs_in_without_a_secret_or_being_who_they_are(served):
    with server.connect(served) as connection:
        users = {row[0] for row in database.rows(connection, "SELECT User FROM mysql.user")}
        mine = database.rows(connection, "SELECT CURRENT_USER()")[0][0]
    assert mine == "root@localhost"
    assert "" not in users and "cromwell" in users
    for user in {*users, "nobody"} - {"root"}:
        assert not database.accepts(served.socket, user=user)
        assert not database.accepts(served.socket, user=user, password=user)


def test_another_person_is_not_let_in_as_root_even_where_the_socket_is_open(served):
    folders = [served.root, served.root.parent, served.root.parent.parent]
    for path in (*folders, served.socket):
        path.chmod(0o777)
    try:
        word = served.secret.read_text().strip()
        assert _as_nobody(lambda: database.accepts(served.socket, user="cromwell", password=word))
        assert not _as_nobody(lambda: database.accepts(served.socket, user="root"))
    finally:
        served.socket.chmod(0o600)
        for path in folders:
            path.chmod(0o700)


def _as_nobody(question: Callable[[], bool]) -> bool:
    """The answer that another user of this machine gets."""
    pid = os.fork()
    if not pid:
        os.setgroups([])
        os.setgid(65534)
        os.setuid(65534)
        os._exit(0 if question() else 1)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0


def test_nothing_listens_but_the_socket(served):
    pid = server_pid(served)
    assert pid is not None
    assert psutil.Process(pid).net_connections(kind="inet") == []
    with server.connect(served) as connection:
        assert database.rows(connection, "SELECT @@skip_networking") == [(1,)]


@pytest.mark.root
def test_a_server_in_a_network_of_its_own_is_refused_in_a_sentence(folder, program):
    (folder / "bin").mkdir()
    (folder / "share").symlink_to(program.path.parent.parent / "share")
    script = folder / "bin" / program.path.name
    script.write_text(f'#!/bin/sh\nexec unshare --net -- {program.path} "$@"\n')
    script.chmod(0o755)
    lab = Lab(folder / "db", environment())
    done = lab.do("init", "--server", script, "--backend", "local", "--engine", "embedded")
    assert done.returncode == 5
    assert "runs in a network of its own" in done.stderr
    assert lab.do("db status").returncode == 3


def test_an_ordinary_user_s_mysql_has_no_root_and_ends_with_its_supervisor(alice, open_mysql):
    words = ("--server", open_mysql, "--backend", "local", "--engine", "embedded")
    done = alice.userdb("init", *words)
    assert done.returncode == 0, done.stderr
    query = "SELECT User, plugin FROM mysql.user WHERE account_locked = 'N'"
    accounts = alice.userdb("db", "shell", "--", "--batch", "-N", "-e", query).stdout
    assert accounts.split() == ["alice", "auth_socket", "cromwell", "caching_sha2_password"]
    instance = Instance(alice.home / ".local/share/cromwell-userdb/default")
    pid = server_pid(instance)
    kill(supervisor_pid(instance))
    until(lambda: not alive(pid))
    (alice.home / "hello.wdl").write_text(HELLO.read_text())
    assert alice.userdb("run", "hello.wdl").returncode == 0
    assert alice.userdb("db", "stop").returncode == 0


# From one release to the next.


@pytest.fixture
def old(offers: Offers) -> Iterator[Lab]:
    """An instance on the oldest MariaDB that is taken, with a run in it, its server stopped."""
    lab = offers(MARIADB_10_5).lab("--engine", "embedded")
    lab.run("scatter.wdl", "--input", "scat.width=3")
    assert lab.do("db stop").returncode == 0
    yield lab
    ended(lab)


@pytest.mark.matrix
def test_a_database_goes_from_release_to_release_and_keeps_its_cache(old, offers, program):
    for path, title in ((program.path, program.title), (offers(MARIADB_11_8).prefix, "MariaDB 11")):
        refused = old.do("db start", "--server", path)
        assert refused.returncode == 5
        advice = refused.stderr.rpartition("cromwell-userdb db start ")[2]
        done = old.do("db start", *advice.split())
        assert done.returncode == 0, done.stderr
        again = old.run("scatter.wdl", "--input", "scat.width=3")
        assert again["total"]["cached"] == again["total"]["total"] == 3
        assert old.answer("db status")["version"].startswith(title)
        assert old.do("db stop").returncode == 0
        assert _complaints(old) == []
    assert [run["state"] for run in old.answer("list")] == ["succeeded"] * 5
    assert old.do("db start").returncode == 0
    with server.connect(Instance(old.root)) as connection:
        users = {row[0] for row in database.rows(connection, "SELECT User FROM mysql.user")}
    assert users == {"root", "cromwell", "mariadb.sys"}


def _complaints(lab: Lab) -> list[str]:
    """What the server says is wrong in one more start and stop."""
    log = lab.root / "log/server.log"
    before = log.stat().st_size
    assert lab.run("hello.wdl", "--input", f"hello.name=at-{before}")["state"] == "succeeded"
    assert lab.do("db stop").returncode == 0
    return [line for line in log.read_text()[before:].splitlines() if "[ERROR]" in line]


@pytest.mark.matrix
def test_an_older_server_is_refused_once_a_newer_one_has_served(old, offers, program):
    assert old.do("db start", "--server", program.path, "--upgrade").returncode == 0
    serving = old.do("db start", "--server", offers(MARIADB_10_5).prefix)
    assert serving.returncode == 6 and "db stop" in serving.stderr
    assert old.do("db stop").returncode == 0
    refused = old.do("db start", "--server", offers(MARIADB_10_5).prefix, "--upgrade")
    assert refused.returncode == 5 and "is older" in refused.stderr
    assert old.run("hello.wdl")["state"] == "succeeded"


@pytest.mark.matrix
def test_a_newer_server_waits_until_the_older_one_ended_cleanly(old, program):
    assert old.do("db start").returncode == 0
    instance = Instance(old.root)
    pid = server_pid(instance)
    os.kill(supervisor_pid(instance), signal.SIGSTOP)
    kill(pid)
    kill(supervisor_pid(instance))
    refused = old.do("db start", "--server", program.path, "--upgrade")
    assert refused.returncode == 5 and "not stopped cleanly" in refused.stderr
    assert old.do("db start").returncode == 0
    assert old.do("db stop").returncode == 0
    assert old.do("db start", "--server", program.path, "--upgrade").returncode == 0


def test_the_other_flavour_is_refused_and_nothing_is_lost(own_lab, release, offers, program):
    own_lab.run("scatter.wdl", "--input", "scat.width=3")
    assert own_lab.do("db stop").returncode == 0
    other = program.path if release is MYSQL_9 else offers(MYSQL_9).prefix
    for verb in ("db start", "init"):
        refused = own_lab.do(verb, "--server", other)
        assert refused.returncode == 5 and "which can't read it" in refused.stderr
    assert own_lab.run("scatter.wdl", "--input", "scat.width=3")["total"]["cached"] == 3


# A real Cromwell.


@pytest.mark.jar
def test_a_real_cromwell_makes_its_tables_runs_and_takes_from_the_cache(offer):
    lab = offer.lab("--engine", "cromwell")
    try:
        first = lab.do("run", HELLO, "--json", timeout=400)
        assert first.returncode == 0, first.stderr
        # A server that has just started lets nobody in by password over the JVM's connection.
        assert lab.do("db stop").returncode == 0
        again = lab.run("hello.wdl")
        assert again["total"]["cached"] == again["total"]["total"] == 1
        assert again["engine"].startswith("Cromwell")
        conf = (lab.root / "runs/2/cromwell.conf").read_text()
        assert "liquibase.updateSchema = false" in conf
    finally:
        ended(lab)
