"""An export of a log group to S3
(https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_ExportTaskStatus.html).

    PENDING → RUNNING → COMPLETED, FAILED
    each of the first two → CANCELLED (its target, once CancelExportTask was called)
"""

from __future__ import annotations

from clary.lifecycles.table import Lifecycle

PENDING = "PENDING"
RUNNING = "RUNNING"
COMPLETED = "COMPLETED"
FAILED = "FAILED"
PENDING_CANCEL = "PENDING_CANCEL"
CANCELLED = "CANCELLED"

KIND = "log-export"

LIFECYCLE = Lifecycle(
    kind=KIND,
    initial=PENDING,
    moves={
        PENDING: frozenset({RUNNING, CANCELLED}),
        RUNNING: frozenset({COMPLETED, FAILED, CANCELLED}),
        COMPLETED: frozenset(),
        FAILED: frozenset(),
        CANCELLED: frozenset(),
    },
)


def public_status(status: str, target: str) -> str:
    """A task that is to be cancelled says so at once."""
    return PENDING_CANCEL if target == CANCELLED and not LIFECYCLE.terminal(status) else status
