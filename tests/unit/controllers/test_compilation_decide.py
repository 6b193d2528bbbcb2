"""What a compilation job needs next."""

import itertools
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clary.compute.base import Absent, Exited, Lost, Running
from clary.controllers.activities import Done, Failed, Pending
from clary.controllers.capacity import Placed, Queued
from clary.controllers.compilation import Seen, Stop, decide
from clary.controllers.steps import Begin, Move, Start, Wait
from clary.lifecycles.compilation_job import LIFECYCLE
from clary.store.rows import Key, Row
from clary.workload.compilation import Artifact

NOW = 1_700_000_000.0
RUNS = Running(NOW - 5)
ENDED = Exited(at=NOW, code=0, since=NOW - 5)


def job(status="STARTING", target="COMPLETED", named=True, **state):
    made = datetime.fromtimestamp(NOW - 20, UTC)
    spec = {"StoppingCondition": {"MaxRuntimeInSeconds": 60}}
    base = {"containers": ["c"], "log_streams": ["j"]} if named else {}
    if status != "STARTING":
        base |= {"start": NOW - 10}
    return Row(Key("compilation-job", "0", "r", "j"), "arn", status, made, made, spec, base | state, target)


def seen(container=None, **beside):
    return Seen(map("fresh-{}".format, itertools.count()).__next__, (container,) if container else (), **beside)


def moved(step):
    assert isinstance(step, Move), step
    return step.row


def test_the_container_and_its_stream_are_named_before_anything_is_done():
    row = moved(decide(job(named=False), seen(), NOW))
    assert (row.state["containers"], row.state["log_streams"]) == (["fresh-0"], ["j"])


@pytest.mark.parametrize(
    ("beside", "step"),
    [
        ({}, Begin("environment")),
        ({"environment": Pending()}, Wait()),
        ({"environment": Done(), "placement": Queued(1)}, Wait()),
    ],
    ids=["builds", "is building", "waits its turn"],
)
def test_before_its_place(beside, step):
    assert decide(job(), seen(**beside), NOW) == step


def test_its_time_begins_with_its_place():
    row = moved(decide(job(), seen(environment=Done(), placement=Placed()), NOW))
    assert (row.status, row.state["start"]) == ("INPROGRESS", NOW)


@pytest.mark.parametrize(
    ("beside", "step"),
    [
        ({}, Begin("bundle")),
        ({"bundle": Pending()}, Wait(50.0)),
        ({"bundle": Done()}, Start()),
        ({"container": RUNS, "bundle": Done()}, Wait(50.0)),
        ({"container": ENDED}, Begin("artifact")),
        ({"container": Lost()}, Begin("artifact")),
        ({"container": ENDED, "artifact": Pending()}, Wait()),
    ],
    ids=["lays out", "is laying out", "starts", "runs", "ended", "lost", "uploads"],
)
def test_in_progress(beside, step):
    assert decide(job("INPROGRESS"), seen(**beside), NOW) == step


def test_ends():
    row = job("INPROGRESS")
    done = moved(decide(row, seen(ENDED, artifact=Done(Artifact(None, "d1"))), NOW))
    assert (done.status, done.state["digest"], done.state["end"]) == ("COMPLETED", "d1", NOW)
    failed = moved(decide(row, seen(ENDED, artifact=Done(Artifact("ClientError: no"))), NOW))
    assert (failed.status, failed.state["failure_reason"], failed.state["end"]) == ("FAILED", "ClientError: no", NOW)
    assert moved(decide(row, seen(ENDED, artifact=Failed("no bucket")), NOW)).status == "FAILED"
    assert moved(decide(row, seen(bundle=Failed("no model")), NOW)).state["failure_reason"] == "no model"
    assert moved(decide(job(), seen(environment=Failed("no Python")), NOW)).status == "FAILED"


@pytest.mark.parametrize("beside", [{"container": RUNS}, {"bundle": Pending()}], ids=["running", "downloading"])
def test_its_time_is_limited(beside):
    row = moved(decide(job("INPROGRESS", start=NOW - 60), seen(**beside), NOW))
    assert (row.status, "MaxRuntimeInSeconds (60)" in row.state["failure_reason"]) == ("FAILED", True)


def test_what_has_ended_in_time_is_uploaded_after_it():
    assert decide(job("INPROGRESS", start=NOW - 90), seen(ENDED), NOW) == Begin("artifact")


def test_stop():
    assert moved(decide(job(target="STOPPED"), seen(), NOW)).status == "STOPPING"
    row = moved(decide(job("INPROGRESS", target="STOPPED"), seen(RUNS), NOW))
    assert decide(row, seen(RUNS), NOW) == Stop()
    assert decide(row, seen(ENDED, artifact=Pending()), NOW) == Stop()
    assert moved(decide(row, seen(ENDED), NOW)).status == "STOPPED"


OUTCOMES = st.sampled_from([None, Pending(), Done(), Failed("x")])


@given(
    status=st.sampled_from([name for name in LIFECYCLE.moves if not LIFECYCLE.terminal(name)]),
    target=st.sampled_from(["COMPLETED", "STOPPED"]),
    container=st.sampled_from([None, Absent(), RUNS, ENDED, Lost()]),
    outcomes=st.tuples(OUTCOMES, OUTCOMES),
    artifact=st.sampled_from([None, Pending(), Done(Artifact(None, "d")), Done(Artifact("no")), Failed("x")]),
    placement=st.sampled_from([Placed(), Queued(3)]),
)
def test_every_state_has_a_next_step_that_the_lifecycle_knows(status, target, container, outcomes, artifact, placement):
    environment, bundle = outcomes
    step = decide(
        job(status, target),
        seen(container, environment=environment, bundle=bundle, artifact=artifact, placement=placement),
        NOW,
    )
    if isinstance(step, Move):
        LIFECYCLE.check(status, step.row.status)
