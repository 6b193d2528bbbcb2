"""A training job's life, by AWS's SecondaryStatus
(https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_SecondaryStatusTransition.html).

    Starting → Downloading → Training → Uploading → Completed
    each of these but the last → Stopping (a stop was asked for, or time is up) → Stopped | MaxRuntimeExceeded | …
    Training → Interrupted (a spot instance was taken away) → Starting
    each → Restarting (an error of the machine, and RetryStrategy allows another try) → Downloading
    each → Failed

The row's `status` is the SecondaryStatus; its `target` is `Completed`, or `Stopped` once StopTrainingJob was called.
"""

from __future__ import annotations

from typing import Any, TypedDict

from clary.lifecycles.table import Lifecycle

STARTING = "Starting"
RESTARTING = "Restarting"
DOWNLOADING = "Downloading"
TRAINING = "Training"
INTERRUPTED = "Interrupted"
STOPPING = "Stopping"
UPLOADING = "Uploading"
COMPLETED = "Completed"
FAILED = "Failed"
STOPPED = "Stopped"
MAX_RUNTIME_EXCEEDED = "MaxRuntimeExceeded"
MAX_WAIT_TIME_EXCEEDED = "MaxWaitTimeExceeded"

KIND = "training-job"

WARM_POOL_KIND = "warm-pool"
"""A row of this kind and the job's name is there while the job's warm pool is available."""

_CUT_OFF = frozenset({STOPPED, MAX_RUNTIME_EXCEEDED, MAX_WAIT_TIME_EXCEEDED})
_GIVEN_UP = frozenset({FAILED, RESTARTING})

LIFECYCLE = Lifecycle(
    kind=KIND,
    initial=STARTING,
    moves={
        STARTING: frozenset({DOWNLOADING, STOPPING, *_GIVEN_UP}),
        RESTARTING: frozenset({DOWNLOADING, STOPPING, *_GIVEN_UP}),
        DOWNLOADING: frozenset({TRAINING, STOPPING, *_GIVEN_UP}),
        TRAINING: frozenset({UPLOADING, STOPPING, INTERRUPTED, *_GIVEN_UP}),
        INTERRUPTED: frozenset({STARTING, STOPPING, *_GIVEN_UP}),
        STOPPING: frozenset({UPLOADING, FAILED, *_CUT_OFF}),
        UPLOADING: frozenset({COMPLETED, *_CUT_OFF, *_GIVEN_UP}),
        COMPLETED: frozenset(),
        FAILED: frozenset(),
        STOPPED: frozenset(),
        MAX_RUNTIME_EXCEEDED: frozenset(),
        MAX_WAIT_TIME_EXCEEDED: frozenset(),
    },
)

_PUBLIC = {
    COMPLETED: "Completed",
    FAILED: "Failed",
    STOPPED: "Stopped",
    MAX_RUNTIME_EXCEEDED: "Stopped",
    MAX_WAIT_TIME_EXCEEDED: "Stopped",
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


class WarmPool(TypedDict, total=False):
    """The instances that a job retains at its end; times in epoch seconds."""

    since: float
    until: float
    """`since` and KeepAlivePeriodInSeconds."""
    ended: float
    """When it was reused or terminated; absent: it is available."""
    reused_by: str
    """TrainingJobName."""


class TrainingState(TypedDict, total=False):
    """What the controller writes into the row's `state`; times in epoch seconds. Describe reads spec and state."""

    transitions: list[Transition]
    image: str
    """The address of its image as it was when the job was created, a tag resolved; absent in older rows."""
    containers: list[str]
    """The ids of its containers, host by host, chosen before they are started."""
    training_start: float
    """When the container's program began (TrainingStartTime)."""
    training_end: float
    """When the job ended (TrainingEndTime), outputs uploaded."""
    container_end: float
    """When the program ended: training time and billable time are counted from start to here."""
    stop_requested: float
    """When StopTrainingJob was called; written by that operation."""
    timed_out: str
    """The status in which it ends since its time is up: MaxRuntimeExceeded or MaxWaitTimeExceeded."""
    interrupt: float
    """When its spot instances were said to be taken away; written by `clary interrupt`."""
    attempts: list[tuple[float, float]]
    """Start and end of the programs of earlier attempts, interrupted or tried again."""
    retries: int
    """How often it was tried again after an error of the machine."""
    failure_reason: str
    warm_pool: WarmPool
    model_artifacts: str
    """ModelArtifacts.S3ModelArtifacts."""
    metrics: list[dict[str, Any]]
    """FinalMetricDataList: MetricName, Value, Timestamp (epoch seconds)."""
    log_streams: list[str]
    """Host by host."""
