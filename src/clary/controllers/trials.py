"""The trials of a tuning: what was proposed, and what its training jobs have come to. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from clary.lifecycles import training_job
from clary.lifecycles.tuning_job import IN_PROGRESS, TRIAL_KIND, no_jobs, no_objectives
from clary.names import sagemaker_arn
from clary.store.rows import Row
from clary.tuning.trials import Proposal, Status, Trial
from clary.workload import tuning
from clary.workload.failure import is_internal

_SAID: Mapping[str, Status] = {"Completed": "completed", "Failed": "failed", "Stopped": "stopped"}


@dataclass(frozen=True)
class Heard:
    """What a training job has emitted of its objective."""

    values: tuple[float, ...] = ()
    whole: bool = False
    """Nothing more will come: it had ended when its log was read to the end."""


def new(row: Row, number: int, proposal: Proposal, unique: str, now: float) -> Row:
    """A trial that was just proposed; `unique` makes its training job's name one that nobody else has."""
    key = replace(row.key, kind=TRIAL_KIND, name=tuning.job_name(row.key.name, number, unique))
    arn = sagemaker_arn(key.region, key.account, training_job.KIND, key.name)
    spec = {"number": number, "definition": proposal.definition, "values": dict(proposal.values), "arn": arn}
    created = datetime.fromtimestamp(now, UTC)
    return Row(key, "", IN_PROGRESS, created, created, spec, {}, parent=row.key.name)


def settled(spec: Mapping[str, Any], trial: Row, job: Row, heard: Heard) -> Row:
    """A trial as its ended training job leaves it."""
    status = training_job.public_status(job.status, job.target)
    found: dict[str, Any] = {
        "created": job.created.timestamp(),
        "started": _started(job),
        "ended": job.state.get("training_end"),
        "failure_reason": job.state.get("failure_reason"),
        "objective": None if status == "Failed" else _final(spec, trial, job),
        "reports": list(heard.values),
    }
    state = {name: value for name, value in found.items() if value is not None and value != []}
    return replace(trial, status=status, state=state, modified=job.modified)


def refused(trial: Row, reason: str, now: float) -> Row:
    """A trial whose training job cannot be created."""
    state = {"ended": now, "failure_reason": reason}
    return replace(trial, status="Failed", state=state, modified=datetime.fromtimestamp(now, UTC))


def _started(job: Row) -> float | None:
    attempts = job.state.get("attempts")
    found: float | None = attempts[0][0] if attempts else job.state.get("training_start")
    return found


def _final(spec: Mapping[str, Any], trial: Row, job: Row) -> float | None:
    name = metric(spec, trial)
    values = [each["Value"] for each in job.state.get("metrics", ()) if each["MetricName"] == name]
    return float(values[0]) if values else None


def metric(spec: Mapping[str, Any], trial: Row) -> str:
    """What a trial is judged by."""
    name: str = tuning.objective(spec, tuning.definition(spec, trial.spec["definition"]))["MetricName"]
    return name


def as_trials(rows: Sequence[Row], heard: Mapping[str, Heard]) -> list[Trial]:
    """As the search knows them."""
    return [_as_trial(row, heard.get(row.key.name)) for row in rows]


def _as_trial(row: Row, heard: Heard | None) -> Trial:
    status, spec, state = _SAID.get(row.status, "running"), row.spec, row.state
    reports = heard.values if heard and status == "running" else tuple(state.get("reports", ()))
    return Trial(spec["number"], spec["definition"], spec["values"], status, state.get("objective"), reports)


def counted(rows: Sequence[Row]) -> dict[str, int]:
    """TrainingJobStatusCounters."""
    found = no_jobs()
    for row in rows:
        found[_counter(row)] += 1
    return found


def _counter(row: Row) -> str:
    if row.status != "Failed":
        return row.status
    return "RetryableError" if is_internal(row.state.get("failure_reason", "")) else "NonRetryableError"


def objectives(rows: Sequence[Row]) -> dict[str, int]:
    """ObjectiveStatusCounters."""
    found = no_objectives()
    for row in rows:
        without = "Pending" if row.status == IN_PROGRESS else "Failed"
        found[without if row.state.get("objective") is None else "Succeeded"] += 1
    return found


def failure(trials: Sequence[Trial]) -> str | None:
    """FailureReason of a tuning whose jobs have come to nothing; None where there is an objective, or some were stopped
    before they had one."""
    ended = _ended(trials)
    if not ended or any(trial.objective is not None for trial in ended) or all(t.status == "stopped" for t in ended):
        return None
    if any(trial.status == "completed" for trial in ended):
        return (
            f"No objective metrics found after running {len(ended)} training jobs. Please ensure that the custom "
            "algorithm is emitting the objective metric as defined by the regular expression provided."
        )
    return (
        f"No training job succeeded after {len(ended)} attempts. For additional details, please take a look at the "
        "training job failures by listing training jobs for the hyperparameter tuning job."
    )


def _ended(trials: Sequence[Trial]) -> list[Trial]:
    return [trial for trial in trials if trial.status != "running"]
