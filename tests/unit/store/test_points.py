"""Single rows: what is read without SQLAlchemy is what was written with it."""

import sqlite3
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest

from clary.store import Key, Row, Store
from clary.store import points as store_points
from clary.store.points import PointReader
from clary.store.records import COLUMNS
from clary.store.schema import MIGRATIONS, RESOURCE

MADE = datetime(2026, 1, 1, 12, tzinfo=UTC)


def row(name):
    return Row(Key("model", "0", "r", name), f"arn/{name}", "s", MADE, MADE, {"a": [1]}, {"b": None}, "t", 1, "p")


@pytest.fixture
def store(tmp_path):
    store = Store(tmp_path / "clary.db")
    yield store
    store.close()


@pytest.fixture
def points(store, tmp_path):
    reader = PointReader(tmp_path / "clary.db")
    yield reader
    reader.close()


def test_columns_and_migrations_are_those_of_the_schema():
    assert tuple(column.name for column in RESOURCE.columns) == COLUMNS
    assert len(MIGRATIONS) == store_points.MIGRATIONS


def test_a_row_and_its_tags_are_as_a_transaction_sees_them(store, points):
    def write(transaction):
        transaction.insert(row("a"))
        transaction.set_tags("arn/a", {"z": "1", "b": "\U0001f600"})
        return transaction.get(row("a").key), transaction.by_arn("arn/a"), transaction.tags("arn/a")

    seen = store.write(write)
    assert seen == (points.get(row("a").key), points.by_arn("arn/a"), points.tags("arn/a"))
    assert list(points.tags("arn/a")) == ["b", "z"]
    assert points.get(Key("model", "0", "r", "A")) is points.by_arn("arn/b") is None
    assert points.tags("arn/b") == {}


def test_threads_ask_at_once_and_each_sees_its_own_rows(store, points):
    store.write(lambda transaction: [transaction.insert(row(str(number))) for number in range(16)])
    with ThreadPoolExecutor(16) as threads:
        found = list(threads.map(lambda number: points.get(row(str(number % 16)).key), range(800)))
    assert [each.key.name for each in found] == [str(number % 16) for number in range(800)]


def test_a_question_that_failed_does_not_spoil_the_next(store, points, tmp_path):
    store.write(lambda transaction: transaction.insert(row("a")))
    with pytest.raises(UnicodeEncodeError):
        points.get(row("\ud800").key)
    assert points.get(row("a").key).arn == "arn/a"
    with pytest.raises(sqlite3.OperationalError):
        PointReader(tmp_path / "none.db").get(row("a").key)
