"""What we believe of a cluster, and what is refused before SLURM has to."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from cluster import Cluster as RealCluster

from cromwell_userdb import cluster as clusters
from cromwell_userdb.cluster import Association, Cluster, Partition
from cromwell_userdb.demands import Demand, problems
from cromwell_userdb.errors import CommandFailed, UsageError

# What a SLURM 22.05 wrote, the parts of no interest left out.
SCONTROL = """\
PartitionName=main AllowGroups=ALL AllowAccounts=ALL AllowQos=ALL Default=YES DefaultTime=00:10:00 \
MaxTime=7-00:00:00 Nodes=n[1-3] State=UP TotalCPUs=192 TotalNodes=3
PartitionName=short AllowGroups=ALL AllowAccounts=depta,deptc AllowQos=normal,long Default=NO \
DefaultTime=NONE MaxTime=00:10:00 Nodes=n[1-3] State=UP TotalCPUs=192 TotalNodes=3
PartitionName=hold AllowGroups=ALL DenyAccounts=deptb AllowQos=ALL Default=NO DefaultTime=NONE \
MaxTime=UNLIMITED Nodes=n[1-3] State=DOWN TotalCPUs=192 TotalNodes=3
PartitionName=big AllowGroups=physics AllowAccounts=ALL AllowQos=ALL Default=NO DefaultTime=NONE \
MaxTime=UNLIMITED Nodes=b1 State=UP TotalCPUs=192 TotalNodes=1
"""
SINFO = """\
main|64|64000|(null)|(null)
main|128+|1024000+|gpu:a100:4(S:0-1)|avx2,rack1
short|64|64000|(null)|avx2
"""
ASSOCIATIONS = (
    "depta|depta||normal,long|||||\n"
    "depta|deptc|short|normal|40|20|2-00:00:00|cpu=64|cpu=512,mem=1T\n"
)


def hal(**changes: object) -> Cluster:
    facts = {
        "name": "hal",
        "version": "22.05.8",
        "partitions": clusters.parse_partitions(SCONTROL, SINFO),
        "associations": clusters.parse_associations(ASSOCIATIONS),
        "groups": frozenset({"biology"}),
        "qos_max_submit": {"long": 100},
        "reservations": ("course",),
    }
    return Cluster(**{**facts, **changes})  # type: ignore[arg-type]


def test_partitions_are_read_with_their_largest_node() -> None:
    main = hal().partitions[0]
    assert main == Partition(
        "main", True, True, 10080, 10, 3, 128, 1024000, "gpu:a100:4(S:0-1)",
        frozenset(), frozenset(), frozenset(), frozenset(), frozenset({"avx2", "rack1"}),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("gres", "type", "most"),
    [
        ("gpu:4(S:0-1)", "", 4),
        ("gpu:a100:4(S:0-1),gpu:v100:2(S:0)", "v100", 2),
        ("nvme:2,gpu:1g.5gb:7", "1g.5gb", 7),
        ("nvme:2,gpu:1g.5gb:7", "", 7),
        ("gpu:a100:4", "h100", 0),
        ("", "", 0),
    ],
)
def test_gpus_are_counted_by_type(gres: str, type: str, most: int) -> None:
    assert Partition("x", gres=gres).most_gpus(type) == most


def test_accounts_are_read_with_their_limits_the_default_first() -> None:
    assert hal().associations[1] == Association(
        "deptc", "short", ("normal",), False, 40, 20, 2880, "cpu=64", "cpu=512,mem=1T"
    )
    assert hal().accounts == ("depta", "deptc")


def test_only_partitions_that_take_the_user_are_offered() -> None:
    assert [one.name for one in hal().usable()] == ["main", "short"]
    member = hal(groups=frozenset({"physics"}))
    assert [one.name for one in member.usable()] == ["main", "short", "big"]


def test_accounts_that_a_partition_keeps_out_do_not_use_it() -> None:
    other = hal(associations=(Association("deptb", is_default=True),))
    assert [one.name for one in other.usable()] == ["main"]


def test_the_smallest_limit_of_jobs_counts() -> None:
    assert (hal().most_jobs(), hal().most_jobs("deptc")) == (100, 40)
    assert hal(associations=()).most_jobs() is None


def check(known: Cluster, asked: Demand) -> None:
    for _, sentence in problems(known, asked):
        raise UsageError(sentence)


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        (
            {"partition": "shrt"},
            "'shrt'. Did you mean short? You may use: main, short.",
        ),
        ({"partition": "main,hold"}, "The partition hold is down"),
        ({"partition": "big"}, "The partition big takes no jobs of yours"),
        ({"account": "dept_a"}, "no account 'dept_a'. Did you mean depta? Yours: depta, deptc."),
        ({"qos": "lang"}, "no quality of service 'lang'. Did you mean long?"),
        ({"qos": "long", "account": "deptc"}, "no quality of service 'long'. Yours: normal."),
        (
            {"time": "1-0", "partition": "short"},
            "more than short allows (10 min). main would do",
        ),
        ({"time": "8-0"}, "A time limit of 8-0 is more than main allows (7 days)."),
        ({"time": "a day"}, "'a day' is no time limit"),
        (
            {"cpu": 65, "partition": "short"},
            "65 cores are more than a node of short has (64). main would do.",
        ),
        (
            {"memory_mb": 65 * 1024, "partition": "short"},
            "65 GB of memory are more than a node of short has (62.5 GB). main would do.",
        ),
        ({"memory_mb": 2 * 1024**2}, "2048 GB of memory are more than a node of main has"),
        ({"gpus": 1, "partition": "short"}, "No node of short has a GPU. main would do."),
        ({"gpus": 1, "gpu_type": "h100"}, "No node of main has a GPU of type h100."),
        ({"constraint": "avx2&rack2"}, "no feature 'rack2'. Did you mean rack1?"),
        (
            {"constraint": "rack1", "partition": "short"},
            "no feature 'rack1'. The nodes of short have: avx2.",
        ),
        ({"reservation": "curse"}, "no reservation 'curse'. Did you mean course?"),
    ],
)
def test_what_could_never_run_is_refused_with_what_could(asked: dict[str, str], words: str) -> None:
    with pytest.raises(UsageError) as refusal:
        check(hal(), Demand(**asked))
    assert words in str(refusal.value)


@pytest.mark.parametrize(
    "asked",
    [
        {},
        {"partition": "main,short", "time": "2-0"},
        {"account": "DeptA", "qos": "long", "time": "90"},
        {"partition": "short", "account": "deptc", "qos": "normal", "time": "10:00"},
        {"cpu": 128, "memory_mb": 1024000, "gpus": 4, "gpu_type": "a100"},
        {"constraint": "[rack1*2&avx2]", "reservation": "course"},
        {"partition": None, "time": "900-0", "memory_mb": 10**9},
        {"qos": "long", "time": "8-0"},
    ],
)
def test_what_can_run_is_let_pass(asked: dict[str, str]) -> None:
    check(hal(), Demand(**asked))


@pytest.mark.parametrize(
    ("lifting", "asked"),
    [({"long"}, "normal"), (set(), "long"), (set(), "")],
)
def test_a_quality_of_service_that_lifts_no_limit_is_no_excuse(
    lifting: set[str], asked: str
) -> None:
    known = hal(lifting_qos=frozenset(lifting))
    with pytest.raises(UsageError, match="more than main allows"):
        check(known, Demand(time="8-0", qos=asked))


@pytest.mark.parametrize("asked", ["long", ""])
def test_one_that_may_lift_a_limit_leaves_the_time_to_slurm(asked: str) -> None:
    check(hal(lifting_qos=frozenset({"long"})), Demand(time="8-0", qos=asked))


def test_without_accounting_any_account_is_slurms_to_judge() -> None:
    check(hal(associations=()), Demand(account="whatever", qos="any"))


def test_a_cluster_is_remembered_as_it_was() -> None:
    assert clusters.from_json(json.loads(json.dumps(clusters.as_json(hal())))) == hal()


@pytest.fixture
def on_hal(cluster: RealCluster, monkeypatch: pytest.MonkeyPatch) -> RealCluster:
    monkeypatch.setenv("SLURM_CONF", str(cluster.conf))
    return cluster


@pytest.mark.functional
@pytest.mark.slurm
def test_a_real_cluster_tells_each_user_what_is_his(on_hal: RealCluster) -> None:
    seen = {user: clusters.look(user) for user in ("alice", "bob")}
    assert (seen["alice"].name, seen["alice"].accounts) == ("hal", ("depta",))
    assert seen["bob"].accounts == ("deptb",)
    assert [one.name for one in seen["bob"].usable()] == ["main", "short", "low", "urgent"]


@pytest.mark.functional
@pytest.mark.slurm
def test_a_cluster_whose_accounting_is_away_still_has_partitions(on_hal: RealCluster) -> None:
    on_hal.stop_accounting()
    try:
        seen = clusters.look("alice")
    finally:
        on_hal.start_accounting()
    assert (seen.accounts, len(seen.partitions)) == ((), 5)


def test_no_slurm_is_said_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(CommandFailed, match="scontrol did not start"):
        clusters.look("alice")
