"""Searches: repeatable, inside their ranges, nothing twice, and unmoved by what breaks."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clary.tuning.completion import EXHAUSTED
from clary.tuning.definitions import definitions
from clary.tuning.search import Search
from clary.tuning.trials import Trial
from tests.unit.tuning.requests import categorical, completed, continuous, integer, play, ranges, request, several

MIXED = ranges(
    [continuous("x", "0.001", "10"), continuous("r", "0.1", "0.9999", "ReverseLogarithmic")],
    [integer("n", "1", "12"), integer("m", "1", "4000", "Logarithmic")],
    [categorical("c", '"16"', '"32"')],
)
STRATEGIES = ("Bayesian", "Random")

OUTCOMES = st.sampled_from(("running", "completed", "failed", "stopped"))
OBJECTIVES = st.one_of(st.none(), st.floats())
HISTORIES = st.lists(st.tuples(OUTCOMES, OBJECTIVES, st.lists(st.floats(), max_size=3)), max_size=16)


def trials_of(search, history):
    """Trials with the search's own values, and whatever may become of them."""
    trials = []
    for status, objective, reports in history:
        for proposal in search.propose(trials, 1):
            trials.append(Trial(len(trials), proposal.definition, proposal.values, status, objective, tuple(reports)))
    return trials


@pytest.mark.parametrize("strategy", STRATEGIES)
@settings(max_examples=25, deadline=None)
@given(history=HISTORIES, aim=st.sampled_from(("Minimize", "Maximize")), seed=st.integers(0, 2**31))
def test_every_value_is_inside_its_range_whatever_became_of_earlier_jobs(strategy, history, aim, seed):
    spec = request(MIXED, strategy, jobs=100, aim=aim, seed=seed)
    search = Search(spec)
    trials = trials_of(search, history)
    [space] = [definition.space for definition in definitions(spec)]
    proposals = search.propose(trials, 2)
    assert len(proposals) == 2
    assert all(space.key(proposal.values) is not None for proposal in proposals)
    assert Search(spec).propose(trials, 2) == proposals
    assert search.to_stop(trials) == []
    best = search.best(trials)
    assert best is None or math.isfinite(trials[best].objective)


EXTREME = {
    "wider than a float": ranges([continuous("x", "-1e308", "1e308")]),
    "of two floats": ranges([continuous("x", "0.1", "0.10000000000000002", "Logarithmic")]),
    "next to zero": ranges([continuous("x", "1e-20", "1e-18", "ReverseLogarithmic")]),
    "of integers beyond floats": ranges([], [integer("x", str(2**62), str(2**62 + 100), "Logarithmic")]),
    "of all integers": ranges([], [integer("x", str(-(2**63)), str(2**63 - 1))]),
}


@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # numpy's, where Optuna is at its limits
@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize("extreme", EXTREME)
def test_a_range_at_the_limits_of_numbers_is_searched_all_the_same(strategy, extreme):
    spec = request(EXTREME[extreme], strategy, jobs=14)
    values = [float(trial.values["x"]) for trial in play(spec, lambda values: float(values["x"]) / 1e300)]
    assert len(values) == 14
    assert len(set(values)) > 1 or extreme == "of integers beyond floats"


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_a_seed_repeats_a_tuning_and_another_does_not(strategy):
    def job(values):
        return abs(float(values["x"]) - 0.7)

    def tried(seed):
        return [trial.values for trial in play(request(strategy=strategy, jobs=15, seed=seed), job)]

    assert tried(1) == tried(1)
    assert tried(1) != tried(2)
    assert tried(None) == tried(None)  # by the tuning's name: it is the same after a crash


def test_a_grid_is_tried_whole_once_in_an_order_of_its_seed():
    space = ranges([], [], [categorical("a", *map(str, range(4))), categorical("b", "x", "y", "z")])

    def tried(seed):
        search, trials = Search(request(space, "Grid", jobs=None, seed=seed)), []
        while found := search.propose(trials, 5):
            assert search.ended(trials, 0) is None
            trials += [Trial(len(trials) + place, "", each.values, "failed", None) for place, each in enumerate(found)]
        assert search.ended(trials, 0) == EXHAUSTED
        return [tuple(trial.values.values()) for trial in trials]

    assert len(tried(1)) == len(set(tried(1))) == 12
    assert tried(1) == tried(1) != tried(2)


@settings(max_examples=20, deadline=None)
@given(sizes=st.lists(st.integers(1, 4), min_size=1, max_size=3), seed=st.integers(0, 2**31), batch=st.integers(1, 7))
def test_a_grid_proposes_nothing_twice(sizes, seed, batch):
    space = ranges([], [], [categorical(f"c{n}", *map(str, range(size))) for n, size in enumerate(sizes)])
    search, seen = Search(request(space, "Grid", jobs=None, seed=seed)), []
    while found := search.propose(seen, batch):
        seen += [Trial(len(seen) + place, "", each.values, "running", None) for place, each in enumerate(found)]
    assert len({tuple(trial.values.values()) for trial in seen}) == len(seen) == math.prod(sizes)


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_a_small_space_is_tried_whole_and_nothing_twice(strategy):
    spec = request(ranges([], [integer("n", "1", "5")], [categorical("c", "a", "b", "c")]), strategy, jobs=15)
    trials = play(spec, lambda values: float(values["n"]))
    assert len({tuple(trial.values.items()) for trial in trials}) == 15
    without_limit = request(
        ranges([], [integer("n", "1", "5")]), strategy, jobs=None, limits={"MaxRuntimeInSeconds": 120}
    )
    assert len(play(without_limit, lambda values: 1.0)) == 5


def test_parallel_jobs_are_not_proposed_alike():
    search = Search(request(MIXED, jobs=100))
    trials = [completed(n, float(n), dict(search.propose([], 1)[0].values) | {"n": str(1 + n % 12)}) for n in range(20)]
    proposals = search.propose(trials, 10)
    assert len({tuple(each.values.items()) for each in proposals}) == 10


def test_no_more_jobs_than_the_limit():
    search = Search(request(strategy="Random", jobs=3))
    assert len(search.propose([], 10)) == 3
    assert len(search.propose([completed(n, 1.0, {"x": str(n / 10)}) for n in range(2)], 10)) == 1
    assert search.propose([completed(n, 1.0) for n in range(3)], 10) == []


def test_failed_jobs_and_those_that_diverged_repel_the_search():
    def job(values):
        x = float(values["x"])
        return math.nan if x > 0.5 else (x - 0.4) ** 2

    trials = play(request(jobs=50), job)
    assert sum(float(trial.values["x"]) <= 0.5 for trial in trials[20:]) > 20
    assert Search(request(jobs=50)).best(trials) is not None


def test_the_best_is_by_the_type_of_the_objective_and_the_first_of_equals():
    trials = [completed(0, 2.0), completed(1, 5.0), completed(2, 5.0), completed(3, math.nan), completed(4, None)]
    trials += [Trial(5, "", {}, "failed", 9.0), Trial(6, "", {}, "running", None, (1.0,))]
    assert Search(request(aim="Maximize")).best(trials) == 1
    assert Search(request(aim="Minimize")).best(trials) == 0
    assert Search(request()).best([]) is None


def test_definitions_get_equally_many_jobs_and_each_its_own_values():
    spaces = ranges([continuous("x")]), ranges([], [integer("n", "1", "9")]), ranges([], [], [categorical()])
    trials = play(several(*spaces, jobs=12), lambda values: float(values.get("x", 0.5)))
    names = [trial.definition for trial in trials]
    assert [names.count(f"d{number}") for number in range(3)] == [5, 4, 3]  # the last has three values only
    assert all(set(trial.values) == {"xnc"[int(trial.definition[1])]} for trial in trials)


def test_a_grid_of_several_definitions_is_all_of_them():
    spaces = ranges([], [], [categorical("a", "1", "2")]), ranges([], [], [categorical("b", "1", "2", "3")])
    trials = play(several(*spaces, strategy="Grid", jobs=None), lambda values: 1.0)
    assert sorted((trial.definition, *trial.values.values()) for trial in trials) == [
        *(("d0", each) for each in "12"),
        *(("d1", each) for each in "123"),
    ]
