"""The tunings that a warm start goes on from, as they are when it is created: they may be deleted meanwhile
(https://docs.aws.amazon.com/sagemaker/latest/dg/automatic-model-tuning-warm-start.html)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from clary.errors import ValidationError
from clary.lifecycles.tuning_job import IN_PROGRESS, PARENTS_KIND, TRIAL_KIND
from clary.services.context import Context
from clary.services.sagemaker import tuning_view
from clary.store.rows import Row
from clary.tuning import warm_start
from clary.workload import tuning


def names(config: Mapping[str, Any] | None) -> list[str]:
    """Of all parents. Raises ValidationError where one is not named, or twice."""
    parents = (config or {}).get("ParentHyperParameterTuningJobs") or ()
    found = [each.get("HyperParameterTuningJobName") for each in parents]
    if not all(found) or len(set(found)) < len(found):
        raise ValidationError("ParentHyperParameterTuningJobs must name different hyperparameter tuning jobs.")
    return [str(each) for each in found]


def origin(context: Context, row: Row, parents: Sequence[Row]) -> list[Row]:
    """The row that keeps what the parents have found; none without parents. Raises ValidationError for a parent that
    has not ended, or from which `row` differs in what must stay as it is."""
    for parent in parents:
        if not tuning_view.ended(parent):
            raise ValidationError(
                f"The parent hyperparameter tuning job {parent.key.name} is in status {tuning_view.public(parent)}: "
                "only one that has ended can be used for a warm start."
            )
    if not parents:
        return []
    warm_start.check(row.spec, [parent.spec for parent in parents])
    read = context.store.read
    trials = [_kept(parent, trial) for parent in parents for trial in read.children(TRIAL_KIND, parent.key)]
    ended = [each for each in trials if each["status"] != IN_PROGRESS]
    return [replace(row, key=replace(row.key, kind=PARENTS_KIND), arn="", spec={}, state={"trials": ended})]


def _kept(parent: Row, trial: Row) -> dict[str, Any]:
    """With all hyperparameters: what was tuned there may be static here, and the other way round."""
    of = tuning.definition(parent.spec, trial.spec["definition"])
    values = {**of["StaticHyperParameters"], **trial.spec["values"]}
    state = trial.state
    found = {"status": trial.status, "objective": state.get("objective"), "reports": state.get("reports", [])}
    return {**trial.spec, "values": values, **found}


def state_of(context: Context, spec: Mapping[str, Any], parents: Sequence[Row]) -> dict[str, Any]:
    """What the tuning's own state holds of its parents: the best training job of all."""
    best: dict[str, Any] | None = None
    for parent in parents:
        shown = tuning_view.best_jobs(context, parent)
        other = shown.get("OverallBestTrainingJob") or shown.get("BestTrainingJob")
        if other:
            best = tuning_view.better(spec, best, other)
    return {"parents_best": tuning_view.kept(best)} if best else {}
