"""Calls inside their containers: a real Apptainer, as an ordinary user, here and on SLURM."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import folders
import pytest
from apptainer import Apptainer
from calls import Call, Run, wait_for
from cluster import PATH, Cluster
from lab import WDL
from matrix import Docker
from people import Member, Person

pytestmark = [pytest.mark.functional, pytest.mark.root, pytest.mark.timeout(240)]

DIGEST = f"sha256:{'5f' * 32}"
IMAGE = f"quay.io/lab/small@{DIGEST}"
LOOK = "cat /etc/small-image; id -un; pwd"


@pytest.fixture(scope="session")
def images(apptainer: Apptainer) -> Iterator[Path]:
    """A folder of an administrator's, with one image in it."""
    folder = folders.made("images")
    folder.chmod(0o755)
    (folder / f"{DIGEST.replace(':', '-')}.sif").symlink_to(apptainer.image)
    yield folder
    folders.gone(folder)


MakeRun = Callable[..., Run]


@pytest.fixture
def make_run(images: Path, alice: Person) -> MakeRun:
    """Makes a run of Alice's on this machine, whose tasks get their images."""

    def run_as(argv: object) -> subprocess.CompletedProcess[str]:
        return alice.run(*argv)  # type: ignore[misc]

    def make(**settings: object) -> Run:
        base = alice.home / "lab"
        own = settings_of(base, images) | {"cores": 2, "memory_mb": 4000} | settings
        return Run(base, run_as, owner="alice", settings=own).install()

    return make


def settings_of(base: Path, images: Path) -> dict[str, object]:
    return {
        "container_kind": "apptainer",
        "container_program": "apptainer",
        "container_root": str(base / "executions"),
        "container_folders": (str(base / "none"), str(images)),
    }


def ended(call: Call) -> int:
    call.submit("local-submit")
    assert call.job, call.said
    return call.end(hook="local-check-alive", timeout=60)


def stdout(call: Call) -> str:
    return (call.here / "stdout").read_text()


def test_a_call_runs_in_its_image_as_its_user(make_run: MakeRun) -> None:
    call = make_run().call(LOOK, docker=IMAGE)
    assert ended(call) == 0, call.stderr
    assert stdout(call).splitlines() == ["made by tests/apptainer.py", "alice", str(call.here)]
    wait_for(lambda: not (call.cwd / ".home").exists())


def test_its_own_end_is_the_calls(make_run: MakeRun) -> None:
    run = make_run()
    assert ended(run.call("exit 3", docker=IMAGE)) == 3
    # What the kernel kills for its memory has this status.
    assert ended(call := run.call("bash -c 'kill -KILL $$'", docker=IMAGE)) == 80
    assert (call.here / "memory_retry_rc").read_text() == "0\n"


def test_inputs_are_seen_where_their_links_lead(make_run: MakeRun, alice: Person) -> None:
    run = make_run()
    odd = alice.home / 'else where: a,b "c"' / "reads"
    plain = alice.home / "plain" / "reads"
    call = run.call(
        "cat @-1/x.txt @-2/'y z'", docker=IMAGE, inputs={"-1/x.txt": "", "-2/'y z'": ""}
    )
    inputs = call.cwd / "inputs"
    shutil.rmtree(inputs)
    for folder, name, file in ((inputs / "-1", "x.txt", plain), (inputs / "-2", "y z", odd)):
        file.parent.mkdir(parents=True)
        file.write_text(f"{file.parent.name}\n")
        folder.mkdir(parents=True)
        (folder / name).symlink_to(file)
    subprocess.run(["chown", "-R", "alice:", alice.home], check=True)
    assert ended(call) == 0, call.stderr
    assert stdout(call) == f"plain\n{odd.parent.name}\n"


def test_what_the_user_binds_is_there_and_a_home_of_its_own(
    make_run: MakeRun, alice: Person
) -> None:
    data = alice.home / "data"
    data.mkdir()
    (data / "x").write_text("x\n")
    run = make_run(container_binds=(f"{data}:/mnt/lab:ro",))
    call = run.call("cat /mnt/lab/x; echo $HOME", docker=IMAGE)
    assert ended(call) == 0, call.stderr
    assert stdout(call).splitlines() == ["x", str(call.cwd / ".home")]


def test_an_image_that_is_not_there_ends_the_call_at_once(make_run: MakeRun, images: Path) -> None:
    other = f"sha256:{'00' * 32}"
    call = make_run().call(docker=f"lab/other@{other}")
    assert ended(call) == 85
    assert f"its image lab/other@{other} is not on {os.uname().nodename}" in call.stderr
    assert str(images) in call.stderr


def test_a_machine_without_the_program_ends_the_call_at_once(make_run: MakeRun) -> None:
    run = make_run(container_kind="singularity", container_program="/opt/none/singularity")
    call = run.call(docker=IMAGE)
    assert ended(call) == 85
    assert "there is no singularity on " in call.stderr


def test_what_hinders_a_container_is_said_in_its_programs_words(make_run: MakeRun) -> None:
    call = make_run(container_binds=("/no/such/place",)).call(docker=IMAGE)
    assert ended(call) == 85
    assert f"the container of {IMAGE} ended with status 255: " in call.stderr
    assert "/no/such/place" in call.stderr


@pytest.mark.parametrize(
    ("asked", "given"),
    [({}, False), ({"gpu_count": "2"}, True), ({"gpu": "true"}, True), ({"gpu_count": "0"}, False)],
)
def test_gpus_are_for_tasks_that_ask_for_them(
    make_run: MakeRun, alice: Person, asked: dict[str, str], given: bool
) -> None:
    program = alice.home / "apptainer"
    program.write_text('#!/bin/bash\nprintf "%s\\n" "$@" >words\nexec "${@: -2}"\n')
    program.chmod(0o755)
    call = make_run(container_program=str(program)).call(docker=IMAGE, **asked)
    assert ended(call) == 0, call.stderr
    assert ("--nv" in (call.here / "words").read_text().split()) == given


def test_a_task_without_an_image_runs_as_ever(make_run: MakeRun) -> None:
    call = make_run().call("ls /etc/small-image")
    assert ended(call) == 2


def test_a_killed_call_takes_its_container_along(make_run: MakeRun) -> None:
    run = make_run()
    call = run.call("touch began; setsid sleep 987 & sleep 986", docker=IMAGE).submit(
        "local-submit"
    )
    wait_for(lambda: (call.here / "began").exists() or None)
    call.kill("local-kill")
    wait_for(lambda: not sleepers() or None)


def sleepers() -> list[str]:
    found = subprocess.run(["pgrep", "-af", "^sleep 98[67]"], capture_output=True, text=True)
    return found.stdout.splitlines()


# On SLURM.


@pytest.fixture(scope="module")
def slurm_run(cluster: Cluster, images: Path) -> Run:
    base = cluster.home("alice") / "containers"
    run_as = lambda argv: cluster.popen(argv, user="alice", env={"PATH": PATH}, timeout=180)  # noqa: E731
    return Run(base, run_as, owner="alice", settings=settings_of(base, images)).install()


@pytest.mark.slurm
def test_a_job_runs_in_its_image_and_knows_what_it_was_given(slurm_run: Run) -> None:
    command = f"{LOOK}; env"
    call = slurm_run.call(command, docker=IMAGE, cpu="2", memory_mb="600").submit()
    assert call.end() == 0, call.stderr
    assert stdout(call).splitlines()[:3] == ["made by tests/apptainer.py", "alice", str(call.here)]
    given = dict(line.partition("=")[::2] for line in stdout(call).splitlines()[3:])
    assert given["SLURM_CPUS_PER_TASK"] == "2"
    assert given["SLURM_MEM_PER_NODE"] == "600"
    assert "SLURM_JOB_ID" not in given


@pytest.mark.slurm
def test_a_job_without_its_image_on_the_node_ends_at_once(slurm_run: Run) -> None:
    call = slurm_run.call(docker=f"lab/other@sha256:{'00' * 32}").submit()
    assert call.end() == 85
    assert "its image lab/other@sha256:" in call.stderr


@pytest.mark.slurm
def test_a_cancelled_job_leaves_nothing_of_its_container(slurm_run: Run) -> None:
    call = slurm_run.call("touch began; sleep 986", docker=IMAGE).submit()
    wait_for(lambda: (call.here / "began").exists() or None)
    slurm_run.hook("kill", call.job)
    assert call.end() == 84
    wait_for(lambda: not sleepers() or None)


# Whole workflows, on both engines.


@pytest.fixture
def owner(alice: Person, apptainer: Apptainer) -> Person:
    """Alice with an instance, and an image that she was given as a file."""
    return _with_image(alice, apptainer, "--backend", "local")


@pytest.fixture
def member(member: Member, apptainer: Apptainer) -> Person:
    """The same on a cluster."""
    return _with_image(member, apptainer)


def _with_image(person: Person, apptainer: Apptainer, *words: str) -> Person:
    done = person.userdb("init", *words, env=_jar())
    assert done.returncode == 0, done.stderr
    done = person.userdb("images", "add", apptainer.image, "lab/small:1.0")
    assert done.returncode == 0, done.stderr
    return person


def _jar() -> dict[str, str]:
    """The real engine where the tests are told of one."""
    return {name: jar for name in ["CROMWELL_USERDB_CROMWELL"] if (jar := os.environ.get(name))}


def run_twice(person: Person) -> tuple[dict[str, Any], dict[str, Any]]:
    """What two runs of one workflow answered."""
    (image,) = json.loads(person.userdb("images", "list", "--json").stdout)
    text = (WDL / "images.wdl").read_text()
    (person.home / "images.wdl").write_text(text)
    (person.home / "more").write_text("more\n")
    inputs = [f"--input=images.exact=lab/small@{image['digest']}", "--input=images.more=more"]
    answers = []
    for _ in range(2):
        argv = ["run", "images.wdl", *inputs, "--json"]
        done = person.userdb(*argv, env=_jar(), timeout=240)
        assert done.returncode == 0, done.stderr
        answers.append(json.loads(done.stdout))
    return answers[0], answers[1]


def check_two_runs(person: Person) -> None:
    first, second = run_twice(person)
    assert first["outputs"]["images.by_tag"] == ["made by tests/apptainer.py", "more", "no docker"]
    assert first["outputs"]["images.by_digest"] == ["made by tests/apptainer.py", "3"]
    assert second["outputs"] == first["outputs"]
    assert [calls["cached"] for calls in second["calls"]] == [1, 1]


def test_a_workflow_runs_in_its_images_and_is_cached_by_their_digest(owner: Person) -> None:
    check_two_runs(owner)


@pytest.mark.slurm
def test_so_does_one_on_a_cluster(member: Person) -> None:
    check_two_runs(member)


# With Docker, whose containers are no children of ours.


@pytest.fixture
def docker_run(docker: Docker, apptainer: Apptainer, tmp_path: Path) -> Iterator[Run]:
    """A run of root's with an engine that knows the small image as `small`."""
    subprocess.run(["docker", "import", apptainer.archive, "small"], check=True, timeout=120)

    def run_as(argv: Any) -> subprocess.CompletedProcess[str]:
        words = [str(word) for word in argv]
        return subprocess.run(words, capture_output=True, text=True, timeout=60, check=False)

    own = {"container_kind": "docker", "container_pull": "never"}
    root = {"container_root": str(tmp_path / "executions"), "cores": 2, "memory_mb": 4000}
    yield Run(tmp_path, run_as, settings=own | root).install()
    wait_for(lambda: not containers())


def containers() -> str:
    # The daemon may have a server of other tests besides.
    words = ["docker", "ps", "--all", "--quiet", "--filter", "ancestor=small"]
    return subprocess.run(words, capture_output=True, text=True, check=True).stdout


def test_docker_runs_a_call_and_leaves_no_container(docker_run: Run) -> None:
    call = docker_run.call("cat /etc/small-image; pwd; id -u; exit 3", docker="small")
    assert ended(call) == 3, call.stderr
    assert stdout(call).splitlines() == ["made by tests/apptainer.py", str(call.here), "0"]
    wait_for(lambda: not containers())


@pytest.mark.parametrize("way", ["local-kill", "client"])
def test_dockers_container_ends_with_its_call(docker_run: Run, way: str) -> None:
    call = docker_run.call("touch began; setsid sleep 987 & sleep 986", docker="small")
    call.submit("local-submit")
    wait_for(lambda: (call.here / "began").exists() or None)
    if way == "client":
        # As a job ends that SLURM kills: nobody has the time to tell the engine.
        subprocess.run(["pkill", "-KILL", "--session", call.job], check=True)
    else:
        call.kill("local-kill")
    wait_for(lambda: not containers())
    assert call.end(hook="local-check-alive") != 0


def test_dockers_container_has_the_memory_that_the_task_asks_for(docker_run: Run) -> None:
    eat = "exec {x}< <(:); s=x; while :; do s=$s$s; done"
    call = docker_run.call(f"bash -c '{eat}'", docker="small", wanted_mb="100")
    assert ended(call) == 80, call.stderr


def test_an_image_that_docker_has_not_is_said(docker_run: Run) -> None:
    call = docker_run.call(docker="lab/none:3")
    assert ended(call) == 85
    assert "the container of lab/none:3 ended with status 125: docker: Error" in call.stderr


# With Podman, which needs no daemon.

PODMAN_CONF = """\
[engine]
cgroup_manager = "cgroupfs"
runtime = "runc"
events_logger = "file"
[containers]
netns = "none"
"""


@pytest.fixture
def podman_run(apptainer: Apptainer, alice: Person) -> Iterator[Run]:
    """A run of Alice's with a Podman of hers that knows the small image as `small`."""
    if shutil.which("podman", path=PATH) is None:
        pytest.skip("needs podman: apt-get install podman runc uidmap")
    own = {"XDG_RUNTIME_DIR": str(alice.home / "run")}

    def run_as(argv: Any) -> subprocess.CompletedProcess[str]:
        return alice.run(*argv, env=own)

    conf = alice.home / ".config/containers/containers.conf"
    conf.parent.mkdir(parents=True)
    conf.write_text(PODMAN_CONF)
    (conf.parent / "storage.conf").write_text('[storage]\ndriver = "vfs"\n')
    subprocess.run(["chown", "-R", "alice:", alice.home], check=True)
    run_as(["mkdir", "-m", "700", own["XDG_RUNTIME_DIR"]])
    done = run_as(["podman", "import", apptainer.archive, "small"])
    assert done.returncode == 0, done.stderr
    base = alice.home / "lab"
    root = {"container_root": str(base / "executions"), "cores": 2, "memory_mb": 4000}
    kind = {"container_kind": "podman", "container_pull": "never"}
    yield Run(base, run_as, owner="alice", settings=kind | root).install()
    wait_for(lambda: run_as(["podman", "ps", "--all", "--quiet"]).stdout == "")
    # Its first process stays, to hold the user's namespace, until it is told.
    run_as(["podman", "system", "migrate"])
    run_as(["podman", "system", "reset", "--force"])
    run_as(["podman", "system", "migrate"])


def test_podman_runs_a_call_and_ends_with_it(podman_run: Run) -> None:
    call = podman_run.call(f"{LOOK}; exit 3", docker="small")
    assert ended(call) == 3, call.stderr
    assert stdout(call).splitlines() == ["made by tests/apptainer.py", "alice", str(call.here)]
    killed = podman_run.call("touch began; sleep 986", docker="small").submit("local-submit")
    wait_for(lambda: (killed.here / "began").exists() or None)
    subprocess.run(["pkill", "-KILL", "--session", killed.job], check=True)
    wait_for(lambda: not sleepers() or None)
