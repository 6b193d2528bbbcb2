"""Filters as rows, and how far streams have been followed for them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from clary.store.rows import Key, Row

METRIC_FILTER = "metric-filter"
SUBSCRIPTION_FILTER = "subscription-filter"
KINDS = (METRIC_FILTER, SUBSCRIPTION_FILTER)

FOLLOWING = "log-following"
"""Of a group whose streams are written by containers: `state["positions"]` says how far each has been read."""


def filter_key(kind: str, group: Key, name: str) -> Key:
    """A filter's key: names of groups and filters hold no colon."""
    return Key(kind, group.account, group.region, f"{group.name}:{name}")


def filter_row(kind: str, group: Key, spec: dict[str, Any], now: datetime) -> Row:
    """A filter; its group is its `parent`."""
    key = filter_key(kind, group, spec["filterName"])
    return Row(key, f"{kind}:{group.account}:{group.region}:{key.name}", "", now, now, spec, parent=group.name)


def following_key(group: Key) -> Key:
    """Of what is known of a group's streams."""
    return Key(FOLLOWING, group.account, group.region, group.name)
