"""Hyperparameter tuning jobs
(https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateHyperParameterTuningJob.html).

Create, Stop and Delete write what is wanted; `controllers/tuning.py` makes it so; Describe shows spec and state.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from clary.lifecycles import tuning_job
from clary.lifecycles.tuning_job import COMPLETED, DELETED, KIND, LIFECYCLE, STOPPED, no_jobs, no_objectives
from clary.services import resources
from clary.services.context import Context
from clary.services.resources import Output, Params, Resource
from clary.services.sagemaker import tuning_parents, tuning_view
from clary.services.sagemaker.errors import (
    tuning_job_exists,
    tuning_job_in_status,
    tuning_job_in_use,
    tuning_job_not_found,
)
from clary.services.sagemaker.patience import settled
from clary.services.sagemaker.service import SERVICE
from clary.services.sagemaker.tuning_spec import fill_tuning_job
from clary.store.rows import Row
from clary.workload import tuning

TUNING_JOB = Resource(
    kind=KIND,
    noun="HyperParameterTuningJob",
    list_member="HyperParameterTuningJobSummaries",
    exists=tuning_job_exists,
    missing=tuning_job_not_found,
    fill=fill_tuning_job,
    shown=tuning_view.shown,
    sort_by="Name",
    descending=False,
)


@SERVICE.operation("CreateHyperParameterTuningJob")
def create(context: Context, params: Params) -> Output:
    """Raises ResourceInUse, ResourceNotFound for a parent, ValidationError, AccessDenied, ResourceLimitExceeded."""
    row = resources.new_row(TUNING_JOB, context, fill_tuning_job(context, params))
    parents = [
        resources.require(TUNING_JOB, context, name) for name in tuning_parents.names(params.get("WarmStartConfig"))
    ]
    origin = tuning_parents.origin(context, row, parents)
    state = {**_first_state(params), **tuning_parents.state_of(context, row.spec, parents)}
    wanted = replace(row, status=LIFECYCLE.initial, target=COMPLETED, state=state)
    stored = resources.insert(TUNING_JOB, context, wanted, params.get("Tags"), beside=origin)
    context.wake(stored.key)
    return {"HyperParameterTuningJobArn": stored.arn}


def _first_state(params: Params) -> dict[str, Any]:
    return {
        "jobs": no_jobs(),
        "objectives": no_objectives(),
        "best": None,
        "defining_metrics": tuning.defining_metrics(params),
    }


@SERVICE.operation("DescribeHyperParameterTuningJob")
def describe(context: Context, params: Params) -> Output:
    """Raises ResourceNotFound."""
    row = resources.require(TUNING_JOB, context, params["HyperParameterTuningJobName"])
    row = settled(context, row, tuning_view.ended)
    return {**resources.description(TUNING_JOB, row), **tuning_view.best_jobs(context, row)}


@SERVICE.operation("ListHyperParameterTuningJobs")
def list_(context: Context, params: Params) -> Output:
    """Sorted, filtered, one page."""
    query = resources.query_of(TUNING_JOB, context, params)
    status = params.get("StatusEquals")
    shown = resources.page(context, query, lambda row: status in (None, tuning_view.public(row)))
    return resources.listing(TUNING_JOB, shown, _summary)


@SERVICE.operation("StopHyperParameterTuningJob")
def stop(context: Context, params: Params) -> Output:
    """Its training jobs are stopped; what has ended is kept. Raises ResourceNotFound, and ValidationError where it has
    ended; one that is stopping already goes on with that."""

    def ask(row: Row) -> Row:
        if tuning_view.public(row) not in (tuning_job.IN_PROGRESS, tuning_job.STOPPING):
            raise tuning_job_in_status(tuning_view.public(row))
        return replace(row, target=STOPPED)

    row = resources.change_row(TUNING_JOB, context, params["HyperParameterTuningJobName"], ask)
    context.wake(row.key)
    return {}


@SERVICE.operation("DeleteHyperParameterTuningJob")
def delete(context: Context, params: Params) -> Output:
    """Only of one that has ended; its training jobs and their models stay. Raises ResourceInUse, ResourceNotFound."""

    def ask(row: Row) -> Row:
        if not tuning_view.ended(row) and tuning_view.public(row) != tuning_job.DELETING:
            raise tuning_job_in_use(row.arn)
        return replace(row, target=DELETED)

    row = resources.change_row(TUNING_JOB, context, params["HyperParameterTuningJobName"], ask)
    context.wake(row.key)
    return {}


def _summary(row: Row) -> Output:
    return {**resources.summary(TUNING_JOB, row), **tuning_view.summary(row)}
