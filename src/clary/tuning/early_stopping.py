"""Early stopping: a job whose objective is worse than the median of the others' running averages up to the same epoch
(https://docs.aws.amazon.com/sagemaker/latest/dg/automatic-model-tuning-early-stopping.html)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import fmean, median

from clary.tuning.definitions import Definition
from clary.tuning.trials import Trial

ENOUGH = 5
"""Ended jobs that had reached the epoch. AWS does not say how many it waits for."""

FIRST_EPOCH = 3
"""Before, learning has hardly begun, and slow learners would be stopped."""


def to_stop(definition: Definition, trials: Sequence[Trial]) -> list[int]:
    """Numbers of the definition's running trials that are unlikely to get better than those before them."""
    ended = [trial for trial in trials if trial.status in ("completed", "stopped")]
    return [trial.number for trial in trials if trial.status == "running" and _is_worse(definition, trial, ended)]


def _is_worse(definition: Definition, trial: Trial, ended: Sequence[Trial]) -> bool:
    epoch = len(trial.reports)
    others = [each for each in ended if len(each.reports) >= epoch]
    if epoch < FIRST_EPOCH or len(others) < ENOUGH:
        return False
    averages = [_average(definition, each, epoch) for each in others]
    latest = trial.reports[-1]
    return definition.better(median(averages), latest if math.isfinite(latest) else definition.worst)


def _average(definition: Definition, trial: Trial, epoch: int) -> float:
    reports = trial.reports[:epoch]
    return fmean(reports) if all(map(math.isfinite, reports)) else definition.worst
