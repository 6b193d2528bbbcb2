"""Training jobs (https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateTrainingJob.html).

Create and Stop write what is wanted; `controllers/training.py` makes it so; Describe shows spec and state.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from clary.lifecycles.training_job import COMPLETED, KIND, LIFECYCLE, STARTING, STOPPED, public_status
from clary.lifecycles.tuning_job import IN_PROGRESS, TRIAL_KIND
from clary.services import resources
from clary.services.context import Context, Looking
from clary.services.resources import Output, Params, Resource
from clary.services.sagemaker import training_view
from clary.services.sagemaker.errors import (
    not_found,
    training_job_exists,
    training_job_in_status,
    training_job_in_use,
)
from clary.services.sagemaker.experiment_config import rows_of
from clary.services.sagemaker.job_components import component_key, told_by
from clary.services.sagemaker.patience import settled
from clary.services.sagemaker.service import SERVICE
from clary.services.sagemaker.training_spec import fill_training_job
from clary.store.rows import Row

if TYPE_CHECKING:  # each process loads only the parts that it holds
    from clary.store.transaction import Transaction

_STARTING_MESSAGE = "Starting the training job"
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
    state = {
        "transitions": [first],
        "image": context.images.resolve(params["AlgorithmSpecification"]["TrainingImage"]).uri,
    }
    wanted = replace(row, status=LIFECYCLE.initial, target=COMPLETED, state=state, parent=context.call.parent)
    beside = rows_of(context, wanted, params.get("ExperimentConfig"))
    stored = resources.insert(TRAINING_JOB, context, wanted, params.get("Tags"), beside)
    context.wake(stored.key)
    return {"TrainingJobArn": stored.arn}


@SERVICE.operation("DescribeTrainingJob", looks=True)
def describe(context: Looking, params: Params) -> Output:
    """Raises ValidationError where it is not there."""
    row = resources.require(TRAINING_JOB, context, params["TrainingJobName"])
    described = resources.description(TRAINING_JOB, settled(context, row, training_view.ended))
    described.pop("SessionChainingConfig", None)  # is taken, and no member of the output
    return described


@SERVICE.operation("ListTrainingJobs")
def list_(context: Context, params: Params) -> Output:
    """Sorted, filtered, one page."""
    query = resources.query_of(TRAINING_JOB, context, params)
    status, pool = params.get("StatusEquals"), params.get("WarmPoolStatusEquals")
    if "TrainingPlanArnEquals" in params:  # no job has one
        query = replace(query, statuses=())
    elif status is not None:
        query = replace(query, statuses=_statuses(status))

    def wanted(row: Row) -> bool:
        return status in (None, training_view.public(row)) and pool in (None, _pool_status(row))

    return resources.listing(TRAINING_JOB, resources.page(context, query, wanted), _summary)


def _statuses(public: str) -> tuple[str, ...]:
    """The rows' statuses that may show as a TrainingJobStatus."""
    return tuple(
        status
        for status in LIFECYCLE.moves
        if public in (public_status(status, COMPLETED), public_status(status, STOPPED))
    )


def _pool_status(row: Row) -> str | None:
    pool = training_view.warm_pool(row)
    return pool["Status"] if pool else None


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
    """Only of one that has ended and retains no warm pool. Raises ResourceInUse, ValidationError."""
    row = resources.require(TRAINING_JOB, context, params["TrainingJobName"])
    if not training_view.ended(row) or _pool_status(row) == "Available" or _is_awaited(context, row):
        raise training_job_in_use(row.arn)
    context.store.write(lambda transaction: _delete(transaction, row))
    return {}


def _delete(transaction: Transaction, row: Row) -> None:
    """Its trial component stays, and says for itself what the job has said."""
    component = transaction.get(component_key(row.key))
    if component is not None:
        transaction.save(told_by(component, row))
    transaction.delete(row.key)


def _is_awaited(context: Context, row: Row) -> bool:
    """Whether it belongs to a tuning that has not yet seen it end."""
    trial = context.store.read.get(replace(row.key, kind=TRIAL_KIND)) if row.parent else None
    return trial is not None and trial.status == IN_PROGRESS


def _summary(row: Row) -> Output:
    return {**resources.summary(TRAINING_JOB, row), **training_view.summary(row)}
