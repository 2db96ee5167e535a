"""The embedded engine as a program: a real database, jobs on this machine, every kind of end."""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import random
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from unittest.mock import Mock

import pymysql
import pytest
from lab import Lab
from served import until

from cromwell_userdb import database
from cromwell_userdb.embedded.errors import DatabaseAway
from cromwell_userdb.embedded.ledger import Ledger

pytestmark = pytest.mark.functional

RECORDINGS = Path(__file__).parent / "recordings"
CONF = """
database.db {{ user = "cromwell", password = "{password}" }}
call-caching {{ enabled = true, max-result-age-days = 36500 }}
system.abort-jobs-on-terminate = {aborts}
backend {{ default = "here", providers.here.config {{
  root = "{root}", dockerRoot = "{root}", name-for-call-caching-purposes = "slurm"
  runtime-attributes = "Int cpu = 1\\nInt memory_mb = 100"
  exit-code-timeout-seconds = 1
  job-id-regex = "^(\\\\d+).*"
  {hooks}
  filesystems.local.caching.hashing-strategy = "fingerprint"
}} }}
"""
HOOKS = """
  submit = "setsid /bin/bash ${script} </dev/null >/dev/null 2>&1 & echo $!"
  kill = "kill -- -${job_id}"
  check-alive = "kill -0 ${job_id}"
"""
BACKGROUND = """
  run-in-background = true
  submit = "/bin/bash ${script}"
  concurrent-job-limit = 4
"""
MARKING = """version 1.0
task mark {{ input {{ Int i Int seconds }}
  command <<< echo ~{{i}} >> {marks}; sleep ~{{seconds}}; echo done ~{{i}} >>>
  output {{ String o = read_string(stdout()) }} runtime {{ maxRetries: 1 }} }}
workflow marking {{ input {{ Int n = 3 Int seconds = 3 }}
  scatter (i in range(n)) {{ call mark {{ input: i = i, seconds = seconds }} }}
  output {{ Array[String] os = mark.o }} }}
"""


@dataclass
class Bench:
    """A folder to run in, and the command that runs the engine there."""

    folder: Path
    lab: Lab
    hooks: str = HOOKS
    aborts: bool = True
    properties: dict[str, str] = field(default_factory=dict)

    @property
    def socket(self) -> Path:
        return self.lab.root / "s"

    @property
    def password(self) -> str:
        return (self.lab.root / "secret").read_text().strip()

    def argv(self, wdl: Path, **files: object) -> list[str]:
        conf = self.folder / "engine.conf"
        conf.write_text(
            CONF.format(
                password=self.password,
                root=self.folder / "x",
                hooks=self.hooks,
                aborts=str(self.aborts).lower(),
            )
        )
        words = []
        for letter, content in files.items():
            path = self.folder / f"{letter}.json"
            if letter != "m":
                path.write_text(json.dumps(content))
            words += [f"-{letter}", str(path)]
        system = {"config.file": conf, "cromwell.userdb.socket": self.socket, **self.properties}
        defined = [f"-D{name}={value}" for name, value in system.items()]
        return [sys.executable, "-m", "cromwell_userdb.embedded", *defined, "run", *words, str(wdl)]

    def begin(self, wdl: Path, **files: object) -> subprocess.Popen[str]:
        return subprocess.Popen(
            self.argv(wdl, **files), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )

    def run(self, wdl: Path, **files: object) -> Done:
        engine = self.begin(wdl, **files)
        log = engine.communicate(timeout=120)[0]
        return Done(engine.returncode, log)

    def marking(self) -> Path:
        path = self.folder / "marking.wdl"
        path.write_text(MARKING.format(marks=self.folder / "marks"))
        return path

    @property
    def marks(self) -> list[str]:
        try:
            return sorted((self.folder / "marks").read_text().split())
        except FileNotFoundError:
            return []

    def rows(self, sql: str, *values: object) -> list[tuple]:
        user, secret = "cromwell", self.password
        connection = database.connect(self.socket, user=user, password=secret, database="cromwell")
        try:
            return database.rows(connection, sql, values)
        finally:
            connection.close()


@dataclass(frozen=True)
class Done:
    """How a run of the engine ended."""

    code: int
    log: str

    @property
    def id(self) -> str:
        return re.search(r"Workflow submitted UUID\((.*?)\)", self.log)[1]

    @property
    def outputs(self) -> dict:
        text = self.log[self.log.index("\n{\n") : self.log.rindex("\n}\n") + 2]
        return json.loads(text)["outputs"]


@pytest.fixture
def bench(lab: Lab, tmp_path: Path) -> Iterator[Bench]:
    assert lab.do("db start").returncode == 0
    return Bench(tmp_path, lab)


@pytest.fixture(params=[HOOKS, BACKGROUND], ids=["hooks", "background"])
def either(bench: Bench, request: pytest.FixtureRequest) -> Bench:
    """A bench whose jobs are started by hooks, and one that starts them itself."""
    bench.hooks = request.param
    return bench


def keys_of(value: object, path: str = "") -> Iterator[str]:
    if isinstance(value, dict):
        for name, below in value.items():
            yield from keys_of(below, f"{path}.{name}")
    elif isinstance(value, list):
        for below in value:
            yield from keys_of(below, f"{path}[]")
    else:
        yield f"{path}:{type(value).__name__}"


RECORDED = {
    "01-hello": ("hello", {}),
    "04-scatter": ("scatter", {"i": {"scat.width": 5}}),
    "05-subworkflows": ("sub", {}),
    "06-fail-retry": ("fail", {}),
    "13-many-failures": ("many_fail", {"o": {"workflow_failure_mode": "ContinueWhilePossible"}}),
    "14-nested-failure": ("deep", {}),
    "15-draft2": ("draft2", {"i": {"d2.who": "you"}}),
    "16-files": (
        "files",
        {"i": {"files.reads": [str(RECORDINGS / "reads" / f"s{n}.txt") for n in (1, 2, 3)]}},
    ),
    "17-syntax-error": ("syntax", {}),
    "18-wrong-input": ("hello", {"i": {"hello.nmae": "typo"}}),
}
LANGUAGE = {".actualWorkflowLanguage:str", ".actualWorkflowLanguageVersion:str"}
MISSING = {"17-syntax-error": LANGUAGE, "18-wrong-input": LANGUAGE}
"""What Cromwell wrote and we do not: it names the language of what it could not read."""


@pytest.mark.parametrize("name", RECORDED)
def test_the_metadata_are_cromwells_key_by_key(bench: Bench, name: str):
    wdl, files = RECORDED[name]
    recorded = RECORDINGS / "runs" / name
    options = {"read_from_cache": False, **files.get("o", {})}
    done = bench.run(RECORDINGS / "wdl" / f"{wdl}.wdl", **{**files, "o": options}, m=None)
    assert done.code == int((recorded / "exit_code").read_text())
    theirs = set(keys_of(json.loads((recorded / "metadata.json").read_text())))
    own = set(keys_of(json.loads((bench.folder / "m.json").read_text())))
    gone = {key for key in theirs if key.endswith("callCaching.hit:bool")}
    gone |= {key for key in theirs if key.endswith("callCaching.result:str")}
    assert theirs - own - gone == MISSING.get(name, set())
    assert own - theirs == set()


def test_types_of_every_kind_come_back_from_a_task_and_from_the_cache(bench: Bench):
    reads = [str(RECORDINGS / "reads" / f"s{n}.txt") for n in (1, 2, 3)]
    samples = [{"name": "s1", "depth": 30, "reads": reads[:1]}, {"name": "ü", "reads": reads[1:]}]
    inputs = {"types.samples": samples, "types.do_extra": True}
    first = bench.run(RECORDINGS / "wdl" / "types.wdl", i=inputs)
    again = bench.run(RECORDINGS / "wdl" / "types.wdl", i=inputs)
    assert first.outputs["types.maps"] == [{"a": 1, "b": 2}] * 2
    assert first.outputs["types.pair"] == {"left": 2, "right": "x y"}
    assert "cacheCopy" in again.outputs["types.ds"][0]
    assert again.outputs["types.lines"] == first.outputs["types.lines"]


def test_a_hit_whose_files_are_gone_is_not_used_and_says_so(bench: Bench):
    inputs = {"hello.name": bench.folder.name}
    first = bench.run(RECORDINGS / "wdl" / "hello.wdl", i=inputs)
    Path(first.outputs["hello.f"]).unlink()
    again = bench.run(RECORDINGS / "wdl" / "hello.wdl", i=inputs)
    assert "can't use" in again.log
    assert again.outputs["hello.f"].endswith("call-greet/execution/out.txt")


def test_a_changed_input_file_is_a_miss_for_its_calls_only(bench: Bench):
    reads = [bench.folder / name for name in ("a", "b")]
    for path in reads:
        path.write_text(f"{path}\n")
    inputs = {"files.reads": [str(path) for path in reads]}
    bench.run(RECORDINGS / "wdl" / "files.wdl", i=inputs)
    reads[0].write_text("more\nlines\n")
    done = bench.run(RECORDINGS / "wdl" / "files.wdl", i=inputs)
    assert ["cacheCopy" in path for path in done.outputs["files.sorted"]] == [False, True]
    assert done.outputs["files.total"] == 3


def test_names_that_the_tables_take_for_one_are_run_again_and_not_mixed_up(bench: Bench):
    path = bench.folder / "w.wdl"
    path.write_text(
        "version 1.0\ntask t { input { Map[String, Int] m } command { }"
        " output { Map[String, Int] o = m } }\nworkflow w { input { Map[String, Int] m }"
        " call t { input: m = m } output { Map[String, Int] o = t.o } }"
    )
    inputs = {"w.m": {"a": 1, "A": 2, "\U0001f600": 3, "\U0001f601": 4, "x:[0]\\": 5, "x" * 300: 6}}
    assert bench.run(path, i=inputs).outputs["w.o"] == inputs["w.m"]
    assert bench.run(path, i=inputs).outputs["w.o"] == inputs["w.m"]


def test_hits_come_only_from_below_the_folders_that_the_options_name(bench: Bench):
    inputs = {"hello.name": bench.folder.name}

    def run(*prefixes: Path) -> bool:
        options = {"call_cache_hit_path_prefixes": [str(path) for path in prefixes]}
        done = bench.run(RECORDINGS / "wdl" / "hello.wdl", i=inputs, o=options)
        return "from the cache" in done.log

    root = bench.folder / "x"
    assert [run(root), run(bench.folder / "other"), run(bench.folder / "x" / "hel")] == [False] * 3
    assert [run(bench.folder / "other", root), run(), run(root / "hello")] == [True] * 3


def test_an_option_that_changes_nothing_is_told(bench: Bench):
    options = {
        "delete_intermediate_output_files": True,
        "final_workflow_output_dir": "/nowhere",
        "hogGroup": None,
        "read_from_cache": False,
    }
    done = bench.run(RECORDINGS / "wdl" / "hello.wdl", o=options)
    told = re.findall(r"WARN +- The option (.*)", done.log)
    assert told == [
        "delete_intermediate_output_files is ignored: all files of the calls stay where they are.",
        "final_workflow_output_dir is ignored: the embedded engine knows none of this name "
        "(did you mean final_workflow_outputs_dir?).",
    ]


def test_our_rows_in_the_cache_are_marked(bench: Bench):
    done = bench.run(RECORDINGS / "wdl" / "hello.wdl")
    sums = bench.rows(
        "SELECT BASE_AGGREGATION FROM CALL_CACHING_AGGREGATION_ENTRY"
        " JOIN CALL_CACHING_ENTRY USING (CALL_CACHING_ENTRY_ID)"
        " WHERE WORKFLOW_EXECUTION_UUID = %s",
        done.id,
    )
    assert [row[0].startswith("embedded:") for row in sums] == [True]


def test_outputs_and_logs_go_where_the_options_say(bench: Bench):
    options = {
        "final_workflow_outputs_dir": str(bench.folder / "results"),
        "use_relative_output_paths": True,
        "final_call_logs_dir": str(bench.folder / "logs"),
        "final_workflow_log_dir": str(bench.folder / "logs"),
        "read_from_cache": False,
    }
    done = bench.run(RECORDINGS / "wdl" / "hello.wdl", o=options)
    assert (bench.folder / "results" / "out.txt").read_text() == "hello world\n"
    logs = bench.folder / "logs" / "hello" / done.id / "call-greet" / "execution"
    assert (logs / "stdout").read_text() == "hello world\n"
    log = bench.folder / "logs" / f"workflow.{done.id}.log"
    assert "hello.greet:NA:1]: return code 0" in log.read_text()


def test_a_place_for_logs_that_can_not_be_had_fails_the_run_in_a_sentence(bench: Bench):
    (bench.folder / "file").touch()
    options = {"final_call_logs_dir": str(bench.folder / "file" / "logs")}
    done = bench.run(RECORDINGS / "wdl" / "hello.wdl", o=options)
    assert done.code == 1
    assert "Not a directory" in done.log
    assert "Traceback" not in done.log


def test_metadata_that_can_not_be_written_do_not_change_how_a_run_ended(bench: Bench):
    (bench.folder / "m.json").mkdir()
    done = bench.run(RECORDINGS / "wdl" / "hello.wdl", m=None)
    assert done.code == 0
    assert "m.json can't be written: Is a directory." in done.log


def test_two_outputs_of_one_name_are_refused_in_a_folder_without_paths(bench: Bench):
    options = {
        "final_workflow_outputs_dir": str(bench.folder / "results"),
        "use_relative_output_paths": True,
    }
    path = bench.folder / "w.wdl"
    path.write_text(
        "version 1.0\ntask t { input { Int i } command { echo ~{i} > o }"
        ' output { File o = "o" } }\n'
        "workflow w { scatter (i in range(2)) { call t { input: i = i } }"
        " output { Array[File] os = t.o } }"
    )
    done = bench.run(path, o=options)
    assert done.code == 1
    assert "Two outputs would both be" in done.log


def test_a_call_killed_for_its_memory_gets_more_of_it(bench: Bench):
    path = bench.folder / "w.wdl"
    path.write_text(
        f"version 1.0\ntask t {{ command <<< if mkdir {bench.folder}/once;"
        " then echo 0 > memory_retry_rc; exit 80; fi >>>"
        ' runtime { memory: "100 MB" maxRetries: 1 } }\nworkflow w { call t }'
    )
    done = bench.run(path, o={"memory_retry_multiplier": 3.0})
    assert done.code == 0, done.log
    asked = bench.rows(
        "SELECT METADATA_VALUE FROM METADATA_ENTRY WHERE WORKFLOW_EXECUTION_UUID = %s"
        " AND METADATA_KEY = 'runtimeAttributes:memory' ORDER BY JOB_RETRY_ATTEMPT",
        done.id,
    )
    assert [row[0] for row in asked] == ["0.09765625 GB", "0.29296875 GB"]


def test_jobs_are_submitted_no_faster_than_the_configuration_allows(bench: Bench):
    bench.properties = {
        "system.job-rate-control.jobs": "4",
        "system.job-rate-control.per": "1 second",
    }
    path = bench.folder / "w.wdl"
    path.write_text(
        "version 1.0\ntask t { input { Int i } command { date +%s.%N }"
        " output { Float at = read_float(stdout()) } }\nworkflow w { scatter (i in range(12)) {"
        " call t { input: i = i } } output { Array[Float] moments = t.at } }"
    )
    done = bench.run(path, o={"read_from_cache": False})
    moments = done.outputs["w.moments"]
    # A second's worth of jobs may start at once.
    assert max(moments) - min(moments) > (12 - 4 - 2) / 4


def test_a_submit_hook_that_fails_fails_the_call_in_its_own_words(bench: Bench):
    bench.hooks = 'submit = "echo no such account >&2; exit 1"'
    done = bench.run(RECORDINGS / "wdl" / "hello.wdl", o={"read_from_cache": False})
    assert done.code == 1
    assert "no such account" in done.log


def test_a_job_that_vanished_is_failed_and_tried_again(either: Bench):
    path = either.folder / "w.wdl"
    path.write_text(
        f"version 1.0\ntask t {{ command <<< if mkdir {either.folder}/once;"
        " then kill -9 -$(ps -o pgid= $$ | tr -d ' '); fi >>>"
        " runtime { maxRetries: 1 } }\nworkflow w { call t }"
    )
    done = either.run(path)
    assert done.code == 0, done.log
    assert "exited with return code 79" in done.log


def test_term_aborts_kills_the_jobs_and_says_so_in_the_tables(either: Bench):
    engine = either.begin(either.marking(), i={"marking.seconds": 100})
    until(lambda: len(either.marks) == 3)
    engine.send_signal(signal.SIGTERM)
    done = Done(engine.wait(timeout=30), engine.stdout.read())
    assert done.code == 143
    status = "SELECT WORKFLOW_STATUS FROM WORKFLOW_METADATA_SUMMARY_ENTRY"
    assert either.rows(f"{status} WHERE WORKFLOW_EXECUTION_UUID = %s", done.id) == [("Aborted",)]
    until(lambda: not living(either.folder), timeout=5)


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGKILL])
def test_jobs_left_by_an_engine_are_taken_up_by_the_next(either: Bench, signum: signal.Signals):
    either.aborts = False
    label = {"cromwell-userdb-run": f"{either.folder.name}-{os.getpid()}"}
    files = {"l": label, "o": {"read_from_cache": False}}
    engine = either.begin(either.marking(), **files)
    until(lambda: len(either.marks) == 3)
    engine.send_signal(signum)
    log = engine.communicate(timeout=30)[0]
    assert engine.returncode == {signal.SIGTERM: 143, signal.SIGKILL: -9}[signum]
    again = either.run(either.marking(), **files)
    assert again.outputs["marking.os"] == ["done 0", "done 1", "done 2"]
    assert again.id == Done(0, log).id
    assert either.marks == ["0", "1", "2"]


CHAINS = """version 1.0
task a {{ input {{ Int i }}
  command <<< echo a~{{i}} >> {marks}; sleep 0.~{{i % 4}}; echo ~{{i}} > o >>>
  output {{ Int o = read_int("o") File f = "o" }} }}
task b {{ input {{ Int i File f }}
  command <<< echo b~{{i}} >> {marks}; cat ~{{f}} >>> output {{ Int o = read_int(stdout()) }} }}
workflow chains {{ input {{ Int n = 20 }}
  scatter (i in range(n)) {{ call a {{ input: i = i }} call b {{ input: i = i, f = a.f }} }}
  scatter (i in range(4)) {{ scatter (j in range(3)) {{
    call a as inner {{ input: i = 100 + 10 * i + j }} }} }}
  output {{ Array[Int] os = b.o Array[Array[Int]] inner_os = inner.o }} }}
"""
INNER = [[100 + 10 * i + j for j in range(3)] for i in range(4)]


def test_an_engine_killed_again_and_again_runs_no_call_twice(either: Bench):
    path = either.folder / "chains.wdl"
    path.write_text(CHAINS.format(marks=either.folder / "marks"))
    label = {"cromwell-userdb-run": f"{either.folder.name}-{os.getpid()}"}
    moments = random.Random(11)
    log = ""
    while "outputs" not in log:
        before = len(either.marks)
        engine = either.begin(path, l=label, o={"read_from_cache": False})
        until(lambda n=before, e=engine: len(either.marks) > n or e.poll() is not None)
        with contextlib.suppress(subprocess.TimeoutExpired):
            engine.wait(moments.uniform(0, 0.6))
        engine.kill()
        log = engine.communicate()[0]
    done = Done(0, log)
    assert done.outputs == {"chains.os": list(range(20)), "chains.inner_os": INNER}
    calls = {f"{task}{i}" for task in "ab" for i in range(20)}
    assert either.marks == sorted(calls | {f"a{i}" for row in INNER for i in row})
    numbers = either.rows(
        "SELECT DISTINCT JOB_SCATTER_INDEX, METADATA_VALUE FROM METADATA_ENTRY"
        " WHERE WORKFLOW_EXECUTION_UUID = %s AND CALL_FQN = 'chains.inner'"
        " AND METADATA_KEY = 'callRoot'",
        done.id,
    )
    assert sorted(number for number, _ in numbers) == list(range(12))
    assert len({folder for _, folder in numbers}) == 12


def test_a_database_that_comes_back_has_lost_nothing(bench: Bench):
    engine = bench.begin(bench.marking(), i={"marking.seconds": 4})
    until(lambda: len(bench.marks) == 3)
    assert bench.lab.do("db stop", "--force").returncode == 0
    assert bench.lab.do("db start").returncode == 0
    done = Done(engine.wait(timeout=60), engine.stdout.read())
    assert done.code == 0, done.log
    ended = bench.rows(
        "SELECT COUNT(*) FROM METADATA_ENTRY WHERE WORKFLOW_EXECUTION_UUID = %s"
        " AND METADATA_KEY = 'executionStatus' AND METADATA_VALUE = 'Done'",
        done.id,
    )
    assert ended == [(3,)]


def test_a_database_away_for_good_stops_the_run_and_leaves_its_jobs(bench: Bench):
    bench.properties = {"cromwell.userdb.patience": "2"}
    engine = bench.begin(bench.marking(), i={"marking.seconds": 8})
    until(lambda: len(bench.marks) == 3)
    assert bench.lab.do("db stop", "--force").returncode == 0
    done = Done(engine.wait(timeout=60), engine.stdout.read())
    assert done.code == 75
    assert "away for 2 seconds" in done.log
    until(lambda: not living(bench.folder), timeout=30)


def living(folder: Path) -> list[str]:
    """Processes whose command line names the folder."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = path.read_bytes().decode(errors="replace")
        except OSError:
            continue
        if str(folder / "x") in words:
            found.append(words)
    return found


class FullDisk:
    """A connection to a database that lets everybody in and, while it is `full`, writes nothing."""

    full = True

    def begin(self) -> None:
        if self.full:
            raise pymysql.err.OperationalError(
                1030, 'Got error 28 "No space left on device" from storage engine InnoDB'
            )

    def cursor(self) -> contextlib.AbstractContextManager[Mock]:
        return contextlib.nullcontext(Mock())

    def rollback(self) -> None: ...
    def commit(self) -> None: ...
    def close(self) -> None: ...


def test_a_database_that_takes_no_rows_for_long_stops_the_run_with_what_to_do():
    moment = itertools.count()
    ledger = Ledger(FullDisk, patience=60, clock=lambda: next(moment))
    ledger.metadata("w", "status", "Running")
    with pytest.raises(DatabaseAway, match=r"disk of the database has been full for 60 seconds"):
        for _ in range(1000):
            ledger.flush()


def test_a_full_disk_that_has_room_again_in_time_is_forgotten(monkeypatch):
    moment = itertools.count()
    ledger = Ledger(FullDisk, patience=60, clock=lambda: next(moment))
    for _ in range(10):
        monkeypatch.setattr(FullDisk, "full", True)
        ledger.metadata("w", "status", "Running")
        for _ in range(5):
            ledger.flush()
        monkeypatch.setattr(FullDisk, "full", False)
        ledger.finish()
