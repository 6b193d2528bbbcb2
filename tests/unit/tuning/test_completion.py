"""When a tuning is over."""

from __future__ import annotations

import math

from clary.tuning.completion import CONVERGED, EXHAUSTED, MAX_JOBS, MAX_RUNTIME, NOT_IMPROVING, STOPS_RUNNING, TARGET
from clary.tuning.search import Search
from tests.unit.tuning.requests import completed, request, running


def criteria(**given):
    return {"TuningJobCompletionCriteria": given}


def trials(*objectives):
    return [completed(number, objective, {"x": str(number / 1000)}) for number, objective in enumerate(objectives)]


def test_it_goes_on_until_its_number_of_jobs():
    search = Search(request(jobs=3))
    assert search.ended(trials(1.0, 2.0), 1e9) is None
    assert search.ended([*trials(1.0, 2.0), running(2)], 0) == MAX_JOBS
    assert MAX_JOBS not in STOPS_RUNNING
    assert EXHAUSTED not in STOPS_RUNNING


def test_its_time_may_be_up():
    search = Search(request(limits={"MaxRuntimeInSeconds": 600}))
    assert search.ended([], 599.9) is None
    assert search.ended([], 600.0) == MAX_RUNTIME
    assert MAX_RUNTIME in STOPS_RUNNING


def test_a_target_is_reached_from_its_side():
    for aim, below, above in (("Minimize", TARGET, None), ("Maximize", None, TARGET)):
        search = Search(request(aim=aim, **criteria(TargetObjectiveMetricValue=0.5)))
        assert search.ended(trials(0.4), 0) == below
        assert search.ended(trials(0.6), 0) == above
        assert search.ended(trials(0.5), 0) == TARGET
        assert search.ended([*trials(math.nan), completed(1, None), running(2, (0.4, 0.6))], 0) is None


def test_jobs_in_a_row_that_improve_by_less_than_a_percent():
    patience = criteria(BestObjectiveNotImproving={"MaxNumberOfTrainingJobsNotImproving": 3})
    search = Search(request(**patience))
    assert search.ended(trials(1.0, 0.995, 2.0), 0) is None
    assert search.ended(trials(1.0, 0.995, 2.0, math.nan), 0) == NOT_IMPROVING
    assert search.ended(trials(1.0, 0.995, 2.0, 0.98), 0) is None
    assert search.not_improving(trials(1.0, 0.995, 2.0, 0.98, 3.0)) == 1


def test_small_steps_add_up_to_an_improvement():
    search = Search(request(aim="Maximize"))
    assert search.not_improving(trials(1.0, 1.006, 1.012)) == 0


def test_a_record_of_zero_can_be_beaten():
    search = Search(request())
    assert search.not_improving(trials(0.0, 0.0, -1e-9)) == 0
    assert search.not_improving(trials(0.0, 0.0)) == 1


def test_jobs_without_any_objective_are_no_convergence():
    search = Search(request(jobs=100, **criteria(ConvergenceDetected={"CompleteOnConvergence": "Enabled"})))
    assert search.ended(trials(*[math.nan] * 50), 0) is None


def test_convergence_ends_only_what_asks_for_it():
    flat = trials(*[1.0] * 40)
    asked = criteria(ConvergenceDetected={"CompleteOnConvergence": "Enabled"})
    assert Search(request(jobs=100, **asked)).ended(flat, 0) == CONVERGED
    assert Search(request(jobs=100, **asked)).ended(flat[:10], 0) is None
    off = criteria(ConvergenceDetected={"CompleteOnConvergence": "Disabled"})
    assert Search(request(jobs=100, **off)).ended(flat, 0) is None
    assert Search(request(jobs=100)).has_converged(flat)
