"""What a training job needs next: every status, every way that its container and its activities may be found."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clary.compute.base import Absent, Exited, Lost, Running
from clary.controllers.activities import Done, Failed, Pending
from clary.controllers.training import Begin, Cancel, Move, Seen, Start, Stop, Wait, decide, move
from clary.lifecycles.table import ForbiddenTransition
from clary.lifecycles.training_job import LIFECYCLE
from clary.store.rows import Key, Row
from clary.workload.outputs import Outputs

NOW = 1_700_000_100.0
OK = Exited(at=NOW - 1, code=0, since=NOW - 5)
GOOD = Outputs(None, "s3://b/j/output/model.tar.gz", ({"MetricName": "m", "Value": 1.0, "Timestamp": NOW},))
BAD = replace(GOOD, failure="AlgorithmError: boom, exit code: 1")


def job(status="Starting", target="Completed", **state):
    base = (
        {"transitions": [{"Status": status, "StartTime": NOW - 10, "StatusMessage": ""}]}
        if status != "Starting"
        else {}
    )
    if status not in ("Starting",):
        base |= {"container": "c1", "log_stream": "j/algo-1-1"}
    if status in ("Training", "Stopping", "Uploading"):
        base["training_start"] = NOW - 10
    created = datetime.fromtimestamp(NOW - 20, UTC)
    spec = {"StoppingCondition": {"MaxRuntimeInSeconds": 60}}
    key = Key("training-job", "000000000000", "us-east-1", "j")
    return Row(key, "arn", status, created, created, spec, base | state, target)


def seen(container=None, **activities):
    return Seen("fresh", container or Absent(), **activities)


def moved(step):
    assert isinstance(step, Move), step
    return step.row


def test_a_new_job_is_given_its_container_before_anything_is_done():
    row = moved(decide(job(), seen(), NOW))
    assert (row.status, row.state["container"], row.state["log_stream"]) == ("Starting", "fresh", "j/algo-1-1700000100")
    assert decide(row, seen(), NOW) == Begin("environment")
    assert decide(row, seen(environment=Pending()), NOW) == Wait()


def test_starting_is_the_first_transition_and_begins_at_creation():
    row = moved(decide(job(), seen(environment=Done()), NOW))
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
    assert moved(decide(job(status), beside, NOW)).status == expected


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
    assert (stopping.status, stopping.state["timed_out"]) == ("Stopping", True)
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


activity = st.sampled_from([None, Pending(), Done(GOOD), Failed("ClientError: x")])
beside = st.builds(
    Seen,
    fresh=st.just("fresh"),
    container=st.sampled_from([Absent(), Running(NOW), OK, replace(OK, code=1), Lost()]),
    environment=activity,
    bundle=activity,
    outputs=activity,
)


@given(
    st.sampled_from([status for status in LIFECYCLE.moves if not LIFECYCLE.terminal(status)]),
    st.sampled_from(["Completed", "Stopped"]),
    beside,
)
def test_whatever_is_seen_there_is_a_next_step_that_the_lifecycle_allows(status, target, looked):
    step = decide(job(status, target), looked, NOW)
    if isinstance(step, Move):
        LIFECYCLE.check(status, step.row.status)
        times = [entry["StartTime"] for entry in step.row.state["transitions"]]
        assert times == sorted(times)
