"""When a tuning is over, and what it has found
(https://docs.aws.amazon.com/sagemaker/latest/dg/automatic-model-tuning-progress.html)."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from clary.tuning.definitions import Definition
from clary.tuning.trials import Trial

MAX_JOBS = "MaxNumberOfTrainingJobs"
MAX_RUNTIME = "MaxRuntimeInSeconds"
TARGET = "TargetObjectiveMetricValue"
NOT_IMPROVING = "BestObjectiveNotImproving"
CONVERGED = "ConvergenceDetected"
EXHAUSTED = "NoMoreCombinations"
"""Every combination of the ranges was tried; the only reason that AWS has no name for."""

STOPS_RUNNING = frozenset({MAX_RUNTIME, TARGET, NOT_IMPROVING, CONVERGED})
"""For these, jobs that still run are stopped; otherwise they are waited for."""

MOST_JOBS = 750
"""Where a request says no number: AWS's own limit."""

SIGNIFICANT = 0.01
"""By how much of the best objective a job must be better to count as an improvement."""

_PATIENCE = 10
"""Jobs in a row without improvement that are convergence, and so many for each tuned hyperparameter: AWS says that its
algorithm was tried on many benchmarks, and not which it is."""
_PATIENCE_EACH = 3


def has_objective(trial: Trial) -> bool:
    """Whether it has ended with an objective that can be compared."""
    ended = trial.status in ("completed", "stopped")
    return ended and trial.objective is not None and math.isfinite(trial.objective)


def best(definition: Definition, trials: Sequence[Trial]) -> int | None:
    """The number of the best trial, the first of equals; None where none has an objective."""
    found: Trial | None = None
    for trial in _in_order(filter(has_objective, trials)):
        if found is None or definition.better(_objective(trial), _objective(found)):
            found = trial
    return found.number if found else None


def not_improving(definition: Definition, trials: Sequence[Trial]) -> int:
    """NumberOfTrainingJobsObjectiveNotImproving: ended jobs since the last one that was better by 1% or more."""
    count = 0
    record: float | None = None
    for trial in _in_order(trial for trial in trials if trial.status != "running"):
        if has_objective(trial) and (record is None or _improves(definition, _objective(trial), record)):
            count, record = 0, _objective(trial)
        elif record is not None:
            count += 1
    return count


def has_converged(definition: Definition, trials: Sequence[Trial]) -> bool:
    """Whether no significant improvement is to be expected."""
    return not_improving(definition, trials) >= _PATIENCE + _PATIENCE_EACH * len(definition.space.parameters)


def reasons(
    config: Mapping[str, Any], definition: Definition, trials: Sequence[Trial], seconds: float
) -> Iterator[str]:
    """Each criterion of HyperParameterTuningJobConfig that is met after so many seconds."""
    limits = config["ResourceLimits"]
    criteria = config.get("TuningJobCompletionCriteria") or {}
    if seconds >= limits.get("MaxRuntimeInSeconds", math.inf):
        yield MAX_RUNTIME
    target = criteria.get("TargetObjectiveMetricValue")
    if target is not None and any(_reaches(definition, trial, target) for trial in trials):
        yield TARGET
    patience = (criteria.get("BestObjectiveNotImproving") or {}).get("MaxNumberOfTrainingJobsNotImproving")
    if patience is not None and not_improving(definition, trials) >= patience:
        yield NOT_IMPROVING
    convergence = (criteria.get("ConvergenceDetected") or {}).get("CompleteOnConvergence")
    if convergence == "Enabled" and has_converged(definition, trials):
        yield CONVERGED
    if len(trials) >= limits.get("MaxNumberOfTrainingJobs", MOST_JOBS):
        yield MAX_JOBS


def _reaches(definition: Definition, trial: Trial, target: float) -> bool:
    return has_objective(trial) and not definition.better(target, _objective(trial))


def _improves(definition: Definition, value: float, record: float) -> bool:
    gain = value - record if definition.maximize else record - value
    return gain > 0 and gain >= abs(record) * SIGNIFICANT


def _objective(trial: Trial) -> float:
    return math.nan if trial.objective is None else trial.objective


def _in_order(trials: Iterable[Trial]) -> list[Trial]:
    return sorted(trials, key=lambda trial: trial.number)
