"""A server's life: ready, idle, held elsewhere, killed, on a full disk, gone."""

from __future__ import annotations

import json
import os
import random
import shlex
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from threading import Timer

import pytest
from disks import fill, mounted
from served import Writer, alive, end, kill, server_pid, supervisor_pid, until

from cromwell_userdb import (
    claim,
    database,
    lease,
    locks,
    process,
    render,
    server,
    sockets,
    startup,
)
from cromwell_userdb.errors import Held, NoSpace, NotInitialised, StartFailed
from cromwell_userdb.instance import Instance
from cromwell_userdb.record import Identity

pytestmark = pytest.mark.functional

START = """
import sys
from pathlib import Path
from cromwell_userdb import binaries, startup
from cromwell_userdb.instance import Instance
found = startup.start(Instance(Path(sys.argv[1])), binaries.find_server(Path(sys.argv[2])))
print(found.state, found.pid)
"""


# Start, answer, stop.


def test_a_start_ends_when_both_accounts_can_log_in(served):
    secret = served.secret.read_text().strip()
    with server.connect(served) as connection:
        mine = database.rows(connection, "SELECT CURRENT_USER(), @@skip_networking, @@version")
    assert database.accepts(served.socket, user="cromwell", password=secret)
    assert mine[0][1] == 1


OWN_ACCOUNTS = {
    "mariadb": {"mariadb.sys@localhost"},
    "mysql": {"mysql.infoschema@localhost", "mysql.sys@localhost", "mysql.session@localhost"},
}


def test_there_are_no_other_accounts(served, program):
    with server.connect(served) as connection:
        found = database.rows(connection, "SELECT User, Host FROM mysql.user")
        me = database.rows(connection, "SELECT CURRENT_USER()")[0][0]
    names = {f"{user}@{host}" for user, host in found}
    assert names == {me, "cromwell@localhost"} | OWN_ACCOUNTS[program.flavour]


def test_the_engine_s_account_sees_cromwell_s_tables_only(served):
    secret = served.secret.read_text().strip()
    with database.connect(served.socket, user="cromwell", password=secret) as connection:
        seen = {row[0] for row in database.rows(connection, "SHOW DATABASES")}
    assert seen - {"performance_schema"} == {"cromwell", "information_schema"}


def test_a_second_start_returns_the_server_that_already_runs(served, program):
    first = server.status(served)
    assert startup.start(served, program) == first
    assert server.reuse(served) == first


def test_two_starts_at_once_make_one_server(instance, program):
    argv = [sys.executable, "-c", START, instance.root, program.path]
    both = [subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    said = {child.communicate(timeout=60)[0] for child in both}
    assert said == {f"running {supervisor_pid(instance)}\n"}


def test_a_stop_is_clean_and_leaves_nothing(served, program):
    pids = supervisor_pid(served), server_pid(served)
    assert server.stop(served)
    assert server.status(served).state == "stopped"
    assert not any(map(alive, filter(None, pids)))
    assert not served.lease.exists() and not (served.root / "s").exists()
    assert "ended with status 0" in process.tail(served.supervisor_log)


def test_a_second_stop_is_as_good_as_one(served):
    server.stop(served)
    assert server.stop(served) is False


def test_a_stop_that_takes_long_says_what_it_waits_for(served):
    said: list[str] = []
    pid = server_pid(served)
    os.kill(pid, signal.SIGSTOP)
    goes_on = Timer(3, os.kill, (pid, signal.SIGCONT))
    goes_on.start()
    server.stop(served, say=said.append)
    goes_on.join()
    assert said == ["Waiting up to 120 seconds for the server to write what it has."]


def test_a_server_in_use_is_not_stopped_unless_forced(served):
    with server.connect(served):
        with pytest.raises(Held, match=r"in use: 1 connection \(run 12\)"):
            server.stop(served, runs=lambda: ["run 12"])
        assert server.status(served).connections == 1
        assert server.stop(served, force=True)


def test_a_stop_looks_for_runs_when_nobody_else_can_connect(served):
    with pytest.raises(Held, match=r"in use: 0 connections \(run 7\)"):
        server.stop(served, runs=lambda: ["run 7"] if locks.is_held(served.lock) else [])
    with server.kept(served) as there, pytest.raises(Held, match="a stop"):
        assert there
        server.stop(served, wait=0.1)


def test_there_is_nothing_to_start_before_init(folder, program):
    with pytest.raises(NotInitialised, match="cromwell-userdb init"):
        startup.start(Instance(folder / "i"), program)


def test_a_server_is_known_by_every_name_of_its_folder(served, tmp_path):
    link = tmp_path / "home"
    link.symlink_to(served.root.parent)
    same = Instance(link / served.root.name)
    assert (server.status(same).state, server.serves(same, 0)) == ("running", True)
    assert server.processes(same) == server.processes(served) != []


def test_the_status_of_each_state_is_told_without_asking_the_server(born, folder, program):
    nothing = Instance(folder / "nothing")
    instance = born(folder / "i")
    states = [server.status(nothing).state, server.status(instance).state]
    startup.start(instance, program)
    states.append(server.status(instance).state)
    began = time.perf_counter()
    server.status(instance)
    assert time.perf_counter() - began < 0.05
    assert states == ["not initialised", "stopped", "running"]


def test_the_listing_names_this_user_s_servers(served):
    assert served.root in {one.root for one in server.listing(os.geteuid())}


def test_the_options_of_a_home_do_not_reach_the_server(instance, program, monkeypatch, tmp_path):
    (tmp_path / ".my.cnf").write_text("[mysqld]\nmax_connections=7\n[client]\nuser=nobody\n")
    monkeypatch.setenv("HOME", str(tmp_path))
    startup.start(instance, program)
    with server.connect(instance) as connection:
        assert database.rows(connection, "SELECT @@max_connections") == [(300,)]


def test_no_secret_is_in_argv_environment_or_logs(served):
    secret = served.secret.read_text().strip().encode()
    processes = [Path(f"/proc/{pid}") for pid in (supervisor_pid(served), server_pid(served))]
    places = [path / name for path in processes for name in ("cmdline", "environ")]
    assert not any(secret in path.read_bytes() for path in [*places, *served.log.iterdir()])


def test_everything_a_server_makes_is_private(served):
    wide = [path for path in served.root.rglob("*") if path.lstat().st_mode & 0o077]
    assert wide == []


def test_server_and_supervisor_are_small(served, program):
    sizes = [
        int(line.split()[1])
        for pid in (supervisor_pid(served), server_pid(served))
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
        if line.startswith("Pss:")
    ]
    assert sizes[0] < 16 << 10
    assert sum(sizes) < {"mariadb": 80, "mysql": 320}[program.flavour] << 10


def test_what_a_server_of_mine_says_when_it_fails_is_shown(instance, program):
    broken = replace(program, path=instance.root.parent / "mariadbd")
    broken.path.write_text("#!/bin/sh\necho '[ERROR] InnoDB: the moon is full' >&2; exit 1\n")
    broken.path.chmod(0o755)
    with pytest.raises(StartFailed, match="the moon is full"):
        startup.start(instance, broken)
    assert server.status(instance).state == "stopped"
    assert startup.start(instance, program).state == "running"


# Idle and wanted.


def test_a_server_in_use_stays_and_an_unused_one_stops(instance, program):
    startup.start(instance, program, idle_seconds=0)
    with server.connect(instance):
        instance.lease_wanted.touch()
        time.sleep(7)
        assert server.status(instance).state == "running"
    instance.lease_wanted.unlink()
    time.sleep(2)
    assert server.reuse(instance)
    time.sleep(2)
    assert server.status(instance).state == "running"
    until(lambda: server.status(instance).state == "stopped")
    assert "stops: idle" in instance.supervisor_log.read_text()


def test_an_idle_server_gives_way_within_five_seconds(served, program):
    with server.connect(served):
        time.sleep(1.2)  # long enough to be seen: now its user has been and gone
    served.lease_wanted.touch()
    began = time.monotonic()
    until(lambda: server.status(served).state == "stopped")
    assert time.monotonic() - began < 5


# Other hosts.


def elsewhere(instance: Instance, *, job: str | None = None) -> lease.Lease:
    """A lease that another host holds."""
    held = lease.new(replace(Identity.of(os.getpid()), host="n114", boot="another"), job=job)
    lease.take(instance.lease, held, guarded=instance.datadir / "ibdata1")
    return held


def test_a_start_is_refused_while_another_host_serves(instance, program, monkeypatch):
    monkeypatch.setattr(claim, "GIVE_WAY", 0.5)
    elsewhere(instance, job="81234")
    assert server.status(instance).state == "elsewhere"
    with pytest.raises(Held, match=r'job 81234 on n114 since .* Use "submit"'):
        startup.start(instance, program)
    with pytest.raises(Held, match="stop it there"):
        server.stop(instance)
    assert not instance.lease_wanted.exists()


def test_a_start_goes_on_when_the_other_host_has_given_way(instance, program):
    held = elsewhere(instance)
    wanted = instance.lease_wanted
    giver = subprocess.Popen(
        ["sh", "-c", f"until [ -e {wanted} ]; do sleep 0.1; done; rm {instance.lease}"]
    )
    assert startup.start(instance, program).state == "running"
    assert giver.wait() == 0 and held.holder.host == "n114"


def test_a_start_that_waits_for_another_host_leaves_the_lock_to_it(instance, program):
    elsewhere(instance)
    wait = f"until [ -e {instance.lease_wanted} ]; do sleep 0.1; done; "
    giver = ["flock", "--timeout", "5", instance.lock, "rm", instance.lease]
    ending = subprocess.Popen(["sh", "-c", wait + shlex.join(map(str, giver))])
    assert startup.start(instance, program).state == "running"
    assert ending.wait() == 0


def test_a_start_takes_over_from_a_job_that_has_ended(instance, program):
    elsewhere(instance, job="7")
    assert startup.start(instance, program, job="8", job_ended=lambda job: job == "7").job == "8"


def test_a_server_whose_lease_was_taken_stops_at_once(served):
    pid = supervisor_pid(served)
    served.lease.unlink()
    thief = elsewhere(served)
    until(lambda: not alive(pid), timeout=25)
    assert lease.read(served.lease) == thief
    assert server_pid(served) is None


def test_another_flavour_and_an_older_server_are_refused(instance, program):
    for changes, words in (
        ({"flavour": "mariadb" if program.flavour == "mysql" else "mysql"}, "can't read it"),
        ({"version": (1, 4, 1)}, "is older"),
        ({"version": (99, 1, 0)}, "can't read any more"),
    ):
        with pytest.raises(StartFailed, match=words):
            startup.start(instance, replace(program, **changes))


def test_a_newer_server_takes_over_what_was_stopped_cleanly(instance, program):
    newer = replace(program, version=(99, 1, 0))
    with pytest.raises(StartFailed, match="not stopped cleanly"):
        startup.start(instance, newer, upgrade=True)
    startup.start(instance, program)
    server.stop(instance)
    startup.start(instance, newer, upgrade=True)
    assert json.loads(instance.facts.read_text())["version"] == "99.1.0"


# SIGKILL of anything.


@pytest.mark.parametrize("victim", ["supervisor", "server", "both"])
def test_a_kill_loses_no_acknowledged_row_and_the_next_start_works(instance, program, victim):
    startup.start(instance, program)
    moments = random.Random(victim)
    writer = Writer(instance)
    for _ in range(3):
        writer = writer.again()
        writer.start()
        time.sleep(moments.uniform(0.05, 0.6))
        pids = {"supervisor": supervisor_pid(instance), "server": server_pid(instance)}
        for name, pid in pids.items():
            if victim in (name, "both"):
                os.kill(pid, signal.SIGKILL)
        until(partial(_is_over, instance, **pids, victim=victim))
        writer.join(20)
        assert writer.acknowledged
        assert startup.start(instance, program).state == "running"
        assert writer.missing() == set()


def _is_over(instance: Instance, *, supervisor: int, server: int | None, victim: str) -> bool:
    """Whether all has been seen: the kernel lets go of a killed process's files in steps."""
    if victim == "server":
        return server_pid(instance) not in (None, server)  # its supervisor began anew
    return not alive(supervisor) and (victim == "supervisor" or server_pid(instance) != server)


def test_a_server_that_died_is_started_again_by_its_supervisor(served):
    first = server_pid(served)
    kill(first)
    until(lambda: server_pid(served) not in (None, first))
    until(lambda: server.status(served).state == "running")
    assert server.connect(served).ping() is None


def test_a_killed_supervisor_leaves_no_server(served):
    pid = server_pid(served)
    kill(supervisor_pid(served))
    until(lambda: not alive(pid))
    assert server.status(served).state == "crashed"
    assert "Shutdown complete" in served.server_log.read_text().replace(" s", " S")


def test_a_start_killed_at_any_moment_leaves_nothing_in_the_way(instance, program):
    moments = random.Random(1)
    for _ in range(6):
        argv = [sys.executable, "-c", START, instance.root, program.path]
        child = subprocess.Popen(argv, start_new_session=True)
        time.sleep(moments.uniform(0.1, 0.45))
        os.killpg(child.pid, signal.SIGKILL)
        child.wait()
        held = lease.read(instance.lease)
        if held is not None and moments.random() < 0.5:
            kill(held.holder.pid)
        assert startup.start(instance, program).state == "running"
        server.stop(instance)


def test_a_stale_socket_lease_and_pid_file_are_no_obstacle(served, program):
    pid = server_pid(served)
    kill(supervisor_pid(served))
    until(lambda: not alive(pid))
    with socket.socket(socket.AF_UNIX) as stale:
        stale.bind(str(served.socket))
    (served.datadir / "server.pid").write_text("1\n")
    assert startup.start(served, program).state == "running"


def test_the_caller_is_not_held_up_by_the_server_that_it_started(instance, program):
    argv = [sys.executable, "-c", START, instance.root, program.path]
    began = time.monotonic()
    subprocess.run(argv, capture_output=True, timeout=20, check=True)
    assert time.monotonic() - began < 10
    assert Path(f"/proc/{supervisor_pid(instance)}/stat").read_text().split()[3] == "1"


# Removal.


def test_a_removal_is_refused_while_it_serves_and_complete_afterwards(served):
    with pytest.raises(Held, match="db stop"):
        server.remove(served)
    server.stop(served)
    names = {path.name for path, _ in server.belongings(served)}
    server.remove(served)
    assert {"data", "secret", "instance.json"} <= names
    assert list(served.root.parent.iterdir()) == []


# A full disk.


@pytest.fixture
def small_disk() -> Iterator[Path]:
    with mounted("100m") as place:
        yield place


@pytest.mark.root
def test_a_full_disk_loses_nothing_and_ends_in_one_sentence(small_disk, born, program):
    instance = born(small_disk / "i")
    startup.start(instance, program)
    writer = Writer(instance, size=20_000)
    writer.start()
    until(lambda: len(writer.acknowledged) > 50)
    fill(small_disk / "filler")
    writer.join(60)
    assert writer.error
    server.stop(instance, force=True)
    fill(small_disk / "filler2")
    instance.ballast.unlink(missing_ok=True)
    fill(small_disk / "filler3")
    with pytest.raises(NoSpace, match=rf"The disk is full \({small_disk}\): 0 MB left"):
        startup.start(instance, program)
    for name in ("filler", "filler2", "filler3"):
        (small_disk / name).unlink()
    assert startup.start(instance, program).state == "running"
    assert writer.missing() == set()
    assert instance.ballast.exists() is False or instance.ballast.stat().st_size > 0


# Other people.


@pytest.fixture
def served_by_alice(alice, program, templates) -> Iterator[Instance]:
    instance = Instance(alice.home / "i")
    alice.home.chmod(0o755)  # as homes often are
    python = alice.command[:1]
    script = """
import os, sys
from pathlib import Path
from cromwell_userdb import binaries, provision, startup
from cromwell_userdb.instance import Instance
instance = Instance(Path(sys.argv[1]))
found = binaries.find_server()
provision.birth(instance, found, cache=instance.root.parent / "cache")
print(startup.start(instance, found).state)
"""
    done = alice.run(*python, "-c", script, instance.root)
    assert done.stdout == "running\n", done.stderr
    yield instance
    end(instance)


@pytest.mark.root
def test_another_user_reads_connects_and_guesses_nothing(served_by_alice, alice, bob):
    root = served_by_alice.root
    assert bob.run("ls", root).returncode != 0
    reads = [bob.run("cat", path).returncode for path in root.rglob("*") if path.is_file()]
    assert len(reads) > 50 and 0 not in reads
    connect = (
        "import sys; from pathlib import Path; from cromwell_userdb import database\n"
        "database.connect(Path(sys.argv[1]), user=sys.argv[2], password=sys.argv[3])"
    )
    secret = served_by_alice.secret.read_text().strip()
    for user, password in (("alice", ""), ("bob", ""), ("root", ""), ("cromwell", secret)):
        tried = bob.run(*bob.command[:1], "-c", connect, served_by_alice.socket, user, password)
        assert tried.returncode != 0


@pytest.mark.root
def test_even_with_the_folder_open_nobody_else_is_let_in_without_the_secret(
    served_by_alice, alice, bob
):
    served_by_alice.root.chmod(0o711)
    served_by_alice.socket.chmod(0o777)
    connect = (
        "import sys; from pathlib import Path; from cromwell_userdb import database\n"
        "print(database.accepts(Path(sys.argv[1]), user=sys.argv[2]))"
    )
    for user in ("alice", "bob", "root", "cromwell", ""):
        tried = bob.run(*bob.command[:1], "-c", connect, served_by_alice.socket, user)
        assert tried.stdout == "False\n", tried.stderr


# Text.


def test_connections_are_counted_by_the_kernel(served):
    with server.connect(served), server.connect(served):
        assert sockets.connections(served.socket) == 2
    until(lambda: sockets.connections(served.socket) == 0)


def test_a_name_with_quotes_is_a_name_and_no_sql():
    text = render.init_sql(flavour="mariadb", os_user="o'ne\\il", secret="x")
    assert r"CREATE USER IF NOT EXISTS 'o''ne\\il'@'localhost'" in text


@pytest.mark.parametrize("flavour", ["mariadb", "mysql"])
def test_the_option_file_is_what_the_golden_file_says(flavour):
    text = render.my_cnf(
        Instance(Path("/home/ada/db")), render.Tuning(), flavour=flavour, os_user="ada"
    )
    golden = Path(__file__).parent / "golden" / f"my.cnf.{flavour}"
    assert text == golden.read_text()


def test_a_user_called_cromwell_keeps_both_ways_in():
    text = render.init_sql(flavour="mariadb", os_user="cromwell", secret="x")
    assert "VIA unix_socket OR mysql_native_password" in text
