"""Jobs that are stopped before their end: by the median of the others, or by Hyperband."""

from __future__ import annotations

import math

from hypothesis import given, settings
from hypothesis import strategies as st

from clary.tuning.definitions import definitions
from clary.tuning.hyperband import Brackets, to_stop
from clary.tuning.search import Search
from clary.tuning.trials import Trial
from tests.unit.tuning.requests import completed, request, running

EARLY = Search(request(TrainingJobEarlyStoppingType="Auto"))
MAXIMIZING = Search(request(TrainingJobEarlyStoppingType="Auto", aim="Maximize"))


def hyperband(least=1, most=9, **given):
    config = {"HyperbandStrategyConfig": {"MinResource": least, "MaxResource": most}}
    return Search(request(strategy="Hyperband", StrategyConfig=config, **given))


def falling(number, *reports):
    return completed(number, reports[-1], reports=reports)


SIX = [falling(number, 9.0, 5.0, 3.0 + number / 10, 2.0) for number in range(6)]
"""Their averages up to the third epoch are 17/3 and a little more."""


def test_a_job_worse_than_the_median_of_the_averages_is_stopped():
    assert EARLY.to_stop([*SIX, running(6, (9.0, 9.0, 5.6)), running(7, (9.0, 9.0, 6.1))]) == [7]
    assert MAXIMIZING.to_stop([*SIX, running(6, (9.0, 9.0, 5.6)), running(7, (9.0, 9.0, 6.1))]) == [6]


def test_nothing_is_stopped_before_there_is_enough_to_compare_with():
    bad = running(6, (99.0, 99.0, 99.0))
    assert EARLY.to_stop([*SIX[:4], bad]) == []
    assert EARLY.to_stop([*SIX, running(6, (99.0, 99.0))]) == []
    assert EARLY.to_stop([*SIX, running(6)]) == []
    assert EARLY.to_stop([*SIX, running(6, (99.0,) * 5)]) == []  # none of the others got so far
    assert Search(request()).to_stop([*SIX, bad]) == []


def test_one_that_diverges_is_worse_than_all():
    assert EARLY.to_stop([*SIX, running(6, (9.0, 5.0, math.nan))]) == [6]
    spoilt = [completed(number, 1.0, reports=(math.nan, 1.0, 1.0)) for number in range(6)]
    assert EARLY.to_stop([*spoilt, running(6, (9.0, 5.0, math.nan))]) == []


def test_stopped_jobs_count_for_the_epochs_that_they_reached():
    stopped = [Trial(number, "", {}, "stopped", 3.0, (9.0, 5.0, 3.0)) for number in range(5)]
    assert EARLY.to_stop([*stopped, running(5, (9.0, 9.0, 9.0))]) == [5]
    failed = [trial._replace(status="failed") for trial in stopped]
    assert EARLY.to_stop([*failed, running(5, (9.0, 9.0, 9.0))]) == []


def test_brackets_begin_low_and_rise_threefold():
    brackets = Brackets(1, 27)
    rungs = [brackets.rungs(index) for index in range(60)]
    assert rungs[0] == (1, 3, 9)
    assert {(1, 3, 9), (3, 9), (9,), ()} == set(rungs)
    assert [rungs[:49].count(each) for each in ((1, 3, 9), (3, 9), (9,), ())] == [27, 12, 6, 4]
    assert Brackets(5, 20).rungs(0) == (5, 15)


def test_at_a_rung_the_best_third_goes_on():
    search = hyperband()
    at_first = [running(number, (float(number),)) for number in range(6)]
    assert search.to_stop(at_first) == [2, 3, 4, 5]
    assert search.to_stop(at_first[:2]) == []  # too few to compare
    assert hyperband(aim="Maximize").to_stop(at_first) == [0, 1, 2, 3]


def test_between_rungs_the_last_rung_counts():
    search = hyperband()
    assert search.to_stop([running(0, (1.0, 99.0)), running(1, (2.0, 0.1)), running(2, (3.0, 0.1))]) == [1, 2]


def test_a_job_below_its_first_rung_goes_on():
    search = hyperband(least=3)
    assert search.to_stop([running(number, (99.0, float(number))) for number in range(5)]) == []


def test_ended_jobs_are_rivals_and_failed_ones_are_not():
    search = hyperband()
    ended = [completed(number, 0.1, reports=(0.1,)) for number in range(3)]
    assert search.to_stop([*ended, running(3, (5.0,))]) == [3]
    failed = [Trial(number, "", {}, "failed", None) for number in range(3)]
    assert search.to_stop([*failed, running(3, (5.0,))]) == []


def test_what_diverged_does_not_go_on():
    search = hyperband()
    assert search.to_stop([running(0, (math.nan,)), running(1, (2.0,)), running(2, (3.0,))]) == [0, 2]


def test_used_up_reports_end_a_job_unless_it_ends_by_itself():
    assert hyperband().to_stop([running(0, (1.0,) * 9)]) == [0]
    assert hyperband(static={"epochs": "9"}).to_stop([running(0, (1.0,) * 9)]) == []
    assert hyperband(static={"epochs": "50"}).to_stop([running(0, (1.0,) * 9)]) == [0]


REPORTS = st.lists(st.floats(), max_size=12)
STATUSES = st.sampled_from(("running", "completed", "failed", "stopped"))


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(STATUSES, REPORTS), max_size=20), st.integers(1, 5), st.integers(6, 30))
def test_only_running_jobs_past_the_least_are_stopped_and_never_all(history, least, most):
    [definition] = definitions(request())
    trials = [
        Trial(number, "", {}, status, reports[-1] if status != "running" and reports else None, tuple(reports))
        for number, (status, reports) in enumerate(history)
    ]
    stopped = [trials[number] for number in to_stop(definition, trials, Brackets(least, most))]
    assert all(trial.status == "running" and len(trial.reports) >= least for trial in stopped)
    spent = [trial for trial in trials if len(trial.reports) >= most]
    compared = [trial for trial in trials if len(trial.reports) >= least or trial.status == "completed"]
    assert len(stopped) < len(compared) or not stopped or spent
