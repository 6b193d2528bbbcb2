"""AWS's cron expressions: minutes, hours, day of month, month, day of week, year
(https://docs.aws.amazon.com/autoscaling/application/userguide/scheduled-scaling-using-cron-expressions.html)."""

from __future__ import annotations

import calendar
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo

_MONTHS = {name.upper(): number for number, name in enumerate(calendar.month_abbr) if name}
_DAYS = {name: number for number, name in enumerate(("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"), 1)}
_FIRST_YEAR, _LAST_YEAR = 1970, 2199
_SIX, _FIVE = 6, 5
_WEEK = 7

_PART = re.compile(r"(?:(\*)|(\w+)(?:-(\w+))?)(?:/(\d+))?")
_NEAREST = re.compile(r"(\d{1,2}|L)W")
_LAST_OF = re.compile(r"(\w+)L")
_NTH = re.compile(r"(\w+)#([1-5])")

Day = Callable[[date], bool]


@dataclass(frozen=True)
class Cron:
    """When something recurs, in local time."""

    minutes: Sequence[int]
    hours: Sequence[int]
    months: frozenset[int]
    years: frozenset[int]
    day: Day

    @classmethod
    def parse(cls, text: str) -> Cron:
        """Of what stands within `cron(…)`. Raises ValueError."""
        fields = text.upper().split()
        if len(fields) not in (_FIVE, _SIX):
            raise ValueError(f"not six fields: {text!r}")
        minutes, hours, of_month, months, of_week, years = [*fields, "*"][:_SIX]
        if "?" not in (of_month, of_week) or of_month == of_week:
            raise ValueError(f"one of day-of-month and day-of-week must be ?: {text!r}")
        return cls(
            sorted(_numbers(minutes, 0, 59)),
            sorted(_numbers(hours, 0, 23)),
            frozenset(_numbers(months, 1, 12, _MONTHS)),
            frozenset(_numbers(years, _FIRST_YEAR, _LAST_YEAR)),
            _day_of_month(of_month) if of_week == "?" else _day_of_week(of_week),
        )

    def after(self, moment: datetime, zone: tzinfo) -> datetime | None:
        """The first time after `moment`, in UTC; None where there is none any more. Local times that a change of
        clocks leaves out are left out here."""
        local = moment.astimezone(zone)
        for day in self._days(local.date() - timedelta(days=1)):
            for hour in self.hours:
                for minute in self.minutes:
                    there = datetime(day.year, day.month, day.day, hour, minute, tzinfo=zone).astimezone(UTC)
                    if there > moment and there.astimezone(zone).hour == hour:
                        return there
        return None

    def _days(self, first: date) -> Iterator[date]:
        for year in sorted(year for year in self.years if year >= first.year):
            for month in sorted(self.months):
                for number in range(1, calendar.monthrange(year, month)[1] + 1):
                    day = date(year, month, number)
                    if day >= first and self.day(day):
                        yield day


def _numbers(field: str, low: int, high: int, names: dict[str, int] | None = None) -> set[int]:
    found: set[int] = set()
    for part in field.split(","):
        match = _PART.fullmatch(part)
        if match is None:
            raise ValueError(f"not understood: {part!r}")
        everything, first, last, step = match.groups()
        start = low if everything else _number(first, names)
        end = _number(last, names) if last else high if everything or step else start
        if not low <= start <= end <= high or step == "0":
            raise ValueError(f"out of range: {part!r}")
        found |= set(range(start, end + 1, int(step or 1)))
    return found


def _number(text: str, names: dict[str, int] | None) -> int:
    return (names or {}).get(text) or int(text)


def _day_of_month(field: str) -> Day:
    nearest = _NEAREST.fullmatch(field)
    if field == "L":
        return lambda day: day.day == _length(day)
    if nearest:
        return lambda day: day == _weekday_near(day, _length(day) if nearest[1] == "L" else int(nearest[1]))
    numbers = _numbers(field, 1, 31)
    return lambda day: day.day in numbers


def _day_of_week(field: str) -> Day:
    nth, last = _NTH.fullmatch(field), _LAST_OF.fullmatch(field)
    if field == "L":
        return lambda day: _weekday(day) == _DAYS["SAT"]
    if nth:
        wanted, count = _one_day(nth[1]), int(nth[2])
        return lambda day: _weekday(day) == wanted and (day.day - 1) // _WEEK + 1 == count
    if last:
        wanted = _one_day(last[1])
        return lambda day: _weekday(day) == wanted and day.day + _WEEK > _length(day)
    numbers = _numbers(field, 1, _WEEK, _DAYS)
    return lambda day: _weekday(day) in numbers


def _one_day(text: str) -> int:
    [number] = _numbers(text, 1, _WEEK, _DAYS)
    return number


def _weekday(day: date) -> int:
    """1 is Sunday."""
    return day.isoweekday() % _WEEK + 1


def _length(day: date) -> int:
    return calendar.monthrange(day.year, day.month)[1]


def _weekday_near(month: date, number: int) -> date | None:
    """The day from Monday to Friday that is nearest to the `number`th, within the month."""
    length = _length(month)
    if number > length:
        return None
    for distance in (0, -1, 1, -2, 2):
        if 1 <= number + distance <= length:
            day = month.replace(day=number + distance)
            if day.isoweekday() < 6:
                return day
    return None
