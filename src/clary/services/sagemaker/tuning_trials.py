"""The training jobs of a tuning
(https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_ListTrainingJobsForHyperParameterTuningJob.html)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from clary.lifecycles import training_job, tuning_job
from clary.services import placed, resources
from clary.services.context import Context
from clary.services.placed import Place
from clary.services.resources import DEFAULT_PAGE, Output, Params, present
from clary.services.sagemaker import tuning_view
from clary.services.sagemaker.service import SERVICE
from clary.services.sagemaker.tuning_jobs import TUNING_JOB
from clary.store.rows import Row

_OBJECTIVE = "FinalHyperParameterTuningJobObjectiveMetric"

_SORTS: Mapping[str, Callable[[Output], Any]] = {
    "Name": lambda summary: summary["TrainingJobName"],
    "CreationTime": lambda summary: summary["CreationTime"].timestamp(),
    "Status": lambda summary: summary["TrainingJobStatus"],
    "FinalObjectiveMetricValue": lambda summary: float(summary[_OBJECTIVE]["Value"]),
}


@SERVICE.operation("ListTrainingJobsForHyperParameterTuningJob")
def list_(context: Context, params: Params) -> Output:
    """Sorted, filtered, one page; by objective only those that have one. Raises ResourceNotFound."""
    row = resources.require(TUNING_JOB, context, params["HyperParameterTuningJobName"])
    by, status = params.get("SortBy") or "Name", params.get("StatusEquals")
    found = [each for each in summaries(context, row) if status in (None, each["TrainingJobStatus"])]
    if by == "FinalObjectiveMetricValue":
        found = [each for each in found if _OBJECTIVE in each]
    limit, descending = params.get("MaxResults") or DEFAULT_PAGE, params.get("SortOrder") == "Descending"
    shown, token = placed.page([(_place(by, each), each) for each in found], params, limit, descending=descending)
    return present({"TrainingJobSummaries": shown, "NextToken": token})


def _place(by: str, summary: Output) -> Place:
    return [_SORTS[by](summary), summary["TrainingJobName"]]


def summaries(context: Context, row: Row) -> list[Output]:
    """HyperParameterTrainingJobSummary of all its training jobs; one that is not created yet is none."""
    found = []
    for trial in context.store.read.children(tuning_job.TRIAL_KIND, row.key):
        job = _job(context, trial)
        if job is not None or trial.status != tuning_job.IN_PROGRESS:
            found.append(tuning_view.training_summary(row, trial, job))
    return found


def _job(context: Context, trial: Row) -> Row | None:
    """Of one that runs; what came of those that have ended stands in their trials."""
    if trial.status != tuning_job.IN_PROGRESS:
        return None
    return context.store.read.get(replace(trial.key, kind=training_job.KIND))
