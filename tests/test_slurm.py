"""SLURM's answers about jobs: its recorded words, and a real one."""

from __future__ import annotations

from pathlib import Path

import pytest
from calls import wait_for
from cluster import PATH, Cluster

from cromwell_userdb import slurm
from cromwell_userdb.errors import CommandFailed
from cromwell_userdb.slurm import Job

SQUEUE = """\
CLUSTER: hal
41 PENDING BeginTime
42 RUNNING None
43 PENDING Nodes required for job are DOWN, DRAINED or reserved
44_[3-5%2] PENDING Resources
45 OUT_OF_MEMORY OutOfMemory
"""

SACCT = """\
363|FAILED|0:9
370|CANCELLED by 0|0:0
376|COMPLETED|0:0
381|TIMEOUT|0:0
382|NODE_FAIL|0:0
383||
"""


def test_a_queue_is_read_whatever_its_reasons_look_like() -> None:
    assert slurm.parse_squeue(SQUEUE)[2] == Job(
        "43", "PENDING", "Nodes required for job are DOWN, DRAINED or reserved"
    )


def test_only_what_has_ended_has_ended() -> None:
    assert [job.id for job in slurm.parse_squeue(SQUEUE) if job.has_ended] == ["45"]
    assert [job.id for job in slurm.parse_sacct(SACCT) if not job.has_ended] == []


def test_the_accounting_tells_who_cancelled_and_we_leave_it_out() -> None:
    assert slurm.parse_sacct(SACCT)[1] == Job("370", "CANCELLED", "0:0")


def test_a_named_cluster_is_in_every_question() -> None:
    commands = [
        slurm.squeue_argv("b"),
        slurm.sacct_argv(["1"], "b"),
        slurm.scancel_argv(["1"], "b"),
    ]
    assert all("--clusters=b" in argv for argv in commands)


def test_an_sbatch_in_a_job_hears_nothing_of_that_job() -> None:
    environ = {"SLURM_JOB_ID": "7", "SLURM_CONF": "/c", "SBATCH_ACCOUNT": "a", "SBATCH_WAIT": "1"}
    assert slurm.scrubbed(environ) == {"SLURM_CONF": "/c", "SBATCH_ACCOUNT": "a"}


@pytest.fixture
def asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Programs of SLURM's names, which give the answers written beside them."""
    for name in ("squeue", "sacct", "scancel"):
        program = tmp_path / name
        program.write_text(
            "#!/bin/bash\n"
            f"printf '%s\\n' \"$*\" >>{tmp_path}/{name}.asked\n"
            f"cat {tmp_path}/{name}.says 2>/dev/null\n"
            f"! cat {tmp_path}/{name}.fails >&2 2>/dev/null\n"
        )
        program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{PATH}")
    return tmp_path


def test_all_jobs_are_one_question_and_only_the_gone_are_looked_up(asked: Path) -> None:
    (asked / "squeue.says").write_text(SQUEUE)
    (asked / "sacct.says").write_text(SACCT)
    assert set(slurm.jobs(["42", "363", "381", "7"])) == {"42", "363", "381"}
    assert (asked / "squeue.asked").read_text().count("\n") == 1
    assert (asked / "sacct.asked").read_text().endswith("-j 363,381,7\n")


def test_an_accounting_that_is_off_knows_nothing(asked: Path) -> None:
    (asked / "sacct.fails").write_text("Slurm accounting storage is disabled\n")
    assert slurm.jobs(["7"]) == {}
    assert slurm.job_ended("7") is None


def test_a_controller_that_is_away_is_an_error_and_proves_nothing(asked: Path) -> None:
    (asked / "squeue.fails").write_text("Unable to contact slurm controller (connect failure)\n")
    assert slurm.job_ended("7") is None
    with pytest.raises(CommandFailed, match="Unable to contact slurm controller"):
        slurm.jobs(["7"])


@pytest.mark.parametrize("state", ["RUNNING", "PENDING", "COMPLETING", "SUSPENDED", "SPECIAL_EXIT"])
def test_a_job_that_may_still_run_has_not_ended(asked: Path, state: str) -> None:
    (asked / "squeue.says").write_text(f"7 {state} None\n")
    assert slurm.job_ended("7") is False


@pytest.mark.parametrize("job", ["", "7; id", "-1", "hal"])
def test_what_is_no_job_is_never_asked_about(asked: Path, job: str) -> None:
    assert slurm.job_ended(job) is None
    assert not (asked / "squeue.asked").exists()


def test_many_jobs_are_cancelled_in_few_commands(asked: Path) -> None:
    slurm.cancel([str(number) for number in range(450)] + ["; id"])
    assert (asked / "scancel.asked").read_text().count("\n") == 3
    assert "id" not in (asked / "scancel.asked").read_text()


@pytest.mark.functional
@pytest.mark.slurm
def test_a_real_job_is_alive_until_it_is_cancelled(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SLURM_CONF", str(cluster.conf))
    submit = ["sbatch", "--parsable", "-o", "/dev/null", "--wrap", "sleep 60"]
    job = cluster.run(submit, user="alice").strip()
    assert slurm.job_ended(job) is False
    slurm.cancel([job])
    wait_for(lambda: slurm.job_ended(job))
