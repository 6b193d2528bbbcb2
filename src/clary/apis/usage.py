"""How often each key has asked, by usage plan and day
(https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-create-usage-plans-with-rest-api.html)."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from typing import Any, NamedTuple


class Used(NamedTuple):
    """What is counted."""

    account: str
    region: str
    plan: str
    key: str
    day: str
    """`2026-11-21`, in UTC."""


class Usage:
    """One edge's counts, until they are taken. Belongs to one event loop."""

    def __init__(self) -> None:
        self._counts: Counter[Used] = Counter()

    def count(self, account: str, region: str, plan: str, key: str) -> None:
        """One request."""
        self._counts[Used(account, region, plan, key, datetime.now(UTC).strftime("%Y-%m-%d"))] += 1

    def take(self) -> list[dict[str, Any]]:
        """All that was counted since the last time: the members of `Used`, and `requests`."""
        counts, self._counts = self._counts, Counter()
        return [{**used._asdict(), "requests": requests} for used, requests in counts.items()]
