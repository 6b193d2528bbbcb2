"""Hyperband: many jobs begin, few are let run on (https://arxiv.org/abs/1603.06560), asynchronously as in
https://arxiv.org/abs/1810.05934 and without a state of its own: what was reported says who goes on.

A job's resource is the number of its reports. A bracket has rungs: numbers of reports at which only the best third of
its jobs so far goes on. The first bracket has its lowest rung at MinResource, each later one three times higher, the
last has none. Jobs are dealt to brackets in the numbers of the paper.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from clary.tuning.definitions import Definition
from clary.tuning.limits import MOST_RESOURCE, epochs
from clary.tuning.trials import Trial

ETA = 3
"""Of so many jobs at a rung, one goes on: the paper's recommendation."""


@dataclass(frozen=True)
class Brackets:
    """How many reports a job makes at least and at most."""

    least: int
    most: int

    def rungs(self, index: int) -> tuple[int, ...]:
        """The reports at which jobs are compared, lowest first, for the job with this index among its definition's."""
        first = self._bracket(index)
        return tuple(self.least * ETA**step for step in range(first, self._steps))

    @property
    def _steps(self) -> int:
        """How often `least` can be multiplied and stay below `most`."""
        return next(step for step in range(MOST_RESOURCE) if self.least * ETA**step >= self.most)

    def _bracket(self, index: int) -> int:
        steps = self._steps
        sizes = [math.ceil((steps + 1) / (left + 1) * ETA**left) for left in range(steps, -1, -1)]
        place = index % sum(sizes)
        for bracket, size in enumerate(sizes):
            if place < size:
                return bracket
            place -= size
        raise AssertionError("a place is below the sum of the sizes")


def to_stop(definition: Definition, trials: Sequence[Trial], brackets: Brackets) -> list[int]:
    """Numbers of the definition's running trials that are not among the best at their rung, or used up their reports.

    One whose own hyperparameters end it at MaxResource is left to end by itself, its model saved.
    """
    ends_alone = (epochs(definition) or math.inf) <= brackets.most
    rungs = [brackets.rungs(index) for index in range(len(trials))]
    return [
        trial.number
        for trial, its in zip(trials, rungs, strict=True)
        if trial.status == "running"
        and (
            (len(trial.reports) >= brackets.most and not ends_alone)
            or _is_behind(definition, trials, rungs, trial, its)
        )
    ]


def _is_behind(
    definition: Definition,
    trials: Sequence[Trial],
    rungs: Sequence[tuple[int, ...]],
    trial: Trial,
    its: tuple[int, ...],
) -> bool:
    rung = max((each for each in its if each <= len(trial.reports)), default=None)
    if rung is None:
        return False
    rivals = [each for each, theirs in zip(trials, rungs, strict=True) if theirs == its and _counts(each, rung)]
    own = _value(definition, trial, rung)
    ahead = sum(definition.better(_value(definition, each, rung), own) for each in rivals)
    return ahead >= max(1, len(rivals) // ETA) if len(rivals) >= ETA else False


def _counts(trial: Trial, rung: int) -> bool:
    """Whether it can be compared at a rung: it got there, or had ended well before."""
    return len(trial.reports) >= rung or (trial.status == "completed" and trial.objective is not None)


def _value(definition: Definition, trial: Trial, rung: int) -> float:
    """What it had reported at a rung, or at its own end."""
    value = trial.reports[rung - 1] if len(trial.reports) >= rung else trial.objective
    return value if value is not None and math.isfinite(value) else definition.worst
