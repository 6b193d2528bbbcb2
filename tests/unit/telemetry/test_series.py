"""The series' store: what comes for a metric, at the resolution and for the time that CloudWatch keeps it."""

import math
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clary.errors import ClaryError
from clary.telemetry.series import DAY, HOUR, Datum, Metric, SeriesStore, Wanted
from clary.telemetry.summary import MOST_VALUES, Summary, merged

NOW = 1_800_000_000 // HOUR * HOUR
METRIC = Metric("ns", "loss", (("Job", "a"),))
VALUES = st.dictionaries(st.floats(-1e6, 1e6), st.integers(1, 9).map(float), min_size=1, max_size=20)


@pytest.fixture
def series(tmp_path):
    store = SeriesStore(tmp_path / "metrics.db")
    yield store
    store.close()


def put(series, at, *values, resolution=60, metric=METRIC, unit="None", now=NOW):
    data = [Datum(metric, at, unit, Summary.of({value: 1.0}), resolution) for value in values]
    series.put("1", "r", data, now)


def read(series, start, end, period=60, metric=METRIC, unit=None):
    return series.points("1", "r", metric, range(start, end, period), unit)


@given(st.lists(VALUES, min_size=1, max_size=5))
def test_parts_together_are_the_whole(parts):
    together = merged(Summary.of(part) for part in parts)
    every = [value for part in parts for value, often in part.items() for _ in range(int(often))]
    assert together.count == len(every)
    assert (together.least, together.most) == (min(every), max(every))
    assert math.isclose(together.total, math.fsum(every), abs_tol=1e-6)
    assert together.percentile(100) == max(every)
    assert together.percentile(50) == sorted(every)[math.ceil(len(every) / 2) - 1]


def test_a_distribution_of_many_values_stays_small_and_nearly_right():
    parts = [Summary.of({float(n): 1.0}) for n in range(1, 5001)]
    together = parts[0]
    for part in parts[1:]:
        together = merged((together, part))
    assert len(together.values) <= MOST_VALUES * 4
    assert together.percentile(99) == pytest.approx(4950, rel=0.05)


def test_a_statistic_set_has_no_percentiles_unless_all_its_values_are_equal():
    assert Summary.of_set(2, 3, 1, 2).percentile(50) is None
    assert Summary.of_set(3, 6, 2, 2).percentile(50) == 2


def test_what_comes_within_a_minute_is_one_point(series):
    put(series, NOW - 60, 1.0, 3.0)
    put(series, NOW - 31, 5.0)
    (point,) = read(series, NOW - 120, NOW)
    assert (point.at, point.summary.count, point.summary.average) == (NOW - 60, 3, 3.0)


def test_seconds_are_kept_for_those_who_want_them(series):
    put(series, NOW - 10, 1.0, resolution=1)
    put(series, NOW - 9, 2.0, resolution=1)
    assert [p.summary.total for p in read(series, NOW - 10, NOW, 1)] == [1.0, 2.0]
    assert [p.summary.total for p in read(series, NOW - 60, NOW)] == [3.0]


def test_points_lie_at_multiples_of_the_period_after_the_start(series):
    for minute in range(10):
        put(series, NOW - 600 + 60 * minute, float(minute))
    points = read(series, NOW - 540, NOW, 300)
    assert [(p.at - NOW, p.summary.count) for p in points] == [(-540, 5), (-240, 4)]


def test_units_are_told_apart(series):
    put(series, NOW - 60, 1.0, unit="Seconds")
    put(series, NOW - 60, 2.0, unit="Bytes")
    assert [p.unit for p in read(series, NOW - 60, NOW)] == ["Bytes", "Seconds"]
    assert [p.summary.total for p in read(series, NOW - 60, NOW, unit="Seconds")] == [1.0]


@pytest.mark.parametrize(
    ("age", "resolution", "finest"), [(4 * HOUR, 1, 60), (16 * DAY, 60, 300), (64 * DAY, 60, HOUR)]
)
def test_what_grows_old_grows_coarse(series, age, resolution, finest):
    at = (NOW - age) // HOUR * HOUR
    put(series, at, 1.0, resolution=resolution, now=at)
    put(series, at + resolution, 3.0, resolution=resolution, now=at)
    for later in (NOW - 1, NOW + HOUR):
        series.sweep(later)
    stretch = at, at + 2 * HOUR
    as_asked = read(series, *stretch, period=resolution)
    assert as_asked == ([] if resolution == 60 else read(series, *stretch, period=60))  # a minute is never too coarse
    (point,) = read(series, *stretch, period=finest)
    assert (point.summary.count, point.summary.percentile(100)) == (2, 3.0)


def test_after_455_days_nothing_is_left(series):
    put(series, NOW, 1.0)
    series.sweep(NOW + 456 * DAY)
    series.sweep(NOW + 457 * DAY)
    assert series.metrics("1", "r", Wanted(), 10) == ([], None)


def test_metrics_are_listed_page_by_page_and_by_dimension(series):
    for number in range(5):
        put(series, NOW, 1.0, metric=Metric("ns", f"m{number}", (("A", str(number)), ("B", "b"))))
    put(series, NOW - 3 * DAY, 1.0, metric=Metric("other", "old"))
    first, place = series.metrics("1", "r", Wanted("ns"), 3)
    second, end = series.metrics("1", "r", Wanted("ns"), 3, place)
    assert ([m.name for m in first + second], end) == ([f"m{n}" for n in range(5)], None)
    assert [m.name for m in series.metrics("1", "r", Wanted(dimensions=(("A", "3"),)), 9)[0]] == ["m3"]
    assert len(series.metrics("1", "r", Wanted(dimensions=(("B", None),)), 9)[0]) == 5
    assert [m.name for m in series.metrics("1", "r", Wanted(since=NOW - DAY), 9)[0]] == [f"m{n}" for n in range(5)]
    assert series.metrics("2", "r", Wanted(), 9) == ([], None)


def test_what_was_put_outlives_a_new_start(tmp_path, series):
    put(series, NOW, 1.0)
    again = SeriesStore(tmp_path / "metrics.db")
    assert len(read(again, NOW, NOW + 60)) == 1
    again.close()


def test_series_of_a_newer_clary_are_left_alone(tmp_path, series):
    series._writer.execute("PRAGMA user_version = 99")
    with pytest.raises(ClaryError, match="newer"):
        SeriesStore(tmp_path / "metrics.db")


def test_a_thousand_points_are_put_in_moments(series):
    data = [Datum(METRIC, NOW - 60 * n, "None", Summary.of({float(n): 1.0})) for n in range(1000)]
    start = time.process_time()
    series.put("1", "r", data, NOW)
    assert time.process_time() - start < 2
    assert len(read(series, NOW - 60_000, NOW + 60)) == 1000
