"""What strangers type, and what they get for it; no server is started here."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from served import end

from cromwell_userdb import database, files, leader, provision, runs, server, startup, wdl
from cromwell_userdb.cli import place, screen
from cromwell_userdb.errors import NoSpace, NotPrivate, UsageError, WdlError
from cromwell_userdb.instance import RunFolder
from cromwell_userdb.record import Identity
from cromwell_userdb.report import endings
from cromwell_userdb.runs import Failure, State

COMMAND = [sys.executable, "-m", "cromwell_userdb"]


def say(*words: str | Path) -> tuple[int, str]:
    """What a command ends with, and its words."""
    done = subprocess.run(
        [*COMMAND, *words], capture_output=True, text=True, timeout=60, check=False
    )
    return done.returncode, done.stdout + done.stderr


@pytest.fixture
def inputs(tmp_path):
    def read(data: bytes, name: str = "inputs.json"):
        path = tmp_path / name
        path.write_bytes(data)
        return files.read_mapping(str(path), "inputs")

    return read


def test_inputs_may_begin_with_a_byte_order_mark(inputs):
    assert inputs(b'\xef\xbb\xbf{"w.x": 1}\r\n') == {"w.x": 1}


def test_inputs_are_utf_8_in_every_locale(tmp_path):
    path = tmp_path / "inputs.json"
    path.write_bytes('{"w.é": "ü"}'.encode())
    code = "import sys; from cromwell_userdb import files"
    code += "; print(ascii(files.read_mapping(sys.argv[1], 'inputs')))"
    argv = [sys.executable, "-X", "utf8=0", "-c", code, str(path)]
    done = subprocess.run(
        argv, env={"LC_ALL": "POSIX", "PYTHONCOERCECLOCALE": "0"}, capture_output=True, text=True
    )
    assert done.stdout == "{'w.\\xe9': '\\xfc'}\n"


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b'{"w.x": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", "nested too deeply"),
        (b"w.x: " + b"[" * 200 + b"]" * 200, "nested too deeply"),
        (b"\x80\x81", "no text in UTF-8"),
        (b"[1, 2]", "an object of names and values"),
    ],
)
def test_inputs_that_cannot_be_read_are_refused_in_a_sentence(inputs, data, words):
    with pytest.raises(UsageError, match=words):
        inputs(data)


def test_inputs_without_an_end_are_refused(monkeypatch):
    monkeypatch.setattr(files, "LARGEST_INPUTS", 1 << 20)
    with pytest.raises(UsageError, match="more than 1 MB"):
        files.read_mapping("/dev/zero", "inputs")


@pytest.mark.parametrize(
    ("text", "words"),
    [(b"\x80\xff", "no text in UTF-8"), (b"", "is empty"), (b"version 1.0\n", "is empty")],
)
def test_a_file_that_is_no_workflow_is_refused_in_a_sentence(tmp_path, text, words):
    (tmp_path / "w.wdl").write_bytes(text)
    with pytest.raises(WdlError, match=words):
        wdl.load(tmp_path / "w.wdl")


@pytest.mark.parametrize("what", ["", "absent.wdl"])
def test_inputs_of_what_is_no_workflow_are_refused(tmp_path, what):
    assert say("inputs", tmp_path / what) == (2, f"{tmp_path / what}: there is no such workflow.\n")


def test_a_template_that_was_not_filled_in_is_refused(tmp_path):
    (tmp_path / "w.wdl").write_text("version 1.0\nworkflow w { input { String s Int i = 1 } }\n")
    document = wdl.load(tmp_path / "w.wdl")
    assert wdl.check_inputs(document, wdl.template(document)) == [
        '"w.s" is <String>, as if to be filled in.'
    ]


@pytest.mark.parametrize("text", [b'{"w.x": "\\ud800"}', b'{"w.x": {"\\udfff": 1}}'])
def test_half_a_surrogate_is_refused(inputs, text):
    with pytest.raises(UsageError, match="no character of Unicode"):
        inputs(text)


@pytest.mark.parametrize(
    ("text", "where"),
    [
        (b'{"w.x": 1,\n"w.y": 2,\n"w.x": 3}', "'w.x' is there twice (lines 1, 3)"),
        (b'{"w.x": {"a": 1,\n\n"a" : 1}}', "'a' is there twice (lines 1, 3)"),
        (b"w.x: 1\nw.y: {b: 1, b: 2}\n", "'b' is there twice (lines 2, 2)"),
        (b"w.x: 1\nw.y: 2\nw.x: 3\n", "'w.x' is there twice (lines 1, 3)"),
    ],
)
def test_a_name_that_is_there_twice_is_refused_with_its_lines(inputs, text, where):
    with pytest.raises(UsageError, match=re.escape(where)):
        inputs(text)


def test_a_workflow_with_a_byte_order_mark_is_refused_in_a_sentence(tmp_path):
    (tmp_path / "w.wdl").write_text("\ufeffversion 1.0\nworkflow w {}\n")
    (tmp_path / "i.wdl").write_text('version 1.0\nimport "w.wdl"\nworkflow i { call w.w }\n')
    for name in ("w.wdl", "i.wdl"):
        with pytest.raises(WdlError, match=r"w\.wdl.* byte order mark") as refused:
            wdl.load(tmp_path / name)
        assert wdl.is_certain(refused.value)


@pytest.mark.parametrize("group", ["cluster", "config", "db", "engine", "images"])
def test_the_help_of_a_group_has_whole_sentences(group):
    status, said = say(group, "--help")
    assert (status, "..." in said.partition("Commands:")[2]) == (0, False)


def test_a_version_of_the_language_that_is_none_is_refused():
    status, said = say("run", "w.wdl", "-v", "7")
    assert (status, "'7' is not one of 'draft-2', '1.0'" in said) == (2, True)


def test_a_sentence_has_the_home_of_its_reader_as_people_write_it(monkeypatch):
    monkeypatch.setenv("HOME", "/home/ada")
    said = place.at_home("/home/ada/db holds /scratch/home/ada/x, /home/ada2/y and '/home/ada/z'.")
    assert said == "~/db holds /scratch/home/ada/x, /home/ada2/y and '~/z'."


@pytest.mark.parametrize("key", ["cromwell-userdb-run", "cromwell-workflow-id"])
def test_a_label_that_a_run_is_recognised_by_is_refused(key):
    with pytest.raises(UsageError, match="choose another"):
        files.read_labels(None, [f"{key}=x"])


@pytest.mark.parametrize(
    "words",
    [
        ["db", "remove", "--name", "", "--yes"],
        ["db", "remove", "--root", "", "--yes"],
        ["list", "-n", "0"],
        ["logs", "-n", "-5"],
    ],
)
def test_an_empty_name_or_a_number_below_one_is_a_wrong_option(words):
    status, said = say(*words)
    assert (status, "Traceback" in said) == (2, False)


def test_a_failure_of_no_call_points_to_the_engines_log():
    state = State(7, "failed", runs.now(), failures=(Failure("", None, 1, "The disk went away."),))
    assert endings.ending(state).splitlines()[:4] == [
        "run 7 failed after 0.0 s.",
        "",
        "The disk went away.",
        "  look         cromwell-userdb logs 7 --engine",
    ]


def test_a_terminal_without_unicode_gets_an_answer():
    env = {"PATH": os.environ["PATH"], "HOME": os.environ["HOME"], "PYTHONIOENCODING": "latin-1"}
    done = subprocess.run(
        [*COMMAND, "config", "show"], env=env, capture_output=True, timeout=60, check=False
    )
    assert (done.returncode, done.stderr) == (0, b"")


def test_a_cache_that_cannot_be_is_said_in_a_sentence(tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    with pytest.raises(NotPrivate, match="Have XDG_CACHE_HOME name"):
        place.cache_folder()


def test_the_keys_are_told_as_they_work():
    state = State(7, "running", runs.now(), started=runs.now())
    assert screen.footer(state, "Ctrl-C leaves it to itself").endswith("Ctrl-C leaves it to itself")


@pytest.mark.functional
def test_a_lost_secret_is_made_anew_by_the_next_start(served, program):
    before = served.secret.read_text()
    served.secret.unlink()
    end(served)
    startup.start(served, program)
    database.connect(served.socket, user="cromwell", password=served.secret.read_text().strip())
    assert served.secret.read_text() != before


@pytest.mark.functional
@pytest.mark.parametrize(
    ("lost", "words"),
    [("s", "was deleted, and nobody reaches it"), ("secret", "engine's password, is gone")],
)
def test_a_lost_socket_or_secret_is_said_with_the_way_on(served, tmp_path, lost, words):
    (tmp_path / "w.wdl").write_text("version 1.0\nworkflow w {}\n")
    (served.root / lost).unlink()
    status, said = say("run", tmp_path / "w.wdl", "--root", served.root)
    assert (status, words in said, "db stop --root" in said) == (3, True, True)


@pytest.mark.functional
def test_an_option_that_changes_nothing_is_told_before_the_run(served, tmp_path):
    (tmp_path / "w.wdl").write_text("version 1.0\nworkflow w {}\n")
    (tmp_path / "o.json").write_text('{"delete_intermediate_output_files": true}')
    status, said = say("run", tmp_path / "w.wdl", "-o", tmp_path / "o.json", "--root", served.root)
    told = "option delete_intermediate_output_files is ignored: all files of the calls stay"
    assert (status, 0 < said.find(told) < said.find("run 1")) == (0, True)


@pytest.mark.functional
def test_an_instance_without_its_facts_is_not_taken_for_strangers_things(instance, program):
    (instance.root / "settings.toml").touch()
    instance.facts.write_text('{"form')
    with pytest.raises(UsageError, match=r"its instance\.json is gone or damaged"):
        provision.birth(instance, program, cache=instance.root, allow_root=True)


@pytest.mark.functional
@pytest.mark.parametrize(
    ("limit", "starts", "said"),
    [
        ("-n 64", False, "(ulimit -n), and the server needs"),
        ("-Sn 64", True, ""),
        ("-v 1000000", False, "(ulimit -v), and the server needs"),
        ("-v 1500000", True, "(ulimit -v): the server starts with that, but"),
    ],
)
def test_a_server_has_the_files_and_addresses_it_needs_or_is_refused(instance, limit, starts, said):
    words = " ".join([*COMMAND, "db", "start", "--root", str(instance.root)])
    argv = ["bash", "-c", f"ulimit {limit}; {words}"]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode == 0, said in done.stderr) == (starts, True)
    if starts:
        with server.connect(instance) as connection:
            found = database.rows(connection, "SHOW VARIABLES LIKE 'open_files_limit'")
        assert int(found[0][1]) > 64


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (database.Error(1021, "Disk got full writing 'x' (Errcode: 28)"), NoSpace),
        (database.Error(3, "Error writing file (No space left on device)"), NoSpace),
        (database.Error(1064, "You have an error in your SQL syntax"), type(None)),
        (ValueError("ours"), type(None)),
    ],
)
def test_only_a_full_disk_or_a_lost_server_is_no_mistake_of_ours(error, kind):
    assert type(database.explained(error)) is kind


def test_a_leader_outlives_a_disk_that_has_no_room_for_its_log(monkeypatch):
    with Path("/dev/full").open("w") as full:
        monkeypatch.setattr(sys, "stdout", full)
        leader._tell("No space left on device")
        monkeypatch.undo()
        # What is still in its buffer can't be written either.
        with contextlib.suppress(OSError):
            full.close()


def test_an_abort_reaches_an_engine_whose_leader_was_killed(tmp_path):
    engine = subprocess.Popen(["sleep", "60"])
    gone = subprocess.Popen(["sleep", "60"])
    state = State(1, "running", runs.now(), leader=Identity.of(gone.pid))
    gone.kill()
    gone.wait()
    state = replace(state, engine_process=Identity.of(engine.pid))
    leader.ask_to_abort(RunFolder(tmp_path), state)
    assert engine.wait(timeout=10) == -signal.SIGTERM


def test_a_fork_whose_log_is_on_a_full_disk_ends_as_a_fork():
    code = """
import os, pathlib
from cromwell_userdb import forks
try:
    pid = forks.detached(lambda: print("x"), log=pathlib.Path("/dev/full"))
except OSError:
    os._exit(9)  # a fork that got out
print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) in (0, 1))
"""
    argv = [sys.executable, "-c", code]
    # Unbuffered, nothing is left to be refused at the end.
    env = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    done = subprocess.run(argv, env=env, capture_output=True, text=True, timeout=60, check=False)
    assert done.stdout == "True\n"
