"""What `python -m benchmarks.against_moto` makes of its measurements; and its requests."""

import pytest

from benchmarks.against_moto import large, report, small
from benchmarks.against_moto.sides import CLARY, MOTO, Side, version

SIDE = Side(CLARY, 1234, ("AKIA", "secret"), "arn:aws:iam::1:role/r", {})


@pytest.fixture
def measured():
    return {
        small.GET: {MOTO: [100.0, 200.0, 300.0], CLARY: [1200.0, 1000.0, 3000.0]},
        small.JOB: {MOTO: [300.0], CLARY: [2900.0]},
        large.PUT: {MOTO: [400.0], CLARY: [1300.0]},
        f"{large.PUT}: memory": {MOTO: [512.0], CLARY: [40.0]},
        f"{small.GET}: {report.CPU}": {MOTO: [4000.0], CLARY: [310.0]},
    }


def test_ratios_are_taken_round_by_round_and_only_of_what_was_measured(measured):
    figures = {figure.title: figure for figure in report.figures(measured)}
    assert figures["10 KiB get: Clary over moto"].values == [12, 5, 10]
    assert figures["10 KiB get: Clary over moto"].met
    assert not figures["DescribeTrainingJob: Clary over moto"].met
    assert not figures["DescribeTrainingJob in a second"].met
    assert figures["256 MiB put: Clary over moto"].met
    assert not figures["256 MiB put: memory of edge and control"].met
    assert len(figures) == 5


def test_the_table_has_medians(measured):
    lines = report.table(measured, [MOTO, CLARY]).splitlines()
    assert lines[0] == "| what | moto | Clary |"
    assert lines[2:] == [
        "| 10 KiB get | 200 /s | 1,200 /s |",
        "| DescribeTrainingJob | 300 /s | 2,900 /s |",
        "| 256 MiB put | 400 MiB/s | 1,300 MiB/s |",
        "| 256 MiB put: memory | 512 MiB | 40 MiB |",
        "| 10 KiB get: CPU of an answer | 4,000 µs | 310 µs |",
    ]


@pytest.mark.parametrize("kind", small.KINDS)
def test_no_two_requests_are_equal(kind, monkeypatch):
    monkeypatch.setattr(small, "REQUESTS", 150)
    made = list(small.requests(SIDE, kind))
    assert len(set(made)) == 150
    assert all(b"Authorization: AWS4-HMAC-SHA256" in each for each in made)


def test_the_lock_names_motos_version():
    assert version().count(".") == 2


def test_what_moto_was_not_asked_is_not_compared(measured):
    alone = {what: {CLARY: sides[CLARY]} for what, sides in measured.items()}
    assert not [figure for figure in report.figures(alone) if "over moto" in figure.title]
