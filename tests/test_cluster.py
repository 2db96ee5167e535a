"""What we believe of a cluster, and what is refused before SLURM has to."""

from __future__ import annotations

from pathlib import Path

import pytest
from cluster import Cluster as RealCluster

from cromwell_userdb import cluster as clusters
from cromwell_userdb.cluster import Association, Cluster, Partition
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
SINFO = "main|64|64000|(null)\nmain|128+|1024000+|gpu:a100:4\nshort|64|64000|(null)\n"
ASSOCIATIONS = "depta|depta||normal,long|\ndepta|deptc|short|normal|40\n"


def hal(**changes: object) -> Cluster:
    facts = {
        "name": "hal",
        "version": "22.05.8",
        "partitions": clusters.parse_partitions(SCONTROL, SINFO),
        "associations": clusters.parse_associations(ASSOCIATIONS),
        "groups": frozenset({"biology"}),
        "qos_max_submit": {"long": 100},
    }
    return Cluster(**{**facts, **changes})  # type: ignore[arg-type]


def test_partitions_are_read_with_their_largest_node() -> None:
    main = hal().partitions[0]
    assert main == Partition(
        "main", True, True, 10080, 10, 3, 128, 1024000, "gpu:a100:4",
        frozenset(), frozenset(), frozenset(), frozenset(),
    )  # fmt: skip


def test_accounts_are_read_with_their_limits_the_default_first() -> None:
    assert hal().associations[1] == Association("deptc", "short", ("normal",), False, 40)
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
    ],
)
def test_what_could_never_run_is_refused_with_what_could(asked: dict[str, str], words: str) -> None:
    with pytest.raises(UsageError) as refusal:
        clusters.check(hal(), **asked)
    assert words in str(refusal.value)


@pytest.mark.parametrize(
    "asked",
    [
        {},
        {"partition": "main,short", "time": "2-0"},
        {"account": "DeptA", "qos": "long", "time": "90"},
        {"partition": "short", "account": "deptc", "qos": "normal", "time": "10:00"},
    ],
)
def test_what_can_run_is_let_pass(asked: dict[str, str]) -> None:
    clusters.check(hal(), **asked)


def test_without_accounting_any_account_is_slurms_to_judge() -> None:
    clusters.check(hal(associations=()), account="whatever", qos="any")


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
