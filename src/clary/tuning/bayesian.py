"""Bayesian search: Optuna's tree-structured Parzen estimator proposes, from a study that is built anew each time.

Importing this file imports Optuna and numpy: about 0.3 seconds and 35 MB, which a server does not need
(see `clary.tuning.__main__`).
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import optuna
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)
from optuna.trial import FrozenTrial, TrialState

from clary.tuning.definitions import Definition
from clary.tuning.drawing import generator, tried
from clary.tuning.parameters import Continuous, Integer, Parameter
from clary.tuning.space import Values
from clary.tuning.trials import Trial

FIRST = 10
"""So many jobs are spread evenly over the ranges before anything can be learnt from them."""

_SOME_TIME = datetime(2000, 1, 1)  # noqa: DTZ001  Optuna wants one, and looks at none
_TRIES = 10
"""How often a combination that was tried before is answered by another question."""

optuna.logging.set_verbosity(optuna.logging.ERROR)


def propose(definition: Definition, trials: Sequence[Trial], parents: Sequence[Trial], seed: str) -> Values | None:
    """The next combination after the definition's `trials`; None where all were tried."""
    chance = generator(seed, definition, len(trials))
    done = tried(definition, trials)
    fitting = [trial for trial in (*parents, *trials) if definition.space.key(trial.values) is not None]
    if sum(trial.status != "running" for trial in fitting) < FIRST:
        candidates = iter([_spread(definition, len(trials), seed)])
    else:
        candidates = _asked(definition, fitting, chance)
    new = next((values for values in candidates if tuple(values.values()) not in done), None)
    return new or definition.space.draw_new(chance, done)


def _spread(definition: Definition, number: int, seed: str) -> dict[str, str]:
    """A Latin hypercube: of each `FIRST` jobs, one in each of so many slices of every range."""
    block, place = divmod(number, FIRST)
    chance = generator(seed, definition, -1 - block)
    positions = []
    for _ in definition.space.parameters:
        slices = chance.sample(range(FIRST), FIRST)
        within = [chance.random() for _ in range(FIRST)]
        positions.append((slices[place] + within[place]) / FIRST)
    return definition.space.at(positions)


def _asked(definition: Definition, fitting: Sequence[Trial], chance: random.Random) -> Iterator[dict[str, str]]:
    """What Optuna proposes; several times where it may propose what was tried."""
    coordinates = [_coordinate(parameter) for parameter in definition.space.parameters]
    space = {each.parameter.name: each.distribution for each in coordinates}
    known = [_frozen(coordinates, trial) for trial in fitting]
    for _ in range(1 if math.isinf(definition.space.count) else _TRIES):
        sampler = optuna.samplers.TPESampler(seed=chance.getrandbits(32), n_startup_trials=0)
        study = optuna.create_study(sampler=sampler, direction="maximize" if definition.maximize else "minimize")
        study.add_trials(known)
        try:
            asked = study.ask(fixed_distributions=space).params
        except ValueError:  # integers so large that it cannot tell them apart: others are drawn
            return
        yield {each.parameter.name: each.write(asked[each.parameter.name]) for each in coordinates}


class _Coordinate(NamedTuple):
    """A parameter as Optuna sees it: a continuous one by the place on its scale, of which it knows not all."""

    parameter: Parameter
    distribution: BaseDistribution

    def read(self, text: str) -> Any:  # noqa: ANN401  a float, an integer or a string
        if isinstance(self.parameter, Continuous):
            return self.parameter.place(float(text))
        return self.parameter.read(text)

    def write(self, value: Any) -> str:  # noqa: ANN401  a float, an integer or a string
        match self.parameter:
            case Continuous():
                return self.parameter.at(value)
            case Integer():
                return self.parameter.write(value)
        return str(value)


def _coordinate(parameter: Parameter) -> _Coordinate:
    match parameter:
        case Continuous():
            return _Coordinate(parameter, FloatDistribution(0, 1))
        case Integer():
            is_logarithmic = parameter.scale == "Logarithmic"
            return _Coordinate(parameter, IntDistribution(parameter.low, parameter.high, log=is_logarithmic))
    return _Coordinate(parameter, CategoricalDistribution(parameter.values))


class _Known(FrozenTrial):
    """A trial that a study takes as it is: copying five hundred takes longer than all that follows."""

    def __deepcopy__(self, memo: dict[int, Any]) -> _Known:
        return self


def _frozen(coordinates: Sequence[_Coordinate], trial: Trial) -> FrozenTrial:
    """A trial as Optuna knows it: pruned is worse than complete, and the worse the earlier it was stopped. Jobs that
    failed or found no objective are the worst, so that the search turns away from where programs break."""
    finite = trial.objective is not None and math.isfinite(trial.objective)
    state, value, reached = TrialState.PRUNED, None, {}
    if trial.status == "running":
        state = TrialState.RUNNING
    elif trial.status == "completed" and finite:
        state, value = TrialState.COMPLETE, trial.objective
    elif trial.status == "stopped" and trial.objective is not None and finite:
        reached = {len(trial.reports): trial.objective}
    return _Known(
        number=-1,
        trial_id=-1,
        state=state,
        value=value,
        datetime_start=_SOME_TIME,
        datetime_complete=None if state == TrialState.RUNNING else _SOME_TIME,
        params={each.parameter.name: each.read(trial.values[each.parameter.name]) for each in coordinates},
        distributions={each.parameter.name: each.distribution for each in coordinates},
        user_attrs={},
        system_attrs={},
        intermediate_values=reached,
    )
