"""Training jobs (https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateTrainingJob.html).

Create and Stop write what is wanted; `controllers/training.py` makes it so; Describe shows spec and state.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from clary.lifecycles.training_job import (
    COMPLETED,
    DOWNLOADING,
    FAILED,
    KIND,
    LIFECYCLE,
    MAX_RUNTIME_EXCEEDED,
    STARTING,
    STOPPED,
    STOPPING,
    TRAINING,
    UPLOADING,
)
from clary.services import resources
from clary.services.context import Context
from clary.services.resources import Output, Params, Resource
from clary.services.sagemaker import training_view
from clary.services.sagemaker.errors import (
    not_found,
    training_job_exists,
    training_job_in_status,
    training_job_in_use,
)
from clary.services.sagemaker.patience import settled
from clary.services.sagemaker.service import SERVICE
from clary.services.sagemaker.training_spec import fill_training_job
from clary.store.rows import Row

_STARTING_MESSAGE = "Starting the training job"
_UNDER_WAY = (STARTING, DOWNLOADING, TRAINING, UPLOADING)
_STATUSES: Mapping[str, tuple[str, ...]] = {
    "InProgress": _UNDER_WAY,
    "Stopping": (*_UNDER_WAY, STOPPING),
    "Completed": (COMPLETED,),
    "Failed": (FAILED,),
    "Stopped": (STOPPED, MAX_RUNTIME_EXCEEDED),
}
"""The rows' statuses that may show as a TrainingJobStatus."""

TRAINING_JOB = Resource(
    kind=KIND,
    noun="TrainingJob",
    list_member="TrainingJobSummaries",
    exists=training_job_exists,
    missing=not_found,
    fill=fill_training_job,
    shown=training_view.shown,
    descending=False,
)


@SERVICE.operation("CreateTrainingJob")
def create(context: Context, params: Params) -> Output:
    """Raises ResourceInUse, ValidationError, AccessDenied, ResourceLimitExceeded."""
    row = resources.new_row(TRAINING_JOB, context, fill_training_job(context, params))
    first = {"Status": STARTING, "StartTime": row.created.timestamp(), "StatusMessage": _STARTING_MESSAGE}
    wanted = replace(row, status=LIFECYCLE.initial, target=COMPLETED, state={"transitions": [first]})
    stored = resources.insert(TRAINING_JOB, context, wanted, params.get("Tags"))
    context.wake(stored.key)
    return {"TrainingJobArn": stored.arn}


@SERVICE.operation("DescribeTrainingJob")
def describe(context: Context, params: Params) -> Output:
    """Raises ValidationError where it is not there."""
    row = resources.require(TRAINING_JOB, context, params["TrainingJobName"])
    return resources.description(TRAINING_JOB, settled(context, row, training_view.ended))


@SERVICE.operation("ListTrainingJobs")
def list_(context: Context, params: Params) -> Output:
    """Sorted, filtered, one page."""
    query = resources.query_of(TRAINING_JOB, context, params)
    status = params.get("StatusEquals")
    if "WarmPoolStatusEquals" in params or "TrainingPlanArnEquals" in params:  # no job has either
        query = replace(query, statuses=())
    elif status is not None:
        query = replace(query, statuses=_STATUSES.get(status, ()))
    shown = resources.page(context, query, lambda row: status is None or training_view.public(row) == status)
    return resources.listing(TRAINING_JOB, shown, _summary)


@SERVICE.operation("StopTrainingJob")
def stop(context: Context, params: Params) -> Output:
    """SIGTERM now, SIGKILL after 120 seconds. Raises ValidationError where it is not there or has ended."""

    def ask(row: Row) -> Row:
        if training_view.ended(row):
            raise training_job_in_status(training_view.public(row))
        if row.target == STOPPED:
            return row
        return replace(row, target=STOPPED, state={**row.state, "stop_requested": resources.now().timestamp()})

    row = resources.change_row(TRAINING_JOB, context, params["TrainingJobName"], ask)
    context.wake(row.key)
    return {}


@SERVICE.operation("DeleteTrainingJob")
def delete(context: Context, params: Params) -> Output:
    """Only of one that has ended. Raises ResourceInUse, ValidationError."""
    row = resources.require(TRAINING_JOB, context, params["TrainingJobName"])
    if not training_view.ended(row):
        raise training_job_in_use(row.arn)
    resources.delete(TRAINING_JOB, context, row.key.name)
    return {}


def _summary(row: Row) -> Output:
    return {**resources.summary(TRAINING_JOB, row), **training_view.summary(row)}
