"""Application Auto Scaling of a started Clary: alarms and schedules change how many containers a variant has."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.running import RunningClary, wait_until
from tests.system.endpoints import deploy, model, variant
from tests.system.jobs import JOB_SECONDS, Jobs

pytestmark = [pytest.mark.system]

NAME = "scaled"
NAMED = {
    "ServiceNamespace": "sagemaker",
    "ResourceId": f"endpoint/{NAME}/variant/main",
    "ScalableDimension": "sagemaker:variant:DesiredInstanceCount",
}
METRIC = {"Namespace": "tests", "MetricName": "Backlog"}


@pytest.fixture(scope="module")
def jobs(shared: RunningClary) -> Iterator[Jobs]:
    made = Jobs(shared)
    deploy(made, NAME, variant("main", model(made, "says")))
    yield made


@pytest.fixture(scope="module")
def scaling(jobs: Jobs) -> Any:
    client = jobs.clary.client("application-autoscaling")
    client.register_scalable_target(MinCapacity=1, MaxCapacity=2, **NAMED)
    return client


def running(jobs: Jobs) -> int:
    """Instances that answer, once no change is under way; 0 while control is started anew."""
    try:
        found = jobs.sagemaker.describe_endpoint(EndpointName=NAME)
    except ClientError:
        return 0
    count: int = found["ProductionVariants"][0]["CurrentInstanceCount"]
    return count if found["EndpointStatus"] == "InService" else 0


def wait_for(jobs: Jobs, count: int) -> None:
    wait_until(lambda: running(jobs) == count, JOB_SECONDS, f"{count} instances answer")


def activities(scaling: Any) -> list[Any]:
    """Oldest first."""
    found: list[Any] = scaling.describe_scaling_activities(**NAMED)["ScalingActivities"]
    return found[::-1]


def targets(scaling: Any) -> Any:
    return scaling.describe_scalable_targets(ServiceNamespace="sagemaker")["ScalableTargets"]


def settled(scaling: Any, count: int) -> None:
    """Wait until so many activities have ended well."""
    wait_until(
        lambda: [each["StatusCode"] for each in activities(scaling)] == ["Successful"] * count,
        JOB_SECONDS,
        f"{count} activities are over",
    )


def test_a_metric_brings_a_second_instance_and_takes_it_away_whoever_is_killed(jobs: Jobs, scaling: Any) -> None:
    cloudwatch = jobs.clary.client("cloudwatch")
    now = datetime.now(UTC)
    data = [{"MetricName": "Backlog", "Value": 15.0, "Timestamp": now - timedelta(minutes=ago)} for ago in range(1, 6)]
    cloudwatch.put_metric_data(Namespace="tests", MetricData=data)
    made = scaling.put_scaling_policy(
        PolicyName="backlog",
        PolicyType="TargetTrackingScaling",
        TargetTrackingScalingPolicyConfiguration={
            "TargetValue": 10.0,
            "CustomizedMetricSpecification": {**METRIC, "Statistic": "Average"},
            "ScaleOutCooldown": 0,
            "ScaleInCooldown": 0,
        },
        **NAMED,
    )
    high, low = (alarm["AlarmName"] for alarm in made["Alarms"])
    wait_for(jobs, 2)
    settled(scaling, 1)
    [activity] = activities(scaling)
    assert activity["Cause"] == f"monitor alarm {high} in state ALARM triggered policy backlog"
    assert activity["Description"] == "Setting desired instance count to 2."

    cloudwatch.disable_alarm_actions(AlarmNames=[high])  # its metric stays above the target
    cloudwatch.set_alarm_state(AlarmName=low, StateValue="ALARM", StateReason="a test")
    jobs.clary.kill("control")
    wait_for(jobs, 1)
    settled(scaling, 2)
    assert activities(scaling)[1]["Cause"] == f"monitor alarm {low} in state ALARM triggered policy backlog"
    scaling.delete_scaling_policy(PolicyName="backlog", **NAMED)
    assert not cloudwatch.describe_alarms(AlarmNamePrefix="TargetTracking-")["MetricAlarms"]


def test_a_step_policy_scales_by_its_users_alarm(jobs: Jobs, scaling: Any) -> None:
    cloudwatch = jobs.clary.client("cloudwatch")
    scaling.register_scalable_target(MaxCapacity=3, **NAMED)
    before = len(activities(scaling))
    steps = [
        {"MetricIntervalLowerBound": 0.0, "MetricIntervalUpperBound": 10.0, "ScalingAdjustment": 1},
        {"MetricIntervalLowerBound": 10.0, "ScalingAdjustment": 2},
    ]
    arn = scaling.put_scaling_policy(
        PolicyName="steps",
        PolicyType="StepScaling",
        StepScalingPolicyConfiguration={"AdjustmentType": "ChangeInCapacity", "StepAdjustments": steps},
        **NAMED,
    )["PolicyARN"]
    cloudwatch.put_metric_alarm(
        AlarmName="steep",
        Namespace="tests",
        MetricName="Steep",
        Statistic="Maximum",
        Period=10,
        EvaluationPeriods=1,
        Threshold=50.0,
        ComparisonOperator="GreaterThanThreshold",
        TreatMissingData="ignore",
        AlarmActions=[arn],
    )
    datum = {"MetricName": "Steep", "Value": 65.0, "StorageResolution": 1}
    cloudwatch.put_metric_data(Namespace="tests", MetricData=[datum])
    wait_for(jobs, 3)
    settled(scaling, before + 1)
    [policy] = scaling.describe_scaling_policies(ServiceNamespace="sagemaker", PolicyNames=["steps"])["ScalingPolicies"]
    assert [alarm["AlarmName"] for alarm in policy["Alarms"]] == ["steep"]
    scaling.delete_scaling_policy(PolicyName="steps", **NAMED)


def test_a_scheduled_action_has_its_bounds_enforced_and_a_deleted_endpoint_leaves_nothing(
    jobs: Jobs, scaling: Any
) -> None:
    at = datetime.now(UTC) + timedelta(seconds=5)
    scaling.put_scheduled_action(
        ScheduledActionName="night",
        Schedule=f"at({at:%Y-%m-%dT%H:%M:%S})",
        ScalableTargetAction={"MaxCapacity": 1},
        **NAMED,
    )
    wait_for(jobs, 1)
    wait_until(lambda: activities(scaling)[-1]["StatusCode"] == "Successful", JOB_SECONDS, "the activity is over")
    said = [(each["Cause"], each["StatusMessage"]) for each in activities(scaling)[-2:]]
    assert said == [
        ("scheduled action name night was triggered", "Successfully set min capacity to 1 and max capacity to 1"),
        (
            "maximum capacity was set to 1",
            "Successfully set desired instance count to 1. Change successfully fulfilled by sagemaker.",
        ),
    ]
    jobs.sagemaker.delete_endpoint(EndpointName=NAME)
    wait_until(lambda: not targets(scaling), JOB_SECONDS, "the target has gone with its endpoint")
    assert not scaling.describe_scheduled_actions(ServiceNamespace="sagemaker")["ScheduledActions"]


def test_what_is_not_there_is_refused_in_awss_words(scaling: Any) -> None:
    unknown = {**NAMED, "ResourceId": "endpoint/nobody/variant/main"}
    told = "service namespace: sagemaker, resource ID: endpoint/nobody/variant/main, scalable dimension: "
    with pytest.raises(ClientError, match=told + NAMED["ScalableDimension"]) as raised:
        scaling.put_scaling_policy(PolicyName="p", PolicyType="StepScaling", **unknown)
    assert raised.value.response["Error"]["Code"] == "ObjectNotFoundException"
    with pytest.raises(scaling.exceptions.ObjectNotFoundException, match="No scalable target found for"):
        scaling.deregister_scalable_target(**unknown)
    with pytest.raises(scaling.exceptions.ValidationException, match="Production variant does not exist"):
        scaling.register_scalable_target(MinCapacity=1, MaxCapacity=2, **unknown)
    with pytest.raises(scaling.exceptions.ValidationException, match="Inference component does not exist"):
        scaling.register_scalable_target(
            ServiceNamespace="sagemaker",
            ResourceId="inference-component/one",
            ScalableDimension="sagemaker:inference-component:DesiredCopyCount",
            MinCapacity=0,
            MaxCapacity=1,
        )
