"""The candidate models of a job: what is set stays as it is set, what is `auto` is varied
(https://docs.aws.amazon.com/sagemaker/latest/dg/ll_how-it-works.html: "a large number of models … the best")."""

from __future__ import annotations

import itertools
from typing import Any, Dict, List, NamedTuple, Sequence, Tuple

import numpy as np

from clary.algorithms.linear_learner.hyperparameters import Hyperparameters

Array = Any
"""A numpy array."""

_MODELS = 32
"""As many as AWS's own log shows."""
_LEAST = 4
_COLUMNS = 640
"""Candidates times classes, at most, where the number of candidates is up to us."""

_PARAMETERS = 1 << 26
"""Weights of all candidates, at most, where their number is up to us."""

_RATES = (0.1, 0.005, 0.3, 0.02)
_REGULARISATION = ((0.0, 1e-4), (0.0, 1e-7), (1e-3, 1e-3), (0.0, 1e-2))
"""Pairs of L1 and L2 weights."""
_STAYS = (100, 0.99, 1e-5)
"""Steps until the learning rate falls, by what factor, and how far: the slow schedule that AWS's log shows."""
_FALLS, _FACTOR, _END = 20, 0.85, 1e-5
"""How often the other schedule falls over the whole job, by what factor, and how far: to a twenty-fifth."""


class Candidate(NamedTuple):
    """What one model of the grid is trained with."""

    learning_rate: float
    l1: float
    wd: float
    lr_scheduler_step: int
    lr_scheduler_factor: float
    lr_scheduler_minimum_lr: float
    positive_weight: float = 1.0

    def described(self, optimizer: str) -> Dict[str, Any]:
        """As the log names the best one."""
        return {
            "optimizer": optimizer,
            "learning_rate": self.learning_rate,
            "l1": self.l1,
            "wd": self.wd,
            "lr_scheduler_step": self.lr_scheduler_step,
            "lr_scheduler_factor": self.lr_scheduler_factor,
            "lr_scheduler_minimum_lr": self.lr_scheduler_minimum_lr,
        }


def grid(
    given: Hyperparameters, size: Tuple[int, int], steps: int, positive_weights: Sequence[float]
) -> List[Candidate]:
    """Each different combination once, the likeliest first; `num_models` of them (then some begin from other weights).

    `size` is that of each model: features and scores; `steps` are those of all epochs.
    """
    features, classes = size
    schedules = ((max(1, steps // _FALLS), _FACTOR, _END), _STAYS)
    dimensions = (_REGULARISATION, _RATES, schedules, positive_weights)
    places = itertools.product(*(range(len(dimension)) for dimension in dimensions))
    found: Dict[Candidate, None] = {}
    for regularisation, rate, schedule, weight in sorted(places, key=sum):
        l1, wd = _REGULARISATION[regularisation]
        tried = Candidate(_RATES[rate], l1, wd, *schedules[schedule], positive_weight=positive_weights[weight])
        found[_with(given, tried)] = None
    wanted = given.whole_or_auto("num_models")
    if wanted is None:
        room = min(_COLUMNS // classes, _PARAMETERS // (features * classes))
        wanted = min(len(found), _MODELS, max(room, _LEAST))
    return list(itertools.islice(itertools.cycle(found), wanted))


def _with(given: Hyperparameters, candidate: Candidate) -> Candidate:
    """What the user has set, in place of ours."""
    fields: Dict[str, Any] = {"lr_scheduler_step": given.whole_or_auto("lr_scheduler_step")}
    for name in ("learning_rate", "l1", "wd", "lr_scheduler_factor", "lr_scheduler_minimum_lr"):
        fields[name] = given.number_or_auto(name)
    if not given.flag("use_lr_scheduler"):
        fields["lr_scheduler_factor"] = 1.0
    return candidate._replace(**{name: value for name, value in fields.items() if value is not None})


class Rates:
    """The learning rate of each candidate at each step."""

    def __init__(self, candidates: Sequence[Candidate]) -> None:
        columns = np.asarray([candidate[:6] for candidate in candidates], dtype=np.float64).T
        self._first, _, _, self._step, self._factor, least = columns
        self._least = np.minimum(least, self._first)

    def at(self, step: int) -> Array:
        """(m,), of float32."""
        fallen = self._first * self._factor ** (step // self._step)
        return np.maximum(fallen, self._least).astype(np.float32)
