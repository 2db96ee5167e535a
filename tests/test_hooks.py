"""Calls on a real SLURM: submitted once, watched cheaply, ended with SLURM's own reason."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from calls import Call, Run, wait_for
from cluster import PATH, Cluster

pytestmark = [pytest.mark.functional, pytest.mark.slurm, pytest.mark.timeout(240)]

EAT = """python3 -c 'import time; x = bytearray(400 * 2**20); time.sleep(20)'"""


@pytest.fixture(scope="module")
def make_run(cluster: Cluster) -> Iterator[Callable[..., Run]]:
    made: list[Path] = []

    def make(user: str = "alice", *, programs: Path | None = None, **settings: object) -> Run:
        base = cluster.home(user) / f"run-{len(made)}"
        made.append(base)
        path = f"{programs}:{PATH}" if programs else PATH
        run_as = lambda argv: cluster.popen(argv, user=user, env={"PATH": path}, timeout=180)  # noqa: E731
        return Run(base, run_as, owner=user, settings=settings).install()

    yield make
    for user in ("alice", "bob"):
        cluster.run(["scancel", "-u", user])
    for base in made:
        shutil.rmtree(base, ignore_errors=True)


@pytest.fixture(scope="module")
def run(make_run: Callable[..., Run]) -> Run:
    return make_run()


@pytest.fixture
def programs(cluster: Cluster) -> Iterator[Path]:
    """A folder in front of everybody's PATH, for programs that behave badly."""
    folder = cluster.root / "programs"
    folder.mkdir()
    yield folder
    shutil.rmtree(folder)


def write_program(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text("#!/bin/bash\n" + text)
    path.chmod(0o755)
    return folder


def jobs_of(cluster: Cluster, call: Call) -> list[str]:
    rows = cluster.run(["squeue", "-h", "-a", "-t", "all", "-o", "%i %Z"]).splitlines()
    return [row.split()[0] for row in rows if row.split()[1] == str(call.cwd)]


def wait_running(cluster: Cluster, call: Call) -> None:
    state = ["squeue", "-h", "-j", call.job, "-o", "%T"]
    wait_for(lambda: "RUNNING" in cluster.run(state, check=False))
    # The job's own shell has begun, so that it can be told.
    wait_for(lambda: (call.here / ".claim").exists() or None)


# --- every way to end ------------------------------------------------------------------------


def test_a_job_that_fills_its_disk_ends_with_a_code_that_says_so(
    cluster: Cluster, small_disk: Path
) -> None:
    shutil.chown(small_disk, "alice", "alice")
    run_as = lambda argv: cluster.popen(argv, user="alice", env={"PATH": PATH}, timeout=180)  # noqa: E731
    run = Run(small_disk / "run", run_as, owner="alice").install()
    late = run.call("true")
    late.write_submit()
    call = run.call("cat /dev/zero > filler; true").submit()
    wait_for(lambda: call.rc, timeout=60)
    assert call.rc == 86
    done = run.run_as(["/bin/bash", late.here / "script.submit"])
    assert (done.returncode, done.stdout) == (1, "")
    assert jobs_of(cluster, late) == []


@pytest.fixture(scope="module")
def ends(cluster: Cluster, run: Run, make_run: Callable[..., Run]) -> Iterator[dict[str, Call]]:
    """One call for each way to end, all of them killed at the same time."""
    calls = {
        "finished": run.call("echo done"),
        "failed": run.call("exit 3"),
        "over its memory": run.call(EAT, memory_mb="200"),
        "killed by the kernel": run.call("bash -c 'kill -9 $$'"),
        "over its time": run.call("sleep 300", time="1"),
        "on a node that failed": run.call("sleep 300", extra="--nodelist=n3"),
        "preempted": run.call("sleep 300", partition="low", cpu="64"),
        "cancelled by its user": run.call("sleep 300"),
        "cancelled by an administrator": run.call("sleep 300"),
        "cancelled while it waits": run.call("sleep 300", extra="--begin=now+1hour"),
        "without its folder": run.call(extra="--begin=now+4"),
        "forgotten by the queue": make_run().call("sleep 300", extra="--begin=now+1hour"),
    }
    for call in calls.values():
        call.submit()
    for name in ("on a node that failed", "preempted", "cancelled by its user"):
        wait_running(cluster, calls[name])
    urgent = ["sbatch", "-p", "urgent", "-c", "64", "-t", "1", "-o", "/dev/null", "--wrap", "true"]
    cluster.run(urgent, user="bob")
    cluster.run(["scontrol", "update", "nodename=n3", "state=down", "reason=test"])
    cluster.run(["scancel", calls["cancelled by its user"].job], user="alice")
    for name in ("cancelled while it waits", "forgotten by the queue"):
        cluster.run(["scancel", calls[name].job], user="alice")
    wait_running(cluster, calls["cancelled by an administrator"])
    cluster.run(["scancel", calls["cancelled by an administrator"].job])
    _lose_folder(cluster, calls["without its folder"])
    yield calls
    cluster.run(["scontrol", "update", "nodename=n3", "state=resume"], check=False)


def _lose_folder(cluster: Cluster, call: Call) -> None:
    away = call.cwd / "away"
    call.here.rename(away)
    state = ["squeue", "-h", "-t", "all", "-j", call.job, "-o", "%T"]
    wait_for(lambda: "FAILED" in cluster.run(state))
    away.rename(call.here)


@pytest.mark.parametrize(
    ("name", "code", "words"),
    [
        ("finished", 0, ""),
        ("failed", 3, ""),
        ("over its memory", 80, "OUT_OF_MEMORY: it needed more memory than the 200 MB it had"),
        ("killed by the kernel", 80, ""),
        ("on a node that failed", 82, "NODE_FAIL: its node n3 failed"),
        ("preempted", 83, "PREEMPTED: a job of higher priority took its place"),
        ("cancelled by its user", 84, "CANCELLED: somebody cancelled it"),
        ("cancelled by an administrator", 84, "CANCELLED: somebody cancelled it"),
        ("cancelled while it waits", 84, "CANCELLED: somebody cancelled it"),
        ("without its folder", 85, "NOT_STARTED: it could not start in"),
    ],
)
def test_a_call_ends_with_the_reason_of_slurm(
    ends: dict[str, Call], name: str, code: int, words: str
) -> None:
    call = ends[name]
    assert call.end(timeout=120) == code
    assert re.search(f"job {call.job} ended as {words}" if words else "^$", call.stderr)


@pytest.mark.parametrize("name", ["over its memory", "killed by the kernel"])
def test_more_memory_is_asked_for_by_the_file_that_cromwell_reads(
    ends: dict[str, Call], name: str
) -> None:
    ends[name].end()
    assert (ends[name].here / "memory_retry_rc").read_text() == "0\n"


def test_an_end_is_told_once(ends: dict[str, Call]) -> None:
    call = ends["cancelled by its user"]
    call.end()
    call.check()
    assert call.stderr.count("ended as") == 1


# --- whose job, and what it gets -------------------------------------------------------------


def test_two_users_at_once_get_jobs_of_their_own_account(
    cluster: Cluster, make_run: Callable[..., Run]
) -> None:
    for user, account in (("alice", "depta"), ("bob", "deptb")):
        call = make_run(user, comment="cromwell-userdb run 7").call().submit()
        row = ["sacct", "-n", "-X", "-P", "-j", call.job, "-o", "user,account,comment,workdir"]
        want = f"{user}|{account}|cromwell-userdb run 7|{call.cwd}\n"
        wait_for(lambda row=row, want=want: cluster.run(row, user=user) == want)  # noqa: B023


def test_what_a_task_asks_for_goes_before_what_the_run_asks_for(
    cluster: Cluster, make_run: Callable[..., Run]
) -> None:
    run = make_run(partition="short", time_limit="9", extra=("--nice=5",))
    call = run.call("sleep 30", cpu="3", memory_mb="700", partition="main", extra="--nice=7")
    facts = cluster.run(["scontrol", "-o", "show", "job", call.submit().job])
    wanted = ["Partition=main", "TimeLimit=00:09:00", "NumCPUs=3", "MinMemoryNode=700M", "Nice=7"]
    assert [fact for fact in wanted if f"{fact} " not in facts] == []


@pytest.mark.parametrize(
    ("attributes", "wanted"),
    [
        ({"gpu": "true"}, "TresPerNode=gres:gpu:1"),
        ({"gpu": "false"}, ""),
        ({"gpu_count": "2"}, "TresPerNode=gres:gpu:2"),
        ({"accelerator_count": "2", "gpu": "true"}, "TresPerNode=gres:gpu:2"),
        ({"gpu_type": "a100"}, "TresPerNode=gres:gpu:a100:1"),
        ({"gpu_count": "0", "gpu": "true"}, ""),
        ({"disks": "local-disk 10 SSD"}, "MinTmpDiskNode=10G"),
        ({"disks": "/mnt/data 20 HDD, /mnt/more 5 HDD"}, "MinTmpDiskNode=25G"),
        ({"disks": '["local-disk 10 SSD","/mnt 20 GiB"]'}, "MinTmpDiskNode=30G"),
        ({"disks": "7"}, "MinTmpDiskNode=7G"),
        ({"constraint": "new", "qos": "normal"}, "Features=new"),
        ({"runtime_minutes": "20", "time_minutes": "5"}, "TimeLimit=00:20:00"),
        ({"runtime_minutes": "20", "time": "0:30:00"}, "TimeLimit=00:30:00"),
        ({"account": "depta", "exclude": "n[1-2]"}, "ExcNodeList=n[1-2]"),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, dict) else "",
)
def test_an_attribute_becomes_a_demand_of_the_job(
    cluster: Cluster, make_run: Callable[..., Run], attributes: dict[str, str], wanted: str
) -> None:
    call = make_run().call(**{"partition": "low", "extra": "--begin=now+1hour", **attributes})
    facts = cluster.run(["scontrol", "-o", "show", "job", call.submit().job])
    assert wanted in facts if wanted else "TresPerNode" not in facts


def test_a_reservation_is_asked_for(cluster: Cluster, make_run: Callable[..., Run]) -> None:
    course = ["reservation=course", "starttime=now+600", "duration=60", "users=alice", "nodes=n1"]
    cluster.run(["scontrol", "create", *course, "flags=ignore_jobs"])
    call = make_run(reservation="course").call().submit()
    facts = cluster.run(["scontrol", "-o", "show", "job", call.job])
    cluster.run(["scancel", call.job])
    cluster.run(["scontrol", "delete", "reservation=course"])
    assert "Reservation=course" in facts


def test_an_outer_job_leaves_nothing_in_the_call(run: Run, cluster: Cluster) -> None:
    call = run.call("env | grep -c -E '^SLURM_(MEM_PER_CPU=300|ARRAY_TASK_ID=3)'")
    env = {"SLURM_MEM_PER_CPU": "300", "SLURM_ARRAY_TASK_ID": "3"}
    done = cluster.popen(["/bin/bash", call.write_submit()], user="alice", env=env)
    call.job = done.stdout.strip()
    assert call.end() == 1
    assert (call.here / "stdout").read_text() == "0\n"


@pytest.mark.parametrize(
    ("died", "asked", "wanted"),
    [
        (81, "time=4\npartition=short\n", ["TimeLimit=00:08:00", "Partition=short"]),
        (81, "time=7:30\npartition=short\n", ["TimeLimit=00:14:00", "Partition=low"]),
        (81, "time=0:50:00\npartition=low\n", ["TimeLimit=01:00:00", "Partition=low"]),
        (81, "time=1-0\npartition=main\n", ["TimeLimit=2-00:00:00", "Partition=main"]),
        (82, "time=4\npartition=short\n", ["TimeLimit=00:09:00", "ExcNodeList=n[2-3]"]),
        (81, "time=\npartition=\n", ["TimeLimit=00:10:00", "Partition=main"]),
        (1, "time=4\npartition=short\n", ["TimeLimit=00:09:00", "Partition=main"]),
        (
            80,
            "time=8\nlearned_time=8\nlearned_partition=low\nlearned_exclude=n2,n3\n",
            ["TimeLimit=00:08:00", "Partition=low", "ExcNodeList=n[2-3]"],
        ),
    ],
    ids=[
        "more time",
        "a longer partition",
        "as long as may be",
        "no limit",
        "elsewhere",
        "than it had",
        "same",
        "as learned before",
    ],
)
def test_the_next_attempt_asks_for_what_the_last_one_lacked(
    cluster: Cluster, make_run: Callable[..., Run], died: int, asked: str, wanted: list[str]
) -> None:
    limits = {"limits": ("short=10", "low=60"), "longer": ("low=60",)}
    run = make_run(**limits, partition="main", time_limit="9", exclude="n2")
    before = run.call()
    files = {"rc": f"{died}\n", ".asked": asked, ".node": "n3\n", ".claim": "7\n"}
    for name, text in files.items():
        (before.here / name).write_text(text)
    os.utime(before.here / ".claim", (time.time() - 310, time.time() - 310))
    place = str(before.cwd.relative_to(run.workflow()) / "attempt-2")
    call = run.call(place=place, extra="--begin=now+1hour").submit()
    facts = cluster.run(["scontrol", "-o", "show", "job", call.job])
    assert [fact for fact in wanted if f"{fact} " not in facts] == []


@pytest.mark.parametrize(
    ("attributes", "words"),
    [
        ({"partition": "nowhere"}, "sbatch refused the call: .*Invalid partition name specified"),
        ({"account": "deptb"}, "Invalid account or account/partition combination"),
        ({"time": "soon"}, "Invalid --time specification"),
        ({"extra": "--wrap=id"}, 'slurm_extra may not hold "--wrap=id"'),
        ({"extra": "; id"}, 'slurm_extra may not hold ";"'),
        ({"extra": "--array=1-3"}, 'slurm_extra may not hold "--array=1-3"'),
        ({"cpu": "many"}, 'cpu takes a whole number, not "many"'),
        ({"gpu_type": "a b"}, 'gpuType takes a plain word, not "a b"'),
        ({"partition": "main\naccount=x"}, "A runtime attribute has a line break"),
        ({"partition": "main\nrm -rf /"}, "A runtime attribute has a line break"),
    ],
)
def test_what_can_never_run_is_refused_at_once_in_plain_words(
    run: Run, attributes: dict[str, str], words: str
) -> None:
    call = run.call(**attributes)
    began = time.monotonic()
    call.submit()
    assert (call.job, time.monotonic() - began < 5) == ("", True)
    assert re.search(words, call.said) and re.search(words, call.stderr)


@pytest.mark.parametrize(
    "value", ["$(touch PWNED)", "`touch PWNED`", "' ; touch PWNED ; '", '" $HOME', "ü" * 200, "* ?"]
)
def test_a_hostile_value_is_only_a_value(run: Run, value: str) -> None:
    call = run.call(partition=value).submit()
    assert value in call.said
    assert list(call.run.base.rglob("PWNED")) == []


# --- a bad line to the controller ------------------------------------------------------------


def _lose_answers(programs: Path) -> None:
    """Have an sbatch that submits, and then reports a time-out."""
    lost = "echo 'sbatch: error: Socket timed out on send/recv operation' >&2; exit 1"
    write_program(programs, "sbatch", f'/usr/bin/sbatch "$@" >/dev/null\n{lost}\n')


def test_an_sbatch_whose_answer_was_lost_makes_no_second_job(
    cluster: Cluster, make_run: Callable[..., Run], programs: Path
) -> None:
    _lose_answers(programs)
    call = make_run(programs=programs).call("sleep 60").submit()
    assert jobs_of(cluster, call) == [call.job]


def test_what_is_known_of_jobs_is_the_users_alone(
    make_run: Callable[..., Run], programs: Path
) -> None:
    _lose_answers(programs)
    run = make_run(programs=programs)
    run.call("true", extra="--begin=now+1hour").submit().check()
    wait_for(lambda: {"queue", "folders"} <= {one.name for one in run.base.glob("state/*/*/*")})
    assert run.open_to_others() == []


def test_an_sbatch_that_never_arrived_is_repeated_once(
    cluster: Cluster, make_run: Callable[..., Run], programs: Path
) -> None:
    lost = "echo 'sbatch: error: Unable to contact slurm controller (connect failure)' >&2; exit 1"
    first = f"[[ -e {programs}/once ]] || {{ touch {programs}/once; {lost}; }}"
    write_program(programs, "sbatch", f'{first}\nexec /usr/bin/sbatch "$@"\n')
    programs.chmod(0o777)
    call = make_run(programs=programs).call("sleep 60").submit()
    assert jobs_of(cluster, call) == [call.job]


def test_a_frozen_controller_gets_one_job_when_it_wakes(cluster: Cluster, run: Run) -> None:
    call = run.call("sleep 60")
    script = call.write_submit()
    with cluster.frozen_controller():
        waiting = start(cluster, ["/bin/bash", script])
        time.sleep(12)
    out, _ = waiting.communicate(timeout=60)
    assert jobs_of(cluster, call) == [out.strip()]


def start(cluster: Cluster, argv: list[str | Path]) -> subprocess.Popen[str]:
    return subprocess.Popen(
        ["setpriv", "--reuid=alice", "--regid=alice", "--init-groups", *map(str, argv)],
        env=cluster.environment("alice"),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.parametrize(
    ("whose", "limit"), [("user bob", "maxsubmitjobs"), ("qos normal", "maxsubmitjobsperuser")]
)
def test_a_full_queue_is_waited_for(
    cluster: Cluster, make_run: Callable[..., Run], whose: str, limit: str
) -> None:
    change = ["sacctmgr", "-i", "modify", *whose.split(), "set"]
    run = make_run("bob")
    cluster.run(["scancel", "-u", "bob"])
    cluster.run([*change, f"{limit}=1"])
    try:
        first, second = run.call("sleep 4").submit(), run.call().submit()
    finally:
        cluster.run([*change, f"{limit}=-1"])
    assert first.end() == second.end() == 0


LIMITS = [
    "Batch job submission failed: Slurm temporarily unable to accept job, sleeping and retrying",
    "Batch job submission failed: Resource temporarily unavailable",
    "Batch job submission failed: Job array index exceeds MaxArraySize",
    "AssocGrpSubmitJobsLimit\nsbatch: error: Batch job submission failed: Job violates accounting/"
    "QOS policy (job submit limit, user's size and/or time limits)",
    "Batch job submission failed: Too many open files",
]


@pytest.mark.parametrize("words", LIMITS, ids=["jobs", "resources", "arrays", "account", "files"])
def test_a_limit_that_sbatch_tells_is_waited_for_and_makes_one_job(
    cluster: Cluster, make_run: Callable[..., Run], programs: Path, words: str
) -> None:
    # SLURM itself says the like of MaxJobCount after two minutes only.
    programs.chmod(0o777)
    said = f"echo x >> {programs}/said; echo {shlex.quote(f'sbatch: error: {words}')} >&2; exit 1"
    often = f"[[ $(grep -c x {programs}/said 2>/dev/null) == 2 ]] || {{ {said}; }}"
    write_program(programs, "sbatch", f'{often}\nexec /usr/bin/sbatch "$@"\n')
    write_program(programs, "sleep", "[[ $1 -lt 60 ]] && exec /bin/sleep 0.1; exec /bin/sleep $1\n")
    call = make_run(programs=programs).call("sleep 60").submit()
    assert (call.said, (programs / "said").read_text()) == ("", "x\nx\n")
    assert jobs_of(cluster, call) == [call.job]


def test_a_submission_ends_with_the_engine_that_asked(
    cluster: Cluster, make_run: Callable[..., Run], programs: Path
) -> None:
    write_program(programs, "sbatch", "echo 'Socket timed out' >&2; exit 1\n")
    call = make_run(programs=programs).call()
    engine = f"PATH={programs}:$PATH; /bin/bash {call.write_submit()} & sleep 1; kill -9 $$"
    start(cluster, ["/bin/bash", "-c", engine]).wait(20)
    wait_for(lambda: "The run ended before SLURM took this call" in call.stderr)
    wait_for(lambda: not processes(f"{call.run.hooks}/withdraw"))


def processes(program: str) -> list[str]:
    done = subprocess.run(["pgrep", "-f", program], capture_output=True, text=True, check=False)
    return done.stdout.split()


def test_a_submission_that_nobody_waits_for_any_more_leaves_no_job(
    cluster: Cluster, run: Run
) -> None:
    call = run.call("touch ran; sleep 60")
    engine = f"/bin/bash {call.write_submit()} & sleep 11; kill -9 $$"
    with cluster.frozen_controller():
        start(cluster, ["/bin/bash", "-c", engine]).wait(20)
        wait_for(lambda: "The run ended before SLURM took this call" in call.stderr)
    wait_for(lambda: not processes(f"{call.run.hooks}/withdraw"))
    state = ["squeue", "-h", "-o", "%Z"]
    wait_for(lambda: str(call.cwd) not in cluster.run(state))
    assert not (call.here / "ran").exists()


def test_an_outage_kills_no_call_and_is_asked_about_without_waiting(
    cluster: Cluster, make_run: Callable[..., Run]
) -> None:
    run = make_run()
    lasting, ending, cancelled = (run.call(f"sleep {n}").submit() for n in (300, 8, 300))
    for call in (lasting, ending, cancelled):
        wait_running(cluster, call)
        call.check()
    cluster.stop_controller()
    try:
        cancelled.kill()
        began = time.monotonic()
        answers = [call.check() for call in (lasting, ending, cancelled) for _ in range(10)]
        took = time.monotonic() - began
        time.sleep(4)
        assert (set(answers), lasting.rc, took < 3) == ({0}, None, True)
    finally:
        cluster.start_controller()
    assert (ending.end(), cancelled.end()) == (0, 84)
    assert (lasting.check(), lasting.rc) == (0, None)


# --- many checks, few questions --------------------------------------------------------------


def test_a_thousand_checks_are_one_question_an_interval(
    cluster: Cluster, make_run: Callable[..., Run]
) -> None:
    run = make_run(poll_seconds=60)
    call = run.call("sleep 60").submit()
    wait_running(cluster, call)
    cluster.run(["sdiag", "-r"])
    check = f"{run.hooks}/check-alive {call.job} {call.here}/script.check"
    loop = f"for i in {{1..300}}; do {check}; done"
    run.run_as(["/bin/bash", "-c", loop])
    asked = re.findall(r"REQUEST_JOB_USER_INFO\s.*count:(\d+)", cluster.run(["sdiag"]))
    assert asked in ([], ["1"])


def test_a_job_that_nobody_knows_is_given_up_after_a_while(make_run: Callable[..., Run]) -> None:
    call = make_run(missing_seconds=3).call()
    call.job = "999999"
    assert call.check() == 0
    assert call.end() == 79
    assert "SLURM does not know it any more" in call.stderr


@pytest.mark.parametrize(
    "answer",
    [
        "echo 'Slurm accounting storage is disabled' >&2; exit 1",
        "echo 'sacct: error: Access/permission denied' >&2; exit 1",
        "exit 127",
    ],
    ids=["disabled", "denied", "absent"],
)
def test_without_accounting_the_queue_is_enough(
    cluster: Cluster, make_run: Callable[..., Run], programs: Path, answer: str
) -> None:
    write_program(programs, "sacct", f"{answer}\n")
    call = make_run(programs=programs).call("sleep 300").submit()
    wait_running(cluster, call)
    cluster.run(["scancel", call.job])
    assert call.end() == 84


def test_a_kill_ends_what_is_held_queued_again_or_an_array(cluster: Cluster, run: Run) -> None:
    held = run.call("sleep 300", extra="--begin=now+1hour").submit()
    cluster.run(["scontrol", "hold", held.job])
    again, array = run.call(), run.call()
    argv = ["sbatch", "--parsable", "-o", "/dev/null", "--wrap", "sleep 300"]
    again.job = cluster.run([*argv, "--requeue"], user="alice").strip()
    array.job = cluster.run([*argv, "--array=1-3"], user="alice").strip()
    state = ["squeue", "-h", "-j", again.job, "-o", "%T"]
    wait_for(lambda: "RUNNING" in cluster.run(state))
    cluster.run(["scontrol", "requeue", again.job])
    for call in (held, again, array):
        call.kill()
    left = ["squeue", "-h", "-u", "alice", "-o", "%A"]
    wait_for(lambda: not {held.job, again.job, array.job} & set(cluster.run(left).split()))


def test_a_second_job_of_a_call_does_nothing(cluster: Cluster, run: Run) -> None:
    call = run.call("echo x >> times; sleep 3")
    first, second = call.submit().job, call.submit().job
    wait_for(lambda: set(jobs_of(cluster, call)) == {first, second})
    assert call.end() == 0
    assert (call.here / "times").read_text() == "x\n"


def test_a_number_that_is_another_calls_now_is_no_news_of_this_one(
    cluster: Cluster, make_run: Callable[..., Run]
) -> None:
    run = make_run()
    now, before = run.call("sleep 60").submit(), run.call()
    before.job = now.job
    wait_running(cluster, now)
    now.check()
    wait_for(lambda: list((run.base / "state").glob("*/*/queue")))
    before.kill()
    assert "RUNNING" in cluster.run(["squeue", "-h", "-j", now.job, "-o", "%T"])
    cluster.run(["scancel", now.job])
    assert now.end() == 84
    assert (before.check(), before.rc) == (0, None)


def test_a_folder_of_somebody_else_is_not_believed(
    cluster: Cluster, make_run: Callable[..., Run]
) -> None:
    run = make_run()
    call = run.call("sleep 300").submit()
    call.check()
    (folder,) = (run.base / "state").glob("*/*")
    (folder / "queue").write_text(f"{int(time.time())}\n{call.job} TIMEOUT None\n")
    shutil.chown(folder, "bob")
    assert (call.check(), call.rc) == (0, None)


# --- what took its time ----------------------------------------------------------------------


def test_a_job_that_left_the_queue_is_found_in_the_accounting(
    cluster: Cluster, ends: dict[str, Call]
) -> None:
    call = ends["forgotten by the queue"]
    in_queue = ["squeue", "-h", "-t", "all", "-o", "%i"]
    wait_for(lambda: call.job not in cluster.run(in_queue).split(), timeout=60, pause=1)
    assert call.end() == 84


def test_a_call_over_its_time_ends_as_such(ends: dict[str, Call]) -> None:
    call = ends["over its time"]
    assert call.end(timeout=120) == 81
    told = f"job {call.job} ended as TIMEOUT: it reached its time limit (1)"
    # The return code comes first.
    wait_for(lambda: told in call.stderr)
