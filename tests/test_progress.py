"""Counting calls from changes, without a database."""

from __future__ import annotations

from datetime import datetime, timedelta

from cromwell_userdb.progress import Change, Count, Place, Progress, fold

NOON = datetime(2026, 1, 1, 12)


def changes(*rows, workflow="w", fqn="wf.align"):
    """Each row is shard, attempt, key, value, and optionally seconds after noon."""
    return [
        Change(number, workflow, fqn, *row[:4], NOON + timedelta(seconds=(row[4:] or (0,))[0]))
        for number, row in enumerate(rows, 1)
    ]


def status(shard, value, attempt=1, at=0):
    return (shard, attempt, "executionStatus", value, at)


def counted(*rows):
    return fold(Progress("w"), changes(*rows)).counts


def test_each_shard_is_counted_once_where_its_last_status_puts_it():
    assert counted(
        status(0, "QueuedInCromwell"),
        status(0, "Starting"),
        status(1, "Running"),
        status(2, "Running"),
        status(2, "Done"),
        status(3, "Failed"),
    ) == [Count("align", total=4, done=1, running=1, queued=1, failed=1)]


def test_a_hit_is_done_and_cached_only_once_it_is_done():
    hit = (0, 1, "callCaching:hit", "true")
    assert counted(status(0, "Running"), hit) == [Count("align", total=1, running=1)]
    assert counted(status(0, "Done"), hit) == [Count("align", total=1, done=1, cached=1)]


def test_a_failed_attempt_that_is_tried_again_waits_then_runs():
    first = status(None, "RetryableFailure")
    assert counted(first) == [Count("align", total=1, queued=1)]
    again = counted(first, status(None, "Running", attempt=2))
    assert again == [Count("align", total=1, running=1)]


def test_a_row_of_an_earlier_attempt_that_comes_late_changes_nothing():
    last = counted(status(0, "Done", attempt=2), status(0, "RetryableFailure", attempt=1))
    assert last == [Count("align", total=1, done=1)]


def test_aborted_calls_are_in_the_total_alone():
    assert counted(status(0, "Aborted")) == [Count("align", total=1)]


def test_folding_twice_is_folding_once():
    rows = changes(status(0, "Running"), (0, 1, "jobId", "17"), status(0, "Done"))
    once = fold(Progress("w"), rows)
    assert fold(once, rows) == once


def test_calls_that_are_sub_workflows_give_way_to_what_is_in_them():
    outer = changes(status(0, "Running"), (0, 1, "subWorkflowId", "inner"), fqn="outer.sub")
    inner = changes(status(None, "Done"), workflow="inner", fqn="sub.t")
    progress = fold(Progress("w"), outer + inner)
    assert progress.counts == [Count("t", total=1, done=1)]
    assert progress.sub_workflows == {"inner"}


def test_two_calls_of_one_short_name_are_told_apart_by_their_long_one():
    both = changes(status(None, "Done"), fqn="a.t") + changes(status(None, "Done"), fqn="b.t")
    assert [one.name for one in fold(Progress("w"), both).counts] == ["a.t", "b.t"]


def test_jobs_are_those_of_running_calls():
    rows = changes(
        status(0, "Running"),
        (0, 1, "jobId", "17"),
        status(1, "Running"),
        (1, 1, "jobId", "18"),
        status(1, "Done"),
    )
    assert fold(Progress("w"), rows).jobs == ["17"]


def test_a_call_took_what_lies_between_running_and_done():
    rows = changes(status(0, "Running", at=5), status(0, "Done", at=65))
    standing = fold(Progress("w"), rows).calls[Place("w", "wf.align", 0)]
    assert standing.seconds == 60


def test_a_sub_workflows_end_is_not_its_parents():
    ends = [
        Change(1, "w", None, None, None, "status", "Running", NOON),
        Change(2, "inner", None, None, None, "status", "Succeeded", NOON),
    ]
    assert fold(Progress("w"), ends).status == "Running"
