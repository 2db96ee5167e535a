"""A login node: what engine and server keep to there, and what the site lets nobody do."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from lab import WDL
from people import Member, Person
from served import until

from cromwell_userdb import limits


def test_a_process_that_keeps_to_limits_hands_them_on():
    script = (
        "from cromwell_userdb import limits; import os, subprocess\n"
        "for _ in range(2): limits.keep_to(nice=7, io='idle', cores=1)\n"
        "subprocess.run(['sh', '-c', 'nice; ionice; nproc'])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.stdout.split() == [str(max(7, os.nice(0))), "idle", "1"]


def test_users_share_the_cores_out_among_them():
    mine = list(range(8))
    shares = [limits.share(mine, 2, user) for user in (1000, 1001, 1002, 1003)]
    assert sorted(core for share in shares for core in share) == mine


# --- on a real SLURM, where a host of another name is no node -------------------------------

slurm = [pytest.mark.functional, pytest.mark.root, pytest.mark.slurm]


@pytest.fixture
def member(member: Member) -> Member:
    """Alice, logged in to login1, with one core of it for herself."""
    person = member.at("login1")
    settings = person.home / ".config/cromwell-userdb/settings.toml"
    settings.parent.mkdir(parents=True)
    settings.write_text("[limits]\ncores = 1\n")
    person.run("true")
    os.chown(settings.parent, *_owner(person.home))
    return person


def _owner(path: Path) -> tuple[int, int]:
    facts = path.stat()
    return facts.st_uid, facts.st_gid


def manners(pid: int) -> tuple[int, str, int]:
    """Niceness, turn at the disks and cores of a process."""
    words = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    ionice = subprocess.run(["ionice", "-p", str(pid)], capture_output=True, text=True, check=True)
    return int(words[16]), ionice.stdout.strip(), len(os.sched_getaffinity(pid))


def state(person: Person, run: int) -> dict[str, Any]:
    folder = person.home / ".local/share/cromwell-userdb/default/runs"
    return dict(json.loads((folder / str(run) / "state.json").read_text()))


def begin(person: Person) -> dict[str, Any]:
    """The state of a run whose calls run."""
    wdl = person.home / "long.wdl"
    wdl.write_text((WDL / "long.wdl").read_text())
    words = ("--input", "long.s=600", "--input", "long.n=1", "--detach")
    done = person.userdb("run", wdl, *words)
    assert done.returncode == 0, done.stderr
    run = int(done.stdout)
    until(lambda: any(calls["running"] for calls in state(person, run)["calls"]), timeout=60)
    return state(person, run)


class TestOnALoginNode:
    pytestmark = slurm

    def test_leader_engine_and_server_are_good_neighbours(self, member: Member):
        assert member.userdb("init").returncode == 0
        running = begin(member)
        server = json.loads(member.userdb("db", "status", "--json").stdout)["pid"]
        for pid in (running["leader"]["pid"], running["engine_process"]["pid"], server):
            assert manners(pid) == (max(10, os.nice(0)), "best-effort: prio 7", 1)

    def test_on_a_node_nothing_is_held_back(self, member: Member):
        there = member.at("")
        assert there.userdb("init").returncode == 0
        pid = begin(there)["engine_process"]["pid"]
        assert manners(pid) == manners(os.getpid())

    def test_where_run_is_forbidden_submit_is_named_and_works(self, member: Member):
        assert member.userdb("init").returncode == 0
        site = member.home / "site.toml"
        site.write_text('[site]\nrun_on_login_node = false\nmessage = "Ask hpc@example.org."\n')
        env = {"CROMWELL_USERDB_SITE": str(site)}
        wdl = member.home / "hello.wdl"
        wdl.write_text((WDL / "hello.wdl").read_text())
        refused = member.userdb("run", wdl, env=env)
        assert refused.returncode == 2
        assert "run on a login node may not be, says" in refused.stderr
        assert "Ask hpc@example.org. Use submit" in refused.stderr
        run = member.userdb("submit", wdl, env=env)
        assert run.returncode == 0, run.stderr
        assert member.userdb("attach", run.stdout.strip(), env=env).returncode == 0
        assert member.at("").userdb("run", wdl, env=env).returncode == 0


MODULES = pytest.mark.skipif(
    not Path("/usr/share/modules/init/bash").exists(), reason="needs environment-modules"
)


@MODULES
class TestWithModules:
    pytestmark = slurm

    @pytest.fixture
    def site(self, member: Member) -> dict[str, str]:
        """What names a site's file, and a tree with the module of a program in it."""
        program = member.home / "tool/bin/shout"
        module = member.home / "modules/tool/1.0"
        for path, text in {
            program: "#!/bin/sh\necho LOUD\n",
            module: f"#%Module1.0\nprepend-path PATH {program.parent}\n",
            member.home / "site.toml": '[run]\nmodules = ["tool"]\n',
            member.home / "shout.wdl": "version 1.0\ntask t { command <<< shout >>> "
            "output { String o = read_string(stdout()) } }\n"
            "workflow shout { call t output { String o = t.o } }\n",
        }.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        program.chmod(0o755)
        return {
            "CROMWELL_USERDB_SITE": str(member.home / "site.toml"),
            "MODULEPATH": str(module.parent.parent),
        }

    @pytest.mark.parametrize("export", ["ALL", "MODULEPATH"])
    def test_calls_have_the_sites_modules_inherited_or_loaded_in_the_job(
        self, member: Member, site: dict[str, str], export: str
    ):
        there, env = member.at(""), site | {"SBATCH_EXPORT": export}
        assert there.userdb("init", env=env).returncode == 0
        done = there.userdb("run", "shout.wdl", "--json", env=env)
        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout)["outputs"]["shout.o"] == "LOUD"

    def test_a_node_without_the_module_is_named(self, member: Member, site: dict[str, str]):
        there, env = member.at(""), site | {"SBATCH_EXPORT": "NONE"}
        assert there.userdb("init", env=env).returncode == 0
        done = there.userdb("run", "shout.wdl", env=env)
        assert done.returncode == 1
        assert "its environment modules can't be loaded on n" in done.stderr
        assert "'tool'" in done.stderr

    def test_a_module_that_is_not_here_stops_the_command(
        self, member: Member, site: dict[str, str]
    ):
        done = member.userdb("init", env=site | {"MODULEPATH": "/nowhere"})
        assert done.returncode == 2
        assert "run.modules: tool can't be loaded here" in done.stderr
