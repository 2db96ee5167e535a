"""Runs whose images lie in a registry: pulled once, and said in words where they do not come."""

import json
import os
import shutil

import pytest

from cromwell_userdb.pulled import told

pytestmark = [pytest.mark.functional, pytest.mark.root]

WDL = """
version 1.0
workflow w {
  scatter (number in range(3)) { call say { input: number = number } }
  output { Array[String] words = say.words }
}
task say {
  input { Int number }
  command { echo "~{number} in $APPTAINER_NAME" }
  output { String words = read_string(stdout()) }
  runtime { docker: "IMAGE" }
}
"""


@pytest.fixture
def owner(alice, apptainer):
    """Alice with an instance; the real engine where the tests are told of one."""
    done = alice.userdb("init", "--backend", "local", env=jar())
    assert done.returncode == 0, done.stderr
    yield alice
    alice.userdb("db", "stop", "--force")


def jar():
    return {name: jar for name in ["CROMWELL_USERDB_CROMWELL"] if (jar := os.environ.get(name))}


def run(person, image, **settings):
    (person.home / "w.wdl").write_text(WDL.replace("IMAGE", image))
    return person.userdb("run", "w.wdl", "--json", env={**jar(), **settings}, timeout=240)


def test_a_run_pulls_its_image_once_and_is_cached_by_it(owner, registry):
    digest = registry.push_tools("lab/tools", "1")
    name = f"{registry.host}/lab/tools:1"
    first = run(owner, name)
    assert first.returncode == 0, first.stderr
    file = f"sha256-{digest[7:]}.sif"
    assert json.loads(first.stdout)["outputs"]["w.words"] == [f"{n} in {file}" for n in range(3)]
    assert first.stderr.count(f"pulling {name}") == 1
    assert first.stderr.count(f"{name} is here") == 1
    again = run(owner, name, CROMWELL_USERDB_CONTAINER_PULL="never")
    assert json.loads(again.stdout)["calls"][0]["cached"] == 3
    assert "pulling" not in again.stderr


def test_an_image_that_does_not_come_is_the_reason_of_the_failure(owner, registry):
    registry.push("lab/tools", "1")
    failed = run(owner, f"{registry.host}/lab/tools:2")
    assert failed.returncode == 1
    words = f"There is no such image: {registry.host} has no version 2 of lab/tools."
    state = json.loads(failed.stdout)
    assert all(words in failure["message"] for failure in state["failures"])
    [folder] = owner.home.glob(".local/share/cromwell-userdb/default/runs/1")
    # A Cromwell asks once more.
    assert [one.step for one in told(folder / "pulls.jsonl")][:2] == ["begun", "failed"]


def test_tasks_with_images_and_nothing_to_run_them_with_start_nothing(alice):
    """Nor does a docker help whose daemon is not there; a task without an image needs none."""
    assert alice.userdb("init", "--engine", "embedded", "--backend", "local").returncode == 0
    folder = alice.home / "bin"
    folder.mkdir()
    (folder / "setpriv").symlink_to(shutil.which("setpriv"))
    (alice.home / "w.wdl").write_text(WDL.replace("IMAGE", "ubuntu:22.04"))

    def refused():
        done = alice.userdb("run", "w.wdl", "--json", env={"PATH": str(folder)})
        assert (done.returncode, done.stdout) == (4, "")
        start = "w.wdl:11: task say wants the image ubuntu:22.04. There is nothing here to run "
        assert done.stderr.startswith(start + "containers with (looked for apptainer, ")
        return done.stderr

    assert refused().endswith("to run such tasks without their images.\n")
    for name in ("podman", "docker"):
        text = f"#!/bin/sh\necho {name} has no daemon. >&2\necho >> ~/tried; exit 1\n"
        (folder / name).write_text(text)
        (folder / name).chmod(0o755)
    told = "~/bin/podman is there, but says: podman has no daemon; ~/bin/docker is there, but"
    assert told in refused()
    assert json.loads(alice.userdb("list", "--json").stdout) == []
    (alice.home / "tried").unlink()
    (alice.home / "w.wdl").write_text(WDL.replace("IMAGE", ""))
    done = alice.userdb("run", "w.wdl", env={"PATH": f"{folder}:/usr/bin:/bin"})
    alice.userdb("db", "stop", "--force")
    assert (done.returncode, (alice.home / "tried").exists()) == (0, False)
