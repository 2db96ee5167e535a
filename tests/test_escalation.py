"""Calls that SLURM or people end, tried again with what they lacked, on a real SLURM.

With CROMWELL_USERDB_CROMWELL the same on a Cromwell, which counts every retry as the task's.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from cluster import Cluster
from lab import WDL
from people import ENGINES, Member, initialised
from served import until

pytestmark = [
    pytest.mark.functional,
    pytest.mark.root,
    pytest.mark.slurm,
    pytest.mark.timeout(400),
]


@pytest.fixture(params=ENGINES)
def member(member: Member, request: pytest.FixtureRequest) -> Member:
    initialised(member, request.param)
    member.userdb("config", "set", "slurm.poll_seconds", "3")
    member.userdb("config", "set", "run.memory_factor", "3")
    return member


@pytest.fixture
def nodes_up(cluster: Cluster) -> Iterator[None]:
    yield
    for node in ("n2", "n3"):
        cluster.run(["scontrol", "update", f"nodename={node}", "state=resume"], check=False)


def node_of(cluster: Cluster, task: str) -> tuple[str, str]:
    """The job that runs the first attempt of a task, and its node."""

    def running() -> list[list[str]]:
        rows = cluster.run(["squeue", "-h", "-u", "alice", "-t", "running", "-o", "%i %j %N"])
        return [row.split() for row in rows.splitlines() if f"_{task} " in row]

    until(running, timeout=90)
    job, _, node = running()[0]
    return job, node


def attempts(ended: dict[str, Any]) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = {}
    for one in ended["attempts"]:
        found.setdefault(one["call"], []).append(one)
    return found


def begun(member: Member, *words: str) -> str:
    path = member.home / "escalate.wdl"
    path.write_text((WDL / "escalate.wdl").read_text())
    retries = "0" if "embedded" in member.userdb("config", "get", "engine.kind").stdout else "1"
    given = ("--input", f"escalate.lost_retries={retries}", *words)
    done = member.userdb("run", path, *given, "--detach")
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_calls_ended_from_outside_are_tried_again_and_their_numbers_kept(
    member: Member, cluster: Cluster, nodes_up: None
):
    run = begun(member)
    cluster.run(["scancel", node_of(cluster, "dropped")[0]], user="alice")
    cluster.run(["scancel", node_of(cluster, "withdrawn")[0]])
    failed = node_of(cluster, "stranded")[1]
    cluster.run(["scontrol", "update", f"nodename={failed}", "state=down", "reason=test"])
    node_of(cluster, "displaced")
    urgent = ["sbatch", "-p", "urgent", "-c", "64", "-t", "1", "-o", "/dev/null", "--wrap", "true"]
    cluster.run(urgent, user="bob")
    done = member.userdb("attach", run, "--json", timeout=300)
    ended = json.loads(done.stdout)
    assert ended["outputs"]["escalate.said"] == [
        "fed", "back", "elsewhere", "taken up", "given back"
    ]  # fmt: skip
    by_call = attempts(ended)
    assert {call: [one["reason"] for one in tries] for call, tries in by_call.items()} == {
        "hungry": ["OUT_OF_MEMORY", ""],
        "displaced": ["PREEMPTED", ""],
        "stranded": ["NODE_FAIL", ""],
        "dropped": ["CANCELLED", ""],
        "withdrawn": ["CANCELLED", ""],
    }
    first, second = by_call["hungry"]
    assert (first["asked"]["memory_mb"], second["granted"]["memory_mb"]) == (200, 600)
    assert first["used"]["memory_mb"] > 200
    assert [one["node"] == failed for one in by_call["stranded"]] == [True, False]
    shown = member.userdb("status", run).stdout
    assert "hungry" in shown and "OUT_OF_MEMORY: asked 200 MB, used" in shown
    rows = json.loads(member.userdb("status", run, "--call", "dropped", "--json").stdout)
    assert [one["reason"] for one in rows] == ["CANCELLED", ""]


@pytest.mark.matrix
def test_a_call_that_ran_out_of_time_gets_more(member: Member, cluster: Cluster, nodes_up: None):
    run = begun(member, "--input", "escalate.slow=true")
    state = member.home / ".local/share/cromwell-userdb/default/runs" / run / "state.json"
    late = lambda: attempts(json.loads(state.read_text())).get("late", [])  # noqa: E731
    until(lambda: len(late()) == 2 and late()[1]["used"]["seconds"], timeout=330)
    first, second = late()
    assert (first["reason"], first["granted"]["seconds"]) == ("TIMEOUT", 60)
    assert (second["return_code"], second["granted"]["seconds"]) == (0, 120)
