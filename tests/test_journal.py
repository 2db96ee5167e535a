"""How rows of the journal become values: Cromwell's rules, one at a time."""

from __future__ import annotations

import doctest
from datetime import UTC, datetime

import pytest

from cromwell_userdb import journal
from cromwell_userdb.journal import Entry, document


def rows(*triples, fqn=None):
    return [Entry(fqn, None, 1 if fqn else None, *triple) for triple in triples]


def test_colons_nest_and_brackets_make_arrays_in_the_order_of_their_indices():
    built = document(
        rows(
            ("outputs:wf.pairs[1]:left", "2", "int"),
            ("outputs:wf.pairs[0]:left", "1", "int"),
            ("outputs:wf.grid[0][1]", "b", "string"),
            ("outputs:wf.grid[0][0]", "a", "string"),
        )
    )
    assert built["outputs"] == {"wf.pairs": [{"left": 1}, {"left": 2}], "wf.grid": [["a", "b"]]}


def test_escaped_signs_in_a_maps_keys_do_not_nest():
    assert document(rows((r"outputs:m:a\:b", "1", "int"))) == {"outputs": {"m": {"a:b": 1}}}


def test_brackets_in_a_maps_key_are_taken_for_an_index_as_cromwell_takes_them():
    assert document(rows((r"outputs:m:a\[0\]", "1", "int"))) == {"outputs": {"m": {"a": [1]}}}


def test_brackets_without_digits_vanish_as_they_do_in_cromwell():
    built = document(rows(("hashes:Map[String, Int] back", "0700", "string")))
    assert built == {"hashes": {"Map": "0700"}}


def test_a_row_without_type_is_an_empty_object_until_something_is_in_it():
    assert document(rows(("outputs", None, None))) == {"outputs": {}}
    both = rows(("outputs", None, None), ("outputs:n", "1", "int"))
    assert document(both) == {"outputs": {"n": 1}}


def test_empty_brackets_without_value_are_an_empty_array():
    assert document(rows(("outputs:xs[]", None, None))) == {"outputs": {"xs": []}}
    nested = rows(("outputs:xs[0][]", None, None))
    assert document(nested) == {"outputs": {"xs": [[]]}}


def test_an_empty_array_beside_items_changes_nothing():
    both = rows(("xs[0]", "1", "int"), ("xs[]", None, None))
    assert document(both) == {"xs": [1]}


@pytest.mark.parametrize(
    ("value", "kind", "json"),
    [
        ("7", "int", 7),
        ("-7", "int", -7),
        ("2147483648", "int", "2147483648"),
        ("1e400", "number", "1e400"),
        ("NaN", "number", None),
        ("2.50", "number", 2.5),
        ("TRUE", "boolean", True),
        ("perhaps", "boolean", "perhaps"),
        (None, "null", None),
        (None, "string", ""),
        ("null", "string", "null"),
    ],
)
def test_values_have_the_json_that_cromwell_gives_them(value, kind, json):
    assert journal.scalar(value, kind) == json


def test_the_later_of_two_plain_rows_holds():
    assert document(rows(("jobId", "1", "string"), ("jobId", "2", "string")))["jobId"] == "2"


def test_the_greatest_status_of_a_workflow_holds_whenever_it_was_written():
    late = rows(("status", "Succeeded", "string"), ("status", "Running", "string"))
    assert document(late)["status"] == "Succeeded"


def test_failed_is_greater_than_succeeded_and_both_than_aborted():
    assert journal.greatest(["Aborted", "Failed", "Succeeded", None]) == "Failed"


def test_the_greatest_status_of_a_call_holds_too():
    late = rows(
        ("executionStatus", "Done", "string"), ("executionStatus", "Running", "string"), fqn="w.c"
    )
    assert document(late)["executionStatus"] == "Done"


def test_the_earliest_start_and_end_hold():
    late = rows(
        ("end", "2026-01-01T00:00:01.000Z", "string"),
        ("end", "2026-01-01T00:00:02.000Z", "string"),
    )
    assert document(late)["end"] == "2026-01-01T00:00:01.000Z"


def test_times_with_an_offset_are_the_same_moment():
    expected = datetime(2026, 1, 1, 12, tzinfo=UTC)
    assert journal.moment("2026-01-01T14:00:00.000+02:00") == expected
    assert journal.moment("soon") is None


def test_a_sub_workflows_document_takes_the_place_of_its_id():
    built = document(rows(("subWorkflowId", "u", "string"), fqn="w.c"), {"u": {"id": "u"}})
    assert built == {"subWorkflowMetadata": {"id": "u"}}


def test_the_deepest_messages_are_the_causes():
    failures = [{"message": "Workflow failed", "causedBy": [{"message": "no", "causedBy": []}]}]
    assert journal.messages(failures) == ["no"]


def test_examples_in_docstrings_are_true():
    assert doctest.testmod(journal).failed == 0
