"""CloudWatch: metrics, and alarms on them."""

from clary.services.cloudwatch import (
    alarm_history,
    alarms,
    composite_alarms,
    dashboards,
    data,
    insight_rules,
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
    "dashboards",
    "data",
    "insight_rules",
    "listing",
    "metric_alarms",
    "putting",
    "statistics",
    "tags",
]
