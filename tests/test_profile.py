"""What `init` proposes for jobs on a cluster, and what becomes of an answer."""

from __future__ import annotations

import json
import shlex
import tomllib
from pathlib import Path
from typing import Any

import pytest
from people import Member, Person

from cromwell_userdb import policy
from cromwell_userdb.cli.place import Place
from cromwell_userdb.cli.profile import settle
from cromwell_userdb.cluster import Association, Cluster, Partition
from cromwell_userdb.instance import Instance
from cromwell_userdb.settings import Layer, Value

MAIN = Partition("main", is_default=True, minutes=10080, default_minutes=60)
LONG = Partition("long", minutes=None)
SHORT = Partition("short", minutes=30)


def proposed(
    *partitions: Partition, accounts: tuple[Association, ...] = (), **layers: dict[str, Value]
) -> dict[str, Value]:
    own = [Layer(name, values, is_site=name == "site") for name, values in layers.items()]
    where = Place(Instance(Path("/x")), "x", policy.resolve(own))
    return settle(where, Cluster("hal", "22", partitions, accounts), ask=False)


def test_what_slurm_takes_by_itself_is_left_to_it():
    assert proposed(MAIN, LONG) == {"leader.time": "7-00:00:00"}


def test_without_a_default_partition_the_first_is_taken_and_a_day_for_a_call():
    assert proposed(LONG, SHORT) == {
        "slurm.partition": "long",
        "slurm.time": "1-00:00:00",
        "leader.time": "7-00:00:00",
    }


def test_no_time_is_proposed_for_partitions_that_nobody_may_see():
    assert proposed() == {}
    assert proposed(SHORT, user={"slurm.partition": "hidden"}) == {}


def test_the_sites_partitions_come_first_those_that_take_the_user():
    closed = Partition("closed", is_up=False)
    site: dict[str, Value] = {"site.partitions": ("closed", "short")}
    assert proposed(MAIN, SHORT, closed, site=site) == {
        "slurm.partition": "short",
        "slurm.time": "0:30:00",
        "leader.time": "0:30:00",
    }


def test_no_time_is_longer_than_the_account_allows():
    mine = (Association("lab", is_default=True, minutes=2880),)
    assert proposed(MAIN, accounts=mine)["leader.time"] == "2-00:00:00"


def test_what_is_set_or_fixed_is_not_asked_for():
    site: dict[str, Value] = {"leader.time": "1-0", "site.locked": ("slurm.partition",)}
    assert proposed(LONG, site=site, user={"slurm.time": "5"}) == {}


# --- on a real cluster -----------------------------------------------------------------------


def kept(person: Person) -> dict[str, Any]:
    path = person.home / ".local/share/cromwell-userdb/default/settings.toml"
    return tomllib.loads(path.read_text())


@pytest.mark.functional
@pytest.mark.root
@pytest.mark.slurm
class TestInit:
    def test_without_a_terminal_the_proposal_is_taken_and_told(self, member: Member):
        done = member.userdb("init", "--json")
        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout)["A job asks for"]["is"] == (
            "partition main, account depta, 10 min a call, 7 days a leader"
        )
        assert kept(member) == {"run": {"backend": "slurm"}, "leader": {"time": "7-00:00:00"}}

    def test_at_a_terminal_each_answer_is_checked_and_kept(self, member: Member):
        line = shlex.join([*member.command, "init"])
        answers = "shrot\nshort\n\n11\n5\n"
        done = member.run("script", "-qec", line, "/dev/null", stdin=answers)
        assert done.returncode == 0, done.stdout
        assert "Did you mean short?" in done.stdout
        assert "A time limit of 11 is more than short allows" in done.stdout
        assert kept(member)["slurm"] == {"partition": "short", "time": "0:10:00"}
        assert kept(member)["leader"] == {"time": "5"}

    def test_a_profile_answers_what_it_names(self, member: Member):
        profile = member.home / "profile.toml"
        profile.write_text('[slurm]\npartition = "short"\ntime = "3"\n[server]\nidle_minutes = 1\n')
        done = member.userdb("init", "--profile", profile)
        assert done.returncode == 0, done.stderr
        assert "partition short, account depta, 3 min a call, 10 min a leader" in done.stdout
        assert kept(member)["server"] == {"idle_minutes": 1.0}
        assert kept(member)["slurm"] == {"partition": "short", "time": "3"}
