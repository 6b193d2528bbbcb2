"""How often a stage may be asked, and a key: token buckets and quotas, counted in this process
(https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-request-throttling.html)."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from clary.apis.gateway_responses import GatewayError

_MOST_BUCKETS = 10_000
"""Bound of memory; those that have been idle for longest go first."""


@dataclass
class _Bucket:
    tokens: float
    filled: float


class Throttles:
    """Buckets and counts by name."""

    def __init__(self) -> None:
        self._buckets: dict[str, _Bucket] = {}
        self._used: dict[tuple[str, str], int] = {}

    def take(self, name: str, rate: float, burst: float) -> None:
        """One request. Raises GatewayError (429)."""
        now = time.monotonic()
        bucket = self._buckets.pop(name, None) or _Bucket(burst, now)
        bucket.tokens = min(burst, bucket.tokens + (now - bucket.filled) * rate)
        bucket.filled = now
        self._buckets[name] = bucket
        if len(self._buckets) > _MOST_BUCKETS:
            self._buckets.pop(next(iter(self._buckets)))
        if bucket.tokens < 1:
            raise GatewayError("THROTTLED", "Too Many Requests")
        bucket.tokens -= 1

    def count(self, name: str, quota: Mapping[str, Any]) -> None:
        """One request of a quota. Raises GatewayError (429)."""
        current = period(quota.get("period", "DAY"), datetime.now(UTC))
        used = self._used.get((name, current), int(quota.get("offset") or 0)) + 1
        if used > int(quota["limit"]):
            raise GatewayError("QUOTA_EXCEEDED", "Limit Exceeded")
        for old in [key for key in self._used if key[0] == name and key[1] != current]:
            del self._used[old]
        self._used[name, current] = used


def period(kind: str, now: datetime) -> str:
    """The name of the day, week or month that it is."""
    if kind == "MONTH":
        return now.strftime("%Y-%m")
    day = now - timedelta(days=now.weekday()) if kind == "WEEK" else now
    return day.strftime("%Y-%m-%d")
