"""CloudWatch: metrics, and alarms on them."""

from clary.services.cloudwatch import (
    alarm_history,
    alarms,
    composite_alarms,
    data,
    listing,
    metric_alarms,
    putting,
    statistics,
    tags,
)

__all__ = [
    "alarm_history",
    "alarms",
    "composite_alarms",
    "data",
    "listing",
    "metric_alarms",
    "putting",
    "statistics",
    "tags",
]
