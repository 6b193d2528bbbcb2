"""Importing this registers the operations."""

from __future__ import annotations

from clary.services.logs import (
    anomaly_detectors,
    deliveries,
    events,
    exports,
    filtering,
    group_policies,
    groups,
    kept,
    live_tail,
    metric_filters,
    queries,
    records,
    streams,
    subscription_filters,
    tags,
)

__all__ = [
    "anomaly_detectors",
    "deliveries",
    "events",
    "exports",
    "filtering",
    "group_policies",
    "groups",
    "kept",
    "live_tail",
    "metric_filters",
    "queries",
    "records",
    "streams",
    "subscription_filters",
    "tags",
]
