"""`submit`: a run whose leader is a SLURM job of its own."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from cluster import Cluster
from lab import WDL
from people import ON_THE_FULL_NODE, Member, Person, fill_a_node, initialised
from served import until

pytestmark = [pytest.mark.functional, pytest.mark.root, pytest.mark.slurm]


@pytest.fixture
def member(member: Member) -> Member:
    """Alice on the cluster, with an instance that nobody serves."""
    initialised(member, "embedded").userdb("db", "stop")
    return member


def wdl(person: Person, name: str) -> Path:
    """A copy of a workflow where the person may read it."""
    path = person.home / name
    path.write_text((WDL / name).read_text())
    return path


def submitted(person: Person, name: str, *words: str) -> dict[str, Any]:
    done = person.userdb("submit", wdl(person, name), *words, "--json")
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout))


def state(person: Person, run: int) -> dict[str, Any]:
    return dict(json.loads(person.userdb("status", str(run), "--json").stdout))


def test_a_submitted_run_is_led_by_its_job_to_the_end(member: Member):
    run = submitted(member, "scatter.wdl", "--input", "scat.width=2")
    assert run["state"] == "queued"
    done = member.userdb("attach", str(run["run"]))
    assert done.returncode == 0, done.stderr
    ended = state(member, run["run"])
    assert ended["job"] == run["job"]
    assert ended["outputs"]["scat.ns"] == [0, 1]


def test_the_job_leaves_no_server_behind(member: Member):
    run = submitted(member, "hello.wdl")
    assert member.userdb("attach", str(run["run"])).returncode == 0
    until(lambda: not member.run("squeue", "--me", "-h").stdout.strip())
    assert member.userdb("db", "status").returncode == 3


def test_leaders_of_one_instance_queue_behind_each_other(member: Member):
    first = submitted(member, "long.wdl", "--input", "long.s=12", "--input", "long.n=1")
    done = member.userdb("submit", wdl(member, "hello.wdl"))
    second = state(member, int(done.stdout))
    assert f"run 2 is job {second['job']} behind job {first['job']};" in done.stderr
    for run in (first, second):
        assert member.userdb("attach", str(run["run"])).returncode == 0
    assert state(member, first["run"])["ended"] < state(member, second["run"])["ended"]


def test_no_submit_stops_the_server_of_a_leader_that_begins(member: Member):
    first = submitted(member, "long.wdl", "--input", "long.s=1", "--input", "long.n=1")
    # At moments of its start, with nobody connected yet.
    for _ in range(4):
        submitted(member, "hello.wdl")
    done = member.userdb("attach", str(first["run"]))
    assert done.returncode == 0, done.stderr


def test_a_queued_run_can_be_aborted(member: Member):
    other = fill_a_node(member)
    run = submitted(member, "hello.wdl", *ON_THE_FULL_NODE)
    told = member.userdb("status", str(run["run"])).stdout
    assert f"waiting: its leader, job {run['job']}, in SLURM (" in told
    done = member.userdb("abort", str(run["run"]))
    assert done.returncode == 0, done.stderr
    assert state(member, run["run"])["state"] == "aborted"
    assert member.run("squeue", "--me", "-h", "-o", "%i").stdout.split() == [other]


def test_a_running_leader_obeys_an_abort_from_elsewhere(member: Member):
    run = submitted(member, "long.wdl", "--input", "long.s=600")["run"]
    until(lambda: any(c["running"] for c in state(member, run)["calls"]), timeout=60)
    done = member.userdb("abort", str(run))
    assert done.returncode == 0, done.stderr
    assert state(member, run)["state"] == "aborted"
    until(lambda: not member.run("squeue", "--me", "-h").stdout.strip(), timeout=60)


def test_leader_and_calls_tell_slurm_whose_they_are(cluster: Cluster, member: Member):
    run = submitted(member, "long.wdl", "--input", "long.s=600", "--slurm-account", "depta")
    until(lambda: _running(member, run["run"]) == 3, timeout=60)
    text = member.run("squeue", "--me", "-h", "-o", "%u|%a|%k|%j").stdout.splitlines()
    heads = {row.rpartition("|")[0] for row in text}
    assert heads == {f"alice|depta|cromwell-userdb run {run['run']}"}
    names = sorted(row.rpartition("|")[2] for row in text)
    assert names[:1] == [name for name in names if name.startswith("cromwell-userdb-default-")]
    assert [name.rpartition("_")[2] for name in names[1:]] == ["sl", "sl", "sl"]


class TestAtItsLimit:
    """SLURM tells a leader of its limit by TERM to the batch shell alone, and so do these."""

    def told(self, member: Member, on_limit: str, seconds: int) -> int:
        words = ("--input", f"long.s={seconds}", "--input", "long.n=2", "--on-limit", on_limit)
        run = submitted(member, "long.wdl", *words)
        until(lambda: _running(member, run["run"]) == 2, timeout=60)
        member.run("scancel", "--signal=TERM", "--batch", run["job"])
        return int(run["run"])

    def test_a_leader_that_is_to_abort_leaves_no_job(self, member: Member):
        run = self.told(member, "abort", 600)
        assert member.userdb("attach", str(run)).returncode == 7
        until(lambda: not member.run("squeue", "--me", "-h").stdout.strip(), timeout=60)

    def test_one_that_is_told_as_its_engine_begins_aborts_as_well(self, member: Member):
        run = submitted(member, "long.wdl", "--on-limit", "abort")
        folder = member.home / ".local/share/cromwell-userdb/default/runs" / str(run["run"])
        until(lambda: json.loads((folder / "state.json").read_text())["engine_process"], timeout=60)
        member.run("scancel", "--signal=TERM", "--batch", run["job"])
        assert member.userdb("attach", str(run["run"])).returncode == 7

    def test_a_leader_that_is_to_adopt_leaves_its_jobs_for_a_resume(self, member: Member):
        run = self.told(member, "adopt", 25)
        assert member.userdb("attach", str(run)).returncode == 75
        until(lambda: len(member.run("squeue", "--me", "-h").stdout.splitlines()) == 2)
        done = member.userdb("resume", str(run), "--json")
        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout)["outputs"]["long.os"] == ["done 0", "done 1"]
        assert len(_jobs_of_calls(member)) == 2

    def test_a_leader_that_somebody_cancels_does_not_come_back(self, member: Member):
        words = ("--input", "long.s=600", "--input", "long.n=2")
        run = submitted(member, "long.wdl", *words)
        until(lambda: _running(member, run["run"]) == 2, timeout=60)
        member.run("scancel", run["job"])
        assert member.userdb("attach", str(run["run"])).returncode == 75
        until(lambda: len(member.run("squeue", "--me", "-h").stdout.splitlines()) == 2)
        assert "queued" not in state(member, run["run"])["note"]
        assert member.userdb("abort", str(run["run"])).returncode == 0
        until(lambda: not member.run("squeue", "--me", "-h").stdout.strip(), timeout=60)


class TestFromElsewhere:
    """Two hosts by name, neither of them a node: what they see is on the shared disk."""

    def test_an_idle_server_on_a_login_node_gives_way_to_a_leader(self, member: Member):
        login1, login2 = member.at("login1"), member.at("login2")
        assert login1.userdb("db", "start").returncode == 0
        done = login2.userdb("submit", wdl(member, "hello.wdl"))
        assert done.returncode == 0, done.stderr
        assert login2.userdb("attach", done.stdout.strip()).returncode == 0
        # The verdict comes first, and then the end of the job and its server.
        until(lambda: login1.userdb("db", "status").returncode == 3, timeout=30)

    def test_a_run_is_seen_and_aborted_from_any_node(self, member: Member):
        run = submitted(member, "long.wdl", "--input", "long.s=600")["run"]
        login = member.at("login2")
        until(lambda: _running(login, run) == 3, timeout=120)
        assert json.loads(login.userdb("list", "--json").stdout)[0]["state"] == "running"
        logs = login.userdb("logs", str(run), "--call", "sl[1]", "--json")
        (told,) = json.loads(logs.stdout)
        assert (told["call"], told["status"]) == ("sl[1]", "running")
        assert "this is what the calls' folders tell" in logs.stderr
        done = login.userdb("abort", str(run))
        assert done.returncode == 0, done.stderr
        assert login.userdb("attach", str(run)).returncode == 7
        assert [calls["running"] for calls in state(login, run)["calls"]] == [0]
        until(lambda: not member.run("squeue", "--me", "-h").stdout.strip(), timeout=60)


def test_a_leader_that_fails_before_its_engine_begins_has_its_words_passed_on(member: Member):
    other = fill_a_node(member)
    run = submitted(member, "hello.wdl", *ON_THE_FULL_NODE)["run"]
    executions = member.home / ".local/share/cromwell-userdb/default/executions"
    member.run("install", "-d", "-m", "755", executions)
    member.run("scancel", other)
    done = member.userdb("attach", str(run))
    assert done.returncode == 75, done.stderr
    told = done.stderr.partition("its leader ended before its engine began: ")[2]
    assert "executions has to be yours alone" in told, done.stderr


def test_a_leader_that_would_never_begin_is_refused_and_leaves_no_run(member: Member):
    refusals = {
        "--leader-partition nowhere": "the leader: There is no partition 'nowhere'.",
        "--leader-partition short --leader-time 1-0": "more than short allows (10 min)",
        "--leader-time soon": "the leader: 'soon' is no time limit",
        "--leader-memory 99999999": "more than a node of main has",
    }
    for words, said in refusals.items():
        done = member.userdb("submit", wdl(member, "hello.wdl"), *words.split())
        assert (done.returncode, said in done.stderr) == (2, True), done.stderr
    assert json.loads(member.userdb("list", "--json").stdout) == []


def test_the_wrapper_is_a_leader_by_hand(member: Member):
    wrapper = member.userdb("sbatch-wrapper").stdout.strip()
    bin = member.home / "bin"
    bin.mkdir()
    program = bin / "cromwell-userdb"
    program.write_text(f'#!/bin/sh\nexec {" ".join(member.command)} "$@"\n')
    program.chmod(0o755)
    path = f"{bin}:{member.environment['PATH']}"
    odd = wdl(member, "hello.wdl").rename(member.home / "an odd 'name' $(id).wdl")
    words = (odd, "--input", 'hello.name=two  words "$(id)" *')
    done = member.run("sbatch", "--parsable", "--wait", wrapper, *words, env={"PATH": path})
    assert done.returncode == 0, done.stderr + done.stdout
    ended = state(member, 1)
    assert (ended["state"], ended["job"]) == ("succeeded", done.stdout.strip())
    comment = member.run("sacct", "-X", "-n", "-j", ended["job"], "-o", "comment%40").stdout
    assert comment.strip() == "cromwell-userdb run 1"


@pytest.mark.matrix
def test_a_leader_that_is_told_of_its_limit_goes_on_in_its_second_life(member: Member):
    words = ("--input", "long.s=45", "--input", "long.n=2")
    first = submitted(member, "long.wdl", *words, "--on-limit", "requeue")
    until(lambda: _running(member, first["run"]) == 2, timeout=60)
    member.run("scancel", "--signal=TERM", "--batch", first["job"])
    # SLURM waits for two minutes before it starts a requeued job.
    done = member.userdb("attach", str(first["run"]), "--json", timeout=400)
    assert done.returncode == 0, done.stderr
    assert "its leader is queued again, as job" in done.stderr
    result = json.loads(done.stdout)
    assert (result["resumes"], result["outputs"]["long.os"]) == (1, ["done 0", "done 1"])
    assert len(_jobs_of_calls(member)) == 2


@pytest.mark.matrix
@pytest.mark.timeout(1200)
def test_a_leader_that_reaches_its_limit_with_twenty_calls_running_ends_well(member: Member):
    """Takes seven minutes: SLURM counts limits in minutes, and waits two to requeue."""
    words = ("--input", "long.s=240", "--input", "long.n=20", "--leader-time", "2")
    first = submitted(member, "long.wdl", *words)["run"]
    until(lambda: state(member, first)["resumed_by"], timeout=480)
    second = state(member, first)["resumed_by"]
    assert _running(member, first) == 20
    until(lambda: state(member, second)["ended"], timeout=480)
    assert state(member, second)["outputs"]["long.os"] == [f"done {n}" for n in range(20)]
    assert len(_jobs_of_calls(member)) == 20


def _jobs_of_calls(member: Member) -> list[str]:
    """Every job that there ever was for a call of this test's, each of its lives."""
    rows = member.run("sacct", "-X", "-D", "-n", "-o", "jobname%30,workdir%200").stdout.splitlines()
    return [row for row in rows if str(member.home) in row and "cromwell_" in row]


def _running(person: Person, run: int) -> int:
    return sum(calls["running"] for calls in state(person, run)["calls"])


@pytest.mark.parametrize(
    ("flag", "value", "words"),
    [
        ("partition", "shrot", "short"),
        ("account", "nobodys", "depta"),
        ("time", "soon", "no time limit"),
        ("extra", "--wrap=id", "no option for SLURM"),
    ],
)
def test_what_slurm_would_refuse_later_is_refused_at_once(
    member: Member, flag: str, value: str, words: str
):
    done = member.userdb("run", wdl(member, "hello.wdl"), f"--slurm-{flag}", value)
    assert done.returncode == 2, done.stderr
    assert words in done.stderr
    assert json.loads(member.userdb("list", "--json").stdout) == []


def test_the_cluster_is_shown_as_the_user_may_use_it(member: Member):
    shown = member.userdb("cluster", "show").stdout
    assert "depta" in shown
    facts = json.loads(member.userdb("cluster", "show", "--json").stdout)
    usable = {one["name"]: one["usable"] for one in facts["partitions"]}
    assert usable["main"]
    assert not usable["hold"]
    assert (facts["login_node"], facts["limited"]) == (False, False)
    there = json.loads(member.at("login1").userdb("cluster", "show", "--json").stdout)
    assert (there["login_node"], there["limited"]) == (True, True)
    assert "this host is a login node" in member.at("login1").userdb("cluster", "show").stdout


def test_limits_of_the_users_accounts_are_shown(cluster: Cluster, member: Member):
    change = ["sacctmgr", "-i", "modify", "user", "alice", "set"]
    cluster.run([*change, "maxjobs=20", "maxsubmit=40", "maxwall=2-0", "maxtres=cpu=64"])
    try:
        shown = member.userdb("cluster", "show").stdout.splitlines()
    finally:
        cluster.run([*change, "maxjobs=-1", "maxsubmit=-1", "maxwall=-1", "maxtres=cpu=-1"])
    assert "jobs of yours at once: 40; a run keeps to 39 of them" in shown
    assert shown[-1].split() == ["depta", "40", "20", "2", "d", "cpu=64", "normal"]
