"""The docker that engines are given: quick, exact, and safe whatever the places are called."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from test_images import sif

from cromwell_userdb import docker, images
from cromwell_userdb.docker import Containers
from cromwell_userdb.images import Store
from cromwell_userdb.pulled import told
from cromwell_userdb.reference import parse
from cromwell_userdb.runtimes import Runtime

QUESTION = ("images", "--digests", "--format", r'{{printf "%s\t%s\t%s" .Repository .Tag .Digest}}')
"""As DockerCliClient.scala of Cromwell 92 asks."""


@pytest.fixture
def containers(tmp_path):
    """Places with all that a shell would stumble over."""
    folder = tmp_path / 'it\'s $(touch here) "so"; ü\n'
    folder.mkdir()
    program = folder / "apptainer"
    program.write_text("#!/bin/sh\n")
    return Containers(
        Runtime("apptainer", program),
        Store(folder / "own", (folder / "site",)),
        "never",
        told=folder / "pulls.jsonl",
    )


@pytest.fixture
def ask(containers, tmp_path):
    path = tmp_path / "docker"
    path.write_text(docker.program_text(sys.executable, containers))
    path.chmod(0o700)

    def command(*words, cwd=tmp_path):
        return subprocess.run([path, *words], capture_output=True, text=True, cwd=cwd, check=False)

    return command


def added(containers, name):
    file = sif(containers.store.own.parent / "x.sif", name.encode())
    return images.add(containers.store, file, parse(name), link=False)


def test_cromwells_question_is_answered_as_docker_would(ask, containers):
    digest = added(containers, "quay.io/lab/tool:1").digest
    lines = ask(*QUESTION).stdout.splitlines()
    assert [line.split("\t") for line in lines] == [
        ["quay.io/lab/tool", "1", digest],
        ["quay.io/lab/tool", digest, digest],
        ["quay.io/lab/tool", f"1@{digest}", digest],
    ]


def test_a_pull_that_fails_is_said_on_stderr_and_kept(ask, containers):
    done = ask("pull", "ubuntu:20.04")
    assert (done.returncode, done.stdout) == (4, "")
    assert done.stderr.startswith("ubuntu:20.04 is not here, and container.pull is never")
    assert [one.step for one in told(containers.told)] == ["begun", "failed"]
    assert list(told(containers.told))[-1].words == done.stderr.strip()


def test_a_pull_of_what_is_here_does_nothing(ask, containers):
    added(containers, "ubuntu:20.04")
    assert ask("pull", "ubuntu:20.04").returncode == 0
    assert [one.step for one in told(containers.told)] == ["begun", "done"]


def test_what_nobody_asks_of_docker_is_refused(ask):
    assert "answers Cromwell's questions only, not run" in ask("run", "ubuntu").stderr


def test_what_lies_in_the_current_folder_is_not_run(ask, tmp_path):
    (tmp_path / "json.py").write_text("raise SystemExit('caught')")
    assert ask(*QUESTION, cwd=tmp_path).returncode == 0
    assert not (tmp_path / "here").exists()


def test_an_answer_loads_nothing_heavy(containers):
    script = (
        "import sys; from cromwell_userdb import docker\n"
        "docker.main([sys.argv[1], 'images'])\n"
        "print(sorted({'requests', 'dxf', 'docker', 'click', 'rich', 'cromwell_userdb.pulls'}"
        " & set(sys.modules)))"
    )
    facts = docker.command(sys.executable, containers)[-1]
    done = subprocess.run(
        [sys.executable, "-c", script, facts], capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"


def test_a_thousand_images_are_answered_well_within_cromwells_patience(ask, containers):
    """Cromwell waits five seconds; as CPU time, because other work may keep us waiting."""
    one = added(containers, "quay.io/lab/tool:1")
    index = containers.store.own / images.INDEX
    facts = json.loads(index.read_text())
    facts["images"] = [{**facts["images"][0], "tag": str(number)} for number in range(1000)]
    index.write_text(json.dumps(facts))
    before = os.times()
    begin = time.monotonic()
    lines = ask(*QUESTION).stdout.splitlines()
    after = os.times()
    spent = sum(after[2:4]) - sum(before[2:4])
    print(f"{spent:.2f} s of CPU, {time.monotonic() - begin:.2f} s in all")
    assert len(lines) == 2001
    assert spent < 1
    assert Path(images.file_of(containers.store.own, one.digest)).exists()
