"""What a batch transform job needs next."""

import itertools
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clary.compute.base import Absent, Exited, Lost, Running
from clary.controllers.activities import Done, Failed, Pending
from clary.controllers.capacity import Placed, Queued
from clary.controllers.steps import Begin, Move, Start, Wait
from clary.controllers.transform import TRIES, Seen, Stop, decide
from clary.lifecycles.transform_job import LIFECYCLE
from clary.store.rows import Key, Row
from clary.workload.transform_round import Result

NOW = 1_700_000_000.0
RUNS = Running(NOW - 5)
ENDED = Exited(at=NOW, code=1, since=NOW - 5)


TWO = [{"Image": "i"}, {"Image": "j"}]


def job(status="Starting", target="Completed", count=1, named=True, **state):
    made = datetime.fromtimestamp(NOW - 20, UTC)
    spec = {"TransformResources": {"InstanceType": "ml.m5.large", "InstanceCount": count}}
    base = {"container_definitions": [{"Image": "i"}]}
    if named:
        base |= {"containers": [f"c{n}" for n in range(count)], "log_streams": ["s"] * count, "job": "folder"}
    if status != "Starting":
        base |= {"started": NOW - 10, "transform_start": NOW - 10}
    return Row(Key("transform-job", "0", "r", "t"), "arn", status, made, made, spec, base | state, target)


def seen(*containers, healthy=True, **beside):
    states = containers or (Absent(),)
    return Seen(map("fresh-{}".format, itertools.count()).__next__, states, tuple(healthy for _ in states), **beside)


def moved(step):
    assert isinstance(step, Move), step
    return step.row


def test_ids_are_chosen_before_anything_is_done():
    row = moved(decide(job(named=False, count=2), seen(), NOW))
    assert (row.state["job"], row.state["containers"], len(row.state["log_streams"])) == (
        "fresh-2",
        ["fresh-0", "fresh-1"],
        2,
    )


@pytest.mark.parametrize(
    ("beside", "step"),
    [
        ({}, Begin("environment")),
        ({"environment": Pending()}, Wait()),
        ({"environment": Done(), "placement": Queued(1)}, Wait()),
        ({"environment": Done(), "placement": Placed()}, Begin("bundle")),
        ({"environment": Done(), "placement": Placed(), "bundle": Pending()}, Wait()),
    ],
)
def test_before_the_containers(beside, step):
    assert decide(job(), seen(**beside), NOW) == step


def test_containers_are_asked_once_all_answer():
    row = job("Transforming", count=2)
    assert decide(row, seen(RUNS, Absent(), bundle=Done()), NOW) == Start()
    assert decide(row, Seen(int, (RUNS, RUNS), (True, False)), NOW) == Wait(470.0)
    assert decide(row, seen(RUNS, RUNS), NOW) == Begin("transform")
    assert decide(row, seen(RUNS, RUNS, transform=Pending()), NOW) == Wait()


def test_successors_have_their_model_laid_out_before_they_start():
    row = job("Transforming", restarts=1)
    assert decide(row, seen(), NOW) == Begin("bundle")
    assert decide(row, seen(bundle=Pending()), NOW) == Wait()
    failed = moved(decide(row, seen(bundle=Failed("no room")), NOW))
    assert (failed.status, failed.state["failure_reason"]) == ("Failed", "no room")


def test_ends():
    row = job("Transforming")
    assert moved(decide(row, seen(RUNS, transform=Done(Result())), NOW)).status == "Completed"
    failed = moved(decide(row, seen(RUNS, transform=Done(Result("ClientError: See job logs"))), NOW))
    assert (failed.status, failed.state["failure_reason"]) == ("Failed", "ClientError: See job logs")
    assert moved(decide(row, seen(RUNS, transform=Failed("ClientError: no bucket")), NOW)).status == "Failed"


def test_containers_that_end_are_replaced_and_the_folder_stays():
    for found in (seen(ENDED), seen(Lost()), seen(RUNS, transform=Done(Result(lost=True)))):
        row = moved(decide(job("Transforming"), found, NOW))
        assert (row.status, row.state["restarts"], row.state["job"]) == ("Transforming", 1, "folder")
        assert row.state["containers"] != ["c0"]
    last = moved(decide(job("Transforming", restarts=TRIES - 1), seen(ENDED), NOW))
    assert last.status == "Failed"
    assert "exit code 1" in last.state["failure_reason"]


def test_containers_that_never_answer():
    row = job("Transforming", started=NOW - 480)
    assert "ping" in moved(decide(row, seen(RUNS, healthy=False), NOW)).state["failure_reason"]
    dead = moved(decide(job("Transforming", restarts=TRIES - 1), seen(ENDED, healthy=False), NOW))
    assert "ping" in dead.state["failure_reason"]


def test_a_program_that_does_not_exist_is_told_at_once():
    refused = Exited(at=NOW, code=127, reason="serve: No such file or directory")
    row = moved(decide(job("Transforming"), seen(refused, healthy=False), NOW))
    assert (row.status, "No such file" in row.state["failure_reason"]) == ("Failed", True)


def test_every_instance_has_all_containers_of_the_model():
    row = moved(decide(job(named=False, count=2, container_definitions=TWO), seen(), NOW))
    assert row.state["containers"] == [f"fresh-{number}" for number in range(4)]
    assert row.state["log_streams"] == [
        f"t/i-0fresh-{first}-{int(NOW)}/container-{number}" for first in (0, 2) for number in (1, 2)
    ]


@pytest.mark.parametrize(
    ("containers", "healthy", "said"),
    [
        ((RUNS, ENDED), (True, True), "The container-2 ended while it was asked (exit code 1)"),
        ((RUNS, ENDED), (False, False), "The container-2 did not pass the ping health check"),
        ((RUNS, RUNS, ENDED, RUNS), (True, True, False, True), "The container-1 did not pass the ping health check"),
    ],
)
def test_the_container_that_failed_is_named(containers, healthy, said):
    row = job("Transforming", restarts=TRIES - 1, container_definitions=TWO, count=len(containers) // 2)
    failed = moved(decide(row, Seen(int, containers, healthy), NOW))
    assert said in failed.state["failure_reason"]


def test_stop():
    row = moved(decide(job("Transforming", target="Stopped"), seen(RUNS, transform=Pending()), NOW))
    assert decide(row, seen(RUNS, transform=Pending()), NOW) == Stop()
    assert decide(row, seen(RUNS, transform=Failed("cancelled")), NOW) == Stop()
    assert moved(decide(row, seen(ENDED, transform=Failed("cancelled")), NOW)).status == "Stopped"


activity = st.sampled_from([None, Pending(), Done(Result()), Done(Result(lost=True)), Failed("ClientError: x")])


@given(
    st.sampled_from([status for status in LIFECYCLE.moves if not LIFECYCLE.terminal(status)]),
    st.sampled_from(["Completed", "Stopped"]),
    st.sampled_from([Absent(), RUNS, ENDED, Lost()]),
    st.booleans(),
    st.tuples(activity, activity, activity),
)
def test_whatever_is_seen_there_is_a_next_step(status, target, container, healthy, outcomes):
    environment, bundle, transform = outcomes
    beside = {"environment": environment, "bundle": bundle, "transform": transform}
    step = decide(job(status, target), seen(container, healthy=healthy, **beside), NOW)
    if isinstance(step, Move):
        LIFECYCLE.check(status, step.row.status)
