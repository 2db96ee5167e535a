"""What a task asks for in its runtime section, and what its job then has, on a real SLURM.

With CROMWELL_USERDB_CROMWELL the same on a Cromwell.
"""

from __future__ import annotations

import json

import pytest
from cluster import Cluster
from lab import WDL
from people import ENGINES, Member, initialised
from served import until

pytestmark = [
    pytest.mark.functional,
    pytest.mark.root,
    pytest.mark.slurm,
    pytest.mark.timeout(300),
]

FACTS = ["jobname", "partition", "timelimitraw", "alloccpus", "reqmem", "alloctres", "submitline"]
SETTINGS = {
    "slurm.partition": "low",
    "slurm.time": "5",
    "slurm.extra": "--nice=3",
    "slurm.disks_as_tmp": "true",
    "slurm.poll_seconds": "3",
    "run.memory_mb": "70",
}


@pytest.fixture(params=ENGINES)
def member(member: Member, request: pytest.FixtureRequest) -> Member:
    return initialised(member, request.param)


def jobs(member: Member) -> dict[str, dict[str, str]]:
    """What the accounting knows of the newest job of each task, by the task's name."""
    argv = ["sacct", "-n", "-X", "-P", "-S", "now-1hour", "-o", ",".join(FACTS)]
    rows = [row.split("|") for row in member.run(*argv).stdout.splitlines()]
    known = [dict(zip(FACTS, row, strict=True)) for row in rows]
    return {one["jobname"].rpartition("_")[2]: one for one in known}


def test_a_task_goes_before_the_run_and_the_run_before_the_settings(member: Member):
    for name, value in SETTINGS.items():
        assert member.userdb("config", "set", name, "--", value).returncode == 0
    path = member.home / "attributes.wdl"
    path.write_text((WDL / "attributes.wdl").read_text())
    done = member.userdb("run", path, "--slurm-time", "6", "--json", timeout=240)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["outputs"]["attributes.ns"] == [1, 2, 3, 4, 5]
    # The accounting lags behind.
    until(lambda: "attempt-3" in jobs(member).get("stubborn", {}).get("submitline", ""))
    found = jobs(member)
    own = found["own"]
    assert (own["partition"], own["timelimitraw"], own["alloccpus"]) == ("short", "7", "3")
    assert own["reqmem"] == "150M"
    for option in (
        "--tmp=30G",
        "--account=depta",
        "--qos=normal",
        "--constraint=old",
        "--exclude=n3",
        "--nice=7",
        "--mail-type=NONE",
    ):
        assert f" {option}" in own["submitline"]
    plain = found["plain"]
    assert (plain["partition"], plain["timelimitraw"], plain["reqmem"]) == ("low", "6", "70M")
    assert " --nice=3" in plain["submitline"]
    fast = found["fast"]
    assert (fast["partition"], fast["timelimitraw"]) == ("urgent", "9")
    assert "gres/gpu=2" in fast["alloctres"] or "--gres=gpu:a100:2" in fast["submitline"]


def test_a_limit_on_jobs_is_kept_below(member: Member, cluster: Cluster):
    limit = ["sacctmgr", "-i", "modify", "user", "alice", "set"]
    cluster.run([*limit, "maxsubmitjobs=3"])
    try:
        assert "3; a run keeps to 2 of them" in member.userdb("cluster", "show").stdout
        shown = member.userdb("config", "show", "--origin").stdout
        line = next(line for line in shown.splitlines() if "run.concurrent_jobs" in line)
        assert line.split(None, 2)[1:] == ["2", "SLURM's limit on your jobs"]
        assert "concurrent-job-limit = 2" in member.userdb("config", "render").stdout
        member.userdb("config", "set", "run.concurrent_jobs", "9")
        assert "concurrent-job-limit = 9" in member.userdb("config", "render").stdout
    finally:
        cluster.run([*limit, "maxsubmitjobs=-1"])


def test_jobs_that_wait_are_told_with_the_reason_of_slurm(member: Member):
    member.userdb("config", "set", "slurm.poll_seconds", "2")
    path = member.home / "scatter.wdl"
    path.write_text((WDL / "scatter.wdl").read_text())
    words = ("--input", "scat.width=2", "--slurm-extra=--begin=now+1hour", "--detach")
    run = member.userdb("run", path, *words).stdout.strip()

    def waits() -> object:
        return json.loads(member.userdb("status", run, "--json").stdout)["waiting"]

    until(waits, timeout=90)
    assert waits() == [{"call": "t", "reason": "BeginTime", "jobs": 2}]
    shown = member.userdb("status", run).stdout
    assert "waiting: 2 t jobs in SLURM (BeginTime)" in shown
    assert member.userdb("abort", run).returncode == 0
