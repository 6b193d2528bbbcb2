"""Importing this registers the operations."""

from __future__ import annotations

from clary.services.cloudwatch import (
    alarm_history,
    alarms,
    anomaly_detectors,
    composite_alarms,
    dashboards,
    data,
    insight_rules,
    listing,
    metric_alarms,
    metric_streams,
    putting,
    statistics,
    tags,
)

__all__ = [
    "alarm_history",
    "alarms",
    "anomaly_detectors",
    "composite_alarms",
    "dashboards",
    "data",
    "insight_rules",
    "listing",
    "metric_alarms",
    "metric_streams",
    "putting",
    "statistics",
    "tags",
]
