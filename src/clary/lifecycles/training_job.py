"""A training job's life, by AWS's SecondaryStatus
(https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_SecondaryStatusTransition.html).

    Starting → Downloading → Training → Uploading → Completed
    each of these but the last → Stopping (a stop was asked for, or time is up) → Stopped | MaxRuntimeExceeded
    each → Failed

The row's `status` is the SecondaryStatus; its `target` is `Completed`, or `Stopped` once StopTrainingJob was called.
"""

from __future__ import annotations

from typing import Any, TypedDict

from clary.lifecycles.table import Lifecycle

STARTING = "Starting"
DOWNLOADING = "Downloading"
TRAINING = "Training"
STOPPING = "Stopping"
UPLOADING = "Uploading"
COMPLETED = "Completed"
FAILED = "Failed"
STOPPED = "Stopped"
MAX_RUNTIME_EXCEEDED = "MaxRuntimeExceeded"

KIND = "training-job"

LIFECYCLE = Lifecycle(
    kind=KIND,
    initial=STARTING,
    moves={
        STARTING: frozenset({DOWNLOADING, STOPPING, FAILED}),
        DOWNLOADING: frozenset({TRAINING, STOPPING, FAILED}),
        TRAINING: frozenset({UPLOADING, STOPPING, FAILED}),
        STOPPING: frozenset({UPLOADING, STOPPED, MAX_RUNTIME_EXCEEDED, FAILED}),
        UPLOADING: frozenset({COMPLETED, STOPPED, MAX_RUNTIME_EXCEEDED, FAILED}),
        COMPLETED: frozenset(),
        FAILED: frozenset(),
        STOPPED: frozenset(),
        MAX_RUNTIME_EXCEEDED: frozenset(),
    },
)

_PUBLIC = {
    COMPLETED: "Completed",
    FAILED: "Failed",
    STOPPED: "Stopped",
    MAX_RUNTIME_EXCEEDED: "Stopped",
}


def public_status(status: str, target: str) -> str:
    """TrainingJobStatus: `InProgress | Stopping | Completed | Failed | Stopped`."""
    if status in _PUBLIC:
        return _PUBLIC[status]
    return "Stopping" if target == STOPPED or status == STOPPING else "InProgress"


class Transition(TypedDict, total=False):
    """One entry of SecondaryStatusTransitions; times in epoch seconds."""

    Status: str
    StartTime: float
    EndTime: float
    StatusMessage: str


class TrainingState(TypedDict, total=False):
    """What the controller writes into the row's `state`; times in epoch seconds. Describe reads spec and state."""

    transitions: list[Transition]
    container: str
    """The id of its container, chosen before it is started."""
    training_start: float
    """When the container's program began (TrainingStartTime)."""
    training_end: float
    """When the job ended (TrainingEndTime), outputs uploaded."""
    container_end: float
    """When the program ended: training time and billable time are counted from start to here."""
    stop_requested: float
    """When StopTrainingJob was called; written by that operation."""
    timed_out: bool
    """MaxRuntimeInSeconds had passed: it ends as MaxRuntimeExceeded."""
    failure_reason: str
    model_artifacts: str
    """ModelArtifacts.S3ModelArtifacts."""
    metrics: list[dict[str, Any]]
    """FinalMetricDataList: MetricName, Value, Timestamp (epoch seconds)."""
    log_stream: str
