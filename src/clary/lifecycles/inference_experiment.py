"""An inference experiment's life
(https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_DescribeInferenceExperiment.html).

    Creating (the endpoint is there, or is made) → Created (until it is to start) → Starting → Running → Stopping
    Running → Updating → Running
    Stopping → Completed | Cancelled
    Creating | Created | Starting → Cancelled       (a stop before anything was mirrored; what cannot be had)

The row's `target` is `Completed`, or `Cancelled` where a stop has asked for that. An experiment that has ended is
deleted at once.
"""

from __future__ import annotations

from typing import Any, TypedDict

from clary.lifecycles.table import Lifecycle

CREATING = "Creating"
CREATED = "Created"
STARTING = "Starting"
RUNNING = "Running"
UPDATING = "Updating"
STOPPING = "Stopping"
COMPLETED = "Completed"
CANCELLED = "Cancelled"

KIND = "inference-experiment"

LIFECYCLE = Lifecycle(
    kind=KIND,
    initial=CREATING,
    moves={
        CREATING: frozenset({CREATED, CANCELLED}),
        CREATED: frozenset({STARTING, CANCELLED}),
        STARTING: frozenset({RUNNING, STOPPING, CANCELLED}),
        RUNNING: frozenset({UPDATING, STOPPING}),
        UPDATING: frozenset({RUNNING, STOPPING}),
        STOPPING: frozenset({COMPLETED, CANCELLED}),
        COMPLETED: frozenset(),
        CANCELLED: frozenset(),
    },
)

GOING_ON = tuple(status for status in LIFECYCLE.moves if not LIFECYCLE.terminal(status))


class Stop(TypedDict):
    """What StopInferenceExperiment asked for, or the end of the schedule."""

    actions: dict[str, str]
    """What becomes of each variant: Retain, Remove or Promote."""
    variants: list[dict[str, Any]]
    """DesiredModelVariants; empty: as they are."""


class ExperimentState(TypedDict, total=False):
    """What stands in the row's `state`; times in epoch seconds."""

    begins: float
    ends: float
    """The schedule."""
    original: str
    """EndpointConfigName of the endpoint when the experiment started, to which it goes back."""
    config: str
    """The EndpointConfigName that is being deployed, or was last; chosen before it is made."""
    asked: bool
    """The endpoint was asked to become as `config`."""
    made: list[str]
    """Every such name."""
    running: str
    """The one that was deployed last for the experiment itself."""
    previous: dict[str, Any]
    """The spec before the update that is under way."""
    stop: Stop
    ended: float
    reason: str
    """StatusReason."""
