"""What attempts asked for, were granted and used: read, kept, and told."""

from __future__ import annotations

from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from cromwell_userdb import attempts, database, queue, register, runs, server, slurm, tally
from cromwell_userdb.attempts import Attempt, Share
from cromwell_userdb.database import Connection
from cromwell_userdb.instance import Instance
from cromwell_userdb.progress import Count, Place, Progress, Standing
from cromwell_userdb.report import endings, numbers

# What sacct of SLURM 22.05 wrote of a job over its memory, and of one that never began.
SACCT = """\
6|/x/call-eat|n1|main|billing=1,cpu=1,mem=300M,node=1|10|3|00:00.029|
6.batch|/x/call-eat|n1||cpu=1,mem=300M,node=1||3|00:00.029|493.86M
7|/x/call-nap|None assigned|main||10|0|00:00:00|
""".replace("|", "\x1f")

HUNGRY = Attempt(
    call="eat",
    shard=1,
    attempt=1,
    root="/x/call-eat/shard-1",
    job="6",
    return_code=80,
    reason="OUT_OF_MEMORY",
    node="n1",
    partition="main",
    asked=Share(1, 300),
    granted=Share(1, 300, 600),
    used=Share(0.01, 493, 3),
)
AGAIN = replace(
    HUNGRY,
    attempt=2,
    root="/x/call-eat/shard-1/attempt-2",
    return_code=0,
    reason="",
    granted=Share(1, 900, 600),
)


def test_the_accounting_tells_a_job_with_its_steps() -> None:
    found = slurm.parse_usage(SACCT)
    assert (found["6"].memory_mb, found["6"].used_memory_mb) == (300, 493)
    assert (found["6"].limit_seconds, found["6"].elapsed_seconds) == (600, 3)
    assert (found["7"].node, found["7"].memory_mb, found["7"].cpu) == ("", 0, 0)


def test_what_was_asked_lies_beside_the_call(tmp_path: Path) -> None:
    here = tmp_path / "execution"
    here.mkdir()
    (here / ".asked").write_text("cpu=2\nmemory_mb=400\ntime=1:30:00\npartition=short\n")
    (here / "rc").write_text("81\n")
    (here / ".node").write_text("n3\n")
    found = tally.with_files(Attempt("t", None, 1, str(tmp_path)))
    assert found.asked == Share(2, 400, 5400)
    assert (found.reason, found.node, found.partition) == ("TIMEOUT", "n3", "short")


def test_slurmstepd_knows_more_than_the_accounting_sampled(tmp_path: Path) -> None:
    (tmp_path / "execution").mkdir()
    words = "slurmstepd: error: StepId=3.batch exceeded memory limit (433590272 > 209715200), …"
    (tmp_path / "execution/stderr.batch").write_text(words)
    sampled = Attempt("t", None, 1, str(tmp_path), used=Share(0, 80, 3))
    assert tally.with_files(sampled).used.memory_mb == 413


SLOW_SACCT = """\
#!/bin/bash
printf '6\\x1f%s\\x1fn1\\x1fmain\\x1fcpu=1,mem=300M\\x1f1\\x1f64\\x1f0\\x1f\\n' {root}
[[ -e {root}/asked ]] &&
    printf '7\\x1f%s\\x1fn1\\x1fmain\\x1fcpu=1,mem=300M\\x1f2\\x1f99\\x1f0\\x1f\\n' {root}/attempt-2
: >{root}/asked
"""
ROW = """\
INSERT INTO METADATA_ENTRY (WORKFLOW_EXECUTION_UUID, CALL_FQN, JOB_SCATTER_INDEX,
    JOB_RETRY_ATTEMPT, METADATA_KEY, METADATA_VALUE, METADATA_TIMESTAMP)
VALUES ('w', 'w.late', NULL, %s, %s, %s, NOW())
"""


@pytest.mark.functional
def test_the_attempt_that_did_better_is_waited_for_where_the_accounting_lags_behind(
    changeable: Connection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    roots = {1: tmp_path, 2: tmp_path / "attempt-2"}
    for attempt, code in ((1, "81"), (2, "0")):
        (roots[attempt] / "execution").mkdir(parents=True)
        (roots[attempt] / "execution/rc").write_text(code)
        status = "Done" if code == "0" else "RetryableFailure"
        facts = {"jobId": str(5 + attempt), "callRoot": roots[attempt], "executionStatus": status}
        for key, value in facts.items():
            database.execute(changeable, ROW, (attempt, key, str(value)))
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/sacct").write_text(SLOW_SACCT.format(root=tmp_path))
    (tmp_path / "bin/sacct").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}/bin", prepend=":")
    database.execute(changeable, "CREATE DATABASE cromwell_userdb")
    register.migrate(changeable)
    counted = tally.Tally(3, accounting=True)
    assert not counted.look(changeable, ["w"])
    assert counted.look(changeable, ["w"])
    database.execute(changeable, "DROP DATABASE cromwell_userdb")
    assert [(one.reason, one.granted.seconds) for one in counted.attempts] == [
        ("TIMEOUT", 60),
        ("", 120),
    ]


def test_an_attempt_survives_its_run_s_state() -> None:
    assert attempts.from_json(asdict(HUNGRY)) == HUNGRY


@pytest.mark.functional
def test_the_register_keeps_every_attempt_and_what_was_learned_later(served: Instance) -> None:
    with server.connect(served) as connection:
        register.migrate(connection)
        register.save_attempts(connection, 3, [AGAIN, replace(HUNGRY, used=Share())])
        register.save_attempts(connection, 3, [HUNGRY])
        assert register.attempts(connection, 3) == [HUNGRY, AGAIN]
        assert register.attempts(connection, 4) == []


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, "OUT_OF_MEMORY: asked 300 MB, used 493 MB on n1"),
        ({"asked": Share(1)}, "OUT_OF_MEMORY: had 300 MB, used 493 MB on n1"),
        ({"used": Share(), "node": ""}, "OUT_OF_MEMORY: asked 300 MB"),
        ({"reason": "TIMEOUT", "asked": Share(1, 300, 540)}, "TIMEOUT: asked 9 min, ran 3.0 s on"),
        ({"reason": "TIMEOUT"}, "TIMEOUT: had 10 min, ran 3.0 s on n1"),
        ({"reason": "PREEMPTED"}, "PREEMPTED: ran 3.0 s on n1"),
        ({"reason": "CANCELLED", "used": Share(), "node": ""}, "CANCELLED"),
    ],
)
def test_an_end_is_told_in_the_numbers_that_matter(changes: dict[str, object], words: str) -> None:
    assert numbers.told(replace(HUNGRY, **changes)).startswith(words)  # type: ignore[arg-type]


def test_attempts_of_one_call_stand_beneath_each_other() -> None:
    assert numbers.lines([HUNGRY, AGAIN]) == [
        "eat[1]  attempt 1  OUT_OF_MEMORY: asked 300 MB, used 493 MB on n1",
        "        attempt 2  done: granted 900 MB, 10 min, used 493 MB on n1",
    ]


def failed(*shards: int) -> runs.State:
    """A run whose calls `eat` of these shards ran out of memory."""
    roots = {shard: f"/x/call-eat/shard-{shard}" for shard in shards}
    message = "Job exited with return code 80"
    return runs.State(
        run=12,
        state=runs.FAILED,
        as_of=runs.now(),
        calls=(Count("eat", total=96, done=93, failed=len(shards)), Count("nap", total=4, done=4)),
        attempts=tuple(replace(HUNGRY, shard=n, root=root) for n, root in roots.items()),
        failures=tuple(
            runs.Failure("eat", n, 1, message, 80, f"{root}/execution/stderr", "no more")
            for n, root in roots.items()
        ),
    )


def test_calls_that_failed_alike_are_told_together() -> None:
    lines = endings.ending(failed(17, 41)).splitlines()
    assert lines[0].endswith(': 2 of 96 "eat" calls ran out of memory.')
    assert lines[2] == "eat[17], eat[41]   OUT_OF_MEMORY: asked 300 MB, used 493 MB on n1"
    assert lines[-1].endswith("resume 12 --memory eat=1GB")


def test_calls_with_one_exit_code_and_the_same_last_words_are_told_together() -> None:
    one = runs.Failure("eat", 0, 1, "Job w.eat:0:1 exited with return code 3", 3, "", "no reads")
    other = replace(one, shard=1, message="Job w.eat:1:1 exited with return code 3")
    lines = endings.ending(replace(failed(), failures=(one, other))).splitlines()
    assert lines[2:4] == ["eat[0], eat[1]   exit code 3", "  last words   no reads"]


def test_one_call_is_told_by_its_name() -> None:
    assert endings.ending(failed(17)).splitlines()[0].endswith(": eat[17] ran out of memory.")


def test_a_call_of_a_sub_workflow_is_told_by_the_calls_that_lead_to_it() -> None:
    one = failed(17)
    inner = replace(one, failures=(replace(one.failures[0], within="farm[2]"),))
    lines = endings.ending(inner).splitlines()
    assert lines[0].endswith(": farm[2]/eat[17] ran out of memory.")
    assert "  look         cromwell-userdb logs 12 --call farm[2]/eat[17]" in lines


def test_who_waits_is_known_with_the_reason_and_does_not_run_for_longest() -> None:
    born = datetime.now(UTC) - timedelta(hours=2)
    running = Standing(1, "Running", born, born, job_id="7")
    calls = {
        Place("w", "w.align", shard): replace(running, job_id=str(shard)) for shard in range(7, 11)
    }
    snapshot = (
        "1\n7 /x PENDING Priority||N/A\n8 /x PENDING Priority||N/A\n9 /x RUNNING None|n4|1000\n"
    )
    jobs = slurm.parse_snapshot(snapshot)
    progress = Progress("w", calls=calls)
    assert queue.waiting(progress, jobs) == (runs.Waiting("align", "Priority", 2),)
    assert queue.longest(progress, jobs) == runs.Longest(
        "align", 9, "1970-01-01T00:16:40+00:00", "n4"
    )
    assert queue.longest(progress, {}) is not None


def test_a_look_at_the_queue_is_read_in_the_old_form_too() -> None:
    jobs = slurm.parse_snapshot("1\n7 /x PENDING (Req Node Not Avail)\n")
    assert (jobs["7"].reason, jobs["7"].node) == ("(Req Node Not Avail)", "")
