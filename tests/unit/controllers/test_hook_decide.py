"""A hook's next step, from its runs and what is seen of what they made."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from clary.controllers.activities import Done, Failed, Pending
from clary.controllers.hook import Ask, Save, Seen, Wait, Work, decide
from clary.hooks.hook import Hook
from clary.hooks.repository import Commit
from clary.lifecycles.hook_run import (
    BUILDING,
    DEPLOYING,
    FAILED,
    FETCHING,
    GOING_ON,
    LIFECYCLE,
    QUEUED,
    SKIPPED,
    SUCCEEDED,
    TRAINING,
)
from clary.store.rows import Key, Row

NOW = datetime(2024, 1, 1, tzinfo=UTC)
LATER = 1_800_000_000.0
ROLE = "arn:aws:iam::000000000000:role/Role"
STEPS = {
    "CreateTrainingJob": {"OutputDataConfig": {"S3OutputPath": "s3://b/o"}},
    "CreateEndpoint": {"EndpointName": "live"},
}
HOOK = Hook(
    name="heights",
    account="000000000000",
    region="us-east-1",
    repository="https://example.org/h.git",
    branch="main",
    folder=".",
    requirements="",
    python="",
    image="heights:latest",
    role=ROLE,
    steps=STEPS,
    secret="",
    token="",
    local=False,
)
DATA = "s3://b/o/heights-1-ab/output/model.tar.gz"
THERE = Seen(model={}, config={})


def run(status, number=1, **state):
    key = Key("hook-run", "000000000000", "us-east-1", f"heights/{number:09}")
    known = {"unique": f"heights-{number}-ab", "image": "image", "model_data": DATA, **state}
    return Row(key, "arn", status, NOW, NOW, {"number": number}, known, parent="heights")


def step(*runs, hook=HOOK, **seen):
    return decide(hook, runs, replace(THERE, **seen), LATER)


def saved(found):
    """The one run that it saves."""
    assert isinstance(found, Save)
    [row] = found.runs
    assert row.state["times"][row.status] == LATER
    return row


def endpoint(status, config, **more):
    return {"EndpointStatus": status, "EndpointConfigName": config, **more}


def test_without_runs_there_is_nothing_to_do():
    assert step() == Wait()


def test_what_a_run_makes_is_named_when_it_begins():
    begun = saved(step(replace(run(QUEUED), state={}), unique="heights-1-cd"))
    assert (begun.status, begun.state["unique"]) == (FETCHING, "heights-1-cd")


def test_of_those_that_wait_the_newest_is_begun():
    found = step(run(QUEUED, 2), run(QUEUED, 3), run(QUEUED, 4))
    assert [(row.spec["number"], row.status) for row in found.runs] == [(2, SKIPPED), (3, SKIPPED)]
    assert all(row.state["reason"] == "a newer push is to be built: run 4" for row in found.runs)
    assert saved(step(run(QUEUED, 4))).status == FETCHING


@pytest.mark.parametrize("status", [FETCHING, BUILDING])
def test_what_goes_on_goes_on_while_another_waits(status):
    assert step(run(status), run(QUEUED, 2), outcome=Pending()) == Wait()


@pytest.mark.parametrize("status", [FETCHING, BUILDING])
def test_work_that_was_not_begun_since_control_started_is_begun(status):
    assert step(run(status), outcome=None) == Work(run(status))
    assert step(run(status), outcome=Pending()) == Wait()
    failed = saved(step(run(status), outcome=Failed("no room")))
    assert (failed.status, failed.state["reason"]) == (FAILED, "no room")


def test_the_commit_that_was_fetched_is_built():
    built = saved(step(run(FETCHING), outcome=Done(Commit("c" * 40, "subject"))))
    assert (built.status, built.state["commit"], built.state["subject"]) == (BUILDING, "c" * 40, "subject")


@pytest.mark.parametrize(
    ("steps", "status"),
    [(STEPS, TRAINING), ({"CreateEndpoint": STEPS["CreateEndpoint"]}, DEPLOYING), ({}, SUCCEEDED)],
    ids=["trains", "deploys", "neither"],
)
def test_what_follows_on_an_image(steps, status):
    found = saved(step(run(BUILDING), hook=replace(HOOK, steps=steps), outcome=Done("image")))
    assert (found.status, found.state["image"]) == (status, "image")


def test_a_job_that_is_not_there_is_created_under_the_runs_name():
    asked = step(run(TRAINING), job=None)
    assert isinstance(asked, Ask)
    assert (asked.operation, asked.params["TrainingJobName"]) == ("CreateTrainingJob", "heights-1-ab")
    assert asked.params["AlgorithmSpecification"]["TrainingImage"] == "image"


def test_a_job_that_is_there_is_waited_for():
    assert step(run(TRAINING), job={"TrainingJobStatus": "InProgress"}) == Wait(1.0)
    done = {"TrainingJobStatus": "Completed", "ModelArtifacts": {"S3ModelArtifacts": "s3://b/new"}}
    trained = saved(step(run(TRAINING), job=done))
    assert (trained.status, trained.state["model_data"]) == (DEPLOYING, "s3://b/new")
    only = replace(HOOK, steps={"CreateTrainingJob": STEPS["CreateTrainingJob"]})
    assert saved(step(run(TRAINING), hook=only, job=done)).status == SUCCEEDED


@pytest.mark.parametrize(
    ("job", "why"),
    [
        ({"TrainingJobStatus": "Failed", "FailureReason": "AlgorithmError: no"}, "AlgorithmError: no"),
        ({"TrainingJobStatus": "Stopped"}, "it was stopped"),
    ],
    ids=["failed", "stopped"],
)
def test_a_job_that_fails_fails_the_run(job, why):
    failed = saved(step(run(TRAINING), job=job))
    assert (failed.status, failed.state["reason"]) == (FAILED, f"training job heights-1-ab: {why}")


def test_model_then_configuration_then_endpoint():
    found = step(run(DEPLOYING), model=None, config=None)
    assert (found.operation, found.params["PrimaryContainer"]) == (
        "CreateModel",
        {"Image": "image", "ModelDataUrl": DATA},
    )
    found = step(run(DEPLOYING), config=None)
    assert (found.operation, found.params["EndpointConfigName"]) == ("CreateEndpointConfig", "heights-1-ab")
    found = step(run(DEPLOYING), endpoint=None)
    assert (found.operation, found.saved.state["asked"]) == ("CreateEndpoint", True)


def test_an_endpoint_that_serves_another_is_updated():
    found = step(run(DEPLOYING), endpoint=endpoint("InService", "before"))
    assert (found.operation, found.saved.state["asked"]) == ("UpdateEndpoint", True)
    assert found.params == {"EndpointName": "live", "EndpointConfigName": "heights-1-ab"}


@pytest.mark.parametrize("status", ["Creating", "Updating", "SystemUpdating", "RollingBack", "Deleting"])
@pytest.mark.parametrize("asked", [True, False], ids=["asked", "not-asked"])
def test_an_endpoint_that_is_being_changed_is_waited_for(status, asked):
    state = {"asked": True} if asked else {}
    assert step(run(DEPLOYING, **state), endpoint=endpoint(status, "before")) == Wait(1.0)


@pytest.mark.parametrize("state", [{}, {"asked": True}], ids=["killed-before-it-was-saved", "saved"])
def test_an_endpoint_that_serves_the_runs_model_is_the_end(state):
    assert saved(step(run(DEPLOYING, **state), endpoint=endpoint("InService", "heights-1-ab"))).status == SUCCEEDED


@pytest.mark.parametrize(
    ("found", "why"),
    [
        (endpoint("InService", "before", FailureReason="no ping"), "endpoint live: no ping"),
        (endpoint("Failed", "heights-1-ab"), "endpoint live: Failed"),
        (None, "endpoint live was deleted"),
    ],
    ids=["rolled-back", "failed", "deleted"],
)
def test_an_endpoint_that_does_not_come_to_serve_it_fails_the_run(found, why):
    failed = saved(step(run(DEPLOYING, asked=True), endpoint=found))
    assert (failed.status, failed.state["reason"]) == (FAILED, why)


@pytest.mark.parametrize("status", GOING_ON)
def test_every_status_that_is_no_end_has_a_step(status):
    assert decide(HOOK, [run(status)], Seen(unique="u", outcome=Pending()), LATER)


def test_what_has_ended_stays():
    assert [status for status in LIFECYCLE.moves if LIFECYCLE.terminal(status)] == [SUCCEEDED, FAILED, SKIPPED]
