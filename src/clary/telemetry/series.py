"""Metrics' series: a database of their own, written by one process (control) and read by its threads.

A point holds all that came for a metric within one second or one minute. As time passes points are merged, as
CloudWatch does (https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_GetMetricStatistics.html):
seconds into minutes after 3 hours, minutes into 5 minutes after 15 days, these into hours after 63 days, and hours are
forgotten after 455 days. What is kept is bounded by that.
"""

from __future__ import annotations

import json
import logging
import queue
import sqlite3
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import groupby
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

from clary.errors import ClaryError
from clary.telemetry.summary import Summary, merged

_MINUTE, HOUR, DAY = 60, 3600, 86_400

AGES = ((1, 3 * HOUR, 60), (60, 15 * DAY, 300), (300, 63 * DAY, HOUR), (HOUR, 455 * DAY, 0))
"""Points of so many seconds, that are so old (seconds), become part of points of so many seconds; 0: of none."""

_SWEEP_SECONDS = 300
_SWEEP_POINTS = 20_000
"""At most so many points are merged at once: nobody waits for more than a moment."""

_SCHEMA = """
    CREATE TABLE metric (
        id INTEGER PRIMARY KEY, account TEXT NOT NULL, region TEXT NOT NULL, namespace TEXT NOT NULL,
        name TEXT NOT NULL, dimensions TEXT NOT NULL, latest INTEGER NOT NULL,
        UNIQUE (account, region, namespace, name, dimensions)
    );
    CREATE TABLE point (
        metric INTEGER NOT NULL, period INTEGER NOT NULL, unit TEXT NOT NULL, at INTEGER NOT NULL,
        count REAL NOT NULL, total REAL NOT NULL, least REAL NOT NULL, most REAL NOT NULL, spread TEXT,
        PRIMARY KEY (metric, period, unit, at)
    ) WITHOUT ROWID;
    CREATE INDEX point_by_age ON point (period, at);
"""
_VERSION = 1
_UPGRADE = "Upgrade Clary, or choose another --data-dir."

_log = logging.getLogger(__name__)

Dimensions = tuple[tuple[str, str], ...]
"""Names and values, ordered by name."""


class Metric(NamedTuple):
    """What a series is of."""

    namespace: str
    name: str
    dimensions: Dimensions = ()


class Datum(NamedTuple):
    """What came for a metric: at a second since 1970, to be kept for each second (`resolution` 1) or minute (60)."""

    metric: Metric
    at: int
    unit: str
    summary: Summary
    resolution: int = 60


class Point(NamedTuple):
    """All that came within the stretch of time that begins `at`."""

    at: int
    unit: str
    summary: Summary


class Wanted(NamedTuple):
    """Which metrics of an owner are to be listed: None is any; a dimension's value too."""

    namespace: str | None = None
    name: str | None = None
    dimensions: tuple[tuple[str, str | None], ...] = ()
    since: int = 0
    """Only those with a point at this second or later."""

    def fits(self, dimensions: Dimensions) -> bool:
        """Whether a metric's dimensions have all that are asked for."""
        there = dict(dimensions)
        return all(name in there and value in (None, there[name]) for name, value in self.dimensions)


class SeriesStore:
    """The series of all accounts. One process opens it."""

    def __init__(self, path: Path) -> None:
        """Raises ClaryError for a file of a newer Clary."""
        self._path = path
        self._writing = threading.Lock()
        self._swept = 0
        path.parent.mkdir(parents=True, exist_ok=True)
        self._writer = _connect(path, "rwc")
        self._writer.execute("PRAGMA journal_mode=WAL")
        self._writer.execute("PRAGMA synchronous=FULL")
        _migrate(self._writer, path)
        self._readers: queue.SimpleQueue[sqlite3.Connection] = queue.SimpleQueue()

    def close(self) -> None:
        """End its connections."""
        with self._writing:
            self._writer.close()
        while not self._readers.empty():
            self._readers.get().close()

    def put(self, account: str, region: str, data: Sequence[Datum], now: int) -> None:
        """Add to what is known; durable when it returns. Twice the same is twice as much, as in CloudWatch."""
        with self._writing, self._transaction() as connection:
            ids: dict[Metric, int] = {}
            latest: dict[int, int] = {}
            for datum in data:
                if datum.metric not in ids:
                    ids[datum.metric] = _metric_id(connection, account, region, datum)
                found = ids[datum.metric]
                latest[found] = max(datum.at, latest.get(found, datum.at))
                _add(connection, found, datum)
            for found, at in latest.items():
                connection.execute("UPDATE metric SET latest = max(latest, ?) WHERE id = ?", (at, found))
        try:
            self.sweep(now)
        except sqlite3.Error:  # what was put is kept: to say that it is not would have it put twice
            _log.exception("old points were not merged; trying again later")

    def clear(self) -> None:
        """Forget everything."""
        with self._writing, self._transaction() as connection:
            connection.execute("DELETE FROM point")
            connection.execute("DELETE FROM metric")

    def sweep(self, now: int) -> None:
        """Merge what has become old, unless that has been done a moment ago."""
        with self._writing:
            if now - self._swept < _SWEEP_SECONDS:
                return
            self._swept = now
            for period, age, into in AGES:
                with self._transaction() as connection:
                    _roll_up(connection, period, (now - age) // HOUR * HOUR if into else now - age, into)

    def points(self, account: str, region: str, metric: Metric, stretch: range, unit: str | None = None) -> list[Point]:
        """The points within `stretch` (seconds: from, to, and the period, at whose multiples after `from` each begins),
        ordered by time; one for each unit unless one is named."""
        query = (
            "SELECT at, unit, count, total, least, most, spread FROM point WHERE period <= ? AND at >= ? AND at < ?"
            " AND metric = (SELECT id FROM metric WHERE account = ? AND region = ? AND namespace = ? AND name = ?"
            " AND dimensions = ?) AND (unit = ? OR ? IS NULL)"
        )
        owner = (account, region, metric.namespace, metric.name, _text(metric.dimensions))
        with self._reader() as reader:
            longest = max(stretch.step, _MINUTE)  # a minute's point counts in the shorter period that it begins in
            rows = reader.execute(query, (longest, stretch.start, stretch.stop, *owner, unit, unit)).fetchall()
        found = sorted(
            (stretch.start + (at - stretch.start) // stretch.step * stretch.step, *rest) for at, *rest in rows
        )
        return [
            Point(at, its_unit, merged(_summary(*row[2:]) for row in group))
            for (at, its_unit), group in groupby(found, key=lambda row: row[:2])
        ]

    def metrics(
        self, account: str, region: str, wanted: Wanted, limit: int, after: int = 0
    ) -> tuple[list[Metric], int | None]:
        """At most `limit` metrics, and where the next ones begin, if there may be more."""
        query = (
            "SELECT id, namespace, name, dimensions FROM metric WHERE account = ? AND region = ? AND id > ?"
            " AND latest >= ? AND (namespace = ? OR ? IS NULL) AND (name = ? OR ? IS NULL) ORDER BY id"
        )
        names = (wanted.namespace, wanted.namespace, wanted.name, wanted.name)
        found: list[Metric] = []
        with self._reader() as reader:
            for number, namespace, name, text in reader.execute(query, (account, region, after, wanted.since, *names)):
                dimensions = _dimensions(text)
                if wanted.fits(dimensions):
                    found.append(Metric(namespace, name, dimensions))
                if len(found) == limit:
                    return found, number
        return found, None

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        self._writer.execute("BEGIN IMMEDIATE")
        try:
            yield self._writer
            self._writer.execute("COMMIT")
        except BaseException:
            if self._writer.in_transaction:
                self._writer.execute("ROLLBACK")
            raise

    @contextmanager
    def _reader(self) -> Iterator[sqlite3.Connection]:
        try:
            reader = self._readers.get_nowait()
        except queue.Empty:
            reader = _connect(self._path, "ro")
        try:
            yield reader
        finally:
            self._readers.put(reader)


def _connect(path: Path, mode: str) -> sqlite3.Connection:
    """SQLite 3.7.0-3.51.2 may damage a database when two connections write: only the first may."""
    uri = f"file:{quote(str(path.absolute()))}?mode={mode}"
    return sqlite3.connect(uri, uri=True, timeout=10.0, check_same_thread=False, isolation_level=None)


def _migrate(connection: sqlite3.Connection, path: Path) -> None:
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if version > _VERSION:
        raise ClaryError(f"{path} was written by a newer Clary. {_UPGRADE}")
    if version < _VERSION:
        connection.executescript(f"BEGIN; {_SCHEMA} PRAGMA user_version = {_VERSION}; COMMIT;")


def _text(dimensions: Dimensions) -> str:
    return json.dumps(sorted(dimensions), separators=(",", ":"))


def _dimensions(text: str) -> Dimensions:
    return tuple((name, value) for name, value in json.loads(text))


def _metric_id(connection: sqlite3.Connection, account: str, region: str, datum: Datum) -> int:
    metric = datum.metric
    key = (account, region, metric.namespace, metric.name, _text(metric.dimensions))
    connection.execute(
        "INSERT OR IGNORE INTO metric (account, region, namespace, name, dimensions, latest) VALUES (?, ?, ?, ?, ?, ?)",
        (*key, datum.at),
    )
    found = connection.execute(
        "SELECT id FROM metric WHERE account = ? AND region = ? AND namespace = ? AND name = ? AND dimensions = ?", key
    )
    return int(found.fetchone()[0])


def _add(connection: sqlite3.Connection, metric: int, datum: Datum) -> None:
    at = datum.at // datum.resolution * datum.resolution
    _merge(connection, (metric, datum.resolution, datum.unit, at), datum.summary)


def _merge(connection: sqlite3.Connection, key: tuple[int, int, str, int], summary: Summary) -> None:
    there = connection.execute(
        "SELECT count, total, least, most, spread FROM point WHERE metric = ? AND period = ? AND unit = ? AND at = ?",
        key,
    ).fetchone()
    if there is not None:
        summary = merged((_summary(*there), summary))
    row = (*key, summary.count, summary.total, summary.least, summary.most, _spread(summary))
    connection.execute("INSERT OR REPLACE INTO point VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", row)


def _spread(summary: Summary) -> str | None:
    """How a distribution lies in a row: nothing where it is told by the other columns."""
    if summary.values is None:
        return "?"
    return None if len(summary.values) == 1 else json.dumps(list(summary.values.items()), separators=(",", ":"))


def _summary(count: float, total: float, least: float, most: float, spread: str | None) -> Summary:
    values: Mapping[float, float] | None = {least: count}
    if spread is not None:
        values = None if spread == "?" else dict(json.loads(spread))
    return Summary(count, total, least, most, values)


def _roll_up(connection: sqlite3.Connection, period: int, before: int, into: int) -> None:
    """Points of `period` seconds that begin before that second become part of longer ones, or go."""
    if not into:
        connection.execute("DELETE FROM point WHERE period = ? AND at < ?", (period, before))
        connection.execute("DELETE FROM metric WHERE latest < ?", (before,))
        return
    rows = connection.execute(
        "SELECT metric, unit, at, count, total, least, most, spread FROM point WHERE period = ? AND at < ?"
        " ORDER BY at LIMIT ?",
        (period, before, _SWEEP_POINTS),
    ).fetchall()
    together: dict[tuple[int, int, str, int], list[Summary]] = {}
    for metric, unit, at, *columns in rows:
        together.setdefault((metric, into, unit, at // into * into), []).append(_summary(*columns))
        connection.execute(
            "DELETE FROM point WHERE metric = ? AND period = ? AND unit = ? AND at = ?", (metric, period, unit, at)
        )
    for key, summaries in together.items():
        _merge(connection, key, merged(summaries))
