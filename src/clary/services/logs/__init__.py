"""CloudWatch Logs: groups and streams are rows, events lie in files."""

from clary.services.logs import (
    events,
    exports,
    filtering,
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
    "events",
    "exports",
    "filtering",
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
