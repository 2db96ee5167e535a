"""The call cache of a real Cromwell, and differences in words."""

from __future__ import annotations

import doctest
from datetime import UTC, datetime

import pytest
from recorded import RUNS

from cromwell_userdb import callcache, database
from cromwell_userdb.callcache import Difference, Entry, Hit, Ref, differences

functional = pytest.mark.functional

FILES, CHANGED = RUNS["16-files"], RUNS["21-one-input-changed"]
SAME = {"command template": "c", "input count": "1", "input: File reads": "r"}


@functional
def test_a_hit_names_the_call_it_was_taken_from(recorded):
    assert callcache.hits(recorded, RUNS["02-hello-hit"]) == [
        Hit(Ref(RUNS["02-hello-hit"], "hello.greet"), Ref(RUNS["01-hello"], "hello.greet"))
    ]


@functional
def test_hits_of_a_scatter_are_named_by_shard(recorded):
    found = callcache.hits(recorded, CHANGED)
    assert {(hit.call.shard, hit.source) for hit in found} == {
        (0, Ref(FILES, "files.count", 0)),
        (2, Ref(FILES, "files.count", 2)),
    }


@functional
def test_hits_of_several_workflows_come_together(recorded):
    assert len(callcache.hits(recorded, *RUNS.values())) == 8
    assert callcache.hits(recorded) == []


@functional
def test_an_entry_says_where_its_files_lie(recorded):
    (entry,) = callcache.entries(recorded, workflow=RUNS["01-hello"])
    assert entry == Entry(
        id=20000000000,
        call=Ref(RUNS["01-hello"], "hello.greet"),
        attempt=1,
        return_code=0,
        reusable=True,
        created=datetime(2026, 11, 21, 9, 56, 50, 623221, UTC),
        root=f"/data/alice/executions/hello/{RUNS['01-hello']}/call-greet",
    )


@functional
def test_entries_are_found_by_call(recorded):
    assert len(callcache.entries(recorded)) == 42
    assert len(callcache.entries(recorded, fqn="files.count")) == 6


@functional
def test_entries_of_old_releases_are_read_without_their_age(changeable):
    database.execute(changeable, "ALTER TABLE CALL_CACHING_ENTRY DROP COLUMN CREATED_AT")
    (entry,) = callcache.entries(changeable, workflow=RUNS["01-hello"])
    assert entry.created is None


@functional
def test_the_date_zero_of_a_migrated_entry_is_no_date(changeable):
    database.execute(changeable, "SET sql_mode = ''")
    database.execute(changeable, "UPDATE CALL_CACHING_ENTRY SET CREATED_AT = 0")
    assert {entry.created for entry in callcache.entries(changeable)} == {None}


@functional
def test_broken_entries_are_those_whose_directory_is_gone(recorded):
    kept = {entry.root for entry in callcache.entries(recorded) if "cacheCopy" not in entry.root}
    found = callcache.broken(recorded, kept.__contains__)
    assert len(found) == 8
    assert all("cacheCopy" in entry.root for entry in found)


@functional
def test_an_invalidated_entry_is_never_taken_again(changeable):
    ids = [entry.id for entry in callcache.entries(changeable, workflow=FILES)]
    assert callcache.invalidate(changeable, ids) == 4
    assert callcache.invalidate(changeable, ids) == 0
    left = [entry for entry in callcache.entries(changeable) if entry.reusable]
    assert len(left) == 38
    assert callcache.broken(changeable, lambda path: False) == left


@functional
def test_invalidating_nothing_is_nothing(recorded):
    assert callcache.invalidate(recorded, []) == 0


@functional
def test_the_one_changed_input_is_why_its_shard_missed(recorded):
    why = callcache.why(recorded, Ref(FILES, "files.count", 1), Ref(CHANGED, "files.count", 1))
    words = "input reads is another file, or its file was changed"
    assert why == [Difference("input", "reads", words)]


@functional
@pytest.mark.parametrize("shard", [0, 2])
def test_between_a_hit_and_its_source_nothing_differs(recorded, shard):
    source, hit = Ref(FILES, "files.count", shard), Ref(CHANGED, "files.count", shard)
    assert callcache.why(recorded, source, hit) == []


@functional
def test_what_follows_from_a_changed_input_is_named_too(recorded):
    why = callcache.why(recorded, Ref(FILES, "files.merge"), Ref(CHANGED, "files.merge"))
    assert [one.name for one in why] == ["fs[1]", "ns[1]"]


@functional
def test_a_value_that_changed_is_no_file(recorded):
    first, other = RUNS["01-hello"], RUNS["03-hello-miss"]
    why = callcache.why(recorded, Ref(first, "hello.greet"), Ref(other, "hello.greet"))
    assert [one.words for one in why] == ["input name has another value"]


@functional
def test_hashes_are_the_caches_own_where_the_journal_was_pruned(changeable):
    call = Ref(RUNS["01-hello"], "hello.greet")
    before = callcache.hashes(changeable, call)
    database.execute(changeable, "DELETE FROM METADATA_ENTRY")
    assert before.items() < callcache.hashes(changeable, call).items()


@functional
def test_an_instance_that_no_cromwell_has_met_answers_with_nothing(nothing):
    assert callcache.hits(nothing, FILES) == callcache.entries(nothing) == []
    assert callcache.hashes(nothing, Ref(FILES, "files.merge")) == {}


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"command template": "d"}, ["the command of the task was changed"]),
        ({"backend name": "other"}, ["backend name is new"]),
        ({"input: String s:name": "x", "input count": "2"}, ["input s.name is new"]),
        ({"input count": "2"}, ["the input count differs"]),
        ({"runtime attribute: docker": "x"}, ["runtime attribute docker is new"]),
        ({"output expression: Map[String, Int] back": "x"}, ["output back is new"]),
    ],
)
def test_differences_are_told_in_words(changed, words):
    assert [one.words for one in differences(SAME, {**SAME, **changed})] == words


def test_another_image_is_called_an_image():
    old, new = {"runtime attribute: docker": "a"}, {"runtime attribute: docker": "b"}
    assert [one.words for one in differences(old, new)] == ["the container image is another"]


def test_the_command_comes_before_the_inputs():
    new = {**SAME, "input: File reads": "x", "command template": "y"}
    kinds = [one.kind for one in differences(SAME, new)]
    assert kinds == ["command template", "input"]


def test_examples_in_docstrings_are_true():
    assert doctest.testmod(callcache).failed == 0
