"""When a secret is rotated next: pure
(https://docs.aws.amazon.com/secretsmanager/latest/userguide/rotate-secrets_schedule.html). It is at the beginning of
AWS's window."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from clary.scaling.cron import Cron
from clary.services.secretsmanager.errors import invalid

_RATE = re.compile(r"rate\((\d{1,4}) (hour|day)s?\)")
_CRON = re.compile(r"cron\((.+)\)")
_FEWEST_HOURS, _MOST_DAYS = 4, 999


def check(rules: Mapping[str, Any]) -> None:
    """Raises InvalidParameterException."""
    expression = rules.get("ScheduleExpression")
    if expression and rules.get("AutomaticallyAfterDays"):
        raise invalid("You can't specify both AutomaticallyAfterDays and ScheduleExpression.")
    if expression and not _understood(expression):
        raise invalid("Invalid ScheduleExpression.")


def following(rules: Mapping[str, Any], after: datetime) -> datetime | None:
    """The first rotation after a moment; None where the rules name none. Days begin at midnight UTC."""
    expression = rules.get("ScheduleExpression")
    if not expression:
        days = rules.get("AutomaticallyAfterDays")
        return _midnight(after) + timedelta(days=days) if days else None
    rate = _RATE.fullmatch(expression)
    if rate is None:
        [fields] = _CRON.fullmatch(expression).groups()  # type: ignore[union-attr]  # it was checked
        return Cron.parse(fields).after(after, UTC)
    count = int(rate[1])
    if rate[2] == "day":
        return _midnight(after) + timedelta(days=count)
    return after.replace(minute=0, second=0, microsecond=0) + timedelta(hours=count)


def _understood(expression: str) -> bool:
    rate, cron = _RATE.fullmatch(expression), _CRON.fullmatch(expression)
    if rate:
        return _FEWEST_HOURS <= int(rate[1]) * (24 if rate[2] == "day" else 1) <= _MOST_DAYS * 24
    try:
        return cron is not None and Cron.parse(cron[1]) is not None
    except ValueError:
        return False


def _midnight(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
