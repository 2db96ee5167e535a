"""Programs that run images: found as the settings say, explained in their own words."""

from pathlib import Path

import pytest

from cromwell_userdb import runtimes
from cromwell_userdb.errors import CommandFailed, NoSpace, NotFound
from cromwell_userdb.reference import parse
from cromwell_userdb.runtimes import Runtime


def program(folder: Path, name: str, does: str = "") -> Path:
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(f"#!/bin/sh\n{does}\n")
    (folder / name).chmod(0o755)
    return folder / name


@pytest.mark.parametrize(
    ("here", "kind", "found"),
    [
        (["docker", "apptainer"], "auto", "apptainer"),
        (["docker", "podman"], "auto", "podman"),
        (["docker", "apptainer"], "docker", "docker"),
    ],
)
def test_the_first_that_is_here_is_taken(tmp_path, here, kind, found):
    for name in here:
        program(tmp_path, name)
    assert runtimes.find(kind, path=str(tmp_path)) == Runtime(found, tmp_path / found)


def test_nothing_here_is_said_with_three_ways_on(tmp_path):
    with pytest.raises(NotFound, match=r"looked for apptainer.*module.*container\.runtime to none"):
        runtimes.find("auto", path=str(tmp_path))
    assert runtimes.find("none", path=str(tmp_path)) is None


NO_DAEMON = "echo 'Cannot connect to the Docker daemon at unix:///x. Is it running?' >&2; exit 1"


def test_auto_takes_the_first_that_works(tmp_path):
    program(tmp_path, "podman", "echo 'Error: no subuid ranges for ada' >&2; exit 125")
    docker = program(tmp_path, "docker", '[ "$1" = ps ]')
    assert runtimes.find("auto", path=str(tmp_path)) == Runtime("podman", tmp_path / "podman")
    found = runtimes.find("auto", path=str(tmp_path), tried=True)
    assert found == Runtime("docker", docker)


@pytest.mark.parametrize("kind", ["auto", "docker"])
def test_a_docker_without_its_daemon_is_named_with_its_words(tmp_path, kind):
    path = program(tmp_path, "docker", NO_DAEMON)
    with pytest.raises(NotFound, match=rf"PATH; {path} is there, but says: Cannot connect to the"):
        runtimes.find(kind, path=str(tmp_path), tried=True)


def test_a_daemon_that_does_not_answer_is_not_waited_for(tmp_path, monkeypatch):
    monkeypatch.setattr(runtimes, "TRIAL_SECONDS", 0.2)
    program(tmp_path, "docker", "exec sleep 60")
    with pytest.raises(NotFound, match=r"docker is there, but gave no answer in 0\.2 seconds"):
        runtimes.find("auto", path=str(tmp_path), tried=True)


@pytest.mark.parametrize(
    ("name", "kind"), [("singularity-3.8", "singularity"), ("podman-remote", "podman")]
)
def test_a_program_of_ones_own_tells_what_it_is_by_its_name(tmp_path, name, kind):
    path = program(tmp_path, name)
    assert runtimes.find("auto", str(path)) == Runtime(kind, path)


def test_a_program_that_does_not_tell_needs_the_setting(tmp_path):
    path = program(tmp_path, "run-image")
    with pytest.raises(NotFound, match=r"say with container\.runtime"):
        runtimes.find("auto", str(path))
    assert runtimes.find("apptainer", str(path)) == Runtime("apptainer", path)
    with pytest.raises(NotFound, match="no program"):
        runtimes.find("apptainer", str(tmp_path / "missing"))


def test_a_pull_names_the_digest_alone():
    wanted = parse(f"ubuntu:20.04@sha256:{'ab' * 32}")
    argv = runtimes.pull_argv(Runtime("apptainer", Path("/a")), wanted, Path("/x.sif"), login=None)
    name = f"docker://docker.io/library/ubuntu@{wanted.digest}"
    assert argv == ["/a", "pull", "/x.sif", name]


def test_a_pull_keeps_no_second_copy_unless_the_user_wants_a_cache():
    apptainer = Runtime("apptainer", Path("/a"))
    own = runtimes.pull_environment(apptainer, {}, scratch=Path("/s"), plain=False)
    assert own == {"APPTAINER_TMPDIR": "/s", "APPTAINER_DISABLE_CACHE": "true"}
    given = {"APPTAINER_TMPDIR": "/t", "APPTAINER_CACHEDIR": "/c"}
    assert runtimes.pull_environment(apptainer, given, scratch=Path("/s"), plain=False) == given


@pytest.mark.parametrize(
    ("words", "kind", "said"),
    [
        ("FATAL:   write /x: no space left on device\n", NoSpace, "no room for ubuntu: /images"),
        ("ERROR: write /x: disk quota exceeded\n", NoSpace, "no room"),
        (
            "INFO:    Starting build...\n\x1b[31mFATAL:   \x1b[0mWhile making image: so it is\nx\n",
            CommandFailed,
            "ubuntu could not be pulled: While making image: so it is$",
        ),
        (
            "/usr/bin/docker ended with status 1: Error response from daemon: manifest unknown",
            CommandFailed,
            "could not be pulled: manifest unknown$",
        ),
        ("", CommandFailed, "it gave no reason"),
    ],
)
def test_a_failed_pull_is_explained_in_its_own_words(words, kind, said):
    error = runtimes.explained("ubuntu", words, folder=Path("/images"))
    with pytest.raises(kind, match=said):
        raise error
