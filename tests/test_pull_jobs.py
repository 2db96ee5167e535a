"""Images that are pulled by jobs, where only nodes reach a network, or may work that hard."""

import json

import pytest
from test_run_images import WDL

from cromwell_userdb import images

pytestmark = [pytest.mark.slurm, pytest.mark.root, pytest.mark.functional]

JOB = {"CROMWELL_USERDB_CONTAINER_PULL": "job", "CROMWELL_USERDB_SLURM_PARTITION": "short"}


@pytest.fixture
def member(member, apptainer):
    return member


def pulling(cluster):
    """The jobs that pull, or did so in the last seconds."""
    argv = ["squeue", "-h", "-t", "all", "-n", "cromwell-userdb-pull", "-o", "%i"]
    return set(cluster.run(argv).split())


def test_a_job_of_the_users_own_pulls_into_the_users_store(cluster, member, registry):
    digest = registry.push("lab/byjob", "1")
    done = member.userdb("images", "pull", f"{registry.host}/lab/byjob:1", env=JOB)
    assert done.returncode == 0, done.stderr
    store = member.home / ".cache/cromwell-userdb/images"
    file = images.file_of(store, digest)
    assert (file.owner(), file.stat().st_mode & 0o777) == (member.name, 0o600)
    assert "creating SIF file" in done.stderr
    job = done.stderr.partition("job ")[2].split()[0]
    facts = cluster.run(["scontrol", "show", "job", job])
    assert all(word in facts for word in ("UserId=alice(", "Partition=short", "Account=depta"))
    assert {path.name for path in store.iterdir()} == {file.name, images.INDEX, ".locks"}


def test_what_hindered_the_job_is_said_in_its_words(member, registry):
    done = member.userdb("images", "pull", f"{registry.host}/lab/nothing:1", env=JOB)
    assert f"There is no such image: {registry.host} has no version 1" in done.stderr
    assert done.returncode == 4


def test_a_job_that_slurm_refuses_is_said_in_slurms_words(member, registry):
    wrong = {**JOB, "CROMWELL_USERDB_SLURM_PARTITION": "nowhere"}
    done = member.userdb("images", "pull", f"{registry.host}/lab/byjob:1", env=wrong)
    assert "invalid partition specified: nowhere" in done.stderr
    assert done.returncode == 5


def test_a_job_that_is_cancelled_is_said_so(cluster, member, registry):
    registry.push("lab/cancelled", "1")
    down = {**JOB, "CROMWELL_USERDB_SLURM_PARTITION": "hold"}
    argv = [*member.command, "images", "pull", f"{registry.host}/lab/cancelled:1"]
    child = (
        f"{' '.join(argv)} & pid=$!; sleep 3; scancel -u alice -n cromwell-userdb-pull; wait $pid"
    )
    done = member.run("sh", "-c", child, env=down)
    assert "ended as CANCELLED" in done.stderr
    assert done.returncode == 5


def test_a_run_has_its_image_pulled_by_a_job_before_its_calls_are_jobs(cluster, member, registry):
    registry.push_tools("lab/tools", "1")
    assert member.userdb("init").returncode == 0
    (member.home / "w.wdl").write_text(WDL.replace("IMAGE", f"{registry.host}/lab/tools:1"))
    before = pulling(cluster)
    done = member.userdb("run", "w.wdl", "--json", env=JOB, timeout=240)
    assert done.returncode == 0, done.stderr
    assert len(json.loads(done.stdout)["outputs"]["w.words"]) == 3
    assert len(pulling(cluster) - before) == 1
    member.userdb("db", "stop", "--force")
