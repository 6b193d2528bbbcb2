"""A compilation job's life (https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_DescribeCompilationJob.html).

    STARTING → INPROGRESS → COMPLETED
    each of the first two → STOPPING (a stop was asked for) → STOPPED
    each of the first two → FAILED

The row's `target` is `COMPLETED`, or `STOPPED` once StopCompilationJob was called.
"""

from __future__ import annotations

from typing import TypedDict

from clary.lifecycles.table import Lifecycle

STARTING = "STARTING"
INPROGRESS = "INPROGRESS"
STOPPING = "STOPPING"
COMPLETED = "COMPLETED"
FAILED = "FAILED"
STOPPED = "STOPPED"

KIND = "compilation-job"

LIFECYCLE = Lifecycle(
    kind=KIND,
    initial=STARTING,
    moves={
        STARTING: frozenset({INPROGRESS, STOPPING, FAILED}),
        INPROGRESS: frozenset({COMPLETED, STOPPING, FAILED}),
        STOPPING: frozenset({STOPPED}),
        COMPLETED: frozenset(),
        FAILED: frozenset(),
        STOPPED: frozenset(),
    },
)


def public_status(status: str, target: str) -> str:
    """CompilationJobStatus: a job that is to stop is STOPPING at once."""
    return STOPPING if target == STOPPED and not LIFECYCLE.terminal(status) else status


class CompilationState(TypedDict, total=False):
    """What stands in the row's `state`; times in epoch seconds."""

    image: str
    """Whose environment compiles: chosen when the job is created."""
    inference_image: str
    """What serves the artifact; absent where the target is no instance of AWS's."""
    artifacts: str
    """Where the artifact will lie."""
    containers: list[str]
    """One, chosen before it is started."""
    log_streams: list[str]
    start: float
    end: float
    digest: str
    """Of the artifact: BLAKE2b, in hexadecimal."""
    failure_reason: str
