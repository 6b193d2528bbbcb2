"""A batch transform job's life (https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_DescribeTransformJob.html).

    Starting → Transforming → Completed
    each of the first two → Stopping (a stop was asked for) → Stopped
    each → Failed

The public sees `InProgress` for the first two. The row's `target` is `Completed`, or `Stopped` once StopTransformJob
was called.
"""

from __future__ import annotations

from typing import TypedDict

from clary.lifecycles.table import Lifecycle

STARTING = "Starting"
TRANSFORMING = "Transforming"
STOPPING = "Stopping"
COMPLETED = "Completed"
FAILED = "Failed"
STOPPED = "Stopped"

KIND = "transform-job"

LIFECYCLE = Lifecycle(
    kind=KIND,
    initial=STARTING,
    moves={
        STARTING: frozenset({TRANSFORMING, STOPPING, FAILED}),
        TRANSFORMING: frozenset({COMPLETED, STOPPING, FAILED}),
        STOPPING: frozenset({STOPPED}),
        COMPLETED: frozenset(),
        FAILED: frozenset(),
        STOPPED: frozenset(),
    },
)


def public_status(status: str, target: str) -> str:
    """TransformJobStatus: `InProgress | Completed | Failed | Stopping | Stopped`."""
    if LIFECYCLE.terminal(status):
        return status
    return "Stopping" if target == STOPPED or status == STOPPING else "InProgress"


class TransformState(TypedDict, total=False):
    """What the controller writes into the row's `state`; times in epoch seconds."""

    container_definitions: list[dict[str, object]]
    """The model's, as they were when the job was created: the model may be deleted meanwhile."""
    role: str
    isolated: bool
    job: str
    """A random id: the name of the job's own folder, where finished files wait for their upload."""
    containers: list[str]
    """Those of the first instance, one for each definition, then those of the next; chosen before they are started."""
    log_streams: list[str]
    started: float
    """When these containers were chosen: they have eight minutes to answer /ping."""
    restarts: int
    """How often containers that had ended were replaced."""
    transform_start: float
    transform_end: float
    failure_reason: str
