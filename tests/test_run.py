"""`run` from the command line to the outputs, on a private database and a real engine.

The engine is the embedded one, or the Cromwell that CROMWELL_USERDB_CROMWELL names.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from lab import COMMAND, WDL, Lab, ended, made
from served import kill, until

from cromwell_userdb import leader, runs, server
from cromwell_userdb.instance import Instance, RunFolder
from cromwell_userdb.runs import Request

pytestmark = pytest.mark.functional

HELLO = WDL / "hello.wdl"


def test_a_workflow_runs_and_its_outputs_are_told(lab: Lab):
    done = lab.do("run", HELLO, "--input", "hello.name=told")
    assert done.returncode == 0, done.stderr
    assert "hello told" in done.stdout
    assert "succeeded in" in done.stderr


def test_the_same_again_comes_from_the_cache(lab: Lab):
    lab.run("scatter.wdl", "--input", "scat.width=3")
    again = lab.run("scatter.wdl", "--input", "scat.width=3")
    assert again["total"]["cached"] == again["total"]["total"] == 3
    assert again["outputs"]["scat.ns"] == [0, 1, 2]


def test_another_input_is_no_hit(lab: Lab):
    lab.run("hello.wdl", "--input", "hello.name=first")
    assert lab.run("hello.wdl", "--input", "hello.name=second")["total"]["cached"] == 0


def test_what_is_asked_of_slurm_changes_nothing_here_and_that_is_said(lab: Lab):
    done = lab.do("run", HELLO, "--slurm-partition", "long")
    assert done.returncode == 0
    assert "what --slurm-... asks for changes nothing" in done.stderr


def test_calls_of_sub_workflows_are_counted_and_gathered(lab: Lab):
    result = lab.run("sub.wdl")
    assert result["state"] == "succeeded"
    assert result["outputs"]["outer.ns"] == [0, 1, 2] or len(result["outputs"]["outer.ns"]) == 3


def test_a_failure_is_told_with_its_call_code_and_last_words(lab: Lab):
    done = lab.do("run", WDL / "fail.wdl")
    assert done.returncode == 1
    assert "bad failed" in done.stderr
    assert "exit code 3" in done.stderr
    assert "about to fail" in done.stderr
    assert "cromwell-userdb logs" in done.stderr


def test_a_failed_call_of_a_sub_workflow_is_told_as_logs_take_it(lab: Lab, tmp_path: Path):
    (tmp_path / "inner.wdl").write_text(
        "version 1.0\ntask bad { command { echo no >&2; exit 3 } } workflow inner { call bad }"
    )
    outer = 'import "inner.wdl" as i workflow outer { scatter (n in [1]) { call i.inner } }'
    (tmp_path / "outer.wdl").write_text(f"version 1.0\n{outer}")
    done = lab.do("run", tmp_path / "outer.wdl")
    assert ": inner[0]/bad failed." in done.stderr
    assert lab.answer("logs", "--call", "inner[0]/bad")[0]["call"] == "inner[0]/bad"
    assert lab.answer("status", "--call", "inner[0]/bad")[0]["return_code"] == 3
    log = lab.answer("logs", "--engine", "--lines", "500")["words"]
    assert any("exit" in line or "return code" in line for line in log)


def test_a_slurm_that_gives_no_answer_is_told_at_init(lab: Lab, tmp_path: Path):
    for name in ("sbatch", "sinfo", "scontrol", "sacctmgr", "squeue"):
        (tmp_path / name).write_text("#!/bin/sh\necho no controller anywhere >&2; exit 1\n")
        (tmp_path / name).chmod(0o755)
    away = Lab(tmp_path / "away", lab.environment | {"PATH": f"{tmp_path}:{os.environ['PATH']}"})
    words = ("--backend", "slurm", "--engine", "embedded", "--allow-root", "--json")
    try:
        jobs = away.answer("init", *words)["Jobs"]
        assert jobs["remark"].startswith("which gives no answer now: ")
        assert "no controller anywhere" in jobs["remark"]
    finally:
        away.do("db stop")


def test_files_that_somebody_deleted_are_told_to_be_gone(lab: Lab, tmp_path: Path):
    text = "task t { command { touch made } output { File made = 'made' } }"
    text += " workflow w { call t output { Array[File] files = [t.made] } }"
    (tmp_path / "w.wdl").write_text(f"version 1.0\n{text}")
    [made] = lab.run(tmp_path / "w.wdl")["outputs"]["w.files"]
    assert lab.do("outputs").stderr == ""
    shutil.rmtree(Path(made).parent)
    assert lab.do("outputs").stderr == "1 file of these is gone.\n"
    assert "stdout  (gone)" in lab.do("logs").stdout


def test_some_of_many_failing_calls_are_told_and_the_rest_is_kept(lab: Lab):
    done = lab.do("run", WDL / "many_fail.wdl")
    assert done.returncode == 1
    assert 'of 9 "maybe" calls failed' in done.stderr
    assert "cannot open sample_1.bam" in done.stderr


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ((HELLO, "--input", "hello.nmae=x"), '"hello.nmae" is no input of hello.wdl. Did you mean'),
        ((WDL / "syntax.wdl",), "syntax.wdl:2:"),
        ((WDL / "absent.wdl",), "there is no such workflow"),
        ((HELLO, "absent.json"), "absent.json: the inputs can't be read"),
        ((HELLO, "--input", "hello.name"), "write it as name=value"),
        ((HELLO, "-i", "a.json", "b.json"), "Name the inputs once"),
        ((HELLO, "--labels", "absent.json"), "absent.json: the labels can't be read"),
        ((WDL / "scatter.wdl", "--input", "scat.width=wide"), "should be Int"),
        ((WDL / "lines.wdl", "--input", "lines.file=/nope"), "the file /nope is not there"),
    ],
)
def test_what_is_wrong_is_refused_before_anything_starts(lab: Lab, words, sentence):
    runs = len(list((lab.root / "runs").iterdir()))
    done = lab.do("run", *words)
    assert done.returncode == 2
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr
    assert len(list((lab.root / "runs").iterdir())) == runs


def test_jobs_are_not_promised_where_there_is_no_slurm(lab: Lab, tmp_path: Path):
    done = lab.do("run", HELLO, "--backend", "slurm", PATH=str(tmp_path))
    assert (done.returncode, done.stdout) == (4, "")
    assert "There is no SLURM on this machine" in done.stderr


def test_a_number_given_for_a_text_is_text(lab: Lab):
    assert lab.run("hello.wdl", "--input", "hello.name=5209")["outputs"]["hello.s"] == "hello 5209"


def test_inputs_come_from_json_yaml_and_standard_input(lab: Lab, tmp_path: Path):
    yaml = tmp_path / "inputs.yaml"
    yaml.write_text("hello.name: from-yaml\n")
    assert lab.run("hello.wdl", yaml)["outputs"]["hello.s"].endswith("from-yaml")
    done = lab.do("run", HELLO, "-", "--json", stdin='{"hello.name": "piped"}')
    assert json.loads(done.stdout)["outputs"]["hello.s"].endswith("piped")


def test_relative_input_files_are_those_of_the_current_folder(lab: Lab, tmp_path: Path):
    (tmp_path / "lines.txt").write_text("one\ntwo\n")
    done = lab.do(
        "run", WDL / "lines.wdl", "--input", "lines.file=lines.txt", "--json", cwd=tmp_path
    )
    assert json.loads(done.stdout)["outputs"]["lines.number"] == 2


def test_imports_come_from_a_folder_or_a_zip(lab: Lab, tmp_path: Path):
    alone = tmp_path / "alone"
    alone.mkdir()
    (alone / "sub.wdl").write_text((WDL / "sub.wdl").read_text())
    parts = tmp_path / "parts"
    parts.mkdir()
    (parts / "sub_inner.wdl").write_text((WDL / "sub_inner.wdl").read_text())
    assert lab.answer("run", alone / "sub.wdl", "-p", parts)["state"] == "succeeded"


def test_a_workflow_may_be_at_an_address(lab: Lab):
    with served(WDL) as address:
        result = lab.answer("run", f"{address}/hello.wdl", "--input", "hello.name=far")
        refused = lab.do("run", f"{address}/absent.wdl")
        asked = [*COMMAND, "inputs", f"{address}/hello.wdl"]
        assert subprocess.run(asked, env=lab.environment, check=False).returncode == 0
    assert result["outputs"]["hello.s"] == "hello far"
    assert refused.returncode == 2
    assert "can't be fetched" in refused.stderr


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """The folder on a web server of this machine; its address."""
    handler = partial(SimpleHTTPRequestHandler, directory=str(folder))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_a_detached_run_gives_its_number_and_goes_on(lab: Lab):
    done = lab.do("run", HELLO, "--detach", "--input", f"hello.name=detached-{time.time()}")
    number = int(done.stdout)
    until(lambda: lab.state(number).get("ended"), timeout=60)
    assert lab.state(number)["state"] == "succeeded"


def test_a_run_that_is_judged_late_ended_when_its_workflow_did(lab: Lab):
    number = lab.run("hello.wdl", "--input", "hello.name=late")["run"]
    state = lab.state(number)
    file = lab.root / "runs" / str(number) / "state.json"
    file.write_text(json.dumps(state | {"state": "running", "ended": ""}))
    judged = lab.answer("status", str(number))
    assert judged["state"] == "succeeded"
    assert state["started"] < judged["ended"] <= state["ended"]


def test_a_machine_that_ends_processes_at_logout_is_named_when_detaching(lab: Lab, tmp_path: Path):
    for name, says in (("loginctl", "Linger=no"), ("busctl", "b true")):
        (tmp_path / name).write_text(f"#!/bin/sh\necho '{says}'\n")
        (tmp_path / name).chmod(0o755)
    path = f"{tmp_path}:{lab.environment['PATH']}"
    done = lab.do("run", HELLO, "--detach", PATH=path)
    assert "when you log out" in done.stderr
    assert lab.do("attach", done.stdout.strip()).returncode == 0


def test_attach_follows_a_run_to_its_end(lab: Lab):
    number = lab.do("run", *lasting(2), "--detach").stdout.strip()
    done = lab.do("attach", number)
    assert done.returncode == 0
    assert "succeeded" in done.stderr


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_aborts_the_run_and_its_jobs(lab: Lab, signum):
    command = lab.begin("run", WDL / "long.wdl", "--input", f"long.s={600 + signum}")
    number = _newest(lab)
    lab.await_calls(number, 1)
    command.send_signal(signum)
    _, words = command.communicate(timeout=90)
    assert command.returncode == 7, words
    assert "Aborting" in words
    assert lab.state(number)["state"] == "aborted"
    until(lambda: not _sleeping(600 + signum))


def test_a_hangup_changes_nothing(lab: Lab):
    command = lab.begin("run", *lasting(3))
    lab.await_calls(_newest(lab), 1)
    command.send_signal(signal.SIGHUP)
    command.communicate(timeout=60)
    assert command.returncode == 0


def test_quit_leaves_the_run_to_itself(lab: Lab):
    command = lab.begin("run", *lasting(4))
    number = _newest(lab)
    lab.await_calls(number, 1)
    command.send_signal(signal.SIGQUIT)
    _, words = command.communicate(timeout=10)
    assert "goes on" in words
    until(lambda: lab.state(number)["ended"], timeout=60)
    assert lab.state(number)["state"] == "succeeded"


def test_abort_of_a_run_whose_leader_was_killed_tells_its_engine(own_lab: Lab):
    run = own_lab.begin("run", WDL / "long.wdl", "--input", "long.s=60")
    state = own_lab.await_calls(1, 1)
    run.kill()
    run.wait()
    kill(state["leader"]["pid"])
    facts = own_lab.root / "runs/1/state.json"
    facts.write_text(json.dumps(state | {"as_of": "2020-01-01T00:00:00.000+00:00"}))
    told = own_lab.do("abort", "1", "--no-wait")
    assert "run 1 abort" in told.stderr
    assert "on that node" not in told.stderr
    until(lambda: own_lab.answer("status", "1")["state"] == "aborted")


def test_abort_ends_a_run_from_another_terminal(lab: Lab):
    number = int(lab.do("run", WDL / "long.wdl", "--detach", "--input", "long.s=700").stdout)
    lab.await_calls(number, 1)
    assert lab.answer("abort", str(number))["state"] == "aborted"
    until(lambda: not _sleeping(700))


def test_the_command_killed_does_not_end_the_run(lab: Lab):
    command = lab.begin("run", *lasting(5))
    number = _newest(lab)
    lab.await_calls(number, 1)
    command.kill()
    command.communicate(timeout=10)
    until(lambda: lab.state(number)["ended"], timeout=60)
    assert lab.state(number)["state"] == "succeeded"


def test_a_killed_engine_leaves_a_run_that_is_lost(lab: Lab):
    number = int(lab.do("run", *lasting(6), "--detach").stdout)
    state = lab.await_calls(number, 1)
    kill(state["engine_process"]["pid"])
    assert lab.do("attach", str(number)).returncode == 75
    assert lab.answer("status", str(number))["state"] == "lost"


def test_a_run_whose_leader_and_engine_were_killed_is_lost_on_proof(lab: Lab):
    number = int(lab.do("run", *lasting(7), "--detach").stdout)
    state = lab.await_calls(number, 1)
    kill(state["leader"]["pid"])
    kill(state["engine_process"]["pid"])
    assert lab.answer("status", str(number))["state"] == "lost"
    assert lab.answer("list")[0]["state"] == "lost"


@pytest.mark.parametrize("spoiled", ["", "{}", '{"run": 1, "state": []}', "[1"])
def test_the_state_of_a_finished_run_that_was_lost_comes_from_the_database(lab: Lab, spoiled: str):
    ran = lab.run("hello.wdl", "--input", "hello.name=lost")
    state = lab.root / f"runs/{ran['run']}/state.json"
    state.write_text(spoiled) if spoiled else state.unlink()
    assert lab.answer("list")[0]["state"] == "succeeded"
    again = lab.answer("status", str(ran["run"]))
    assert (again["id"], again["outputs"]) == (ran["id"], ran["outputs"])
    assert again["total"]["done"] == 1


def test_a_run_that_can_not_be_read_spoils_no_list(own_lab: Lab):
    own_lab.run("hello.wdl")
    own_lab.run("hello.wdl")
    state = own_lab.root / "runs/1/state.json"
    state.unlink()
    state.mkdir()
    done = own_lab.do("list")
    assert (done.returncode, done.stdout.count("succeeded")) == (0, 1)
    assert f"run 1 is not shown: {state.parent} can't be read: is a directory." in done.stderr
    state.rmdir()


BEGINNING = """
import sys, time
from pathlib import Path
from cromwell_userdb import database
from cromwell_userdb.embedded.ledger import Ledger, Summary
root, token = Path(sys.argv[1]), sys.argv[2]
password = (root / "secret").read_text().strip()
ledger = Ledger(lambda: database.connect(root / "s", user="cromwell", password=password,
                                         database="cromwell"))
ledger.summary(Summary("late", "late", "Running", None, None, None, None, None))
ledger.label("late", "cromwell-userdb-run", token)
ledger.metadata("late", "outputs", {"late.first": 1})
ledger.metadata("late", "status", "Succeeded")
ledger.finish()
"""
LATE = """
deadline = time.monotonic() + 20
while not Path(sys.argv[3]).exists() and time.monotonic() < deadline:
    time.sleep(0.05)
ledger.metadata("late", "outputs", {"late.second": 2})
ledger.finish()
"""


LINGERING = """
print("Workflow actor for late completed with status 'Succeeded'. The", flush=True)
time.sleep(3)
Path(sys.argv[3]).with_name("metadata.json").touch()
"""


@pytest.fixture
def led(own_lab: Lab) -> Iterator[Callable[..., RunFolder]]:
    """Lead an engine that is a script, which has to succeed."""
    own_lab.run("hello.wdl")
    instance = Instance(own_lab.root)
    before = signal.getsignal(signal.SIGTERM)

    def lead(script: str, **asked: str) -> RunFolder:
        folder = runs.new_folder(instance)
        request = Request(
            run=folder.number, token="a-token", wdl="late.wdl", workflow="late",
            created=runs.now(), cwd=str(own_lab.root), backend="local", engine="cromwell",
            engine_version="92", **asked,
        )  # fmt: skip
        words = [str(own_lab.root), request.token, str(folder.outputs)]
        task = leader.Task(
            folder=folder, request=request, argv=[sys.executable, "-c", BEGINNING + script, *words],
            environment=os.environ, connect=lambda: server.connect(instance, schema="cromwell"),
            cancel=lambda jobs: None,
        )  # fmt: skip
        assert leader.lead(task).state == runs.SUCCEEDED
        return folder

    yield lead
    signal.signal(signal.SIGTERM, before)


def test_outputs_whose_rows_come_after_the_verdict_are_told(led: Callable[..., RunFolder]):
    """As a Cromwell writes them: the engine is asked for all only when it has left."""
    assert runs.read_outputs(led(LATE)) == {"late.first": 1, "late.second": 2}


@pytest.mark.parametrize("asked", ["", "metadata.json"])
def test_an_engine_that_is_done_is_seen_off_unless_it_has_metadata_to_write(
    led: Callable[..., RunFolder], asked: str
):
    """A Cromwell would notice by itself up to a minute and a half later."""
    folder = led(LINGERING, metadata_output=asked)
    assert folder.outputs.with_name("metadata.json").exists() == bool(asked)


def test_several_runs_at_once_share_the_database(lab: Lab):
    commands = [
        lab.begin("run", WDL / "scatter.wdl", "--input", f"scat.pad=at-once-{one}")
        for one in range(4)
    ]
    words = [command.communicate(timeout=120)[1] for command in commands]
    assert [command.returncode for command in commands] == [0] * 4, words


def test_nothing_of_a_run_can_be_read_by_others(lab: Lab):
    lab.run("hello.wdl", "--input", "hello.name=private")
    for path in lab.root.glob("runs/*"):
        assert stat.S_IMODE(path.stat().st_mode) == 0o700
    secrets = [*lab.root.glob("runs/*/*.conf"), *lab.root.glob("runs/*/*.json")]
    assert secrets
    assert {stat.S_IMODE(path.stat().st_mode) for path in secrets} == {0o600}


def test_no_secret_is_in_an_argument_or_an_environment(lab: Lab):
    secret = (lab.root / "secret").read_text().strip().encode()
    number = int(lab.do("run", *lasting(590), "--detach").stdout)
    lab.await_calls(number, 1)
    seen = 0
    for process in Path("/proc").glob("[0-9]*"):
        try:
            text = (process / "cmdline").read_bytes() + (process / "environ").read_bytes()
        except OSError:
            continue
        seen += str(lab.root).encode() in text
        assert secret not in text
    assert seen >= 2
    assert lab.do("abort", str(number)).returncode == 0
    logs = [*lab.root.glob("runs/*/engine.log"), *lab.root.glob("log/*")]
    assert not [log for log in logs if secret in log.read_bytes()]


def test_a_server_killed_under_a_run_is_started_again(lab: Lab):
    number = int(lab.do("run", *lasting(8), "--detach").stdout)
    lab.await_calls(number, 1)
    kill(json.loads((lab.root / "lease.json").read_text())["holder"]["pid"])
    until(lambda: lab.state(number)["ended"], timeout=90)
    assert lab.do("db status").returncode == 0
    assert lab.state(number)["state"] in ("succeeded", "failed", "lost")


@pytest.mark.parametrize("seed", range(3))
def test_killed_in_any_order_nothing_is_lost_and_the_next_command_works(own_lab: Lab, seed: int):
    own_lab.run("hello.wdl", "--input", "hello.name=kept")
    run = own_lab.begin("run", WDL / "long.wdl", "--input", f"long.s={20 + seed}")
    number = _newest(own_lab)
    state = own_lab.await_calls(number, 1)
    supervisor = json.loads((own_lab.root / "lease.json").read_text())["holder"]["pid"]
    server = int(Path(f"/proc/{supervisor}/task/{supervisor}/children").read_text().split()[0])
    victims = [supervisor, server, state["engine_process"]["pid"], state["leader"]["pid"], run.pid]
    random.Random(seed).shuffle(victims)
    for pid in victims:
        kill(pid)
    run.communicate(timeout=30)
    until(lambda: own_lab.answer("status", str(number))["state"] == "lost", timeout=60)
    assert own_lab.run("hello.wdl", "--input", "hello.name=kept")["total"]["cached"] == 1


@pytest.mark.parametrize(
    "hostile", ["a b", "'", '"', "$(touch pwned)", "`id`", "ü→🦠", "x" * 200, "\\", ";ls", "%s"]
)
def test_hostile_names_are_only_names(lab: Lab, tmp_path: Path, hostile: str):
    done = lab.do(
        "run", HELLO, "--run-name", hostile, "--label", f"{hostile[:100]}={hostile}",
        "--input", "hello.name=hostile", "--json", cwd=tmp_path,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["name"] == hostile
    assert max(map(len, lab.do("list", "-n", "1").stdout.splitlines())) < 130
    assert lab.answer("label", "-1")[hostile[:100]] == hostile
    assert not list(tmp_path.iterdir())


def lasting(seconds: int) -> list[str | Path]:
    """A workflow of one call that lasts so long; a number that no other test has is no hit."""
    return [WDL / "long.wdl", "--input", "long.n=1", "--input", f"long.s={seconds}"]


def _newest(lab: Lab) -> int:
    """The number of the run that is about to begin."""
    before = max((int(path.name) for path in (lab.root / "runs").iterdir()), default=0)
    until(lambda: lab.state(before + 1))
    return before + 1


def _sleeping(seconds: int) -> bool:
    """Whether a task's `sleep` of so many seconds is alive."""
    done = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True)
    return any(line.strip() == f"sleep {seconds}" for line in done.stdout.splitlines())


def test_a_lease_that_nobody_can_read_is_refused_with_what_to_do_for_this_instance(own_lab: Lab):
    assert own_lab.do("db stop").returncode == 0
    (own_lab.root / "lease.json").write_text("garbage")
    done = own_lab.do("run", HELLO)
    assert done.returncode == 6
    assert f"db start --force --root {own_lab.root}" in done.stderr


def test_executions_are_refused_where_others_could_put_a_folder_in_their_place(own_lab: Lab):
    shared = own_lab.root.parent / "shared"
    shared.mkdir()
    shared.chmod(0o777)
    assert own_lab.do("config set", "run.executions", str(shared)).returncode == 0
    done = own_lab.do("run", HELLO)
    assert done.returncode == 2
    assert f"chmod o-w {shared}" in done.stderr
    assert not list(shared.iterdir())


@pytest.mark.root
def test_executions_on_a_full_disk_end_in_a_sentence_and_go_on_once_there_is_room(
    small_disk: Path,
):
    lab = made("--executions", str(small_disk))
    try:
        done = lab.do("run", WDL / "fills.wdl", "--input", f"fills.disk={small_disk}")
        assert done.returncode == 1
        assert "fill   its disk was full (exit code 86)" in done.stderr
        (small_disk / "filler").unlink()
        (small_disk / "roomy").touch()
        assert lab.do("resume", "1").returncode == 0
    finally:
        ended(lab)
