"""Workflows as read from a real Cromwell's tables."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from recorded import RUNS

from cromwell_userdb import database, workflows
from cromwell_userdb.errors import UsageError

pytestmark = pytest.mark.functional

STATUSES = {
    "06-fail-retry": "Failed",
    "08-cancelled-shard": "Failed",
    "09-aborted": "Aborted",
    "10-killed-leader": "Running",
    "13-many-failures": "Failed",
    "14-nested-failure": "Failed",
    "17-syntax-error": "Failed",
    "18-wrong-input": "Failed",
    "19-bad-runtime": "Aborted",
    "20-no-new-calls": "Failed",
}
"""All others succeeded."""

SUMMARY = (
    "SELECT WORKFLOW_STATUS FROM WORKFLOW_METADATA_SUMMARY_ENTRY WHERE WORKFLOW_EXECUTION_UUID = %s"
)
STALE = RUNS["19-bad-runtime"]
"""Its engine ended before the summary had taken in its last rows."""


@pytest.mark.parametrize("run", RUNS)
def test_the_status_of_each_recorded_run_is_known(recorded, run):
    assert workflows.status(recorded, RUNS[run]) == STATUSES.get(run, "Succeeded")


def test_the_journal_is_believed_where_the_summary_lags(recorded):
    assert database.rows(recorded, SUMMARY, (STALE,)) == [("Running",)]
    assert workflows.status(recorded, STALE) == "Aborted"


def test_a_workflow_has_its_names_and_times_in_utc(recorded):
    hello = workflows.get(recorded, RUNS["01-hello"])
    assert hello == workflows.Workflow(
        id=RUNS["01-hello"],
        name="hello",
        status="Succeeded",
        submitted=datetime(2026, 11, 21, 9, 56, 44, 684000, UTC),
        started=datetime(2026, 11, 21, 9, 56, 44, 743000, UTC),
        ended=datetime(2026, 11, 21, 9, 56, 52, 361000, UTC),
    )


def test_a_refused_workflow_has_no_name_but_an_end(recorded):
    refused = workflows.get(recorded, RUNS["17-syntax-error"])
    assert (refused.name, refused.status, refused.has_ended) == (None, "Failed", True)


def test_an_unknown_workflow_is_none(recorded):
    assert workflows.get(recorded, "no-such-id") is None
    assert workflows.status(recorded, "no-such-id") is None


def test_recent_gives_every_run_newest_first_and_no_sub_workflow(recorded):
    found = workflows.recent(recorded, 100)
    assert {one.id for one in found} == set(RUNS.values())
    assert found == sorted(found, key=lambda one: one.submitted, reverse=True)


def test_recent_takes_the_newest_few(recorded):
    assert workflows.recent(recorded, 3) == workflows.recent(recorded, 100)[:3]


def test_recent_by_name_and_by_label(recorded):
    assert {one.name for one in workflows.recent(recorded, name="long")} == {"long"}
    labelled = workflows.recent(recorded, label=("project", "demo cohort"))
    assert [one.id for one in labelled] == [RUNS["02-hello-hit"]]


def test_a_workflow_that_the_summary_never_met_is_listed_all_the_same(changeable):
    _forget_summary(changeable, RUNS["21-one-input-changed"])
    found = workflows.recent(changeable, 100)
    assert found[0].id == RUNS["21-one-input-changed"]


def test_sub_workflows_are_children_of_their_parent_and_know_it(recorded):
    deep = RUNS["14-nested-failure"]
    assert [one.name for one in workflows.children(recorded, deep)] == ["middle"]
    below = workflows.children(recorded, deep, deep=True)
    assert [one.name for one in below] == ["middle", "deepest", "deepest", "deepest"]
    assert {one.root for one in below} == {deep}
    assert {one.parent for one in below[1:]} == {below[0].id}


def test_a_label_finds_its_workflow(recorded):
    found = workflows.find_by_label(recorded, "sample", "NA12878")
    assert found == RUNS["02-hello-hit"]


def test_a_label_finds_its_workflow_before_the_summary_knows_it(changeable):
    _forget_summary(changeable, RUNS["02-hello-hit"])
    found = workflows.find_by_label(changeable, "sample", "NA12878")
    assert found == RUNS["02-hello-hit"]


@pytest.mark.parametrize("label", [("sample", "nobody"), ("nothing", "NA12878"), ("a%b", "'; --")])
def test_a_label_that_nobody_bears_finds_nothing(recorded, label):
    assert workflows.find_by_label(recorded, *label) is None


def test_labels_are_all_of_a_workflows_labels(recorded):
    assert workflows.labels(recorded, RUNS["02-hello-hit"]) == {
        "cromwell-userdb-run": "17",
        "cromwell-workflow-id": f"cromwell-{RUNS['02-hello-hit']}",
        "project": "demo cohort",
        "sample": "NA12878",
    }


def test_a_label_that_was_set_is_read_and_found(changeable):
    hello = RUNS["01-hello"]
    for value in ("two", "", "ünïcode 🧬", "'; DROP TABLE x; --", "a\nb", "%s"):
        workflows.set_label(changeable, hello, "my key", value)
        assert workflows.labels(changeable, hello)["my key"] == value
        assert workflows.find_by_label(changeable, "my key", value) == hello


def test_the_last_value_set_for_a_label_holds(changeable):
    for value in ("one", "two"):
        workflows.set_label(changeable, RUNS["02-hello-hit"], "sample", value)
    assert workflows.labels(changeable, RUNS["02-hello-hit"])["sample"] == "two"
    assert workflows.find_by_label(changeable, "sample", "two") == RUNS["02-hello-hit"]
    assert not workflows.recent(changeable, label=("sample", "NA12878"))


def test_a_label_can_be_set_before_there_is_a_summary(changeable):
    _forget_summary(changeable, RUNS["03-hello-miss"])
    workflows.set_label(changeable, RUNS["03-hello-miss"], "early", "bird")
    assert workflows.find_by_label(changeable, "early", "bird") == RUNS["03-hello-miss"]
    assert workflows.repair_summary(changeable, RUNS["03-hello-miss"])
    assert workflows.recent(changeable, label=("early", "bird"))


@pytest.mark.parametrize(("key", "value"), [("", "v"), ("k" * 249, "v"), ("k", "v" * 256)])
def test_a_label_that_has_no_room_is_refused(recorded, key, value):
    with pytest.raises(UsageError, match="up to 255"):
        workflows.set_label(recorded, RUNS["01-hello"], key, value)


def test_a_stale_summary_is_brought_to_what_the_journal_says(changeable):
    assert workflows.repair_summary(changeable, STALE)
    assert database.rows(changeable, SUMMARY, (STALE,)) == [("Aborted",)]
    assert not workflows.repair_summary(changeable, STALE)


def test_a_summary_that_is_right_is_left_alone(changeable):
    before = _summary(changeable)
    repaired = {run for run, id in RUNS.items() if workflows.repair_summary(changeable, id)}
    assert repaired == {"19-bad-runtime"}
    assert len(set(_summary(changeable)) - set(before)) == 1


def test_a_lost_summary_is_written_as_cromwell_had_written_it(changeable):
    columns = ", ".join(workflows._COLUMNS.values())
    before = _summary(changeable, columns)
    _forget_summary(changeable, RUNS["02-hello-hit"])
    assert workflows.repair_summary(changeable, RUNS["02-hello-hit"])
    assert set(_summary(changeable, columns)) == set(before)
    assert workflows.recent(changeable, label=("sample", "NA12878"))


def test_labels_that_differ_by_case_alone_are_repaired_once(changeable):
    for key in ("Tissue", "tissue"):
        workflows.set_label(changeable, STALE, key, key)
    assert workflows.repair_summary(changeable, STALE)
    assert not workflows.repair_summary(changeable, STALE)


def test_a_repair_gives_way_to_an_engine_that_writes_at_that_moment(changeable, scratch_server):
    database.execute(changeable, "SET innodb_lock_wait_timeout = 1")
    with database.connect(scratch_server, user="anyone", database="changeable") as engine:
        engine.begin()
        database.execute(engine, "UPDATE WORKFLOW_METADATA_SUMMARY_ENTRY SET WORKFLOW_STATUS = 'x'")
        assert not workflows.repair_summary(changeable, STALE)
        engine.rollback()


def test_an_instance_that_no_cromwell_has_met_answers_with_nothing(nothing):
    assert workflows.recent(nothing) == []
    assert workflows.get(nothing, STALE) is None
    assert workflows.status(nothing, STALE) is None
    assert workflows.find_by_label(nothing, "a", "b") is None
    assert workflows.labels(nothing, STALE) == {}
    assert workflows.children(nothing, STALE) == []
    assert not workflows.repair_summary(nothing, STALE)


def test_tables_of_an_old_release_are_read_too(changeable):
    for statement in (
        "ALTER TABLE WORKFLOW_METADATA_SUMMARY_ENTRY DROP COLUMN PARENT_WORKFLOW_EXECUTION_UUID,"
        " DROP COLUMN ROOT_WORKFLOW_EXECUTION_UUID, DROP COLUMN METADATA_ARCHIVE_STATUS",
        "DROP TABLE SUMMARY_QUEUE_ENTRY",
    ):
        database.execute(changeable, statement)
    assert {one.id for one in workflows.recent(changeable, 100)} == set(RUNS.values())
    workflows.set_label(changeable, STALE, "a", "b")
    assert workflows.repair_summary(changeable, STALE)


def test_a_workflow_whose_journal_was_pruned_is_known_by_its_summary(changeable):
    before = workflows.get(changeable, RUNS["04-scatter"])
    database.execute(changeable, "DELETE FROM METADATA_ENTRY")
    assert workflows.get(changeable, RUNS["04-scatter"]) == before


def _forget_summary(connection, id):
    """As if the summarizer had not come to it: its rows wait in the queue."""
    for statement in (
        "DELETE FROM WORKFLOW_METADATA_SUMMARY_ENTRY WHERE WORKFLOW_EXECUTION_UUID = %s",
        "INSERT IGNORE INTO SUMMARY_QUEUE_ENTRY SELECT METADATA_JOURNAL_ID FROM METADATA_ENTRY"
        " WHERE WORKFLOW_EXECUTION_UUID = %s AND CALL_FQN IS NULL",
    ):
        database.execute(connection, statement, (id,))


def _summary(connection, columns="*"):
    return database.rows(connection, f"SELECT {columns} FROM WORKFLOW_METADATA_SUMMARY_ENTRY")
