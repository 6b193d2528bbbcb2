"""A query of Logs Insights (https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_GetQueryResults.html).

Scheduled → Running → Complete, Failed, Timeout
each of the first two → Cancelled (its target, once StopQuery was called)
"""

from __future__ import annotations

from clary.lifecycles.table import Lifecycle

SCHEDULED = "Scheduled"
RUNNING = "Running"
COMPLETE = "Complete"
FAILED = "Failed"
TIMEOUT = "Timeout"
CANCELLED = "Cancelled"

KIND = "log-query"

LIFECYCLE = Lifecycle(
    kind=KIND,
    initial=SCHEDULED,
    moves={
        SCHEDULED: frozenset({RUNNING, CANCELLED}),
        RUNNING: frozenset({COMPLETE, FAILED, TIMEOUT, CANCELLED}),
        COMPLETE: frozenset(),
        FAILED: frozenset(),
        TIMEOUT: frozenset(),
        CANCELLED: frozenset(),
    },
)
