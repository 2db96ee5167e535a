"""`images`, as people type it."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from test_images import SIF, sif
from test_pulls import FAKE

WDL = """
version 1.1
workflow w {
  input {
    String version = "1"
    Boolean maybe
  }
  call one { input: tool = "HOST/lab/one:~{version}" }
  if (maybe) { call two }
}
task one {
  input { String tool }
  command {}
  runtime { docker: tool }
}
task two {
  command {}
  runtime { container: "HOST/lab/two:1" }
}
"""


@pytest.fixture
def do(tmp_path, monkeypatch):
    """Types a command in a home of its own, in which an Apptainer is on PATH."""
    program = tmp_path / "bin/apptainer"
    program.parent.mkdir()
    program.write_text(FAKE)
    program.chmod(0o755)
    monkeypatch.setenv("ASKED", str(tmp_path / "asked"))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("PATH", str(program.parent), prepend=os.pathsep)

    def command(*words):
        argv = [sys.executable, "-m", "cromwell_userdb", "images", *map(str, words)]
        return subprocess.run(argv, capture_output=True, text=True, cwd=tmp_path, check=False)

    return command


def listed(do, *options):
    return json.loads(do("list", "--json", *options).stdout)


def test_an_added_image_is_listed_verified_and_removed(do, tmp_path):
    sif(tmp_path / "x.sif")
    assert re.fullmatch(r"lab/tool:1  \w{12}  642 B\n", do("add", "x.sif", "lab/tool:1").stdout)
    assert re.search(r"lab/tool +1 +\w{12} +642 B +today", do("list").stdout)
    assert do("verify").stderr.endswith("1 image: all as it should be.\n")
    shown = do("remove", "lab/tool")
    assert "would go" in shown.stdout and "Nothing was deleted" in shown.stderr
    assert len(listed(do)) == 1
    assert do("remove", "lab/tool", "--yes").stdout.count("gone") == 2
    assert not listed(do)
    assert (tmp_path / "x.sif").read_bytes() == SIF


def test_a_pull_says_what_came_and_what_did_not(do, registry):
    digest = registry.push("lab/here", "1")
    done = do("pull", f"{registry.host}/lab/here:1", f"{registry.host}/lab/missing:1")
    assert done.stdout.startswith(f"{registry.host}/lab/here:1  {digest[7:19]}")
    assert "pulling" in done.stderr
    assert f"There is no such image: {registry.host} has no version 1 of lab/mis" in done.stderr
    assert done.returncode == 4
    assert [one["digest"] for one in listed(do)] == [digest]


def test_a_workflows_images_are_pulled_as_far_as_they_are_known(do, registry, tmp_path):
    for name in ("one", "two"):
        registry.push(f"lab/{name}", "1")
    (tmp_path / "w.wdl").write_text(WDL.replace("HOST", registry.host))
    assert do("pull", "w.wdl").returncode == 0
    assert {one["name"] for one in listed(do)} == {
        f"{registry.host}/lab/one",
        f"{registry.host}/lab/two",
    }


def test_an_image_that_only_the_run_tells_is_named_with_its_line(do, registry, tmp_path):
    text = WDL.replace("HOST", registry.host).replace('version = "1"', "version")
    (tmp_path / "w.wdl").write_text(text)
    registry.push("lab/two", "1")
    assert "w.wdl:14: only the run will tell the image of one" in do("pull", "w.wdl").stderr
    registry.push("lab/one", "7")
    (tmp_path / "in.json").write_text('{"w.version": "7", "w.maybe": true}')
    assert f"{registry.host}/lab/one:7" in do("pull", "w.wdl", "-i", "in.json").stdout


def test_a_sites_images_are_used_and_never_touched(do, registry, tmp_path, monkeypatch):
    registry.push("lab/site", "1")
    name = f"{registry.host}/lab/site:1"
    assert do("pull", name, "--folder", tmp_path / "site").returncode == 0
    monkeypatch.setenv("CROMWELL_USERDB_CONTAINER_SITE_IMAGES", str(tmp_path / "site"))
    assert "the site's" in do("list").stdout
    assert do("pull", name).returncode == 0
    assert len((tmp_path / "asked").read_text().splitlines()) == 1
    refused = do("remove", name, "--yes")
    assert refused.stderr == f"{name} is the site's, not yours to remove.\n"
    assert refused.returncode == 2


def test_what_changed_and_what_is_left_over_is_said_with_what_to_do(do, tmp_path):
    sif(tmp_path / "x.sif")
    do("add", "x.sif", "lab/tool:1")
    [file] = [Path(one["file"]) for one in listed(do)]
    with file.open("ab") as changed:
        changed.write(b"more")
    left = file.with_name(f"sha256-{'ab' * 32}.sif.new-71cd")
    (left / "rootfs").mkdir(parents=True)
    (left / "rootfs/sealed").mkdir(mode=0o500)
    photo = file.with_name("holiday.jpg")
    photo.touch()
    done = do("verify")
    assert done.returncode == 1
    assert "lab/tool:1 is not what it was" in done.stdout
    assert "images remove NAME" in done.stderr
    assert "images remove --strays" in done.stderr
    assert do("remove", "--strays", "--yes").stdout.count("gone") == 1
    assert photo.exists() and not left.exists()


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        (("add", "missing.sif", "x:1"), 2, "missing.sif can't be read: no such file"),
        (("pull", "No:Name:"), 2, "no name of an image"),
        (("remove", "x:1"), 4, "There is no image x:1 here"),
        (("remove",), 2, "Name images, or say --strays"),
        (("list", "--folder", "/nowhere"), 0, "No images in /nowhere yet"),
    ],
)
def test_what_is_wrong_is_said_in_one_sentence(do, words, status, said):
    done = do(*words)
    assert done.returncode == status
    assert said in done.stderr
    assert not done.stdout


def test_no_program_for_images_is_said(do, monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", "/nowhere")
    assert do("list").returncode == 0
    done = do("pull", "ubuntu")
    assert (done.returncode, done.stdout) == (4, "")
    assert "nothing here to run containers with (looked for apptainer" in done.stderr
