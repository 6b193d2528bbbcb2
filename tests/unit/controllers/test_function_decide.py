"""A function's next step, from its row and its preparation."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from clary.controllers.activities import Done, Failed, Pending
from clary.controllers.function import Prepare, Save, Wait, decide
from clary.lifecycles.function import ACTIVE, FAILED, LIFECYCLE, PENDING
from clary.store.rows import Key, Row

NOW = datetime(2024, 1, 1, tzinfo=UTC)


def row(status):
    return Row(Key("function", "0", "r", "f"), "arn", status, NOW, NOW, {}, {"environment": "e"})


def test_what_is_new_is_prepared():
    assert decide(row(PENDING), None) == Prepare()


def test_while_it_is_prepared_nothing_is_done():
    assert decide(row(PENDING), Pending()) == Wait()


@pytest.mark.parametrize(
    ("outcome", "status", "reason"), [(Done(), ACTIVE, ""), (Failed("no"), FAILED, "no")], ids=["done", "failed"]
)
def test_its_preparation_decides(outcome, status, reason):
    step = decide(row(PENDING), outcome)
    assert isinstance(step, Save)
    assert (step.row.status, step.row.state["reason"]) == (status, reason)


@pytest.mark.parametrize("status", [ACTIVE, FAILED])
def test_what_is_decided_stays(status):
    assert decide(row(status), None) == Wait()
    assert LIFECYCLE.check(status, PENDING) == PENDING
