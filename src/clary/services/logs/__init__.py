"""CloudWatch Logs: groups and streams are rows, events lie in files."""

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
