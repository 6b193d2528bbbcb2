"""UpdateTrainingJob (https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_UpdateTrainingJob.html): what may be
changed of a job, and when. No public source shows AWS's texts; these are ours."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from clary.errors import ValidationError
from clary.lifecycles.training_job import DOWNLOADING, TRAINING, WARM_POOL_KIND
from clary.services import resources
from clary.services.context import Context
from clary.services.resources import Output, Params
from clary.services.sagemaker import training_view
from clary.services.sagemaker.errors import training_job_in_status
from clary.services.sagemaker.service import SERVICE
from clary.services.sagemaker.training_jobs import TRAINING_JOB
from clary.services.sagemaker.training_profiler import check_profiler
from clary.store.rows import Row

_DEBUGGABLE = (DOWNLOADING, TRAINING)


@SERVICE.operation("UpdateTrainingJob")
def update(context: Context, params: Params) -> Output:
    """A new profiler configuration, remote debugging, or how long its warm pool is kept.

    Raises ValidationError where it is not there, or not in a state for that.
    """

    def change(row: Row) -> Row:
        row = _profiler(row, params)
        row = _remote_debug(row, params.get("RemoteDebugConfig"))
        return _warm_pool(row, params.get("ResourceConfig"))

    row = resources.change_row(TRAINING_JOB, context, params["TrainingJobName"], change)
    context.wake(replace(row.key, kind=WARM_POOL_KIND))
    return {"TrainingJobArn": row.arn}


def _profiler(row: Row, params: Params) -> Row:
    asked: dict[str, Any] = {
        name: params[name] for name in ("ProfilerConfig", "ProfilerRuleConfigurations") if name in params
    }
    if not asked:
        return row
    check_profiler(asked.get("ProfilerConfig"))
    if training_view.public(row) != "InProgress":
        raise training_job_in_status(training_view.public(row))
    return _with(row, asked)


def _remote_debug(row: Row, asked: dict[str, Any] | None) -> Row:
    """Only while it is Downloading or Training
    (https://docs.aws.amazon.com/sagemaker/latest/dg/train-remote-debugging.html)."""
    if asked is None:
        return row
    if row.status not in _DEBUGGABLE:
        raise ValidationError(
            "RemoteDebugConfig can be updated only while the secondary status of the training job is Downloading or "
            f"Training; it is {row.status}."
        )
    return _with(row, {"RemoteDebugConfig": asked})


def _warm_pool(row: Row, asked: dict[str, Any] | None) -> Row:
    """The pool's time counts from the job's end on; 0 ends it."""
    if asked is None:
        return row
    pool = training_view.warm_pool(row)
    if pool is None or pool["Status"] != "Available":
        raise ValidationError(
            "KeepAlivePeriodInSeconds can be updated only while the warm pool of the training job is Available; "
            + (f"it is {pool['Status']}." if pool else "it has none.")
        )
    period = asked["KeepAlivePeriodInSeconds"]
    kept = {**row.state["warm_pool"], "until": row.state["warm_pool"]["since"] + period}
    changed = _with(row, {"ResourceConfig": {**row.spec["ResourceConfig"], "KeepAlivePeriodInSeconds": period}})
    return replace(changed, state={**row.state, "warm_pool": kept})


def _with(row: Row, members: dict[str, Any]) -> Row:
    return replace(row, spec={**row.spec, **members})
