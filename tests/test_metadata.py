"""One workflow's metadata, held against what a real Cromwell said of each recorded run."""

from __future__ import annotations

import json
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from recorded import RUNS, metadata_of

from cromwell_userdb import database, metadata, workflows
from cromwell_userdb.progress import Count

pytestmark = pytest.mark.functional

TOLD = [run for run in RUNS if metadata_of(run)]
"""Runs whose metadata Cromwell itself wrote at their end."""

COUNTS = {
    "01-hello": [Count("greet", 1, 1)],
    "02-hello-hit": [Count("greet", 1, 1, cached=1)],
    "03-hello-miss": [Count("greet", 1, 1)],
    "04-scatter": [Count("t", 5, 5)],
    "05-subworkflows": [Count("w", 3, 3)],
    "06-fail-retry": [Count("bad", 1, failed=1)],
    "07-oom-retry": [Count("eat", 1, 1)],
    "08-cancelled-shard": [Count("sl", 3, 2, failed=1)],
    "09-aborted": [Count("sl", 2)],
    "10-killed-leader": [Count("sl", 3, running=3)],
    "11-adopted": [Count("sl", 3, 3)],
    "12-types": [Count("describe", 2, 2), Count("again", 2, 2)],
    "13-many-failures": [Count("maybe", 9, 5, failed=4)],
    "14-nested-failure": [Count("crash", 3, 2, failed=1)],
    "15-draft2": [Count("say", 1, 1)],
    "16-files": [Count("count", 3, 3), Count("merge", 1, 1)],
    "17-syntax-error": [],
    "18-wrong-input": [],
    "19-bad-runtime": [],
    "20-no-new-calls": [Count("maybe", 9, 5, cached=5, failed=4)],
    "21-one-input-changed": [Count("count", 3, 3, cached=2), Count("merge", 1, 1)],
}


def failed(connection, run):
    found = metadata.failures(connection, RUNS[run])
    return [(one.of.label, one.attempt, one.return_code) for one in found if one.of]


@pytest.mark.parametrize("run", TOLD)
def test_the_tree_is_what_cromwell_itself_wrote(recorded, run):
    assert metadata.tree(recorded, RUNS[run]) == metadata_of(run)


@pytest.mark.parametrize("run", sorted(set(RUNS) - set(TOLD)))
def test_runs_that_never_came_to_their_metadata_have_a_tree_too(recorded, run):
    tree = metadata.tree(recorded, RUNS[run])
    assert tree["status"] == workflows.status(recorded, RUNS[run])
    assert json.loads(json.dumps(tree)) == tree


def test_sub_workflows_are_ids_in_a_tree_that_is_not_expanded(recorded):
    tree = metadata.tree(recorded, RUNS["05-subworkflows"], expand_sub_workflows=False)
    calls = tree["calls"]["outer.inner"]
    children = workflows.children(recorded, RUNS["05-subworkflows"])
    assert {call["subWorkflowId"] for call in calls} == {child.id for child in children}


@pytest.mark.parametrize("run", TOLD)
def test_outputs_and_inputs_are_those_of_cromwell(recorded, run):
    told = metadata_of(run)
    assert metadata.outputs(recorded, RUNS[run]) == told["outputs"]
    assert metadata.inputs(recorded, RUNS[run]) == told["inputs"]


def test_outputs_keep_their_types(recorded):
    outputs = metadata.outputs(recorded, RUNS["12-types"])
    assert outputs["types.maps"] == [{"a": 1, "b": 2}, {"a": 1, "b": 2}]
    assert outputs["types.pair"] == {"left": 2, "right": "x y"}
    assert outputs["types.lines"][1] == "s 2 q ünïcode r 1.0 yes"


@pytest.mark.parametrize("run", RUNS)
def test_calls_are_counted_by_name_and_state(recorded, run):
    assert metadata.counts(recorded, RUNS[run]) == COUNTS[run]


@pytest.mark.parametrize("run", TOLD)
def test_calls_are_those_of_the_tree(recorded, run):
    found = metadata.calls(recorded, RUNS[run])
    facts = Counter(
        (one.fqn, one.attempt, one.status, one.return_code, one.job_id, one.stderr, one.cached)
        for one in found
    )
    assert facts == Counter(_facts(metadata_of(run)))


def test_a_call_has_all_that_people_ask_for(recorded):
    (call,) = metadata.calls(recorded, RUNS["01-hello"])
    root = f"/data/alice/executions/hello/{RUNS['01-hello']}/call-greet"
    assert call == metadata.Call(
        workflow=RUNS["01-hello"],
        fqn="hello.greet",
        shard=None,
        attempt=1,
        status="Done",
        backend="slurm",
        backend_status="Done",
        job_id="355",
        started=datetime(2026, 11, 21, 9, 56, 47, 257000, UTC),
        ended=datetime(2026, 11, 21, 9, 56, 50, 651000, UTC),
        return_code=0,
        stdout=f"{root}/execution/stdout",
        stderr=f"{root}/execution/stderr",
        root=root,
        cache_result="Cache Miss",
    )


def test_a_call_in_sub_workflows_is_labelled_by_the_way_to_it(recorded):
    labels = {call.label for call in metadata.calls(recorded, RUNS["14-nested-failure"])}
    assert {"middle", "middle/deepest[2]", "middle/deepest[2]/crash"} <= labels
    flat = metadata.calls(recorded, RUNS["14-nested-failure"], deep=False)
    assert [call.label for call in flat] == ["middle"]


def test_attempts_follow_each_other(recorded):
    first, second = metadata.calls(recorded, RUNS["07-oom-retry"])
    assert (first.attempt, first.status) == (1, "RetryableFailure")
    assert (second.attempt, second.status) == (2, "Done")
    assert first.job_id != second.job_id


def test_a_failure_is_that_of_the_last_attempt(recorded):
    assert failed(recorded, "06-fail-retry") == [("bad", 2, 3)]


def test_a_call_that_failed_and_was_saved_by_its_retry_is_no_failure(recorded):
    assert failed(recorded, "07-oom-retry") == []


def test_a_shard_that_was_killed_has_the_code_that_says_by_what(recorded):
    assert failed(recorded, "08-cancelled-shard") == [("sl[0]", 1, 84)]


def test_failures_come_in_the_order_in_which_they_happened(recorded):
    found = metadata.failures(recorded, RUNS["13-many-failures"])
    assert {one.of.label: one.return_code for one in found} == {
        "maybe[1]": 2,
        "maybe[4]": 2,
        "maybe[5]": 139,
        "maybe[7]": 2,
    }
    ends = [one.of.ended for one in found]
    assert ends == sorted(ends)


def test_a_failure_in_a_sub_workflow_is_told_once_where_it_happened(recorded):
    (failure,) = metadata.failures(recorded, RUNS["14-nested-failure"])
    assert failure.of.label == "middle/deepest[2]/crash"
    assert (failure.call, failure.shard, failure.attempt) == ("crash", None, 2)
    assert failure.message.startswith("Job deepest.crash:NA:2 exited with return code 7")
    assert failure.stderr == failure.of.stderr


@pytest.mark.parametrize(
    ("run", "words"),
    [
        ("17-syntax-error", "Expecting rbrace"),
        ("18-wrong-input", "Unexpected input provided: hello.nmae"),
    ],
)
def test_a_workflow_that_was_refused_fails_without_a_call(recorded, run, words):
    (failure,) = metadata.failures(recorded, RUNS[run])
    assert failure.of is None and failure.call == ""
    assert words in failure.message


def test_two_sub_workflows_that_fail_alike_are_two_failures(changeable):
    _fail(changeable, RUNS["05-subworkflows"])
    found = metadata.failures(changeable, RUNS["05-subworkflows"])
    assert {one.of.label for one in found} == {"inner[0]/w", "inner[1]/w", "inner[2]/w"}
    assert len(found) == 3


def test_sub_workflows_that_fail_alike_before_their_first_call_are_each_told(changeable):
    _fail(changeable, RUNS["05-subworkflows"])
    inner = workflows.descendants(changeable, RUNS["05-subworkflows"])
    sql = "DELETE FROM METADATA_ENTRY WHERE WORKFLOW_EXECUTION_UUID IN %s"
    database.execute(changeable, sql, (inner,))
    found = metadata.failures(changeable, RUNS["05-subworkflows"])
    assert {one.of.label for one in found} == {"inner[0]", "inner[1]", "inner[2]"}


@pytest.mark.parametrize("run", ["09-aborted", "10-killed-leader", "19-bad-runtime", "01-hello"])
def test_runs_without_a_failed_call_have_no_failures(recorded, run):
    assert metadata.failures(recorded, RUNS[run]) == []


def test_the_jobs_of_a_killed_leader_are_known(recorded):
    follower = metadata.Follower(RUNS["10-killed-leader"])
    follower.update(recorded)
    assert sorted(follower.jobs()) == ["373", "374", "375"]
    assert follower.status == "Running"


def test_nothing_is_at_work_for_a_run_that_ended(recorded):
    follower = metadata.Follower(RUNS["09-aborted"])
    follower.update(recorded)
    assert (follower.jobs(), follower.status) == ([], "Aborted")


@pytest.mark.parametrize(
    ("run", "step"), [("05-subworkflows", 7), ("14-nested-failure", 61), ("20-no-new-calls", 13)]
)
def test_following_row_by_row_ends_where_reading_at_once_ends(changeable, run, step):
    follower = metadata.Follower(RUNS[run])
    for _ in _replayed(changeable, step):
        follower.update(changeable)
    assert follower.counts() == COUNTS[run]
    assert follower.status == workflows.status(changeable, RUNS[run])


def test_counts_never_fall_while_a_run_goes_on(changeable):
    follower = metadata.Follower(RUNS["16-files"])
    done = [0]
    for _ in _replayed(changeable, 40):
        follower.update(changeable)
        done.append(sum(count.done for count in follower.counts()))
    assert done == sorted(done) and done[-1] == 4


def test_following_asks_for_new_rows_only(recorded):
    follower = metadata.Follower(RUNS["16-files"])
    follower.update(recorded)
    after = follower.progress.after
    assert metadata.changes(recorded, [RUNS["16-files"]], after) == []


def test_what_was_submitted_can_be_submitted_again(recorded):
    definition = metadata.definition(recorded, RUNS["12-types"])
    assert definition.url == "/data/alice/wdl/types.wdl"
    assert definition.workflow.startswith("version 1.0\nstruct Sample")
    assert definition.inputs["types.samples"][1]["name"] == 's 2 "q" ünïcode'
    assert (definition.language, definition.language_version) == ("WDL", "1.0")


def test_labels_and_options_are_part_of_what_was_submitted(recorded):
    assert metadata.definition(recorded, RUNS["02-hello-hit"]).labels["sample"] == "NA12878"
    assert metadata.definition(recorded, RUNS["07-oom-retry"]).options == {
        "memory_retry_multiplier": 3
    }


def test_an_unknown_workflow_has_nothing(recorded):
    assert metadata.tree(recorded, "no-such-id") == {}
    assert metadata.outputs(recorded, "no-such-id") == {}
    assert metadata.definition(recorded, "no-such-id") is None
    assert metadata.calls(recorded, "no-such-id") == []


def test_an_instance_that_no_cromwell_has_met_answers_with_nothing(nothing):
    some = RUNS["01-hello"]
    assert metadata.tree(nothing, some) == metadata.outputs(nothing, some) == {}
    assert metadata.calls(nothing, some) == metadata.failures(nothing, some) == []
    assert metadata.counts(nothing, some) == []
    assert metadata.definition(nothing, some) is None


def test_strange_outputs_are_read_as_cromwell_reads_them(changeable):
    text = "a\n\"b\" 'c' %s 🧬\\"
    rows = [
        ("wf.none", None, "null"),
        ("wf.empty[]", None, None),
        (r"wf.map:a\:b", "1", "int"),
        ("wf.big", "3000000000", "int"),
        ("wf.text", text, "string"),
    ]
    _write(changeable, "new", [(f"outputs:{key}", value, kind) for key, value, kind in rows])
    assert metadata.outputs(changeable, "new") == {
        "wf.none": None,
        "wf.empty": [],
        "wf.map": {"a:b": 1},
        "wf.big": "3000000000",
        "wf.text": text,
    }


def test_ten_thousand_calls_are_followed_without_effort(changeable):
    """Twenty looks took 0.3 seconds; reading everything each time would take 12."""
    _write_running(changeable, "many", 10000)
    follower = metadata.Follower("many")
    follower.update(changeable)
    assert follower.counts() == [Count("t", 10000, running=10000)]
    started = datetime.now(UTC)
    for _ in range(20):
        follower.update(changeable)
        follower.counts()
    assert datetime.now(UTC) - started < timedelta(seconds=5)


def _facts(tree):
    """The same of each attempt in Cromwell's own tree, sub-workflows included."""
    for fqn, attempts in tree["calls"].items():
        for call in attempts:
            hit = call.get("callCaching", {}).get("hit", False)
            keys = ("attempt", "executionStatus", "returnCode", "jobId", "stderr")
            yield (fqn, *map(call.get, keys), hit)
            yield from _facts(call.get("subWorkflowMetadata", {"calls": {}}))


def _write(connection, id, triples):
    database.execute_many(
        connection,
        "INSERT INTO METADATA_ENTRY (WORKFLOW_EXECUTION_UUID, METADATA_KEY, METADATA_VALUE,"
        " METADATA_VALUE_TYPE, METADATA_TIMESTAMP) VALUES (%s, %s, %s, %s, NOW(6))",
        [(id, *triple) for triple in triples],
    )


def _write_running(connection, id, width):
    database.execute_many(
        connection,
        "INSERT INTO METADATA_ENTRY (WORKFLOW_EXECUTION_UUID, CALL_FQN, JOB_SCATTER_INDEX,"
        " JOB_RETRY_ATTEMPT, METADATA_KEY, METADATA_VALUE, METADATA_VALUE_TYPE,"
        " METADATA_TIMESTAMP) VALUES (%s, 'wf.t', %s, 1, 'executionStatus', 'Running', 'string',"
        " NOW(6))",
        [(id, shard) for shard in range(width)],
    )


def _fail(connection, id):
    """Let every call below `id` have failed with the same words, the sub-workflows' own too."""
    ids = [id, *workflows.descendants(connection, id)]
    database.execute(
        connection,
        "UPDATE METADATA_ENTRY SET METADATA_VALUE = 'Failed' WHERE METADATA_KEY ="
        " 'executionStatus' AND METADATA_VALUE = 'Done' AND WORKFLOW_EXECUTION_UUID IN %s",
        (ids,),
    )
    database.execute(
        connection,
        "INSERT INTO METADATA_ENTRY (WORKFLOW_EXECUTION_UUID, CALL_FQN, JOB_SCATTER_INDEX,"
        " JOB_RETRY_ATTEMPT, METADATA_KEY, METADATA_VALUE, METADATA_TIMESTAMP,"
        " METADATA_VALUE_TYPE) SELECT WORKFLOW_EXECUTION_UUID, CALL_FQN, JOB_SCATTER_INDEX,"
        " JOB_RETRY_ATTEMPT, 'failures[1]:message', 'no', NOW(6), 'string' FROM METADATA_ENTRY"
        " WHERE METADATA_KEY = 'executionStatus' AND METADATA_VALUE = 'Failed'"
        " AND WORKFLOW_EXECUTION_UUID IN %s",
        (ids,),
    )


def _replayed(connection, step):
    """The journal from its first row, `step` more each time."""
    database.execute(connection, "RENAME TABLE METADATA_ENTRY TO ALL_ENTRIES")
    database.execute(connection, "CREATE TABLE METADATA_ENTRY LIKE ALL_ENTRIES")
    ((last,),) = database.rows(connection, "SELECT MAX(METADATA_JOURNAL_ID) FROM ALL_ENTRIES")
    for first in range(0, last, step):
        database.execute(
            connection,
            "INSERT INTO METADATA_ENTRY SELECT * FROM ALL_ENTRIES"
            " WHERE METADATA_JOURNAL_ID > %s AND METADATA_JOURNAL_ID <= %s",
            (first, first + step),
        )
        yield
