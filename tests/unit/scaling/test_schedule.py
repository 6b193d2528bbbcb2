"""When scheduled actions are due: the examples of
https://docs.aws.amazon.com/autoscaling/application/userguide/scheduled-scaling-using-cron-expressions.html and
https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-scheduled-rule-pattern.html."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from clary.scaling.schedule import Schedule, zone_of


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def due(expression: str, after: str, zone: str | None = None, start: str = "2026-01-01T00:00") -> str | None:
    found = Schedule.of(expression, zone, utc(start), None).after(utc(after))
    return None if found is None else found.strftime("%Y-%m-%dT%H:%M")


@pytest.mark.parametrize(
    ("expression", "after", "found"),
    [
        ("at(2026-03-31T17:00:00)", "2026-01-01T00:00", "2026-03-31T17:00"),
        ("at(2026-03-31T17:00:00)", "2026-03-31T17:00", None),
        ("rate(5 minutes)", "2026-01-01T00:00", "2026-01-01T00:05"),
        ("rate(1 day)", "2026-01-05T12:00", "2026-01-06T00:00"),
        ("cron(0 10 * * ? *)", "2026-01-01T10:00", "2026-01-02T10:00"),
        ("cron(15 12 * * ? *)", "2026-01-01T10:00", "2026-01-01T12:15"),
        ("cron(0 18 ? * MON-FRI *)", "2026-11-20T18:00", "2026-11-23T18:00"),
        ("cron(0 8 1 * ? *)", "2026-01-01T08:00", "2026-02-01T08:00"),
        ("cron(0/15 * * * ? *)", "2026-01-01T10:16", "2026-01-01T10:30"),
        ("cron(0/10 * ? * MON-FRI *)", "2026-11-20T23:55", "2026-11-23T00:00"),
        ("cron(0/5 8-17 ? * MON-FRI *)", "2026-11-20T17:55", "2026-11-23T08:00"),
        ("cron(0/30 20-2 ? * * *)", "", ValueError),
        ("cron(0 9 ? * 2#1 *)", "2026-11-02T09:00", "2026-12-07T09:00"),
        ("cron(0 0 L * ? *)", "2026-02-01T00:00", "2026-02-28T00:00"),
        ("cron(0 0 ? * 6L *)", "2026-11-01T00:00", "2026-11-27T00:00"),
        ("cron(0 0 15W * ? *)", "2026-11-01T00:00", "2026-11-16T00:00"),
        ("cron(0 0 1W * ? *)", "2026-08-01T12:00", "2026-08-03T00:00"),
        ("cron(0 0 29 2 ? *)", "2026-01-01T00:00", "2028-02-29T00:00"),
        ("cron(0 0 1 1 ? 2020)", "2026-01-01T00:00", None),
        ("cron(0 0 * * * *)", "", ValueError),
        ("cron(0 24 * * ? *)", "", ValueError),
        ("rate(0 minutes)", "", ValueError),
        ("every(5 minutes)", "", ValueError),
        ("at(tomorrow)", "", ValueError),
        ("at(9999-99-31T17:00:00)", "", ValueError),
        ("rate(99999999999999 days)", "", ValueError),
        ("rate(3000000 days)", "2026-01-01T00:00", None),
        ("at(2026-13-31T17:00:00)", "", ValueError),
    ],
)
def test_the_next_time(expression: str, after: str, found: str | type[ValueError] | None) -> None:
    if found is ValueError:
        with pytest.raises(ValueError, match=r"."):
            Schedule.of(expression, None, utc("2026-01-01T00:00"), None)
    else:
        assert due(expression, after) == found


def test_local_times_follow_their_clocks() -> None:
    zone = "America/New_York"
    try:
        zone_of(zone)
    except ValueError:
        pytest.skip("this system knows no time zones")
    assert due("cron(0 9 * * ? *)", "2026-03-07T15:00", zone) == "2026-03-08T13:00"
    assert due("cron(30 2 * * ? *)", "2026-03-08T00:00", zone) == "2026-03-09T06:30"
    assert due("at(2026-07-01T09:00:00)", "2026-01-01T00:00", zone) == "2026-07-01T13:00"


def test_nothing_recurs_before_its_start_or_after_its_end() -> None:
    start = utc("2026-06-01T00:00")
    schedule = Schedule.of("rate(1 hour)", None, start, start + timedelta(hours=1))
    assert schedule.after(utc("2026-01-01T00:00")) == start
    assert schedule.after(start) == start + timedelta(hours=1)
    assert schedule.after(start + timedelta(hours=1)) is None
    daily = Schedule.of("cron(0 0 * * ? *)", None, start, None)
    assert daily.after(utc("2026-01-01T00:00")) == start


def test_an_unknown_time_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="Nowhere"):
        zone_of("Atlantis/Nowhere")
