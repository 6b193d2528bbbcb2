"""When a scheduled action is due: `at(…)`, `rate(…)`, `cron(…)`
(https://docs.aws.amazon.com/autoscaling/application/APIReference/API_PutScheduledAction.html)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Protocol
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from clary.scaling.cron import Cron

_EXPRESSION = re.compile(r"(at|rate|cron)\((.*)\)")
_RATE = re.compile(r"([1-9]\d*) (minute|hour|day)s?")
_AT = re.compile(r"\d{4}-\d\d?-\d\d?T\d\d?:\d\d?:\d\d?")
_UNITS = {"minute": timedelta(minutes=1), "hour": timedelta(hours=1), "day": timedelta(days=1)}


class _When(Protocol):
    def after(self, moment: datetime, start: datetime) -> datetime | None: ...


@dataclass(frozen=True)
class _At:
    """Once."""

    moment: datetime

    def after(self, moment: datetime, start: datetime) -> datetime | None:
        return self.moment if self.moment > moment else None


@dataclass(frozen=True)
class _Rate:
    """Each so often, from the start on."""

    every: timedelta

    def after(self, moment: datetime, start: datetime) -> datetime | None:
        return start if start > moment else start + ((moment - start) // self.every + 1) * self.every


@dataclass(frozen=True)
class _Recurring:
    cron: Cron
    zone: tzinfo

    def after(self, moment: datetime, start: datetime) -> datetime | None:
        return self.cron.after(max(moment, start - timedelta(seconds=1)), self.zone)


@dataclass(frozen=True)
class Schedule:
    """When a scheduled action is due."""

    when: _When
    start: datetime
    """For `rate`, the time from which it counts; nothing recurs before."""
    end: datetime | None

    @classmethod
    def of(cls, expression: str, zone: str | None, start: datetime, end: datetime | None) -> Schedule:
        """Raises ValueError for an expression or a time zone that is none."""
        try:
            return cls(_when(expression, zone_of(zone)), start, end)
        except OverflowError:
            raise ValueError(f"beyond all times: {expression!r}") from None

    def after(self, moment: datetime) -> datetime | None:
        """The first time after `moment` that it is due; None: never again."""
        try:
            found = self.when.after(moment, self.start)
        except OverflowError:
            return None
        return None if found is None or (self.end is not None and found > self.end) else found


def zone_of(name: str | None) -> tzinfo:
    """A time zone by its IANA name; UTC where none is named. Raises ValueError."""
    if name in (None, "UTC", "Etc/UTC"):
        return UTC
    try:
        return ZoneInfo(str(name))
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(f"no time zone: {name!r}") from None


def recurs(expression: str) -> bool:
    """Whether it is due more than once."""
    return not expression.startswith("at(")


def _when(expression: str, zone: tzinfo) -> _When:
    match = _EXPRESSION.fullmatch(expression.strip())
    if match is None:
        raise ValueError(f"no schedule: {expression!r}")
    kind, text = match.groups()
    if kind == "at":
        return _At(_moment(text.strip(), zone))
    return _Rate(_every(text.strip())) if kind == "rate" else _Recurring(Cron.parse(text), zone)


def _moment(text: str, zone: tzinfo) -> datetime:
    if not _AT.fullmatch(text):
        raise ValueError(f"no time: {text!r}")
    year, month, day, hour, minute, second = (int(part) for part in re.split(r"[-T:]", text))
    return datetime(year, month, day, hour, minute, second, tzinfo=zone).astimezone(UTC)


def _every(text: str) -> timedelta:
    match = _RATE.fullmatch(text)
    if match is None:
        raise ValueError(f"no rate: {text!r}")
    return int(match[1]) * _UNITS[match[2]]
