"""`resume`: runs that were killed, failed or aborted are finished, and no call runs twice.

The engine is the embedded one, or the Cromwell that CROMWELL_USERDB_CROMWELL names.
"""

from __future__ import annotations

import json
import random
import shlex
import shutil
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
from cluster import Cluster
from lab import WDL, Lab
from people import ON_THE_FULL_NODE, Member, fill_a_node, initialised
from served import kill, until

from cromwell_userdb import adoption, enginelog, locks
from cromwell_userdb.adoption import Dead
from cromwell_userdb.errors import UsageError
from cromwell_userdb.metadata import Call

MARKED = WDL / "marked.wdl"
SHORT = ("--input", "marked.n=1", "--input", "marked.s=2")
DONE = ["done 0", "done 1", "done 2"]


def marks_of(path: Path) -> list[str]:
    return sorted(path.read_text().split()) if path.exists() else []


def begin(lab: Lab, marks: Path, *words: str) -> int:
    """Run the workflow that leaves marks, and come back once its calls run."""
    done = lab.do("run", MARKED, "--input", f"marked.marks={marks}", *words, "--detach")
    assert done.returncode == 0, done.stderr
    until(lambda: marks_of(marks))
    return int(done.stdout)


def lose(lab: Lab, number: int) -> None:
    """Kill whoever leads a run, and its engine, at once."""
    state = lab.state(number)
    for name in ("leader", "engine_process"):
        kill(state[name]["pid"])


# --- killed ----------------------------------------------------------------------------------

SEEDS = [0, *(pytest.param(seed, marks=pytest.mark.matrix) for seed in range(1, 20))]


@pytest.mark.functional
@pytest.mark.parametrize("seed", SEEDS)
def test_a_run_killed_at_any_moment_is_finished_and_no_call_ran_twice(
    lab: Lab, tmp_path: Path, seed: int
):
    moments = random.Random(seed)
    marks = tmp_path / "marks"
    number = begin(lab, marks)
    for _ in range(2):
        time.sleep(moments.uniform(0, 3))
        if not lab.state(number)["ended"]:
            lose(lab, number)
            done = lab.do("resume", str(number), "--detach")
            assert done.returncode == 0, done.stderr
            number = int(done.stdout)
    ended = json.loads(lab.do("attach", str(number), "--json").stdout)
    assert (ended["state"], ended["outputs"]["marked.os"]) == ("succeeded", DONE)
    assert marks_of(marks) == ["0", "1", "2"]


@pytest.mark.functional
def test_the_two_runs_point_to_each_other(lab: Lab, tmp_path: Path):
    first = begin(lab, tmp_path / "marks", *SHORT)
    lose(lab, first)
    second = lab.answer("resume", str(first))
    assert (second["resumes"], lab.state(first)["resumed_by"]) == (first, second["run"])
    told = lab.do("abort", str(first)).stderr
    assert f"was resumed as run {second['run']}, which has ended: succeeded." in told
    assert lab.state(first)["state"] == "lost"
    done = lab.do("resume", str(first))
    assert done.returncode == 3
    assert f"resumed as run {second['run']}, which has succeeded" in done.stderr


@pytest.mark.functional
def test_nobody_stops_the_server_under_a_run_that_is_being_entered(lab: Lab, tmp_path: Path):
    first = begin(lab, tmp_path / "marks", *SHORT)
    lose(lab, first)
    assert lab.state(first)["state"] != lab.answer("status", str(first))["state"] == "lost"
    with locks.exclusive(lab.root / "resume.lock", 10):
        resume = lab.begin("resume", str(first))
        until(lambda: lab.answer("db status")["connections"])
        stop = lab.do("db stop")
    assert (stop.returncode, "in use: 1 connection" in stop.stderr) == (6, True), stop.stderr
    assert resume.wait(60) == 0


@pytest.mark.functional
def test_a_leader_that_comes_back_leaves_the_run_to_whoever_leads_it_now(lab: Lab, tmp_path: Path):
    words = ("--input", "marked.n=1", "--input", "marked.s=20")
    first = begin(lab, tmp_path / "marks", *words)
    lose(lab, first)
    second = lab.do("resume", str(first), "--detach").stdout.strip()
    done = lab.do("lead", str(first), SLURM_JOB_ID="77")
    assert done.returncode == 75
    assert f"run {first} was resumed as run {second}, which somebody else leads" in done.stdout
    assert lab.do("abort", second).returncode == 0
    assert lab.do("lead", str(first), SLURM_JOB_ID="77").returncode == 7


@pytest.mark.functional
def test_a_run_that_goes_on_is_not_resumed(lab: Lab, tmp_path: Path):
    number = begin(lab, tmp_path / "marks", *SHORT)
    done = lab.do("resume", str(number))
    assert done.returncode == 6
    assert f"attach {number}" in done.stderr
    assert lab.do("attach", str(number)).returncode == 0
    assert lab.do("resume", str(number)).returncode == 3


@pytest.mark.functional
def test_run_tells_of_the_same_run_that_was_lost(lab: Lab, tmp_path: Path):
    marks = tmp_path / "marks"
    first = begin(lab, marks, *SHORT)
    lose(lab, first)
    words = ("--input", f"marked.marks={marks}", "--detach")
    again = lab.do("run", MARKED, *words, *SHORT)
    assert f"cromwell-userdb resume {first}" in again.stderr
    other = lab.do("run", MARKED, *words, "--input", "marked.s=0")
    assert "resume" not in other.stderr


@pytest.mark.functional
def test_run_offers_at_a_terminal_to_resume_the_same_run_that_was_lost(lab: Lab, tmp_path: Path):
    marks = tmp_path / "marks"
    first = begin(lab, marks, *SHORT)
    lose(lab, first)
    line = shlex.join(lab.argv("run", MARKED, "--input", f"marked.marks={marks}", *SHORT))
    done = subprocess.run(
        ["script", "-qec", line, "/dev/null"],
        env=lab.environment,
        input="\n",
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    assert f"run {first} of this workflow and these inputs was lost. Resume it" in done.stdout
    assert lab.state(lab.state(first)["resumed_by"])["state"] == "succeeded"
    assert marks_of(marks) == ["0"]


@pytest.mark.functional
def test_a_lost_run_is_aborted_with_its_jobs(lab: Lab, tmp_path: Path):
    number = begin(lab, tmp_path / "marks", "--input", "marked.s=4321", "--input", "marked.n=1")
    lose(lab, number)
    aborted = lab.answer("abort", str(number))
    assert aborted["state"] == "aborted"
    assert not any(calls["running"] for calls in aborted["calls"])
    until(lambda: not _asleep(4321))


@pytest.mark.functional
def test_a_leader_that_cannot_be_seen_is_never_called_dead(lab: Lab, tmp_path: Path):
    number = begin(lab, tmp_path / "marks", *SHORT)
    assert lab.do("attach", str(number)).returncode == 0
    path = lab.root / "runs" / str(number) / "state.json"
    state = lab.state(number) | {"state": "running", "ended": "", "as_of": "2020-01-01T00:00+00:00"}
    for name in ("leader", "engine_process"):
        state[name]["host"] = "n114"
    path.write_text(json.dumps(state))
    refused = lab.do("resume", str(number))
    assert refused.returncode == 6
    assert "is led on n114, and whether it still lives can't be seen from here" in refused.stderr
    told = lab.do("abort", str(number), "--no-wait")
    assert "nothing was heard of its leader on n114" in told.stderr


@pytest.mark.functional
def test_an_old_job_that_nothing_needs_is_cancelled_in_the_end(lab: Lab, tmp_path: Path):
    marks = tmp_path / "marks"
    wdl = tmp_path / "once.wdl"
    wdl.write_text(
        "version 1.0\ntask t { input { String m } command <<< echo x >> ~{m}; "
        "[ $(wc -l < ~{m}) = 1 ] && sleep 5432; echo y >>> "
        "output { String o = read_string(stdout()) } }\n"
        "workflow once { input { String m } call t { input: m = m } output { String o = t.o } }\n"
    )
    words = (wdl, "--input", f"once.m={marks}")
    first = int(lab.do("run", *words, "--detach").stdout)
    until(lambda: marks_of(marks))
    lose(lab, first)
    assert lab.do("run", *words).returncode == 0
    resumed = lab.do("resume", str(first))
    assert resumed.returncode == 0, resumed.stderr
    assert "1 from cache" in resumed.stderr
    assert "1 job of an earlier run that fitted no call: cancelled" in resumed.stderr
    until(lambda: not _asleep(5432))


def _asleep(seconds: int) -> bool:
    """Whether a task's `sleep` of about so many seconds is alive."""
    done = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True)
    lengths = {str(seconds + more) for more in range(3)}
    lines = (line.split() for line in done.stdout.splitlines())
    return any(len(line) == 2 and line[0] == "sleep" and line[1] in lengths for line in lines)


# --- failed, aborted, changed ----------------------------------------------------------------


@pytest.fixture
def fragile(tmp_path: Path) -> Path:
    """A workflow of two calls; the second fails until there is a file `fixed`."""
    inner = tmp_path / "inner.wdl"
    inner.write_text(
        "version 1.0\ntask use { input { String where File f } command <<< "
        "test -e ~{where}/fixed && cat ~{f} >>> output { String o = read_string(stdout()) } }\n"
    )
    wdl = tmp_path / "fragile.wdl"
    wdl.write_text(
        'version 1.0\nimport "inner.wdl"\ntask give { input { String where } command <<< '
        'echo x >> ~{where}/marks; echo given > o >>> output { File f = "o" } }\n'
        "workflow fragile { input { String where } call give { input: where = where } "
        "call inner.use { input: where = where, f = give.f } output { String o = use.o } }\n"
    )
    return wdl


def failed(lab: Lab, fragile: Path) -> int:
    done = lab.do("run", fragile, "--input", f"fragile.where={fragile.parent}", "--json")
    assert done.returncode == 1, done.stderr
    return int(json.loads(done.stdout)["run"])


@pytest.mark.functional
def test_a_failed_run_is_finished_once_its_cause_is_mended(lab: Lab, fragile: Path):
    number = failed(lab, fragile)
    (fragile.parent / "fixed").touch()
    result = lab.answer("resume", str(number))
    assert (result["state"], result["outputs"]["fragile.o"]) == ("succeeded", "given")
    assert (result["total"]["cached"], marks_of(fragile.parent / "marks")) == (1, ["x"])


@pytest.mark.functional
def test_a_failure_says_how_to_go_on(lab: Lab, fragile: Path):
    done = lab.do("run", fragile, "--input", f"fragile.where={fragile.parent}")
    number = max(int(path.name) for path in (lab.root / "runs").iterdir())
    assert f"Again: cromwell-userdb resume {number} --root" in done.stderr


@pytest.mark.functional
@pytest.mark.parametrize("changed", ["fragile.wdl", "inner.wdl"])
def test_a_workflow_that_has_changed_since_is_taken_from_its_copy(
    lab: Lab, fragile: Path, changed: str
):
    number = failed(lab, fragile)
    (fragile.parent / "fixed").touch()
    (fragile.parent / changed).write_text("version 1.0\nsomething else")
    done = lab.do("resume", str(number), "--json")
    assert f"{changed} has changed since run {number}" in done.stderr
    assert json.loads(done.stdout)["outputs"]["fragile.o"] == "given"


@pytest.mark.functional
def test_a_copy_without_its_imports_is_refused(lab: Lab, fragile: Path):
    number = failed(lab, fragile)
    request = lab.root / "runs" / str(number) / "request.json"
    facts = json.loads(request.read_text())
    request.write_text(json.dumps(facts | {"sources": {}}))
    fragile.unlink()
    done = lab.do("resume", str(number))
    assert done.returncode == 2
    assert "not all that it imports was kept" in done.stderr


@pytest.mark.functional
def test_an_aborted_run_is_begun_again_where_it_was(lab: Lab, tmp_path: Path):
    marks = tmp_path / "marks"
    number = begin(lab, marks, *SHORT)
    assert lab.answer("abort", str(number))["state"] == "aborted"
    result = lab.answer("resume", str(number))
    assert (result["state"], result["outputs"]["marked.os"]) == ("succeeded", DONE[:1])


@pytest.mark.functional
@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("--memory", "usee=8GB"), "has no call 'usee'; it has give, use"),
        (("--memory", "use"), "write it as call=8GB"),
        (("--memory", "use=lots"), "'lots' is no amount of memory"),
        (("--time", "use=soon"), "write minutes"),
        (("--time", "use=1-0"), "--time is for SLURM jobs"),
        (("--cpu", "use=half"), "write a number of cores"),
    ],
)
def test_what_can_not_be_asked_for_is_refused(lab: Lab, fragile: Path, words, sentence):
    number = failed(lab, fragile)
    done = lab.do("resume", str(number), *words)
    assert done.returncode == 2
    assert sentence in done.stderr
    assert not (lab.root / "runs" / str(number + 1)).exists()


# --- values ----------------------------------------------------------------------------------


def test_overrides_are_read_by_call_and_shard():
    read = adoption.read_overrides(["align=8GB", "w.call[17]=500"], ["align=1-12"], ["align=4"])
    assert read == {
        "align": {"memory_mb": 8192, "time": "1-12", "cpu": 4},
        "call[17]": {"memory_mb": 500},
    }


@pytest.mark.parametrize(
    "word", ["=8GB", "a b=8GB", "align=-1", "align=8GB\nx", "$(id)=1", "a[b]=1"]
)
def test_a_hostile_override_is_refused(word: str):
    with pytest.raises(UsageError):
        adoption.read_overrides([word], [])


def test_a_failed_call_names_the_call_whose_job_it_had_too(tmp_path: Path):
    (tmp_path / "new/execution").mkdir(parents=True)
    (tmp_path / "new/execution/.adopted").write_text(f"{tmp_path}/old\n")
    call = Call("w", "w.t", None, 1, status="Failed", root=str(tmp_path / "new"))
    done = Call("w", "w.u", None, 1, status="Done", root=str(tmp_path / "done"))
    assert adoption.failed_text([call, done]) == f"{tmp_path}/new\n{tmp_path}/old\n"


def test_jobs_of_dead_runs_are_those_below_their_folders():
    dead = [Dead(1, "a", Path("/x/w/a")), Dead(2, "", None)]
    jobs = [("7", "/x/w/a/call-t"), ("8", "/x/w/ab/call-t"), ("9", "/x/w/a/call-u")]
    assert adoption.leftovers(jobs, dead, {"9"}) == ["7"]
    assert adoption.leftovers(jobs, dead[1:], set()) == []


def test_the_id_of_a_workflow_is_in_the_log_where_the_database_never_had_it(tmp_path: Path):
    log = tmp_path / "engine.log"
    id = "02a65e19-bb22-4dab-b0cc-ac3768c50163"
    log.write_text(f"2026 INFO - starting\n2026 INFO - Workflow submitted UUID({id})\n")
    assert enginelog.told_id(log) == id
    assert enginelog.told_id(tmp_path / "absent") == ""


# --- on SLURM --------------------------------------------------------------------------------


@pytest.fixture
def member(member: Member) -> Member:
    """Alice on the cluster, with an instance and the workflow that leaves marks."""
    shutil.copy(MARKED, member.home)
    return initialised(member)


@pytest.mark.functional
@pytest.mark.root
@pytest.mark.slurm
def test_jobs_of_a_killed_run_are_taken_up_and_none_is_submitted_again(
    cluster: Cluster, member: Member
):
    marks = member.home / "marks"
    begun = member.userdb("run", "marked.wdl", "--input", f"marked.marks={marks}", "--detach")
    assert begun.returncode == 0, begun.stderr
    until(lambda: len(marks_of(marks)) == 3, timeout=60)
    runs = member.home / ".local/share/cromwell-userdb/default/runs"
    state = json.loads((runs / "1/state.json").read_text())
    for name in ("leader", "engine_process"):
        kill(state[name]["pid"])
    result = json.loads(member.userdb("resume", "1", "--json").stdout)
    assert (result["state"], result["outputs"]["marked.os"]) == ("succeeded", DONE)
    assert marks_of(marks) == ["0", "1", "2"]
    argv = ["sacct", "-n", "-X", "-P", "-u", "alice", "-o", "jobname,workdir"]

    def submitted() -> list[str]:
        rows = [row for row in cluster.run(argv).splitlines() if str(member.home) in row]
        return sorted(row.split("|")[0].rpartition("_")[2] for row in rows)

    until(lambda: "all" in submitted())
    assert submitted() == ["all", "one", "one", "one"]


CHAINS = """version 1.0
task a { input { Int i String marks }
  command <<< echo a~{i} >> ~{marks}; sleep 0.~{i % 7}; echo ~{i} > o >>>
  output { Int o = read_int("o") File f = "o" } }
task b { input { Int i File f String marks }
  command <<< echo b~{i} >> ~{marks}; cat ~{f} >>> output { Int o = read_int(stdout()) } }
workflow chains { input { Int n String marks }
  scatter (i in range(n)) {
    call a { input: i = i, marks = marks } call b { input: i = i, f = a.f, marks = marks } }
  output { Array[Int] os = b.o } }
"""


def get_on(member: Member, number: int, marks: Path) -> bool:
    """Wait until another call runs; False when the run has ended."""
    before = len(marks_of(marks))
    until(lambda: len(marks_of(marks)) > before or state_of(member, number)["ended"], timeout=90)
    return not state_of(member, number)["ended"]


LONG = [pytest.mark.matrix, pytest.mark.timeout(3600)]


@pytest.mark.functional
@pytest.mark.root
@pytest.mark.slurm
@pytest.mark.parametrize(("chains", "kills"), [(5, 3), pytest.param(100, 50, marks=LONG)])
def test_a_run_killed_again_and_again_submits_no_call_twice(
    cluster: Cluster, member: Member, chains: int, kills: int
):
    moments, marks = random.Random(kills), member.home / "marks"
    (member.home / "chains.wdl").write_text(CHAINS)
    assert member.userdb("config", "set", "run.concurrent_jobs", "3").returncode == 0
    inputs = ("--input", f"chains.n={chains}", "--input", f"chains.marks={marks}")
    begun = member.userdb("run", "chains.wdl", *inputs, "--detach")
    assert begun.returncode == 0, begun.stderr
    number, killed = 1, 0
    while killed < kills and get_on(member, number, marks):
        time.sleep(moments.uniform(0, 0.5))
        state = state_of(member, number)
        if state["ended"]:
            break
        for name in ("leader", "engine_process"):
            kill(state[name]["pid"])
        resumed = member.userdb("resume", str(number), "--detach")
        if "has succeeded" in resumed.stderr:
            break  # all was over but for its leader's last words
        assert resumed.returncode == 0, resumed.stderr
        number, killed = int(resumed.stdout), killed + 1
    assert killed > kills // 2
    result = json.loads(member.userdb("attach", str(number), "--json").stdout)
    assert (result["state"], result["outputs"]["chains.os"]) == ("succeeded", list(range(chains)))
    calls = sorted(f"{task}{i}" for task in "ab" for i in range(chains))
    assert marks_of(marks) == calls
    argv = ["sacct", "-n", "-X", "-P", "-u", "alice", "-o", "jobname,workdir"]

    def submitted() -> int:
        rows = cluster.run(argv).splitlines()
        return sum(f"{member.home}/" in row and "/chains/" in row for row in rows)

    until(lambda: submitted() >= len(calls))
    assert submitted() == len(calls)


@pytest.mark.functional
@pytest.mark.root
@pytest.mark.slurm
def test_a_lost_run_is_resumed_from_a_job_which_takes_its_jobs_up(cluster: Cluster, member: Member):
    marks = member.home / "marks"
    begun = member.userdb("run", "marked.wdl", "--input", f"marked.marks={marks}", "--detach")
    assert begun.returncode == 0, begun.stderr
    until(lambda: len(marks_of(marks)) == 3, timeout=60)
    lost = state_of(member, 1)
    for name in ("leader", "engine_process"):
        kill(lost[name]["pid"])
    done = member.userdb("resume", "1", "--submit", "--leader-time", "30", "--json")
    assert done.returncode == 0, done.stderr
    resumed = json.loads(done.stdout)
    assert (resumed["resumes"], state_of(member, 1)["resumed_by"]) == (1, 2)
    facts = member.run("scontrol", "show", "job", resumed["job"]).stdout
    assert "Comment=cromwell-userdb run 2" in facts
    assert "TimeLimit=00:30:00" in facts
    result = json.loads(member.userdb("attach", "2", "--json").stdout)
    assert (result["state"], result["outputs"]["marked.os"]) == ("succeeded", DONE)
    assert (result["job"], marks_of(marks)) == (resumed["job"], ["0", "1", "2"])


@pytest.mark.functional
@pytest.mark.root
@pytest.mark.slurm
def test_what_failed_gets_the_cores_memory_and_time_that_are_asked_for(
    cluster: Cluster, member: Member
):
    wdl = member.home / "hungry.wdl"
    wdl.write_text(
        "version 1.0\ntask t { command <<< [ $SLURM_CPUS_PER_TASK = 3 ] >>> "
        'output { String o = "fed" } }\n'
        "workflow hungry { call t output { String o = t.o } }\n"
    )
    assert member.userdb("run", wdl).returncode == 1
    more = ("--cpu", "t=3", "--memory", "t=2222MB", "--time", "t=5")
    done = member.userdb("resume", "1", "--submit", *more)
    assert done.returncode == 0, done.stderr
    assert member.userdb("attach", "2").returncode == 0
    argv = ["sacct", "-n", "-X", "-P", "-u", "alice", "-o", "reqcpus,reqmem,timelimit,workdir"]

    def asked() -> list[str]:
        rows = cluster.run(argv).splitlines()
        return [row for row in rows if row.endswith("call-t") and str(member.home) in row]

    until(lambda: len(asked()) == 2)
    assert [row.split("|")[:3] for row in asked()][1] == ["3", "2222M", "00:05:00"]


@pytest.mark.functional
@pytest.mark.root
@pytest.mark.slurm
def test_what_no_node_has_is_refused_before_a_run_is_resumed(member: Member):
    wdl = member.home / "greedy.wdl"
    wdl.write_text(
        "version 1.0\ntask t { command <<< exit 1 >>> "
        'runtime { slurm_time: "11" slurm_partition: "main" } }\n'
        "task u { command <<< true >>> runtime { cpu: 4 } }\n"
        "workflow greedy { call t call u as v }\n"
    )
    assert member.userdb("run", wdl, "--slurm-partition", "main").returncode == 1
    refusals = {
        ("--memory", "v=70GB"): "--memory v: 70 GB of memory are more than a node of main has "
        "(62.5 GB).",
        ("--cpu", "t=65"): "--cpu t: 65 cores are more than a node of main has (64).",
        ("--time", "v[0]=11", "--slurm-partition", "short"): "--time v[0]: A time limit of 11 is "
        "more than short allows (10 min). main, low, urgent would do.",
        ("--slurm-constraint", "new"): "There is no feature 'new'.",
        ("--slurm-account", "deptb"): "There is no account 'deptb'.",
    }
    for words, sentence in refusals.items():
        done = member.userdb("resume", "1", "--json", *words)
        assert (done.returncode, done.stdout) == (2, "")
        assert sentence in done.stderr
    assert [one["run"] for one in json.loads(member.userdb("list", "--json").stdout)] == [1]


@pytest.mark.functional
@pytest.mark.root
@pytest.mark.slurm
def test_a_resumed_run_that_is_aborted_in_the_queue_takes_the_old_jobs_with_it(member: Member):
    marks = member.home / "marks"
    words = ("--input", f"marked.marks={marks}", "--input", "marked.s=4000")
    assert member.userdb("run", "marked.wdl", *words, "--detach").returncode == 0
    until(lambda: len(marks_of(marks)) == 3, timeout=60)
    lost = state_of(member, 1)
    for name in ("leader", "engine_process"):
        kill(lost[name]["pid"])
    other = fill_a_node(member)
    done = member.userdb("resume", "1", "--submit", *ON_THE_FULL_NODE)
    assert done.returncode == 0, done.stderr
    aborted = member.userdb("abort", "2")
    assert aborted.returncode == 0, aborted.stderr
    member.run("scancel", other)
    until(lambda: not member.run("squeue", "--me", "-h").stdout.strip(), timeout=60)
    assert state_of(member, 2)["state"] == "aborted"


def state_of(member: Member, run: int) -> dict[str, Any]:
    runs = member.home / ".local/share/cromwell-userdb/default/runs"
    return dict(json.loads((runs / str(run) / "state.json").read_text()))
