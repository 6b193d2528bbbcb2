"""A hyperparameter tuning job's life
(https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_DescribeHyperParameterTuningJob.html).

    InProgress → Completed | Failed
    InProgress → Stopping (a stop was asked for: its training jobs are stopped) → Stopped
    each that has ended → Deleting → (the row is gone)

The row's `target` is `Completed`, `Stopped` once StopHyperParameterTuningJob was called, `Deleted` once
DeleteHyperParameterTuningJob was. Each training job of a tuning has a row of its own beside it, its *trial*: what was
proposed, written down before the job is created, and what came of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypedDict

from clary.lifecycles.table import Lifecycle

IN_PROGRESS = "InProgress"
STOPPING = "Stopping"
COMPLETED = "Completed"
FAILED = "Failed"
STOPPED = "Stopped"
DELETING = "Deleting"

DELETED = "Deleted"
"""A target, never a status: the row is gone instead."""

KIND = "hyper-parameter-tuning-job"

TRIAL_KIND = "tuning-trial"
"""Rows named by their training jobs, below their tuning; their status is the job's: InProgress, Completed, Failed or
Stopped."""

PARENTS_KIND = "tuning-parents"
"""A row of this kind and the tuning's name holds what it starts from, as it was when it was created."""

LIFECYCLE = Lifecycle(
    kind=KIND,
    initial=IN_PROGRESS,
    moves={
        IN_PROGRESS: frozenset({COMPLETED, FAILED, STOPPING}),
        STOPPING: frozenset({STOPPED}),
        COMPLETED: frozenset({DELETING}),
        FAILED: frozenset({DELETING}),
        STOPPED: frozenset({DELETING}),
        DELETING: frozenset(),
    },
)

ENDED = frozenset({COMPLETED, FAILED, STOPPED})


def public_status(status: str, target: str) -> str:
    """HyperParameterTuningJobStatus."""
    if target == DELETED:
        return DELETING
    return STOPPING if status == IN_PROGRESS and target == STOPPED else status


class Best(TypedDict):
    """The best training job so far."""

    job: str
    objective: float


class TuningState(TypedDict, total=False):
    """What the controller writes into the row's `state`; times in epoch seconds."""

    jobs: dict[str, int]
    """TrainingJobStatusCounters."""
    objectives: dict[str, int]
    """ObjectiveStatusCounters."""
    best: Best | None
    not_improving: int
    """NumberOfTrainingJobsObjectiveNotImproving."""
    ending: str
    """Why no more training jobs are started; absent while more may be."""
    converged: float
    """ConvergenceDetectedTime."""
    ended: float
    """HyperParameterTuningEndTime."""
    failure_reason: str
    defining_metrics: list[str]
    """DefinitionNames whose request brought MetricDefinitions; the others' are their images' own."""
    parents_best: Mapping[str, Any]
    """The best training job of those that this tuning starts from, as their Describe shows it."""


class TrialSpec(TypedDict):
    """What stands in a trial's `spec`."""

    number: int
    """0, 1, 2, … in the order in which they were proposed."""
    definition: str
    """TrainingJobDefinition.DefinitionName, or "" where it has none."""
    values: dict[str, str]
    """TunedHyperParameters."""
    arn: str
    """TrainingJobArn."""


class TrialState(TypedDict, total=False):
    """What stands in a trial's `state` once its training job has ended; times in epoch seconds."""

    created: float
    started: float
    ended: float
    failure_reason: str
    objective: float | None
    reports: list[float]
    """All values of the objective that it emitted, where the search asks for them."""


def no_jobs() -> dict[str, int]:
    """TrainingJobStatusCounters of a tuning that has none."""
    return {"Completed": 0, "InProgress": 0, "RetryableError": 0, "NonRetryableError": 0, "Stopped": 0}


def no_objectives() -> dict[str, int]:
    """ObjectiveStatusCounters of a tuning that has no training jobs."""
    return {"Succeeded": 0, "Pending": 0, "Failed": 0}
