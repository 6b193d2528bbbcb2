"""What a training job needs next: every status, every way that its container and its activities may be found."""

from __future__ import annotations

import itertools
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clary.compute.base import Absent, Exited, Lost, Running
from clary.controllers.activities import Done, Failed, Pending
from clary.controllers.capacity import Placed, Queued
from clary.controllers.steps import Begin, Move, Start, Wait
from clary.controllers.training import BROKEN_GRACE, Cancel, Seen, Stop, decide, move
from clary.lifecycles.table import ForbiddenTransition
from clary.lifecycles.training_job import LIFECYCLE
from clary.store.rows import Key, Row
from clary.workload.outputs import Outputs

NOW = 1_700_000_100.0
OK = Exited(at=NOW - 1, code=0, since=NOW - 5)
GOOD = Outputs(None, "s3://b/j/output/model.tar.gz", ({"MetricName": "m", "Value": 1.0, "Timestamp": NOW},))
BAD = replace(GOOD, failure="AlgorithmError: boom, exit code: 1")


def job(status="Starting", target="Completed", spec=None, hosts=1, named=False, **state):
    base = (
        {"transitions": [{"Status": status, "StartTime": NOW - 10, "StatusMessage": ""}]}
        if status != "Starting"
        else {}
    )
    if status != "Starting" or named:
        base |= {"containers": [f"c{n}" for n in range(hosts)], "log_streams": ["j/algo-1-1"] * hosts}
    if status in ("Training", "Stopping", "Uploading"):
        base["training_start"] = NOW - 10
    created = datetime.fromtimestamp(NOW - 20, UTC)
    resources = {"InstanceType": "ml.m5.large", "InstanceCount": hosts}
    spec = {"StoppingCondition": {"MaxRuntimeInSeconds": 60}, "ResourceConfig": resources, **(spec or {})}
    key = Key("training-job", "000000000000", "us-east-1", "j")
    return Row(key, "arn", status, created, created, spec, base | state, target)


def seen(*containers, **activities):
    return Seen(itertools.count().__next__, containers or (Absent(),), **activities)


def moved(step):
    assert isinstance(step, Move), step
    return step.row


def test_a_new_job_is_given_its_container_before_anything_is_done():
    row = moved(decide(job(), seen(), NOW))
    assert (row.status, row.state["containers"], row.state["log_streams"]) == ("Starting", [0], ["j/algo-1-1700000100"])
    assert decide(row, seen(), NOW) == Begin("environment")
    assert decide(row, seen(environment=Pending()), NOW) == Wait()


def test_starting_is_the_first_transition_and_begins_at_creation():
    row = moved(decide(job(named=True), seen(environment=Done(), placement=Placed()), NOW))
    first, second = row.state["transitions"]
    assert first == {
        "Status": "Starting",
        "StartTime": NOW - 20,
        "EndTime": NOW,
        "StatusMessage": "Preparing the instances for training",
    }
    assert second == {"Status": "Downloading", "StartTime": NOW, "StatusMessage": "Downloading input data"}


@pytest.mark.parametrize(
    ("status", "beside", "expected"),
    [
        ("Downloading", seen(), Begin("bundle")),
        ("Downloading", seen(bundle=Pending()), Wait()),
        ("Training", seen(Absent()), Start()),
        ("Training", seen(Running(NOW)), Wait(50.0)),
        ("Stopping", seen(Running(NOW)), Stop()),
        ("Stopping", seen(bundle=Pending()), Cancel("bundle")),
        ("Uploading", seen(OK), Begin("outputs")),
        ("Uploading", seen(OK, outputs=Pending()), Wait()),
    ],
)
def test_what_is_to_be_done(status, beside, expected):
    assert decide(job(status), beside, NOW) == expected


@pytest.mark.parametrize(
    ("status", "beside", "expected"),
    [
        ("Starting", seen(environment=Failed("ClientError: no")), "Failed"),
        ("Starting", seen(environment=Done()), "Downloading"),
        ("Downloading", seen(bundle=Failed("ClientError: no")), "Failed"),
        ("Downloading", seen(bundle=Done()), "Training"),
        ("Training", seen(OK), "Uploading"),
        ("Training", seen(Lost()), "Uploading"),
        ("Stopping", seen(OK), "Uploading"),
        ("Stopping", seen(Lost()), "Uploading"),
        ("Stopping", seen(Absent()), "Stopped"),
        ("Uploading", seen(OK, outputs=Done(GOOD)), "Completed"),
        ("Uploading", seen(OK, outputs=Done(BAD)), "Failed"),
        ("Uploading", seen(OK, outputs=Failed("ClientError: no bucket")), "Failed"),
    ],
)
def test_where_it_goes(status, beside, expected):
    assert moved(decide(job(status, named=True), beside, NOW)).status == expected


@pytest.mark.parametrize("status", ["Starting", "Downloading", "Training"])
def test_stop_is_obeyed_whatever_is_under_way(status):
    container = Running(NOW) if status == "Training" else Absent()
    row = moved(decide(job(status, target="Stopped"), seen(container, bundle=Pending()), NOW))
    assert row.status == "Stopping"


def test_a_job_stopped_before_it_began_has_an_end_and_no_start():
    row = moved(decide(job("Stopping", "Stopped"), seen(), NOW))
    assert row.state["training_end"] == NOW
    assert row.status == "Stopped"


def test_time_is_up():
    row = job("Training", training_start=NOW - 60)
    stopping = moved(decide(row, seen(Running(NOW)), NOW))
    assert (stopping.status, stopping.state["timed_out"]) == ("Stopping", "MaxRuntimeExceeded")
    uploading = moved(decide(stopping, seen(replace(OK, code=143)), NOW))
    ended = moved(decide(uploading, seen(outputs=Done(BAD)), NOW))
    assert (ended.status, "failure_reason" in ended.state) == ("MaxRuntimeExceeded", False)


def test_a_stopped_job_keeps_its_model_and_is_no_failure():
    row = move(job("Training", "Stopped"), "Stopping", NOW)
    row = moved(decide(row, seen(replace(OK, code=143, signal=15)), NOW))
    row = moved(decide(row, seen(outputs=Done(BAD)), NOW))
    assert (row.status, row.state["model_artifacts"]) == ("Stopped", GOOD.model_artifacts)


def test_a_stop_that_comes_after_the_program_ended_changes_nothing():
    row = moved(decide(job("Uploading", "Stopped"), seen(outputs=Done(GOOD)), NOW))
    assert row.status == "Completed"


def test_training_time_is_the_programs_own():
    row = moved(decide(job("Training"), seen(OK), NOW))
    assert (row.state["training_start"], row.state["container_end"]) == (NOW - 5, NOW - 1)


def test_terminal_transition_is_closed_and_says_what_aws_says():
    last = moved(decide(job("Uploading"), seen(outputs=Done(GOOD)), NOW)).state["transitions"][-1]
    assert last == {
        "Status": "Completed",
        "StartTime": NOW,
        "EndTime": NOW,
        "StatusMessage": "Training job completed",
    }


def test_moves_that_the_lifecycle_does_not_know_are_refused():
    with pytest.raises(ForbiddenTransition):
        move(job("Training"), "Completed", NOW)


def test_the_row_that_was_read_is_not_changed():
    row = job("Training")
    before = repr(row)
    decide(row, seen(OK), NOW)
    assert repr(row) == before


RUNS = Running(NOW - 5)
FAILS = replace(OK, code=1)


@pytest.mark.parametrize(
    ("containers", "expected"),
    [
        ((Absent(), Absent()), Start()),
        ((RUNS, Absent()), Start()),
        ((OK, Absent()), Start()),
        ((RUNS, RUNS), Wait(50.0)),
        ((RUNS, OK), Wait(50.0)),
        ((RUNS, FAILS), Stop(BROKEN_GRACE)),
        ((RUNS, Lost()), Stop(BROKEN_GRACE)),
    ],
)
def test_several_hosts_begin_together_and_end_when_one_fails(containers, expected):
    assert decide(job("Training", hosts=2), seen(*containers), NOW) == expected


@pytest.mark.parametrize("containers", [(OK, OK), (OK, FAILS), (FAILS, Lost()), (FAILS, Absent())])
def test_several_hosts_are_through_when_all_have_ended(containers):
    row = moved(decide(job("Training", hosts=2), seen(*containers), NOW))
    assert row.status == "Uploading"


def test_training_time_is_from_the_first_hosts_begin_to_the_last_ones_end():
    late = replace(OK, since=NOW - 3, at=NOW)
    row = moved(decide(job("Training", hosts=2), seen(OK, late), NOW))
    assert (row.state["training_start"], row.state["container_end"]) == (NOW - 5, NOW)


def test_a_job_waits_its_turn_and_says_so_once():
    row = moved(decide(job(named=True), seen(environment=Done(), placement=Queued(2)), NOW))
    assert row.status == "Starting"
    assert row.state["transitions"][-1]["StatusMessage"].startswith("Insufficient capacity error from EC2")
    assert decide(row, seen(environment=Done(), placement=Queued(1)), NOW) == Wait()
    assert moved(decide(row, seen(environment=Done(), placement=Placed()), NOW)).status == "Downloading"


def test_who_waits_longer_than_spot_may_is_cut_off():
    spec = {"StoppingCondition": {"MaxRuntimeInSeconds": 60, "MaxWaitTimeInSeconds": 70}}
    row = job(named=True, spec=spec, transitions=[{"Status": "Starting", "StartTime": NOW, "StatusMessage": ""}])
    queued = moved(decide(row, seen(environment=Done(), placement=Queued(2)), NOW))
    assert decide(queued, seen(environment=Done(), placement=Queued(2)), NOW) == Wait(50.0)
    row = moved(decide(queued, seen(environment=Done(), placement=Queued(2)), NOW + 50))
    assert moved(decide(row, seen(), NOW + 50)).status == "MaxWaitTimeExceeded"


def test_pending_too_long_is_stopped_where_it_waits_for_accelerators():
    spec = {"StoppingCondition": {"MaxPendingTimeInSeconds": 7200}}
    waits = seen(environment=Pending())
    assert decide(job(named=True, spec=spec), waits, NOW + 7200) == Wait()
    gpus = {**spec, "ResourceConfig": {"InstanceType": "ml.g5.xlarge", "InstanceCount": 1}}
    row = moved(decide(job(named=True, spec=gpus), waits, NOW + 7200))
    assert moved(decide(row, seen(), NOW + 7200)).status == "Stopped"


def test_an_interrupted_job_saves_its_checkpoints_and_begins_anew():
    row = moved(decide(job("Training", interrupt=NOW), seen(RUNS), NOW))
    assert (row.status, decide(row, seen(RUNS), NOW)) == ("Interrupted", Stop())
    ended = replace(OK, code=143, signal=15)
    assert decide(row, seen(ended), NOW) == Begin("checkpoints")
    assert decide(row, seen(ended, checkpoints=Pending()), NOW) == Wait()
    row = moved(decide(row, seen(ended, checkpoints=Done()), NOW))
    assert (row.status, row.state["attempts"]) == ("Starting", [(NOW - 5, NOW - 1)])
    assert not {"containers", "interrupt", "training_start"} & set(row.state)
    again = moved(decide(row, seen(), NOW + 1))
    assert again.state["containers"] == [0]


def test_what_earlier_attempts_have_run_counts_for_the_time_limit():
    row = job("Training", attempts=[(NOW - 100, NOW - 60)])
    assert decide(row, seen(RUNS), NOW) == Wait(10.0)


def test_a_stop_ends_an_interrupted_job_too():
    row = job("Interrupted", "Stopped")
    assert moved(decide(row, seen(OK), NOW)).status == "Stopping"


def test_an_error_of_the_machine_is_tried_again_as_often_as_allowed():
    spec = {"RetryStrategy": {"MaximumRetryAttempts": 1}}
    broken = seen(Lost(), outputs=Done(replace(GOOD, failure="InternalServerError: We encountered an internal error.")))
    row = moved(decide(job("Uploading", spec=spec), broken, NOW))
    assert (row.status, row.state["retries"]) == ("Restarting", 1)
    assert "containers" not in row.state
    last = moved(decide(job("Uploading", spec=spec, retries=1), broken, NOW))
    assert (last.status, last.state["failure_reason"][:19]) == ("Failed", "InternalServerError")
    own = moved(decide(job("Uploading", spec=spec), seen(FAILS, outputs=Done(BAD)), NOW))
    assert own.status == "Failed"


activity = st.sampled_from([None, Pending(), Done(GOOD), Failed("ClientError: x")])
beside = st.builds(
    Seen,
    fresh=st.just(itertools.count().__next__),
    containers=st.lists(
        st.sampled_from([Absent(), Running(NOW), OK, replace(OK, code=1), Lost()]), min_size=2, max_size=2
    ).map(tuple),
    placement=st.sampled_from([None, Placed(), Queued(2)]),
    checkpoints=activity,
    environment=activity,
    bundle=activity,
    outputs=activity,
)


@given(
    st.sampled_from([status for status in LIFECYCLE.moves if not LIFECYCLE.terminal(status)]),
    st.sampled_from(["Completed", "Stopped"]),
    st.sampled_from([{}, {"interrupt": NOW}]),
    beside,
)
def test_whatever_is_seen_there_is_a_next_step_that_the_lifecycle_allows(status, target, state, looked):
    step = decide(job(status, target, hosts=2, named=True, **state), looked, NOW)
    if isinstance(step, Move):
        LIFECYCLE.check(status, step.row.status)
        times = [entry["StartTime"] for entry in step.row.state["transitions"]]
        assert times == sorted(times)
