"""What becomes of queries and exports: every move, and none that a lifecycle does not know."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from clary.controllers.activities import Done, Failed, Pending
from clary.controllers.log_work import EXPORTS, QUERIES, decide
from clary.store.rows import Key, Row
from clary.workload.logs.child import TimedOut

NOW = 1000.0


def row(kind, status, target=""):
    made = datetime.fromtimestamp(NOW, UTC)
    return Row(Key(kind.lifecycle.kind, "0", "r", "id"), "arn", status, made, made, {}, target=target)


@pytest.mark.parametrize("kind", [QUERIES, EXPORTS])
@pytest.mark.parametrize(
    ("seen", "status"),
    [
        (None, None),
        (Pending(), None),
        (Done({"statistics": {}}), "done"),
        (Done(TimedOut()), "timed_out"),
        (Failed("why"), "failed"),
    ],
)
def test_what_runs_ends_as_its_work_does(kind, seen, status):
    move = decide(kind, row(kind, kind.running), seen, place=True, now=NOW)
    if status is None:
        assert move is None
    else:
        assert move.status == kind.lifecycle.check(kind.running, getattr(kind, status))
        assert move.state["ended"] == NOW


@pytest.mark.parametrize("kind", [QUERIES, EXPORTS])
def test_what_is_new_begins_when_there_is_a_place(kind):
    new = row(kind, kind.lifecycle.initial)
    assert decide(kind, new, None, place=False, now=NOW) is None
    assert decide(kind, new, None, place=True, now=NOW).status == kind.running


@pytest.mark.parametrize("kind", [QUERIES, EXPORTS])
def test_what_is_not_wanted_any_more_is_cancelled_wherever_it_is(kind):
    for status in (kind.lifecycle.initial, kind.running):
        move = decide(kind, row(kind, status, kind.cancelled), Pending(), place=False, now=NOW)
        assert kind.lifecycle.check(status, move.status) == kind.cancelled
