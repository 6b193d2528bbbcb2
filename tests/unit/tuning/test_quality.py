"""Bayesian search against Optuna alone: the same functions, the same budget, several seeds."""

from __future__ import annotations

import math
from functools import cache
from statistics import fmean

import optuna
import pytest

from tests.unit.tuning.requests import categorical, continuous, integer, play, ranges, request

BUDGET = 40
SEEDS = range(100, 116)
NOISE = 0.35
"""Two standard errors of the difference of two such means, in orders of magnitude (0.5 for one seed)."""


def branin(values):
    x, y = float(values["x"]), float(values["y"])
    bowl = (y - 5.1 / (4 * math.pi**2) * x**2 + 5 / math.pi * x - 6) ** 2
    return bowl + 10 * (1 - 1 / (8 * math.pi)) * math.cos(x) + 10 - 0.397887


def boosting(values):
    """As validation errors of boosted trees go: a learning rate on a log scale, a depth, a categorical choice."""
    rate, depth = float(values["eta"]), int(values["depth"])
    return (math.log10(rate) + 1.5) ** 2 + 0.02 * (depth - 6) ** 2 + {"a": 0.0, "b": 0.3, "c": 0.6}[values["c"]]


def ridge(values):
    """Six dimensions, of which three matter."""
    return sum((float(values[f"x{n}"]) - 0.1 * n) ** 2 for n in range(3)) + 0.01 * float(values["x5"])


FUNCTIONS = {
    "branin": (
        branin,
        ranges([continuous("x", "-5", "10"), continuous("y", "0", "15")]),
        lambda trial: {"x": trial.suggest_float("x", -5, 10), "y": trial.suggest_float("y", 0, 15)},
    ),
    "boosting": (
        boosting,
        ranges([continuous("eta", "0.001", "1")], [integer("depth", "1", "12")], [categorical()]),
        lambda trial: {
            "eta": trial.suggest_float("eta", 0.001, 1, log=True),
            "depth": trial.suggest_int("depth", 1, 12),
            "c": trial.suggest_categorical("c", ["a", "b", "c"]),
        },
    ),
    "ridge": (
        ridge,
        ranges([continuous(f"x{n}") for n in range(6)]),
        lambda trial: {f"x{n}": trial.suggest_float(f"x{n}", 0, 1) for n in range(6)},
    ),
}


def by_optuna(name, seed):
    function, _, suggest = FUNCTIONS[name]
    study = optuna.create_study(sampler=optuna.samplers.TPESampler(seed=seed))
    study.optimize(lambda trial: function(suggest(trial)), n_trials=BUDGET)
    return study.best_value


def by_clary(name, seed, strategy="Bayesian"):
    function, parameters, _ = FUNCTIONS[name]
    return min(trial.objective for trial in play(request(parameters, strategy, jobs=BUDGET, seed=seed), function))


@cache
def left(how, name, *strategy):
    """The mean over the seeds of what is left to the optimum, which is 0, in orders of magnitude."""
    return fmean(math.log10(how(name, seed, *strategy)) for seed in SEEDS)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_bayesian_is_no_worse_than_optuna_alone(name):
    assert left(by_clary, name) <= left(by_optuna, name) + NOISE


def test_bayesian_is_no_worse_than_optuna_alone_on_the_whole():
    ours, theirs = (fmean(left(how, name) for name in FUNCTIONS) for how in (by_clary, by_optuna))
    assert ours <= theirs + NOISE / math.sqrt(len(FUNCTIONS))


def test_bayesian_is_better_than_chance():
    drawn = fmean(left(by_clary, name, "Random") for name in FUNCTIONS)
    assert fmean(left(by_clary, name) for name in FUNCTIONS) < drawn - 1
