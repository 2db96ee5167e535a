"""What the hooks make of SLURM's own words, as real clusters wrote them."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

HOOKS = Path(__file__).parent.parent / "cromwell_userdb/slurm"

OVER_MEMORY = """\
slurmstepd-n1: error: StepId=363.batch exceeded memory limit (433590272 > 209715200), being killed
slurmstepd-n1: error: Exceeded job memory limit
slurmstepd-n1: error: *** JOB 363 ON n1 CANCELLED AT 2026-11-21T09:57:52 ***
"""
CGROUP = (
    "slurmstepd-n1: error: Detected 1 oom_kill event in StepId=8.batch. "
    "Some of the step tasks have been OOM Killed.\n"
)
CANCELLED = (
    "slurmstepd-n1: error: *** JOB 370 ON n1 CANCELLED AT 2026-11-21T09:58:19{} ***\nTerminated\n"
)
TIME, PREEMPTED, NODE, REQUEUED = (
    CANCELLED.format(f" DUE TO {why}")
    for why in ("TIME LIMIT", "PREEMPTION", "NODE FAILURE", "JOB REQUEUE")
)
SAID_BY_THE_TASK = "I was CANCELLED AT noon DUE TO TIME LIMIT, it exceeded memory limit\n"


def bash(script: str, *arguments: str | Path) -> str:
    argv = ["bash", "-c", script, "bash", *map(str, arguments)]
    return subprocess.run(argv, capture_output=True, text=True, timeout=20, check=True).stdout


def ended(here: Path, state: str, detail: str) -> str:
    """The word for an end, "" where it is none."""
    script = f'. {HOOKS}/call; here=$1; read_end "$2" "$3" && echo "$end"; true'
    return bash(script, here, state, detail).strip()


@pytest.mark.parametrize(
    ("state", "detail", "lines", "word"),
    [
        ("FAILED", "0:9", OVER_MEMORY, "OUT_OF_MEMORY"),
        ("FAILED", "JobLaunchFailure", OVER_MEMORY, "OUT_OF_MEMORY"),
        ("OUT_OF_MEMORY", "0:125", CGROUP, "OUT_OF_MEMORY"),
        ("FAILED", "137:0", "", "OUT_OF_MEMORY"),
        ("CANCELLED", "0:0", OVER_MEMORY, "OUT_OF_MEMORY"),
        ("TIMEOUT", "0:0", TIME, "TIMEOUT"),
        ("DEADLINE", "0:0", "", "TIMEOUT"),
        ("CANCELLED", "0:0", CANCELLED.format(""), "CANCELLED"),
        ("CANCELLED", "0:0", PREEMPTED, "PREEMPTED"),
        ("PREEMPTED", "0:0", PREEMPTED, "PREEMPTED"),
        ("NODE_FAIL", "0:0", NODE, "NODE_FAIL"),
        ("BOOT_FAIL", "0:0", "", "NODE_FAIL"),
        ("CANCELLED", "0:0", REQUEUED, "CANCELLED"),
        ("FAILED", "0:53", "", "NOT_STARTED"),
        ("FAILED", "RaisedSignal:53(Real-time_signal_19)", "", "NOT_STARTED"),
        ("FAILED", "0:9", "", "KILLED"),
        ("CANCELLED", "0:0", SAID_BY_THE_TASK, "CANCELLED"),
        ("COMPLETED", "0:0", "", "NO_TRACE"),
        ("RUNNING", "None", TIME, ""),
        ("PENDING", "BeginTime", "", ""),
        ("COMPLETING", "None", "", ""),
        ("REQUEUE_HOLD", "None", "", ""),
        ("SOMETHING_NEW", "None", "", ""),
    ],
)
def test_state_exit_code_and_stepd_together_name_the_end(
    tmp_path: Path, state: str, detail: str, lines: str, word: str
) -> None:
    (tmp_path / "stderr.batch").write_text(lines)
    (tmp_path / ".claim").write_text("363\n")
    assert ended(tmp_path, state, detail) == word


def test_a_job_that_never_claimed_its_call_never_started(tmp_path: Path) -> None:
    assert ended(tmp_path, "FAILED", "1:0") == "NOT_STARTED"


@pytest.mark.parametrize(
    ("words", "kind"),
    [
        ("Socket timed out on send/recv operation", "transport"),
        ("Unable to contact slurm controller (connect failure)", "transport"),
        ("Zero Bytes were transmitted or received", "transport"),
        ("If munged is up, restart with --num-threads=10\nMunge encode failed", "transport"),
        ("Resource temporarily unavailable", "limit"),
        ("Slurm temporarily unable to accept job, sleeping and retrying", "limit"),
        ("QOSMaxSubmitJobPerUserLimit\nJob violates accounting/QOS policy (job submit", "limit"),
        ("AssocMaxSubmitJobLimit\nJob violates accounting/QOS policy (job submit", "limit"),
        ("QOSMaxCpuPerUserLimit\nJob violates accounting/QOS policy (job submit", "permanent"),
        ("Invalid account or account/partition combination specified", "permanent"),
        ("Requested node configuration is not available", "permanent"),
        ("", "permanent"),
    ],
)
def test_words_of_sbatch_tell_whether_to_try_again(tmp_path: Path, words: str, kind: str) -> None:
    (tmp_path / "settings").touch()
    script = f'hooks=$1; . {HOOKS}/functions; read_kind "$2"; echo "$kind"'
    assert bash(script, tmp_path, f"sbatch: error: {words}").strip() == kind


@pytest.mark.parametrize(("first", "kept"), [("0", "0"), ("143", "143")])
def test_a_return_code_that_came_first_stays(tmp_path: Path, first: str, kept: str) -> None:
    (tmp_path / "rc").write_text(first)
    bash(f". {HOOKS}/call; here=$1; conclude TIMEOUT 7", tmp_path)
    assert (tmp_path / "rc").read_text() == kept
    assert sorted(path.name for path in tmp_path.iterdir()) == ["rc"]


def test_a_claim_is_for_one_job_and_again_for_its_second_life(tmp_path: Path) -> None:
    script = f". {HOOKS}/call; here=$1; for job in 7 8 7; do claim $job && echo $job; done; true"
    assert bash(script, tmp_path).split() == ["7", "7"]


@pytest.mark.parametrize(
    ("time", "minutes"),
    [
        ("90", 90),
        ("7:30", 7),
        ("2:00:00", 120),
        ("1-12", 2160),
        ("1-02:30", 1590),
        ("08:09:00", 489),
    ],
)
def test_times_are_read_as_sbatch_reads_them(tmp_path: Path, time: str, minutes: int) -> None:
    text = (HOOKS / "learn").read_text()
    function = text[text.index("read_minutes() {") :].partition("\n}\n")[0] + "\n}\n"
    assert bash(f'{function} read_minutes "$1"; echo "$minutes"', time).strip() == str(minutes)
