"""Statistics by name: of the whole, and of parts."""

import pytest

from clary.telemetry.statistics import statistic
from clary.telemetry.summary import Summary

HUNDRED = Summary.of({float(number): 1.0 for number in range(1, 101)})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SampleCount", 100.0),
        ("p99", 99.0),
        ("tm90", 45.5),
        ("TM(10%:90%)", 50.5),
        ("TM(:95%)", 48.0),
        ("TM(10:20)", 15.5),
        ("IQM", 50.5),
        ("tc90", 90.0),
        ("TC(80:)", 20.0),
        ("TC(10%:90%)", 80.0),
        ("ts50", 1275.0),
        ("TS(99:)", 100.0),
        ("PR(:30)", 30.0),
        ("PR(50:75)", 25.0),
        ("wm50", 37.75),
        ("WM(20:80)", 50.3),
        ("TM(1000:)", None),
    ],
)
def test_statistics_of_the_numbers_from_one_to_a_hundred(name, value):
    found = statistic(name)(HUNDRED)
    assert found == (None if value is None else pytest.approx(value))


@pytest.mark.parametrize(
    "name", ["", "p101", "tm", "TM()", "TM(:)", "PR(10%:90%)", "TM(10:90%)", "xx9", "tm101", "iqm"]
)
def test_names_that_there_are_not(name):
    assert statistic(name) is None


def test_of_statistic_sets_no_part_is_known():
    known = Summary.of_set(2.0, 10.0, 4.0, 6.0)
    assert [statistic(name)(known) for name in ("tm90", "PR(:5)", "IQM")] == [None, None, None]
