"""What a tuning needs next, for every way in which its trials and their training jobs may be found."""

from __future__ import annotations

import itertools
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from clary.controllers.trials import Heard, refused
from clary.controllers.tuning import (
    Create,
    Halt,
    Listen,
    Record,
    Remove,
    Seen,
    Wait,
    decide,
)
from clary.lifecycles.tuning_job import no_jobs, no_objectives
from clary.store.rows import Key, Row
from clary.tuning.completion import EXHAUSTED, MAX_JOBS, TARGET
from clary.tuning.trials import Proposal

NOW = 1_700_000_100.0
BEGUN = datetime.fromtimestamp(NOW - 60, UTC)
CONFIG = {
    "Strategy": "Random",
    "TrainingJobEarlyStoppingType": "Off",
    "HyperParameterTuningJobObjective": {"Type": "Minimize", "MetricName": "loss"},
    "ResourceLimits": {"MaxNumberOfTrainingJobs": 6, "MaxParallelTrainingJobs": 2},
}
WATCHED = {"TrainingJobEarlyStoppingType": "Auto"}


class Search:
    """Proposes 0, 1, 2, …, and says what it is told to."""

    def __init__(self, proposals=100, ending=None, stop=()):
        self.proposals, self.ending, self.stop = proposals, ending, list(stop)

    def propose(self, trials, count):
        first = len(trials)
        return [Proposal("", {"x": str(n)}) for n in range(first, min(first + count, self.proposals))]

    def to_stop(self, trials):
        return self.stop

    def ended(self, trials, seconds):
        return self.ending

    def best(self, trials):
        found = [trial for trial in trials if trial.objective is not None]
        return min(found, key=lambda trial: trial.objective).number if found else None

    def not_improving(self, trials):
        return 0

    def has_converged(self, trials):
        return False


def tuning(status="InProgress", target="Completed", config=None, **state):
    key = Key("hyper-parameter-tuning-job", "000000000000", "us-east-1", "t")
    spec = {"HyperParameterTuningJobConfig": {**CONFIG, **(config or {})}, "TrainingJobDefinition": {}}
    first = {"jobs": no_jobs(), "objectives": no_objectives(), "best": None, "not_improving": 0, **state}
    return Row(key, "arn", status, BEGUN, BEGUN, spec, first, target)


def trial(number, status="InProgress", objective=None, **state):
    key = Key("tuning-trial", "000000000000", "us-east-1", f"t-{number + 1:03}-aa")
    spec = {"number": number, "definition": "", "values": {"x": str(number)}, "arn": f"arn:{number}"}
    found = {**({"objective": objective} if objective is not None else {}), **state}
    return Row(key, "", status, BEGUN, BEGUN, spec, found, parent="t", version=1)


def job(of, status="Training", target="Completed", loss=None, **state):
    key = replace(of.key, kind="training-job")
    metrics = [{"MetricName": "loss", "Value": loss, "Timestamp": NOW}] if loss is not None else []
    return Row(key, of.spec["arn"], status, BEGUN, BEGUN, {}, {"metrics": metrics, **state}, target)


def seen(*trials, jobs=(), search=None, heard=None):
    names = {each.key.name: each for each in jobs}
    fresh = map("{:08x}".format, itertools.count(1)).__next__
    return Seen(search or Search(), trials, names, heard or {}, fresh)


def recorded(step):
    assert isinstance(step, Record), step
    return step


def test_a_new_tuning_writes_down_its_first_trials_before_it_creates_their_jobs():
    step = recorded(decide(tuning(), seen(), NOW))
    assert [each.key.name for each in step.trials] == ["t-001-00000001", "t-002-00000002"]
    assert [each.spec["values"] for each in step.trials] == [{"x": "0"}, {"x": "1"}]
    assert {each.parent for each in step.trials} == {"t"}
    assert step.row.state["jobs"]["InProgress"] == step.row.state["objectives"]["Pending"] == 2


def test_whatever_was_written_down_and_has_no_job_gets_it_first():
    first, second = trial(0), trial(1)
    for row in (tuning(), tuning(target="Stopped"), tuning(ending=TARGET)):
        assert decide(row, seen(first, second, jobs=[job(first, "Completed", loss=1.0)]), NOW) == Create((second,))


def test_a_job_that_has_ended_is_recorded_together_with_the_trial_that_takes_its_place():
    first, second = trial(0), trial(1)
    ended = job(first, "Completed", loss=0.5, training_start=NOW - 9, training_end=NOW - 1)
    step = recorded(decide(tuning(), seen(first, second, jobs=[ended, job(second)]), NOW))
    settled, fresh = step.trials
    assert (settled.status, settled.state["objective"], settled.state["started"]) == ("Completed", 0.5, NOW - 9)
    assert (fresh.spec["number"], fresh.status) == (2, "InProgress")
    assert step.row.state["best"] == {"job": "t-001-aa", "objective": 0.5}
    assert step.row.state["jobs"] == {**no_jobs(), "Completed": 1, "InProgress": 2}


def test_nothing_new_is_nothing_to_save():
    first, second = trial(0), trial(1)
    row = tuning(jobs={**no_jobs(), "InProgress": 2}, objectives={**no_objectives(), "Pending": 2})
    assert decide(row, seen(first, second, jobs=[job(first), job(second)]), NOW) == Wait(None)


@pytest.mark.parametrize(
    ("status", "reason", "counter"),
    [
        ("Failed", "AlgorithmError: boom", "NonRetryableError"),
        ("Failed", "InternalServerError: again", "RetryableError"),
        ("Stopped", None, "Stopped"),
        ("MaxRuntimeExceeded", None, "Stopped"),
    ],
    ids=["its own fault", "the machine's fault", "stopped", "out of time"],
)
def test_each_end_of_a_job_has_its_counter(status, reason, counter):
    first = trial(0)
    ended = job(first, status, loss=0.5, **({"failure_reason": reason} if reason else {}))
    step = recorded(decide(tuning(), seen(first, jobs=[ended]), NOW))
    assert step.row.state["jobs"][counter] == 1
    assert step.row.state["objectives"]["Succeeded"] == (0 if status == "Failed" else 1)


def test_a_failed_job_is_no_objective_though_it_printed_one():
    first = trial(0)
    step = recorded(decide(tuning(), seen(first, jobs=[job(first, "Failed", loss=0.1)]), NOW))
    assert "objective" not in step.trials[0].state
    assert step.row.state["best"] is None


def test_it_has_completed_when_no_more_are_started_and_none_is_going_on():
    done = [trial(n, "Completed", 1.0 + n) for n in range(6)]
    step = recorded(decide(tuning(), seen(*done, search=Search(6, MAX_JOBS)), NOW))
    assert (step.row.status, step.row.state["ended"], step.row.state["ending"]) == ("Completed", NOW, MAX_JOBS)
    assert step.row.state["best"]["objective"] == 1.0


def test_a_search_without_anything_left_to_try_has_ended():
    done = [trial(0, "Completed", 1.0)]
    step = recorded(decide(tuning(), seen(*done, search=Search(1)), NOW))
    assert (step.row.status, step.row.state["ending"]) == ("Completed", EXHAUSTED)


@pytest.mark.parametrize(("ending", "halted"), [(TARGET, True), (MAX_JOBS, False)])
def test_what_still_runs_at_the_end_is_stopped_where_it_can_add_nothing(ending, halted):
    first, second = trial(0, "Completed", 0.1), trial(1)
    view = seen(first, second, jobs=[job(second)], search=Search(2, ending))
    row = recorded(decide(tuning(), view, NOW)).row
    assert row.status == "InProgress"
    assert decide(row, view, NOW) == (Halt((second.key.name,)) if halted else Wait(None))
    stopping = seen(first, second, jobs=[job(second, target="Stopped")], search=Search(2, ending))
    assert decide(row, stopping, NOW) == Wait(None)


def test_a_stop_stops_its_jobs_and_is_over_when_they_are():
    first = trial(0)
    row = recorded(decide(tuning(target="Stopped"), seen(first, jobs=[job(first)]), NOW)).row
    assert row.status == "Stopping"
    assert decide(row, seen(first, jobs=[job(first)]), NOW) == Halt((first.key.name,))
    step = recorded(decide(row, seen(first, jobs=[job(first, "Stopped", "Stopped", loss=0.3)]), NOW))
    assert (step.row.status, step.row.state["best"]["objective"]) == ("Stopped", 0.3)
    assert len(step.trials) == 1


def test_a_stop_before_anything_was_proposed():
    assert recorded(decide(tuning(target="Stopped"), seen(), NOW)).row.status == "Stopped"


def test_five_failures_without_success_are_enough_in_awss_words():
    done = [trial(n, "Failed", failure_reason="AlgorithmError: x") for n in range(5)]
    row = recorded(decide(tuning(), seen(*done), NOW)).row
    assert row.status == "Failed"
    assert row.state["failure_reason"].startswith("No training job succeeded after 5 attempts. For additional details")


def test_four_failures_are_not_and_neither_are_five_with_a_success():
    failed = [trial(n, "Failed") for n in range(4)]
    assert len(recorded(decide(tuning(), seen(*failed), NOW)).trials) == 2
    mixed = [*failed, trial(4, "Completed", 0.5)]
    assert len(recorded(decide(tuning(), seen(*mixed), NOW)).trials) == 1


def test_a_success_among_those_that_run_lets_it_go_on():
    failed, last = [trial(n, "Failed") for n in range(5)], trial(5)
    limits = {"MaxNumberOfTrainingJobs": 9, "MaxParallelTrainingJobs": 2}
    waiting = recorded(decide(tuning(config={"ResourceLimits": limits}), seen(*failed, last, jobs=[job(last)]), NOW))
    assert (waiting.trials, waiting.row.status, "ending" in waiting.row.state) == ((), "InProgress", False)
    step = recorded(decide(waiting.row, seen(*failed, last, jobs=[job(last, "Completed", loss=1.0)]), NOW))
    assert len(step.trials) == 3


def test_jobs_that_complete_without_the_metric_are_a_failure_of_their_own():
    done = [trial(n, "Completed") for n in range(5)]
    row = recorded(decide(tuning(), seen(*done), NOW)).row
    assert row.status == "Failed"
    assert row.state["failure_reason"].startswith("No objective metrics found after running 5 training jobs.")


def test_it_is_woken_when_its_time_is_up():
    limits = {**CONFIG["ResourceLimits"], "MaxRuntimeInSeconds": 120}
    first, second = trial(0), trial(1)
    row = tuning(
        config={"ResourceLimits": limits},
        jobs={**no_jobs(), "InProgress": 2},
        objectives={**no_objectives(), "Pending": 2},
    )
    assert decide(row, seen(first, second, jobs=[job(first), job(second)]), NOW) == Wait(60.0)


def test_running_jobs_are_listened_to_where_the_search_asks_what_they_report():
    first, second = trial(0), trial(1)
    state = {"jobs": {**no_jobs(), "InProgress": 2}, "objectives": {**no_objectives(), "Pending": 2}}
    view = seen(first, second, jobs=[job(first), job(second, "Starting")])
    step = decide(tuning(config=WATCHED, **state), view, NOW)
    assert isinstance(step, Listen)
    assert [each.key.name for each in step.jobs] == [first.key.name]
    giving_up = replace(view, search=Search(stop=[0]))
    assert decide(tuning(config=WATCHED, **state), giving_up, NOW) == Halt((first.key.name,))


def test_a_job_that_has_ended_is_listened_to_until_its_last_line():
    first = trial(0)
    ended = job(first, "Completed", loss=0.5)
    row = tuning(config=WATCHED)
    assert decide(row, seen(first, jobs=[ended], heard={first.key.name: Heard((0.9,))}), NOW) == Listen((ended,))
    step = recorded(decide(row, seen(first, jobs=[ended], heard={first.key.name: Heard((0.9, 0.5), True)}), NOW))
    assert step.trials[0].state["reports"] == [0.9, 0.5]


def test_a_job_that_cannot_be_created_is_a_failed_trial():
    gone = refused(trial(0), "ClientError: No S3 objects found", NOW)
    row = recorded(decide(tuning(), seen(gone), NOW)).row
    assert row.state["jobs"]["NonRetryableError"] == 1


def test_what_is_to_be_deleted_is_removed():
    assert decide(tuning("Completed", "Deleted"), seen(), NOW) == Remove()
