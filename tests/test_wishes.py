"""What a workflow will ask of SLURM, known and refused before anything starts."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from people import JAR, Member, initialised

from cromwell_userdb import policy, wdl
from cromwell_userdb.cli import wishes as asked
from cromwell_userdb.demands import Demand
from cromwell_userdb.errors import SettingError, UsageError
from cromwell_userdb.settings import Layer, Settings
from cromwell_userdb.wish import UNKNOWN, Wish

LIBRARY = """\
version 1.0
workflow sub {
  input { Int mem }
  call count { input: gigabytes = mem }
}
task count {
  input { Int gigabytes  String who = "depta" }
  command <<< true >>>
  runtime {
    memory: gigabytes + " GB"
    slurm_account: who
  }
}
"""
WORKFLOW = """\
version 1.0
import "library.wdl" as library
workflow w {
  input { String where = "main"  Int size = 4  Boolean more = false  Array[Int] xs = [1, 2] }
  Int twice = size * 2
  call align { input: n = twice, part = where }
  if (more) { call align as extra { input: n = 1, part = "low" } }
  if (align.o > 3) { call align as perhaps { input: n = 1, part = "nowhere" } }
  scatter (x in xs) { call align as each { input: n = x, part = where } }
  call library.sub { input: mem = size }
}
task align {
  input { Int n  String part  String limit = "2:00:00"  File? list }
  command <<< true >>>
  output { Int o = 1 }
  runtime {
    cpu: n
    slurm_partition: part
    slurm_time: limit
    slurm_qos: if defined(list) then read_string(select_first([list])) else "normal"
  }
}
"""


@pytest.fixture
def document(tmp_path: Path) -> wdl.Document:
    (tmp_path / "library.wdl").write_text(LIBRARY)
    (tmp_path / "w.wdl").write_text(WORKFLOW)
    return wdl.load(tmp_path / "w.wdl")


def found(document: wdl.Document, **inputs: Any) -> dict[str, list[Wish]]:
    named = {f"w.{name}": value for name, value in inputs.items()}
    every = wdl.wishes(document.workflow, named)
    return {task: [one for one in every if one.task == task] for task in ("align", "count")}


def test_what_is_written_down_is_known(document: wdl.Document) -> None:
    first, each = found(document)["align"]
    assert first.values == {
        "cpu": 8,
        "slurm_partition": "main",
        "slurm_time": "2:00:00",
        "slurm_qos": "normal",
    }
    assert each.values["cpu"] is UNKNOWN
    assert first.lines["slurm_time"] == "w.wdl:19"


def test_inputs_reach_tasks_of_imports(document: wdl.Document) -> None:
    (count,) = found(document, size=64)["count"]
    assert count.values == {"memory": "64 GB", "slurm_account": "depta"}
    assert count.lines["slurm_account"] == "library.wdl:11"


def test_an_input_of_a_call_is_taken_from_the_inputs(document: wdl.Document) -> None:
    (count,) = found(document, **{"sub.count.who": "deptz"})["count"]
    assert count.values["slurm_account"] == "deptz"


def test_sections_count_once_they_are_sure_to_be_reached(document: wdl.Document) -> None:
    partitions = [one.values["slurm_partition"] for one in found(document, more=True)["align"]]
    assert partitions == ["main", "low", "main"]
    assert len(found(document, xs=[])["align"]) == 1


def test_what_is_in_a_file_is_left_to_the_run(document: wdl.Document) -> None:
    first = found(document, **{"align.list": "/etc/hostname"})["align"][0]
    assert first.values["slurm_qos"] is UNKNOWN


@pytest.mark.parametrize(
    ("values", "part", "wanted"),
    [
        ({"memory": "8 GB"}, "memory_mb", 8192),
        ({"memory": 2**31}, "memory_mb", 2048),
        ({"memory": "much"}, "memory_mb", 0),
        ({}, "memory_mb", 2000),
        ({"memory": UNKNOWN}, "memory_mb", 0),
        ({"cpu": 2.0}, "cpu", 2),
        ({"runtime_minutes": 90}, "time", "90"),
        ({"runtime_minutes": 90, "slurm_time": "2:00:00"}, "time", "2:00:00"),
        ({"slurm_partition": UNKNOWN}, "partition", None),
        ({"slurm_partition": None}, "partition", "main"),
        ({"gpu": True}, "gpus", 1),
        ({"gpu": False}, "gpus", 0),
        ({"gpuCount": 2, "gpu": True}, "gpus", 2),
        ({"gpuType": "a100"}, "gpus", 1),
        ({"gpuType": "a100", "gpuCount": UNKNOWN}, "gpus", 0),
    ],
)
def test_attributes_are_read_as_the_hook_reads_them(
    values: dict[str, Any], part: str, wanted: object
) -> None:
    own = Demand(partition="main", memory_mb=2000)
    assert getattr(asked.of_task(Wish("t", values, {}), own, {}), part) == wanted


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("cpu", "many", "cpu takes a number of cores, not 'many'."),
        ("cpu", 0, "cpu takes a number of cores, not '0'."),
        ("memory", "lots", "memory takes an amount such as \"8 GB\", not 'lots'."),
        ("gpuCount", "two", "gpuCount takes a number of GPUs, not 'two'."),
        ("maxRetries", -1, "maxRetries takes a number, 0 or more, not '-1'."),
    ],
)
def test_a_value_that_no_engine_understands_is_refused(name: str, value: object, words: str):
    wish = Wish("align", {name: value}, {name: "w.wdl:7"})
    with pytest.raises(UsageError, match=re.escape(f"w.wdl:7: task align: {words}")):
        asked.check_engine(Settings(), [wish], engine="embedded", backend="local")


GPU = "w.wdl:6: task t: Cromwell takes gpu: true in clouds only; write gpuCount: 1 in its place."
DISKS = 'w.wdl:6: task t: Cromwell takes no array of disks here; write "/a 10, /b 20".'


def test_a_misspelled_attribute_of_ours_is_refused_and_those_of_others_are_left_alone() -> None:
    def check(**values: object) -> None:
        wish = Wish("t", values, dict.fromkeys(values, "w.wdl:9"))
        asked.check_engine(Settings(), [wish], engine="cromwell", backend="slurm")

    check(slurm_partition="main", slurm_image="a.sif", memry="1 GB")
    with pytest.raises(UsageError, match=r"^w.wdl:9: task t: nobody reads slurm_partion\. Did"):
        check(slurm_partion="main")


@pytest.mark.parametrize(
    ("wanted", "sentence"), [({"gpu": True}, GPU), ({"disks": ["/a 10", "/b 20"]}, DISKS)]
)
def test_what_a_cromwell_fails_at_is_refused_for_it_alone(wanted, sentence) -> None:
    wish = Wish("t", wanted, dict.fromkeys(wanted, "w.wdl:6"))
    with_disks = Settings(slurm_disks_as_tmp=True)
    asked.check_engine(with_disks, [wish], engine="embedded", backend="slurm")
    with pytest.raises(UsageError, match=f"^{re.escape(sentence)}$"):
        asked.check_engine(with_disks, [wish], engine="cromwell", backend="slurm")


@pytest.mark.functional
@pytest.mark.root
@pytest.mark.slurm
@pytest.mark.jar
def test_a_cromwell_is_not_even_started_with_what_it_fails_at(member: Member) -> None:
    env = {"CROMWELL_USERDB_SLURM_DISKS_AS_TMP": "true"}
    wdl = "version 1.1\nworkflow w { call t }\ntask t {\n  command <<< true >>>\n  runtime {\n"
    for attribute, backend, sentence in (
        ("gpu: true", "local", GPU),
        ("gpu: true", "slurm", GPU),
        ('disks: ["/a 10", "/b 20"]', "slurm", DISKS),
    ):
        (member.home / "w.wdl").write_text(f"{wdl}    {attribute}\n  }}\n}}\n")
        words = ("run", "w.wdl", "--cromwell", JAR, "--backend", backend, "--json")
        done = member.userdb(*words, env=env)
        assert (done.returncode, done.stdout, done.stderr) == (2, "", f"{sentence}\n")
    assert json.loads(member.userdb("list", "--json").stdout) == []


@pytest.mark.parametrize(
    ("site", "wanted", "sentence"),
    [
        ({"site.forbidden": ("slurm.partition=debug",)}, {"slurm_partition": "main,debug"}, ""),
        ({"site.forbidden": ("slurm.qos=rush",)}, {"slurm_qos": "rush"}, ""),
        ({"site.forbidden": ("slurm.extra=--exclusive",)}, {"slurm_extra": "--exclusive"}, ""),
        (
            {"slurm.account": "lab", "site.locked": ("slurm.account",)},
            {"slurm_account": "mine"},
            "w.wdl:7: task t: slurm.account is fixed at lab by /etc/site.toml. Ask us.",
        ),
    ],
)
def test_what_the_site_forbids_no_task_may_ask_for(site, wanted, sentence) -> None:
    rules = Layer("/etc/site.toml", {**site, "site.message": "Ask us."}, is_site=True)
    resolved = policy.resolve([rules])
    [(name, value)] = wanted.items()
    what = f"{name.replace('_', '.', 1)} = {value.rpartition(',')[2]}"
    sentence = sentence or f"w.wdl:7: task t: {what} may not be, says /etc/site.toml. Ask us."
    with pytest.raises(SettingError, match=f"^{re.escape(sentence)}$"):
        asked.check(resolved, [Wish("t", wanted, {name: "w.wdl:7"})], {})
    with pytest.raises(SettingError, match="task t: slurm"):
        defaults = {"default_runtime_attributes": wanted}
        asked.check(resolved, [Wish("t", {}, {})], defaults)


def test_options_speak_for_tasks_that_say_nothing() -> None:
    defaults = {"slurm_time": "30", "cpu": 3}
    demand = asked.of_task(Wish("t", {"cpu": 4}, {}), Demand(), defaults)
    assert (demand.time, demand.cpu) == ("30", 4)


@pytest.fixture
def member(member: Member) -> Member:
    return initialised(member, "embedded")


WRONG = """\
version 1.1
workflow w {
  input { String limit = "5"  Array[String] disks = ["local-disk 10 SSD"] }
  call a { input: limit = limit }
}
task a {
  input { String limit }
  command <<< true >>>
  runtime {
    slurm_partition: "short"
    slurm_time: limit
    memory: "70 GB"
    cpu: 65
    slurm_constraint: "new"
    gpuCount: 1
    slurm_reservation: "course"
    slurm_account: "deptb"
  }
}
"""


@pytest.mark.functional
@pytest.mark.root
@pytest.mark.slurm
def test_what_slurm_would_refuse_of_a_task_is_refused_with_its_line(member: Member) -> None:
    path = member.home / "w.wdl"
    path.write_text(WRONG)
    done = member.userdb("run", path, "--input", "w.limit=11")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.splitlines() == [
        "w.wdl:17: task a: There is no account 'deptb'. Did you mean depta? Yours: depta.",
        "w.wdl:16: task a: There is no reservation 'course'. There are: none.",
        "w.wdl:14: task a: There is no feature 'new'. The nodes of short have: old.",
        "w.wdl:11: task a: A time limit of 11 is more than short allows (10 min). "
        "main, low, urgent would do.",
        "w.wdl:13: task a: 65 cores are more than a node of short has (64).",
        "w.wdl:12: task a: 70 GB of memory are more than a node of short has (62.5 GB).",
        "w.wdl:15: task a: No node of short has a GPU. low, urgent would do.",
    ]
    assert json.loads(member.userdb("list", "--json").stdout) == []


@pytest.mark.functional
@pytest.mark.root
@pytest.mark.slurm
def test_a_task_in_a_partition_that_the_site_forbids_starts_nothing(member: Member) -> None:
    site, path = member.home / "site.toml", member.home / "w.wdl"
    site.write_text('[site]\nforbidden = ["slurm.partition=short"]\n')
    site.chmod(0o644)
    path.write_text(WRONG)
    env = {"CROMWELL_USERDB_SITE": str(site)}
    done = member.userdb("run", path, "--json", env=env)
    assert (done.returncode, done.stdout) == (2, "")
    said = f"w.wdl:10: task a: slurm.partition = short may not be, says {site}.\n"
    assert done.stderr.replace("~", str(member.home)) == said
    assert json.loads(member.userdb("list", "--json").stdout) == []
