"""Moments on the wire: seconds since 1970, ISO 8601 and RFC 822 dates, as the API models name them."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime
from typing import Literal

TimestampFormat = Literal["unixtimestamp", "iso8601", "rfc822"]


def parse(value: str | float) -> datetime:
    """Any of the three forms, in UTC. A text without a zone is taken as UTC. Raises ValueError."""
    try:
        return _from_text(value) if isinstance(value, str) else datetime.fromtimestamp(value, UTC)
    except (OverflowError, OSError, TypeError) as error:
        raise ValueError(f"not a timestamp: {value!r}") from error


def render(moment: datetime, form: TimestampFormat, *, milliseconds: bool = False) -> str:
    """The moment as text; `milliseconds` concerns ISO 8601 only (S3 always writes them, IAM never)."""
    moment = in_utc(moment)
    if form == "rfc822":
        return format_datetime(moment.replace(microsecond=0), usegmt=True)
    if form == "unixtimestamp":
        return repr(seconds(moment))
    return moment.isoformat(timespec="milliseconds" if milliseconds else "seconds").replace("+00:00", "Z")


def seconds(moment: datetime) -> float:
    """Seconds since 1970 with milliseconds, as AWS's JSON services answer."""
    return round((moment if moment.tzinfo is UTC else in_utc(moment)).timestamp(), 3)


def in_utc(moment: datetime) -> datetime:
    """The moment in UTC; one without a zone is taken as UTC."""
    if moment.tzinfo is UTC:
        return moment
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _from_text(text: str) -> datetime:
    for read in (_from_number, datetime.fromisoformat, parsedate_to_datetime):
        try:
            return in_utc(read(text))
        except ValueError:
            continue
    raise ValueError(f"not a timestamp: {text!r}")


def _from_number(text: str) -> datetime:
    return datetime.fromtimestamp(float(text), UTC)
