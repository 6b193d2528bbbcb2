"""UpdateEndpoint's deployments under load: shares of the traffic hold, alarms take them back, no request fails."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.running import RunningClary, wait_until
from tests.system.endpoints import (
    CLIENTS,
    at_rest,
    configure,
    deploy,
    kill_one,
    load,
    model,
    more,
    near,
    sample,
    says,
    serving,
    variant,
)
from tests.system.jobs import JOB_SECONDS, Jobs

pytestmark = [pytest.mark.system]

LONG = 3600
"""Seconds of baking that nobody waits for."""

SAMPLE = 1000

ALARMED_SECONDS = 300
"""Within them an alarm has seen a whole minute, and more."""


@pytest.fixture(scope="module")
def jobs(shared: RunningClary) -> Iterator[Jobs]:
    yield Jobs(shared)


def alarm(jobs: Jobs, name: str) -> str:
    """An alarm that is in the state that it is set to: nothing is ever known of its metric."""
    cloudwatch = jobs.clary.client("cloudwatch")
    cloudwatch.put_metric_alarm(
        AlarmName=name,
        Namespace="AWS/SageMaker",
        MetricName="Invocation5XXErrors",
        Dimensions=[{"Name": "EndpointName", "Value": "nobody"}, {"Name": "VariantName", "Value": "v"}],
        Statistic="Sum",
        Period=60,
        EvaluationPeriods=1,
        Threshold=1,
        ComparisonOperator="GreaterThanOrEqualToThreshold",
        TreatMissingData="ignore",
    )
    trip(jobs, name, "OK")
    return name


def alarm_on_errors(jobs: Jobs, endpoint: str, config: str) -> str:
    """One that watches what the replicas of this configuration answer, minute by minute."""
    named = {"EndpointName": endpoint, "VariantName": "v", "EndpointConfigName": config}
    jobs.clary.client("cloudwatch").put_metric_alarm(
        AlarmName=f"{endpoint}-5xx",
        Namespace="AWS/SageMaker",
        MetricName="Invocation5XXErrors",
        Dimensions=[{"Name": name, "Value": value} for name, value in named.items()],
        Statistic="Sum",
        Period=60,
        EvaluationPeriods=1,
        Threshold=1,
        ComparisonOperator="GreaterThanOrEqualToThreshold",
        TreatMissingData="notBreaching",
    )
    return f"{endpoint}-5xx"


def trip(jobs: Jobs, name: str, state: str = "ALARM") -> None:
    jobs.clary.client("cloudwatch").set_alarm_state(AlarmName=name, StateValue=state, StateReason="a test")


def blue_green(kind: str, wait: int, termination: int = 0, **size: Any) -> dict[str, Any]:
    routing = {"Type": kind, "WaitIntervalInSeconds": wait, **size}
    return {"BlueGreenUpdatePolicy": {"TrafficRoutingConfiguration": routing, "TerminationWaitInSeconds": termination}}


def percent(value: int) -> dict[str, Any]:
    return {"Type": "CAPACITY_PERCENT", "Value": value}


def update(jobs: Jobs, name: str, config: str, deployment: dict[str, Any]) -> None:
    jobs.sagemaker.update_endpoint(EndpointName=name, EndpointConfigName=config, DeploymentConfig=deployment)


def stage(jobs: Jobs, name: str) -> str | None:
    """Of the first variant that is coming; None where none is, or nothing is said of it."""
    pending = jobs.sagemaker.describe_endpoint(EndpointName=name).get("PendingDeploymentSummary")
    status = pending["ProductionVariants"][0].get("VariantStatus") if pending else None
    return status[0]["Status"] if status else None


def baking(jobs: Jobs, name: str) -> None:
    wait_until(lambda: stage(jobs, name) == "Baking", JOB_SECONDS, f"{name} bakes")


def only(answers: Counter[str], one: str, other: str) -> None:
    """Requests are answered by `one` of the models, and not by the `other` any more but for what was on its way."""
    wait_until(more(answers, one), 60, f"{one} answers")
    before = answers[other]
    wait_until(more(answers, one), 60, f"{one} goes on")
    assert answers[other] <= before + CLIENTS


def control_answers(jobs: Jobs) -> bool:
    try:
        jobs.sagemaker.list_endpoints()
    except ClientError:
        return False
    return True


def test_a_canary_has_its_share_whatever_is_killed_and_an_alarm_takes_it_back(jobs: Jobs) -> None:
    name = deploy(jobs, "canary", variant("v", model(jobs, "canary-1"), 2))
    second = configure(jobs, "canary-second", variant("v", model(jobs, "canary-2"), 2))
    canary = blue_green("CANARY", LONG, CanarySize=percent(10))
    with load(jobs, name) as (answers, failures):
        alarms = {"AutoRollbackConfiguration": {"Alarms": [{"AlarmName": alarm(jobs, "canary-errors")}]}}
        update(jobs, name, second, {**canary, **alarms})
        baking(jobs, name)
        wait_until(lambda: answers["canary-2"] > 0, 60, "the canary answers")
        held, said = near(sample(answers, SAMPLE), "canary-2", 0.1)
        assert held, said
        shown = jobs.sagemaker.describe_endpoint(EndpointName=name)
        assert (shown["EndpointStatus"], shown["EndpointConfigName"]) == ("Updating", name)
        pending = shown["PendingDeploymentSummary"]
        assert pending["ProductionVariants"][0]["VariantStatus"][0]["StatusMessage"] == (
            "Baking for 3600 seconds (WaitIntervalInSeconds) with traffic enabled on canary capacity of 1 instance(s)."
        )
        kill_one(jobs, name, "canary-1")
        jobs.clary.kill("control")
        wait_until(lambda: control_answers(jobs), 60, "control is back")
        wait_until(more(answers, "canary-2"), 60, "the canary answers as before")
        assert stage(jobs, name) == "Baking"
        trip(jobs, "canary-errors")
        described = at_rest(jobs, name)
        only(answers, "canary-1", "canary-2")
    assert failures == []
    assert (described["EndpointStatus"], described["EndpointConfigName"]) == ("InService", name)
    assert described["FailureReason"] == ("The alarm(s) canary-errors of AutoRollbackConfiguration are in ALARM state.")
    update(jobs, name, second, {**canary, **alarms})
    at_once = at_rest(jobs, name)
    assert at_once["FailureReason"] == described["FailureReason"], "an alarm that has tripped before lets nothing begin"


def test_linear_steps_go_on_where_control_was_killed(jobs: Jobs) -> None:
    name = deploy(jobs, "linear", variant("v", model(jobs, "linear-1")))
    second = configure(jobs, "linear-second", variant("v", model(jobs, "linear-2")))
    with load(jobs, name) as (answers, failures):
        update(jobs, name, second, blue_green("LINEAR", 2, 1, LinearStepSize=percent(50)))
        baking(jobs, name)
        jobs.clary.kill("control")
        wait_until(lambda: control_answers(jobs), 60, "control is back")
        described = at_rest(jobs, name)
        only(answers, "linear-2", "linear-1")
    assert failures == []
    assert (described["EndpointStatus"], described["EndpointConfigName"]) == ("InService", second)
    assert described["LastDeploymentConfig"]["BlueGreenUpdatePolicy"]["TerminationWaitInSeconds"] == 1


def test_the_old_fleet_stays_until_its_termination_and_takes_all_traffic_back(jobs: Jobs) -> None:
    name = deploy(jobs, "waiting", variant("v", model(jobs, "waiting-1")))
    second = configure(jobs, "waiting-second", variant("v", model(jobs, "waiting-2")))
    old, tripping = serving(jobs, "waiting-1"), alarm(jobs, "waiting-errors")
    alarms = {"AutoRollbackConfiguration": {"Alarms": [{"AlarmName": tripping}]}}
    with load(jobs, name) as (answers, failures):
        update(jobs, name, second, {**blue_green("ALL_AT_ONCE", 0, LONG), **alarms})
        only(answers, "waiting-2", "waiting-1")
        trip(jobs, tripping)
        described = at_rest(jobs, name)
        only(answers, "waiting-1", "waiting-2")
    assert failures == []
    assert described["EndpointConfigName"] == name
    assert serving(jobs, "waiting-1") == old, "nothing had to be started for it"


def test_a_rolling_update_replaces_instances_one_after_the_other_and_comes_back(jobs: Jobs) -> None:
    name = deploy(jobs, "rolling", variant("v", model(jobs, "rolling-1"), 2))
    second = configure(jobs, "rolling-second", variant("v", model(jobs, "rolling-2"), 2))
    one = {"Type": "INSTANCE_COUNT", "Value": 1}
    with load(jobs, name) as (answers, failures):
        policy = {"MaximumBatchSize": one, "WaitIntervalInSeconds": 0}
        update(jobs, name, second, {"RollingUpdatePolicy": policy})
        found, most = at_rest_seeing_instances(jobs, name)
        assert (found["EndpointStatus"], found["EndpointConfigName"]) == ("InService", second)
        assert most <= 3, "never more than one beyond the two"
        wait_until(more(answers, "rolling-2"), 60, "the new one answers")
        tripping = alarm(jobs, "rolling-errors")
        back = {"MaximumBatchSize": one, "WaitIntervalInSeconds": LONG, "RollbackMaximumBatchSize": one}
        alarms = {"Alarms": [{"AlarmName": tripping}]}
        update(jobs, name, name, {"RollingUpdatePolicy": back, "AutoRollbackConfiguration": alarms})
        baking(jobs, name)
        trip(jobs, tripping)
        found = at_rest(jobs, name)
        wait_until(more(answers, "rolling-2"), 60, "the one that served answers")
    assert failures == []
    assert (found["EndpointConfigName"], found["ProductionVariants"][0]["CurrentInstanceCount"]) == (second, 2)


def at_rest_seeing_instances(jobs: Jobs, name: str) -> tuple[Any, int]:
    """Wait until the update has ended: the description, and the most instances that were seen at a time."""
    counts = [0]

    def rested() -> Any:
        found = jobs.sagemaker.describe_endpoint(EndpointName=name)
        fleets = (found, found.get("PendingDeploymentSummary", {}))
        counts.append(sum(fleet["ProductionVariants"][0]["CurrentInstanceCount"] for fleet in fleets if fleet))
        return found if found["EndpointStatus"] == "InService" else None

    return wait_until(rested, JOB_SECONDS, f"{name} is at rest"), max(counts)


def test_a_bad_version_under_canary_fails_its_share_only_and_not_afterwards(jobs: Jobs) -> None:
    name = deploy(jobs, "breaking", variant("v", model(jobs, "breaking-1")))
    second = configure(jobs, "breaking-second", variant("v", model(jobs, "breaking-2", breaks=True)))
    tripping = alarm(jobs, "breaking-errors")
    alarms = {"AutoRollbackConfiguration": {"Alarms": [{"AlarmName": tripping}]}}
    with load(jobs, name) as (answers, failures):
        update(jobs, name, second, {**blue_green("CANARY", LONG, CanarySize=percent(10)), **alarms})
        wait_until(lambda: len(failures) > 10, JOB_SECONDS, "the canary fails")
        trip(jobs, tripping)
        described = at_rest(jobs, name)
        wait_until(more(answers, "breaking-1"), 60, "the old one answers")
        failed = len(failures)
        wait_until(more(answers, "breaking-1"), 60, "and goes on")
        assert len(failures) <= failed + CLIENTS, "no more than what was on its way"
        assert all("ModelError" in str(failure) for failure in failures)
        assert len(failures) < 0.5 * sum(answers.values())
    assert "are in ALARM state" in described["FailureReason"]
    assert says(jobs, name) == ("v", "breaking-1")


@pytest.mark.long  # an alarm looks at whole minutes
def test_a_bad_version_under_canary_is_taken_back_by_what_its_own_answers_say(jobs: Jobs) -> None:
    name = deploy(jobs, "watched", variant("v", model(jobs, "watched-1")))
    second = configure(jobs, "watched-second", variant("v", model(jobs, "watched-2", breaks=True)))
    alarms = {"AutoRollbackConfiguration": {"Alarms": [{"AlarmName": alarm_on_errors(jobs, name, second)}]}}
    with load(jobs, name) as (answers, failures):
        update(jobs, name, second, {**blue_green("CANARY", LONG, CanarySize=percent(10)), **alarms})
        wait_until(lambda: failures, JOB_SECONDS, "the canary fails")
        wait_until(
            lambda: jobs.endpoint_status(name) == "InService", ALARMED_SECONDS, "nobody but its metric took it back"
        )
        failed = len(failures)
        wait_until(more(answers, "watched-1"), 60, "the old one answers")
        assert len(failures) <= failed + CLIENTS
    described = jobs.sagemaker.describe_endpoint(EndpointName=name)
    assert described["EndpointConfigName"] == name
    assert "are in ALARM state" in described["FailureReason"]
