"""What a tuning finds, against Optuna alone in this process: the same function, the same ranges, the same budget."""

from __future__ import annotations

import math
from statistics import fmean, stdev

import optuna
import pytest

from tests.running import RunningClary
from tests.system.jobs import Jobs
from tests.system.tunings import Tunings

pytestmark = [pytest.mark.system]

BUDGET = 25
SEEDS = (1, 2, 3)
OPTUNAS_SEEDS = range(30)

BRANIN = """\
import argparse, math
parser = argparse.ArgumentParser()
parser.add_argument("--first", type=float)
parser.add_argument("--second", type=float)
x, y = parser.parse_args().first, parser.parse_args().second
bowl = (y - 5.1 / (4 * math.pi**2) * x**2 + 5 / math.pi * x - 6) ** 2
print("loss=%r" % (bowl + 10 * (1 - 1 / (8 * math.pi)) * math.cos(x) + 10), flush=True)
"""
"""A function of two variables with three minima of 0.398."""

RANGES = {
    "ContinuousParameterRanges": [
        {"Name": "first", "MinValue": "-5", "MaxValue": "10"},
        {"Name": "second", "MinValue": "0", "MaxValue": "15"},
    ]
}


def branin(trial: optuna.Trial) -> float:
    x, y = trial.suggest_float("first", -5, 10), trial.suggest_float("second", 0, 15)
    bowl = (y - 5.1 / (4 * math.pi**2) * x**2 + 5 / math.pi * x - 6) ** 2
    return bowl + 10 * (1 - 1 / (8 * math.pi)) * math.cos(x) + 10


def by_optuna(seed: int) -> float:
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(sampler=optuna.samplers.TPESampler(seed=seed))
    study.optimize(branin, n_trials=BUDGET)
    return study.best_value


@pytest.fixture(scope="module")
def tunings(shared: RunningClary) -> Tunings:
    return Tunings(Jobs(shared))


@pytest.mark.long
def test_optuna_alone_finds_nothing_better_with_the_same_budget(tunings: Tunings) -> None:
    """Within the noise of its own seeds."""
    definition = tunings.definition(BRANIN)
    for seed in SEEDS:
        tunings.start(
            f"branin-{seed}", definition, BUDGET, 1, Strategy="Bayesian", ParameterRanges=RANGES, RandomSeed=seed
        )
    found = [tunings.ended(f"branin-{seed}")["BestTrainingJob"] for seed in SEEDS]
    ours = [best["FinalHyperParameterTuningJobObjectiveMetric"]["Value"] for best in found]
    theirs = [by_optuna(seed) for seed in OPTUNAS_SEEDS]
    assert fmean(ours) <= fmean(theirs) + stdev(theirs) / math.sqrt(len(SEEDS)), (ours, fmean(theirs), stdev(theirs))
