"""Bad weather on a real SLURM: whole runs through outages, losses, limits and kills.

CI has the short versions. At full length, with the embedded engine or the Cromwell that
CROMWELL_USERDB_CROMWELL names:

    python -m pytest -n 0 -m matrix tests/test_storm.py
"""

from __future__ import annotations

import json
import os
import random
import shutil
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import folders
import pytest
from cluster import CGROUPS, Cluster, lacks, start, stop
from lab import WDL
from people import Member, Person, gone_afterwards, initialised, on
from served import kill, until

pytestmark = [
    pytest.mark.functional,
    pytest.mark.root,
    pytest.mark.slurm,
    pytest.mark.timeout(300),
]

FULL = (pytest.mark.matrix, pytest.mark.timeout(3600))
"""For what takes longer than CI may."""

JAR = os.environ.get("CROMWELL_USERDB_CROMWELL")
START = 240 if JAR else 30
"""Seconds in which a run's calls are under way."""


@contextmanager
def weather(name: str, **more: Any) -> Iterator[Cluster]:
    """A cluster that nobody else is on."""
    if reason := lacks():
        pytest.skip(reason)
    root = folders.made(name)
    try:
        yield start(root, name=name, **more)
    finally:
        stop(root)


@pytest.fixture(scope="module")
def storm() -> Iterator[Cluster]:
    # Hundreds of jobs on one machine can't each look at all its processes every two seconds.
    with weather("storm", conf={"JobAcctGatherFrequency": "task=60"}) as cluster:
        yield cluster


@pytest.fixture
def member(storm: Cluster, alice: Person) -> Iterator[Member]:
    with settled(storm, alice) as person:
        yield person


@contextmanager
def settled(cluster: Cluster, person: Person) -> Iterator[Member]:
    """The person on the cluster, with an instance; nothing of theirs is left afterwards."""
    with gone_afterwards(on(cluster, person)) as there:
        initialised(there)
        there.userdb("config", "set", "slurm.poll_seconds", "5")
        shutil.copy(WDL / "storm.wdl", there.home)
        yield there


# What is typed, and what is seen.


def folder(person: Person, number: int) -> Path:
    return person.home / ".local/share/cromwell-userdb/default/runs" / str(number)


def numbers(person: Person) -> list[int]:
    return sorted(int(path.name) for path in folder(person, 1).parent.glob("[0-9]*"))


def state(person: Person, number: int) -> dict[str, Any]:
    """What the run's leader wrote last."""
    return dict(json.loads((folder(person, number) / "state.json").read_text()))


def begin(person: Person, sleeps: Sequence[int], *words: str, verb: str = "run") -> int:
    """Start the workflow with one chain of two calls for each number of seconds."""
    inputs = {"storm.sleeps": list(sleeps), "storm.marks": str(person.home / "marks")}
    path = person.home / "in.json"
    path.write_text(json.dumps(inputs))
    detach = ["--slurm-time", "60", *(["--detach"] if verb == "run" else [])]
    done = person.userdb(verb, "storm.wdl", path, *detach, *words)
    assert done.returncode == 0, done.stderr
    return int(done.stdout)


def running(person: Person, number: int) -> int:
    return sum(calls["running"] for calls in state(person, number)["calls"])


def failed(person: Person, number: int) -> int:
    return sum(calls["failed"] for calls in state(person, number)["calls"])


def wait_for_calls(person: Person, number: int, count: int, *, before: int = 0) -> None:
    """Until so many calls run, each in a job that has begun; so many were begun before."""
    until(lambda: marks(person).total() >= before + count, timeout=START + count)
    until(lambda: running(person, number) >= count, timeout=START)


def ended(person: Person, number: int, *, timeout: float = 120) -> dict[str, Any]:
    done = person.userdb("attach", str(number), "--json", timeout=timeout)
    assert done.stdout, done.stderr
    return dict(json.loads(done.stdout))


def marks(person: Person) -> Counter[str]:
    """How often each call's command was begun."""
    path = person.home / "marks"
    return Counter(path.read_text().split()) if path.exists() else Counter()


def queue(person: Person) -> list[str]:
    """Jobs that wait or run: id, state and folder."""
    argv = ["squeue", "--me", "-h", "-t", "pending,running", "-o", "%i %T %Z"]
    return person.run(*argv).stdout.splitlines()


def jobs(cluster: Cluster, person: Person) -> dict[str, list[str]]:
    """The states of all jobs that each call ever had, by its place below the workflow."""
    argv = ["sacct", "-n", "-X", "-P", "-D", "-u", person.name, "-o", "state,workdir"]
    found: dict[str, list[str]] = {}
    for row in cluster.run(argv).splitlines():
        condition, _, place = row.partition("|")
        if f"{person.home}/" in place and "/storm/" in place:
            found.setdefault(place.partition("/storm/")[2].partition("/")[2], []).append(condition)
    return found


def lose(person: Person, number: int) -> None:
    """Kill whoever leads a run, and its engine."""
    facts = state(person, number)
    for name in ("leader", "engine_process"):
        if facts[name] and not facts["ended"]:
            kill(facts[name]["pid"])


def resumed(person: Person, number: int) -> int:
    """Kill who leads the run, and go on with it; a leader may just be coming into being."""
    for _ in range(20):
        lose(person, number)
        done = person.userdb("resume", str(number), "--detach")
        if done.returncode != 6:
            break
        time.sleep(0.5)
    assert done.returncode == 0, done.stderr
    return int(done.stdout)


def all_well(cluster: Cluster, person: Person, result: dict[str, Any], count: int) -> None:
    """Everything came out right, and each call ran once, in one job."""
    assert result["state"] == "succeeded", (result["note"], result["failures"])
    assert result["outputs"]["storm.os"] == [f"done {number}" for number in range(count)]
    assert set(marks(person).values()) == {1}
    until(lambda: sum(map(len, jobs(cluster, person).values())) >= 2 * count)
    assert {tuple(states) for states in jobs(cluster, person).values()} == {("COMPLETED",)}


# --- the controller is away ------------------------------------------------------------------


@contextmanager
def stopped(cluster: Cluster) -> Iterator[None]:
    cluster.stop_controller()
    try:
        yield
    finally:
        cluster.start_controller()


def outage(cluster: Cluster, how: str) -> AbstractContextManager[None]:
    return stopped(cluster) if how == "stopped" else cluster.frozen_controller()


OUTAGES = [
    ("stopped", 15),
    pytest.param("frozen", 15, marks=pytest.mark.matrix),
    pytest.param("stopped", 600, marks=FULL),
    pytest.param("frozen", 600, marks=FULL),
]


@pytest.mark.parametrize(("how", "seconds"), OUTAGES)
def test_an_outage_kills_no_call_doubles_no_job_and_fails_no_run(
    storm: Cluster, member: Member, how: str, seconds: int
):
    # Some end meanwhile, and what follows them is submitted then; one outlasts it.
    sleeps = [5, 5, seconds // 2, seconds + 10]
    number = begin(member, sleeps)
    wait_for_calls(member, number, 4)
    with outage(storm, how):
        time.sleep(seconds)
    all_well(storm, member, ended(member, number, timeout=240), 4)


def test_a_controller_that_lost_its_state_has_its_calls_reported_and_none_runs_twice(
    storm: Cluster, member: Member
):
    first = begin(member, [300, 300, 300])
    wait_for_calls(member, first, 3)
    storm.stop_controller()
    storm.lose_state()
    # Nodes refuse for a while what has the number of a job that they were told to end.
    storm.change(FirstJobId="500")
    storm.start_controller()
    result = ended(member, first, timeout=240)
    assert result["state"] == "failed"
    for failure in result["failures"]:
        assert "ended as CANCELLED: SLURM lost its records of it" in failure["last_words"], failure
    assert marks(member) == {"first0": 1, "first1": 1, "first2": 1}
    done = member.userdb("resume", str(first), "--detach")
    assert done.returncode == 0, done.stderr
    wait_for_calls(member, int(done.stdout), 3, before=3)
    assert member.userdb("abort", done.stdout.strip()).returncode == 0
    until(lambda: not queue(member))


# --- another cluster -------------------------------------------------------------------------


@pytest.fixture
def sister(storm: Cluster) -> Iterator[Cluster]:
    """A second cluster on the same accounting."""
    with weather("sister", beside=storm) as cluster:
        yield cluster


def there_on(cluster: Cluster, member: Member) -> Member:
    return replace(member, slurm_conf=cluster.conf)


def test_the_calls_of_a_run_live_on_the_cluster_that_is_named(
    storm: Cluster, sister: Cluster, member: Member
):
    first = begin(member, [12, 12, 12], "--slurm-cluster", "sister")
    wait_for_calls(member, first, 3)
    assert queue(member) == []
    assert len(queue(there_on(sister, member))) == 3
    lose(member, first)
    done = member.userdb("resume", str(first), "--slurm-cluster", "storm")
    assert "has its jobs on sister" in done.stderr
    second = int(member.userdb("resume", str(first), "--detach").stdout)
    all_well(sister, member, ended(member, second), 3)


def test_what_is_shown_is_of_the_cluster_that_is_named(
    storm: Cluster, sister: Cluster, member: Member
):
    user = ["sacctmgr", "-i", "modify", "user", "alice", "where"]
    sister.run([*user, "cluster=sister", "set", "maxsubmitjobs=7"])
    words = ("cluster", "show", "--json")
    there = json.loads(member.userdb(*words, "--slurm-cluster", "sister").stdout)
    assert (there["name"], [one["max_submit"] for one in there["associations"]]) == ("sister", [7])
    seen = json.loads(there_on(sister, member).userdb(*words).stdout)
    assert there["partitions"] == seen["partitions"]
    here = json.loads(member.userdb(*words).stdout)
    assert (here["name"], [one["max_submit"] for one in here["associations"]]) == ("storm", [None])
    assert member.userdb("config", "set", "slurm.cluster", "sister").returncode == 0
    assert "cluster sister, SLURM" in member.userdb("cluster", "show").stdout
    (member.home / "in.json").write_text('{"storm.sleeps": [1], "storm.marks": "marks"}')
    for verb in (words, ("run", "storm.wdl", "in.json", "--json")):
        done = member.userdb(*verb, "--slurm-cluster", "nowhere")
        assert (done.returncode, done.stdout) == (2, "")
        assert done.stderr == "There is no cluster 'nowhere'. SLURM has: sister, storm.\n"


def test_an_abort_and_a_kill_reach_another_cluster(storm: Cluster, sister: Cluster, member: Member):
    number = begin(member, [300, 300, 300], "--slurm-cluster", "sister")
    wait_for_calls(member, number, 3)
    there = there_on(sister, member)
    sister.run(["scancel", queue(there)[0].split()[0]])
    until(lambda: failed(member, number), timeout=60)
    assert member.userdb("abort", str(number)).returncode == 0
    until(lambda: not queue(there))


# --- without the accounting, and without leave to see others ---------------------------------


@contextmanager
def no_accounting(cluster: Cluster) -> Iterator[None]:
    cluster.stop_accounting()
    try:
        yield
    finally:
        cluster.start_accounting()


def test_no_accounting_is_needed_before_while_or_after_a_run(storm: Cluster, member: Member):
    with no_accounting(storm):
        before = begin(member, [1, 1])
        assert ended(member, before)["state"] == "succeeded"
        away = begin(member, [20, 300], "--input", f"storm.marks={member.home}/more")
        until(lambda: running(member, away) == 2, timeout=START)
        member.run("scancel", next(row.split()[0] for row in queue(member) if "shard-1" in row))
        until(lambda: failed(member, away), timeout=60)
    result = ended(member, away)
    assert result["state"] == "failed"
    (failure,) = result["failures"]
    assert "ended as CANCELLED" in failure["last_words"]


def test_people_who_may_not_see_each_other_run_workflows_both(
    storm: Cluster, member: Member, bob: Person
):
    every = "accounts,events,jobs,nodes,partitions,reservations,usage,users"
    storm.configure(PrivateData=every)
    storm.forbid(every)
    try:
        with settled(storm, bob) as other:
            first, second = begin(member, [10, 300]), begin(other, [10])
            wait_for_calls(member, first, 2)
            assert all(str(member.home) in row for row in queue(member))
            listed = member.run("squeue", "-h", "-o", "%u").stdout.split()
            assert set(listed) == {"alice"}
            assert member.userdb("cluster", "show").returncode == 0
            storm.run(
                ["scancel", next(row.split()[0] for row in queue(member) if "shard-1" in row)]
            )
            assert ended(other, second)["state"] == "succeeded"
            assert "CANCELLED" in ended(member, first)["failures"][0]["last_words"]
            done = member.userdb("run", "storm.wdl", "in.json", "--slurm-partition", "nowhere")
            assert (done.returncode, "Invalid partition name" in done.stderr) == (1, True)
    finally:
        storm.configure(PrivateData="none")
        storm.forbid("none")


# --- aborts ----------------------------------------------------------------------------------


@pytest.mark.parametrize("calls", [30, pytest.param(300, marks=FULL)])
def test_a_run_aborted_has_no_job_after_a_minute(storm: Cluster, member: Member, calls: int):
    number = begin(member, [900] * calls, "--slurm-extra=--nice=0")
    until(lambda: len(queue(member)) >= calls, timeout=START + calls)
    # Not all of them have room; some are held, one has been queued again.
    held = [row.split()[0] for row in queue(member) if "PENDING" in row][:5]
    if held:
        storm.run(["scontrol", "hold", ",".join(held)])
    began = time.monotonic()
    done = member.userdb("abort", str(number), timeout=180)
    assert done.returncode == 0, done.stderr
    until(lambda: not queue(member), timeout=60)
    assert time.monotonic() - began < 60
    assert state(member, number)["state"] == "aborted"


@pytest.mark.parametrize("how", ["stopped", pytest.param("frozen", marks=pytest.mark.matrix)])
def test_an_abort_outlasts_an_outage(storm: Cluster, member: Member, how: str):
    number = begin(member, [4, 300, 300, 300])
    wait_for_calls(member, number, 4)
    with outage(storm, how):
        # One call has ended, and the one after it is being submitted.
        time.sleep(8)
        member.userdb("abort", str(number), "--no-wait")
        time.sleep(15)
    until(lambda: not queue(member), timeout=60)
    until(lambda: state(member, number)["ended"], timeout=60)
    assert state(member, number)["state"] == "aborted"
    # A controller that wakes may begin a job before it can be told that nobody wants it.
    assert marks(member).total() == 4 + (how == "frozen" and "second0" in marks(member))


def test_what_slurm_never_heard_of_an_abort_is_cancelled_by_the_next_command(
    storm: Cluster, member: Member
):
    number = begin(member, [300, 300])
    wait_for_calls(member, number, 2)
    notes = folder(member, number) / "cancel"
    with stopped(storm):
        member.userdb("abort", str(number), "--no-wait")
        until(lambda: notes.exists() and len(list(notes.iterdir())) == 2)
        # As the end of a leader's job ends all that is in it.
        until(lambda: not kill_all_but_jobs(member))
        assert "SLURM is to cancel 2 jobs of run 1" in member.userdb("db", "status").stdout
        # That of a call whose job nobody knows.
        next(notes.iterdir()).rename(notes / "call-7-7")
    assert len(queue(member)) == 2
    told = member.userdb("status", str(number)).stderr
    assert "2 had not ended, and are cancelled" in told
    until(lambda: not queue(member), timeout=60)
    assert member.userdb("status", str(number)).stderr == ""


def kill_all_but_jobs(person: Person) -> list[int]:
    """Kill what the person has on this machine, but for jobs of SLURM; returns what that was."""
    found = []
    for pid in folders.processes(person.home):
        with suppress(OSError):
            if b"SLURM_JOB_ID=" not in Path(f"/proc/{pid}/environ").read_bytes():
                found.append(pid)
                kill(pid)
    return found


# --- leaders that die, or come to their time limit -------------------------------------------

DEATHS = [
    pytest.param(12, 3, 1),
    pytest.param(50, 20, 2, marks=FULL),
]


@pytest.mark.parametrize(("chains", "deaths", "seed"), DEATHS)
def test_a_run_whose_leader_is_killed_again_and_again_runs_no_call_twice(
    storm: Cluster, member: Member, chains: int, deaths: int, seed: int
):
    moments = random.Random(seed)
    number = begin(member, [moments.randint(1, 2 * deaths) for _ in range(chains)])
    for _ in range(deaths):
        time.sleep(moments.uniform(0, 20 if JAR else 4))
        if state(member, number)["state"] == "succeeded":
            break
        number = resumed(member, number)
    all_well(storm, member, ended(member, number, timeout=600), chains)


def next_life(person: Person, number: int) -> int:
    """The run that goes on: SLURM waits for two minutes before it starts a requeued job."""
    until(lambda: state(person, number)["resumed_by"], timeout=300)
    return int(state(person, number)["resumed_by"])


@pytest.mark.parametrize(
    "policy", [pytest.param(p, marks=FULL) for p in ("adopt", "abort", "requeue")]
)
def test_a_leader_at_its_time_limit_with_twenty_calls_ends_well(
    storm: Cluster, member: Member, policy: str
):
    minutes = 7 if JAR else 2
    words = ("--leader-time", str(minutes), "--on-limit", policy)
    member.userdb("db", "stop")
    number = begin(member, [60 * minutes + 30] * 20, *words, verb="submit")
    wait_for_calls(member, number, 20)
    until(lambda: state(member, number)["ended"], timeout=60 * minutes + 60)
    first = state(member, number)
    if policy == "abort":
        assert first["state"] == "aborted", first
        until(lambda: not queue(member), timeout=60)
        assert set(marks(member).values()) == {1}
        return
    assert first["state"] == "lost", first
    if policy == "adopt":
        until(lambda: first["job"] not in [row.split()[0] for row in queue(member)], timeout=60)
        number = int(member.userdb("resume", str(number), "--detach").stdout)
    else:
        number = next_life(member, number)
    result = ended(member, number, timeout=600)
    while policy == "requeue" and result["state"] == "lost":
        # Its second life was too short as well.
        number = next_life(member, number)
        result = ended(member, number, timeout=600)
    all_well(storm, member, result, 20)


# --- old jobs that fit nothing ---------------------------------------------------------------


ONCE = """\
version 1.0
task t {
  input { String marks }
  command <<< echo x >> ~{marks}; [ $(wc -l < ~{marks}) = 1 ] && sleep 25; echo y >>>
  output { String o = read_string(stdout()) }
}
workflow once { input { String marks } call t { input: marks = marks } output { String o = t.o } }
"""


@pytest.mark.parametrize(
    ("policy", "left", "became"),
    [
        ("cancel", 0, "CANCELLED"),
        pytest.param("wait", 0, "COMPLETED", marks=pytest.mark.matrix),
        pytest.param("leave", 1, "COMPLETED", marks=pytest.mark.matrix),
    ],
)
def test_an_old_job_that_fits_nothing_is_waited_for_cancelled_or_left(
    storm: Cluster, member: Member, policy: str, left: int, became: str
):
    (member.home / "once.wdl").write_text(ONCE)
    words = ("once.wdl", "--input", f"once.marks={member.home}/marks")
    done = member.userdb("run", *words, "--detach")
    wait_for_calls(member, int(done.stdout), 1)
    (job,) = [row.split()[0] for row in queue(member)]
    lose(member, 1)
    # The same is done by another run meanwhile, so that the cache has it.
    assert member.userdb("run", *words).returncode == 0
    resumed = member.userdb("resume", "1", "--orphans", policy)
    assert resumed.returncode == 0, resumed.stderr
    assert len(queue(member)) == left
    until(lambda: not queue(member), timeout=60)
    row = ["sacct", "-n", "-X", "-P", "-j", job, "-o", "state"]
    until(lambda: storm.run(row).startswith(became))


# --- last words ------------------------------------------------------------------------------


def test_a_killed_shard_has_its_last_words_in_logs(storm: Cluster, member: Member):
    number = begin(member, [1, 1, 300])
    wait_for_calls(member, number, 3)
    until(lambda: any("shard-2" in row for row in queue(member)))
    storm.run(["scancel", *[row.split()[0] for row in queue(member) if "shard-2" in row]])
    result = ended(member, number)
    assert (result["state"], len(result["failures"])) == ("failed", 1)
    told = member.userdb("logs", str(number), "--call", "first[2]").stdout
    assert "ended as CANCELLED: somebody cancelled it" in told
    shown = member.userdb("status", str(number)).stdout
    assert "first[2]" in shown
    assert "ended as CANCELLED" in shown


# --- a kernel that keeps jobs to their memory ------------------------------------------------

GREEDY = """\
version 1.0
task eat {
  input { String how }
  command <<<
    eat="python3 -c 'x = bytearray(300 * 2**20)'"
    case ~{how} in
      child) bash -c "$eat" && echo fed ;;
      itself) exec python3 -c 'x = bytearray(300 * 2**20); print("fed")' ;;
    esac
  >>>
  output { String o = read_string(stdout()) }
  runtime { memory: "100 MB" }
}
workflow greedy {
  scatter (how in ["child", "itself"]) { call eat { input: how = how } }
  output { Array[String] os = eat.o }
}
"""


@pytest.mark.matrix
def test_a_call_over_the_memory_of_its_cgroup_is_said_to_be(alice: Person):
    """On demand, as not every machine lets SLURM make cgroups."""
    with weather("strict", conf=CGROUPS) as cluster, settled(cluster, alice) as member:
        (member.home / "greedy.wdl").write_text(GREEDY)
        options = member.home / "options.json"
        options.write_text(json.dumps({"workflow_failure_mode": "ContinueWhilePossible"}))
        done = member.userdb("run", "greedy.wdl", "-o", options)
        assert done.returncode == 1, done.stderr
        assert '2 of 2 "eat" calls ran out of memory' in done.stderr
        retried = {"default_runtime_attributes": {"maxRetries": 1}, "memory_retry_multiplier": 5}
        options.write_text(json.dumps(retried))
        done = member.userdb("run", "greedy.wdl", "-o", options, "--json")
        assert json.loads(done.stdout)["outputs"]["greedy.os"] == ["fed", "fed"], done.stderr


@pytest.mark.matrix
def test_cancels_outlive_the_cgroup_of_the_leader_s_job(alice: Person):
    with weather("strict", conf=CGROUPS) as cluster, settled(cluster, alice) as member:
        number = begin(member, [300, 300], verb="submit")
        wait_for_calls(member, number, 2)
        notes = folder(member, number) / "cancel"
        with stopped(cluster):
            member.userdb("abort", str(number), "--no-wait")
            until(lambda: notes.exists() and len(list(notes.iterdir())) == 2)
            kill(state(member, number)["leader"]["pid"])
            until(lambda: not list(folders.processes(folder(member, number))))
        told = member.userdb("status", str(number)).stderr
        assert "2 had not ended, and are cancelled" in told
        until(lambda: not queue(member), timeout=60)


# --- rare weather, on demand -----------------------------------------------------------------


@pytest.mark.matrix
def test_calls_that_a_federation_starts_on_a_sister_are_followed(
    storm: Cluster, sister: Cluster, member: Member
):
    storm.run(["sacctmgr", "-i", "add", "federation", "fed", "clusters=storm,sister"])
    drain = ["scontrol", "update", "nodename=n[1-4]", "reason=test"]
    try:
        until(lambda: "Synced:Yes" in storm.run(["scontrol", "show", "federation"]))
        storm.run([*drain, "state=drain"])
        number = begin(member, [20, 300])
        wait_for_calls(member, number, 2)
        killed = next(row.split()[0] for row in queue(member) if "shard-1" in row)
        member.run("scancel", killed)
        result = ended(member, number)
    finally:
        storm.run([*drain, "state=resume"])
        storm.run(["sacctmgr", "-i", "delete", "federation", "fed"])
    (failure,) = result["failures"]
    assert "ended as CANCELLED" in failure["last_words"]
    assert set(marks(member).values()) == {1}


@pytest.mark.matrix
@pytest.mark.timeout(1200)
def test_a_controller_that_has_no_room_for_jobs_is_waited_for(alice: Person):
    # sbatch itself tries again for two minutes, and then gives up.
    with weather("full", conf={"MaxJobCount": "2"}) as cluster, settled(cluster, alice) as member:
        number = begin(member, [130] * 3)
        all_well(cluster, member, ended(member, number, timeout=900), 3)
