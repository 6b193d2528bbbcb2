"""A tuning job and its training jobs as Describe and the lists show them: the controller's state in the API's words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from clary.lifecycles import training_job, tuning_job
from clary.lifecycles.tuning_job import ENDED, no_jobs, no_objectives, public_status
from clary.services.context import Context
from clary.services.resources import Output, moment, now, present
from clary.store.rows import Key, Row
from clary.workload import tuning


def public(row: Row) -> str:
    """HyperParameterTuningJobStatus."""
    return public_status(row.status, row.target)


def ended(row: Row) -> bool:
    """Whether no more training jobs run, and none will."""
    return row.status in ENDED


def shown(row: Row) -> Output:
    """Describe's members beyond the spec that the row alone can tell."""
    end = row.state.get("ended")
    runtime = (end or now().timestamp()) - row.created.timestamp()
    details = {
        "NumberOfTrainingJobsObjectiveNotImproving": row.state.get("not_improving", 0),
        "ConvergenceDetectedTime": moment(row.state.get("converged")),
    }
    return present(
        {
            **_counters(row),
            "HyperParameterTuningEndTime": moment(end),
            "LastModifiedTime": row.modified,
            "FailureReason": row.state.get("failure_reason"),
            "TuningJobCompletionDetails": present(details),
            "ConsumedResources": {"RuntimeInSeconds": int(runtime)},
        }
    )


def summary(row: Row) -> Output:
    """A list entry's members beyond name, ARN and time."""
    config = row.spec["HyperParameterTuningJobConfig"]
    return present(
        {
            **_counters(row),
            "Strategy": config["Strategy"],
            "HyperParameterTuningEndTime": moment(row.state.get("ended")),
            "LastModifiedTime": row.modified,
            "ResourceLimits": config["ResourceLimits"],
        }
    )


def _counters(row: Row) -> Output:
    return {
        "HyperParameterTuningJobStatus": public(row),
        "TrainingJobStatusCounters": row.state.get("jobs") or no_jobs(),
        "ObjectiveStatusCounters": row.state.get("objectives") or no_objectives(),
    }


def best_jobs(context: Context, row: Row) -> Output:
    """BestTrainingJob; and OverallBestTrainingJob where it goes on from tunings of identical data and algorithm."""
    own, warm = _best(context, row), row.spec.get("WarmStartConfig") or {}
    if warm.get("WarmStartType") != "IdenticalDataAndAlgorithm":
        return present({"BestTrainingJob": own})
    parents = row.state.get("parents_best")
    overall = better(row.spec, own, _of_parent(parents)) if parents else own
    return present({"BestTrainingJob": own, "OverallBestTrainingJob": overall})


def _best(context: Context, row: Row) -> Output | None:
    best = row.state.get("best")
    trial = context.store.read.get(trial_key(row, best["job"])) if best else None
    return training_summary(row, trial) if trial else None


def trial_key(row: Row, job: str) -> Key:
    """Of the trial beside a training job of this tuning."""
    return Key(tuning_job.TRIAL_KIND, row.key.account, row.key.region, job)


def better(spec: Mapping[str, Any], own: Output | None, other: Output) -> Output:
    """Of two training jobs' summaries, by the objective of a tuning's request."""
    if own is None:
        return other
    mine, theirs = (each["FinalHyperParameterTuningJobObjectiveMetric"]["Value"] for each in (own, other))
    maximize = tuning.objective(spec, tuning.definitions(spec)[0])["Type"] == "Maximize"
    return own if (mine >= theirs if maximize else mine <= theirs) else other


def _of_parent(kept: Mapping[str, Any]) -> Output:
    times = ("CreationTime", "TrainingStartTime", "TrainingEndTime")
    return present({**kept, **{name: moment(kept.get(name)) for name in times}})


def kept(summary_: Output) -> Output:
    """A training job's summary as a row can hold it; `_of_parent` is the inverse."""
    return {name: value.timestamp() if hasattr(value, "timestamp") else value for name, value in summary_.items()}


def training_summary(row: Row, trial: Row, job: Row | None = None) -> Output:
    """HyperParameterTrainingJobSummary; `job` is the training job's row while it runs."""
    state = trial.state if job is None else _running(job)
    status = trial.status if job is None else training_job.public_status(job.status, job.target)
    of = tuning.definition(row.spec, trial.spec["definition"])
    return present(
        {
            "TrainingJobDefinitionName": trial.spec["definition"] or None,
            "TrainingJobName": trial.key.name,
            "TrainingJobArn": trial.spec["arn"],
            "TuningJobName": row.key.name,
            "CreationTime": moment(state["created"]) if "created" in state else trial.created,
            "TrainingStartTime": moment(state.get("started")),
            "TrainingEndTime": moment(state.get("ended")),
            "TrainingJobStatus": status,
            "TunedHyperParameters": trial.spec["values"],
            "FailureReason": state.get("failure_reason"),
            "FinalHyperParameterTuningJobObjectiveMetric": _objective(row, of, state.get("objective")),
            "ObjectiveStatus": _objective_status(trial),
        }
    )


def _running(job: Row) -> Mapping[str, Any]:
    runs = job.state.get("attempts") or [(job.state.get("training_start"), None)]
    return {"created": job.created.timestamp(), "started": runs[0][0], "ended": job.state.get("training_end")}


def _objective(row: Row, of: Mapping[str, Any], value: float | None) -> Output | None:
    if value is None:
        return None
    objective = tuning.objective(row.spec, of)
    return {"Type": objective["Type"], "MetricName": objective["MetricName"], "Value": value}


def _objective_status(trial: Row) -> str:
    """Succeeded once it has an objective, Failed where it has ended without one."""
    if trial.state.get("objective") is not None:
        return "Succeeded"
    return "Pending" if trial.status == tuning_job.IN_PROGRESS else "Failed"
