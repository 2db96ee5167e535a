"""Two users of one machine, and of one cluster: nothing of the one's is the other's."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest
from cluster import Cluster
from lab import WDL
from people import Person, on
from served import until

pytestmark = [pytest.mark.functional, pytest.mark.root]

OPEN_HOME = 0o755


@pytest.fixture
def owner(alice: Person) -> Person:
    """Alice with an instance, her home as open as a careless umask leaves it."""
    alice.home.chmod(OPEN_HOME)
    done = alice.userdb("init", "--backend", "local")
    assert done.returncode == 0, done.stderr
    wdl = alice.home / "hello.wdl"
    wdl.write_text((WDL / "hello.wdl").read_text())
    done = alice.userdb("run", wdl, "--input", "hello.name=patient-7")
    assert done.returncode == 0, done.stderr
    return alice


def instance(person: Person) -> Path:
    return person.home / ".local/share/cromwell-userdb/default"


def test_another_user_reads_nothing_of_an_instance(owner: Person, bob: Person):
    root = instance(owner)
    assert stat.S_IMODE(root.stat().st_mode) == 0o700
    for path in (root, root / "secret", root / "my.cnf", root / "data", root / "runs/1"):
        assert bob.run("ls", path).returncode != 0
        assert bob.run("cat", path).returncode != 0
    found = bob.run("find", owner.home, "-readable", "-path", "*cromwell-userdb/*")
    assert not [line for line in found.stdout.splitlines() if "default/" in line]


def test_another_user_connects_to_nothing(owner: Person, bob: Person):
    socket = instance(owner) / "s"
    secret = (instance(owner) / "secret").read_text().strip()
    script = (
        "import sys, pymysql\n"
        "for user in ('alice', 'bob', 'cromwell', 'root', ''):\n"
        f"    for word in ('', {secret!r}):\n"
        "        try:\n"
        f"            pymysql.connect(unix_socket={str(socket)!r}, user=user, password=word)\n"
        "            print('in as', user)\n"
        "        except pymysql.err.OperationalError as error:\n"
        "            assert error.args[0] == 2003, error\n"
    )
    done = bob.run(bob.command[0], "-c", script)
    assert (done.returncode, done.stdout) == (0, ""), done.stderr


def test_even_past_the_folder_the_database_asks_who_one_is(owner: Person, bob: Person):
    # As if every mode on the way had been opened by mistake.
    root = instance(owner)
    places = [root, *root.parents]
    modes = {path: path.stat().st_mode for path in (*places, root / "s")}
    try:
        for path in modes:
            if owner.home in (path, *path.parents):
                path.chmod(0o777)
        script = (
            "import pymysql\n"
            "for user in ('alice', 'bob', 'cromwell', 'root', ''):\n"
            "    try:\n"
            f"        pymysql.connect(unix_socket={str(root / 's')!r}, user=user)\n"
            "        print('in as', user)\n"
            "    except pymysql.err.OperationalError as error:\n"
            "        print(error.args[0])\n"
        )
        done = bob.run(bob.command[0], "-c", script)
    finally:
        for path, mode in modes.items():
            path.chmod(stat.S_IMODE(mode))
    assert done.returncode == 0, done.stderr
    assert set(done.stdout.split()) <= {"1045", "1698"}


def test_no_port_is_open(owner: Person):
    pid = json.loads((instance(owner) / "lease.json").read_text())["holder"]["pid"]
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    assert children
    done = owner.run("cat", f"/proc/{children[0]}/net/tcp", f"/proc/{children[0]}/net/tcp6")
    inodes = {line.split()[9] for line in done.stdout.splitlines() if " 0A " in line}
    sockets = owner.run("ls", "-l", f"/proc/{children[0]}/fd").stdout
    assert not [inode for inode in inodes if f"socket:[{inode}]" in sockets]


def test_an_instance_of_somebody_else_is_refused_in_a_sentence(owner: Person, bob: Person):
    done = bob.userdb("list", "--root", instance(owner))
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    done = bob.userdb("init", "--root", owner.home / "mine")
    assert done.returncode == 2
    assert "Traceback" not in done.stderr


def test_two_users_have_two_databases_at_once(owner: Person, bob: Person):
    done = bob.userdb("init", "--backend", "local")
    assert done.returncode == 0, done.stderr
    assert json.loads(bob.userdb("list", "--json").stdout) == []
    assert len(json.loads(owner.userdb("list", "--json").stdout)) == 1
    served = [Path(one["root"]) for one in json.loads(bob.userdb("db", "list", "--json").stdout)]
    # Somebody else may be bob, too, in a home of another test.
    assert [root for root in served if root.is_relative_to(bob.home)] == [instance(bob)]
    assert instance(owner) not in served


@pytest.mark.slurm
def test_calls_are_jobs_of_the_user_in_their_account(cluster: Cluster, alice: Person, bob: Person):
    for person in (on(cluster, alice), on(cluster, bob)):
        done = person.userdb("init")
        assert done.returncode == 0, done.stderr
        assert "through SLURM" in done.stdout
        wdl = person.home / "scatter.wdl"
        wdl.write_text((WDL / "scatter.wdl").read_text())
        done = person.userdb("run", wdl, "--input", "scat.width=2", "--json")
        person.userdb("db", "stop", "--force")
        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout)["outputs"]["scat.ns"] == [0, 1]
    until(lambda: owners(cluster) == {("alice", "depta"), ("bob", "deptb")})


def owners(cluster: Cluster) -> set[tuple[str, ...]]:
    """User and account of the jobs that ran calls of the workflow `scat`."""
    rows = cluster.run(["sacct", "-a", "-X", "-n", "-P", "-o", "user,account,workdir"])
    return {tuple(line.split("|")[:2]) for line in rows.splitlines() if "/scat/" in line}
