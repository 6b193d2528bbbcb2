"""What Application Auto Scaling keeps and refuses, on an endpoint that has a row and no containers."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from clary.scaling.resource import COPIES, DIMENSION
from clary.store.rows import Key, Row

NAMED = {
    "ServiceNamespace": "sagemaker",
    "ResourceId": "endpoint/shop/variant/main",
    "ScalableDimension": DIMENSION,
}
TOLD = f"service namespace: sagemaker, resource ID: {NAMED['ResourceId']}, scalable dimension: {DIMENSION}"
PREDEFINED = {"PredefinedMetricType": "SageMakerVariantInvocationsPerInstance"}


def step(lower: float | None, upper: float | None, amount: int = 1) -> dict[str, Any]:
    bounds = {"MetricIntervalLowerBound": lower, "MetricIntervalUpperBound": upper}
    return {**{name: value for name, value in bounds.items() if value is not None}, "ScalingAdjustment": amount}


def steps(*found: dict[str, Any], **more: Any) -> dict[str, Any]:
    config = {"AdjustmentType": "ChangeInCapacity", "StepAdjustments": list(found), **more}
    return {"PolicyType": "StepScaling", "StepScalingPolicyConfiguration": config}


def tracking(**config: Any) -> dict[str, Any]:
    kept = {"TargetValue": 70.0, "PredefinedMetricSpecification": PREDEFINED, **config}
    known = {name: value for name, value in kept.items() if value is not None}
    return {"PolicyType": "TargetTrackingScaling", "TargetTrackingScalingPolicyConfiguration": known}


@pytest.fixture
def scaling(inner: Any) -> Any:
    variant = {"name": "main", "weight": 1.0, "desired_count": 1, "replicas": []}
    state = {"current": {"config": "c", "variants": [variant]}, "next": None}
    made = datetime.now(UTC)
    key = Key("endpoint", "000000000000", "us-east-1", "shop")
    row = Row(key, "arn:endpoint", "InService", made, made, {}, state, target="InService")
    inner.store.write(lambda transaction: transaction.insert(row))
    return inner.service("application-autoscaling")


@pytest.fixture
def registered(scaling: Any) -> Any:
    scaling.call("RegisterScalableTarget", **NAMED, MinCapacity=1, MaxCapacity=4)
    return scaling


BAD_TARGETS: list[tuple[dict[str, Any], str]] = [
    ({"MinCapacity": 1}, "Maximum capacity is required to register a new scalable target"),
    ({"MinCapacity": 3, "MaxCapacity": 2}, "Maximum capacity cannot be less than minimum capacity"),
    (
        {"MinCapacity": 0, "MaxCapacity": 2},
        "Minimum capacity must be at least 1 for a variant that answers in real time",
    ),
    (
        {"ResourceId": "endpoint/shop/variant/other", "MinCapacity": 1, "MaxCapacity": 2},
        "Production variant does not exist: endpoint/shop/variant/other",
    ),
    ({"ResourceId": "service/shop"}, "Unsupported service namespace, resource type or scalable dimension"),
    (
        {"ScalableDimension": "ecs:service:DesiredCount"},
        "Unsupported service namespace, resource type or scalable dimension",
    ),
    ({"ServiceNamespace": "ecs"}, "Scaling of the service namespace ecs is not offered by Clary."),
    (
        {"ResourceId": "inference-component/one"},
        "Unsupported service namespace, resource type or scalable dimension",
    ),
    (
        {"ResourceId": "inference-component/one", "ScalableDimension": COPIES, "MinCapacity": 0, "MaxCapacity": 2},
        "Inference component does not exist: inference-component/one",
    ),
]
"""What is asked for, and how it is refused."""


def test_targets_that_are_refused(scaling: Any) -> None:
    for asked, text in BAD_TARGETS:
        assert scaling.refusal("RegisterScalableTarget", **{**NAMED, **asked}) == ("ValidationException", text)


def test_a_target_keeps_what_a_change_leaves_out(registered: Any) -> None:
    registered.call("RegisterScalableTarget", **NAMED, SuspendedState={"DynamicScalingInSuspended": True})
    registered.call("RegisterScalableTarget", **NAMED, MaxCapacity=6, RoleARN="arn:aws:iam::000000000000:role/mine")
    [target] = registered.call("DescribeScalableTargets", ServiceNamespace="sagemaker")["ScalableTargets"]
    assert (target["MinCapacity"], target["MaxCapacity"]) == (1, 6)
    assert target["SuspendedState"] == {
        "DynamicScalingInSuspended": True,
        "DynamicScalingOutSuspended": False,
        "ScheduledScalingSuspended": False,
    }
    assert target["RoleARN"].endswith("/AWSServiceRoleForApplicationAutoScaling_SageMakerEndpoint")


BAD_POLICIES: list[tuple[dict[str, Any], str]] = [
    (steps(step(0, 10)), "A positive upper bound requires a step adjustment with an unspecified upper bound"),
    (steps(step(-10, 0)), "A negative lower bound requires a step adjustment with an unspecified lower bound"),
    (
        steps(step(0, 10), step(20, None)),
        "Step adjustment intervals can neither overlap nor have a gap between them",
    ),
    (
        steps(step(0, 10), step(5, None)),
        "Step adjustment intervals can neither overlap nor have a gap between them",
    ),
    (steps(step(0, None), step(5, None)), "At most one step adjustment can have an unspecified upper bound"),
    (steps(), "Adjustment type and step adjustments are required for a step scaling policy"),
    (
        steps(step(0, None), MinAdjustmentMagnitude=2),
        "MinAdjustmentMagnitude can only be specified with the adjustment type PercentChangeInCapacity",
    ),
    (tracking(TargetValue=0.0), "Target value must be greater than 0"),
    (
        tracking(PredefinedMetricSpecification=None),
        "Exactly one of a predefined and a customized metric specification must be specified",
    ),
    (
        tracking(PredefinedMetricSpecification={"PredefinedMetricType": "ECSServiceAverageCPUUtilization"}),
        "PredefinedMetricType ECSServiceAverageCPUUtilization is not offered by Clary.",
    ),
    (
        {"PolicyType": "TargetTrackingScaling"},
        "TargetTrackingScalingPolicyConfiguration is required with PolicyType TargetTrackingScaling",
    ),
    ({"PolicyType": "PredictiveScaling"}, "PolicyType PredictiveScaling is not offered by Clary."),
]
"""What is asked for, and how it is refused."""


def test_policies_that_are_refused(registered: Any) -> None:
    for asked, text in BAD_POLICIES:
        refused = registered.refusal("PutScalingPolicy", **NAMED, PolicyName="p", **asked)
        assert refused == ("ValidationException", text)


def test_a_metric_is_tracked_by_one_policy(registered: Any) -> None:
    registered.call("PutScalingPolicy", **NAMED, PolicyName="one", **tracking())
    assert registered.refusal("PutScalingPolicy", **NAMED, PolicyName="two", **tracking(TargetValue=1.0)) == (
        "ValidationException",
        "Only one TargetTrackingScaling policy for a given metric specification is allowed.",
    )


def test_a_metric_that_cloudwatch_does_not_take_makes_no_policy(registered: Any, inner: Any) -> None:
    queries = [{"Id": "m", "Expression": "SELECT nothing", "ReturnData": True}]
    spec = tracking(PredefinedMetricSpecification=None, CustomizedMetricSpecification={"Metrics": queries})
    code, _ = registered.refusal("PutScalingPolicy", **NAMED, PolicyName="p", **spec)
    assert code == "ValidationException"
    assert not registered.call("DescribeScalingPolicies", ServiceNamespace="sagemaker")["ScalingPolicies"]
    assert not inner("cloudwatch", "DescribeAlarms")["MetricAlarms"]


def test_metric_math_is_tracked(registered: Any, inner: Any) -> None:
    stat = {"Metric": {"Namespace": "ns", "MetricName": "m"}, "Stat": "Sum"}
    queries = [
        {"Id": "m", "MetricStat": stat, "ReturnData": False},
        {"Id": "half", "Expression": "m / 2", "ReturnData": True},
    ]
    spec = tracking(PredefinedMetricSpecification=None, CustomizedMetricSpecification={"Metrics": queries})
    registered.call("PutScalingPolicy", **NAMED, PolicyName="p", **spec)
    alarms = inner("cloudwatch", "DescribeAlarms")["MetricAlarms"]
    assert [alarm["Metrics"][0]["MetricStat"]["Period"] for alarm in alarms] == [60, 60]


BAD_ACTIONS: list[tuple[dict[str, Any], str]] = [
    ({"Schedule": "rate(1 hour)"}, "At least one of minimum capacity and maximum capacity should be provided"),
    ({"ScalableTargetAction": {"MinCapacity": 1}}, "Schedule is required for a new scheduled action"),
    (
        {"Schedule": "hourly", "ScalableTargetAction": {"MinCapacity": 1}},
        "Invalid schedule expression or time zone: hourly",
    ),
    (
        {"Schedule": "rate(1 hour)", "Timezone": "Atlantis", "ScalableTargetAction": {"MinCapacity": 1}},
        "Invalid schedule expression or time zone: rate(1 hour)",
    ),
    (
        {"Schedule": "at(2020-01-01T00:00:00)", "ScalableTargetAction": {"MinCapacity": 1}},
        "The schedule has no time in the future",
    ),
    (
        {"Schedule": "rate(1 hour)", "ScalableTargetAction": {"MinCapacity": 2, "MaxCapacity": 1}},
        "Maximum capacity cannot be less than minimum capacity",
    ),
]
"""What is asked for, and how it is refused."""


def test_scheduled_actions_that_are_refused(registered: Any) -> None:
    for asked, text in BAD_ACTIONS:
        refused = registered.refusal("PutScheduledAction", **NAMED, ScheduledActionName="a", **asked)
        assert refused == ("ValidationException", text)


def test_a_scheduled_action_is_shown_as_it_was_put(registered: Any) -> None:
    end = datetime.now(UTC).replace(microsecond=0) + timedelta(days=1)
    asked = {"Schedule": "rate(5 minutes)", "ScalableTargetAction": {"MinCapacity": 2}, "EndTime": end}
    registered.call("PutScheduledAction", **NAMED, ScheduledActionName="a", **asked)
    [action] = registered.call("DescribeScheduledActions", ServiceNamespace="sagemaker")["ScheduledActions"]
    assert {name: action[name] for name in asked} == asked
    assert action["ScheduledActionARN"].endswith(":resource/sagemaker/endpoint/shop/variant/main:scheduledActionName/a")
    registered.call("DeleteScheduledAction", **NAMED, ScheduledActionName="a")
    assert registered.refusal("DeleteScheduledAction", **NAMED, ScheduledActionName="a") == (
        "ObjectNotFoundException",
        f"No scheduled action found for {TOLD}, scheduled action name: a",
    )


def test_what_is_not_registered_has_no_policies(scaling: Any) -> None:
    not_there = "ObjectNotFoundException", f"No scalable target registered for {TOLD}"
    assert scaling.refusal("PutScalingPolicy", **NAMED, PolicyName="p", **tracking()) == not_there
    action = {"ScheduledActionName": "a", "Schedule": "rate(1 hour)", "ScalableTargetAction": {"MinCapacity": 1}}
    assert scaling.refusal("PutScheduledAction", **NAMED, **action) == not_there
    assert scaling.refusal("DeleteScalingPolicy", **NAMED, PolicyName="p") == (
        "ObjectNotFoundException",
        f"No scaling policy found for {TOLD}, policy name: p",
    )


def test_tags_of_a_target(registered: Any) -> None:
    [target] = registered.call("DescribeScalableTargets", ServiceNamespace="sagemaker")["ScalableTargets"]
    arn = target["ScalableTargetARN"]
    registered.call("TagResource", ResourceARN=arn, Tags={"team": "shop", "stage": "test"})
    registered.call("UntagResource", ResourceARN=arn, TagKeys=["stage"])
    assert registered.call("ListTagsForResource", ResourceARN=arn)["Tags"] == {"team": "shop"}
    code, _ = registered.refusal("ListTagsForResource", ResourceARN=arn + "0")
    assert code == "ResourceNotFoundException"


def test_lists_have_pages_and_tell_an_invalid_token(registered: Any) -> None:
    for name in ("a", "b", "c"):
        registered.call("PutScalingPolicy", **NAMED, PolicyName=name, **steps(step(0, None)))
    first = registered.call("DescribeScalingPolicies", ServiceNamespace="sagemaker", MaxResults=2)
    rest = registered.call(
        "DescribeScalingPolicies", ServiceNamespace="sagemaker", MaxResults=2, NextToken=first["NextToken"]
    )
    found = [*first["ScalingPolicies"], *rest["ScalingPolicies"]]
    assert [policy["PolicyName"] for policy in found] == ["a", "b", "c"]
    code, _ = registered.refusal("DescribeScalingPolicies", ServiceNamespace="sagemaker", NextToken="x")
    assert code == "InvalidNextTokenException"


def test_a_variant_whose_requests_can_wait_may_be_scaled_to_none(inner: Any, scaling: Any) -> None:
    def change(transaction: Any) -> None:
        row = transaction.get(Key("endpoint", "000000000000", "us-east-1", "shop"))
        current = {**row.state["current"], "asynchronous": {}}
        transaction.save(replace(row, state={**row.state, "current": current}))

    inner.store.write(change)
    scaling.call("RegisterScalableTarget", **NAMED, MinCapacity=0, MaxCapacity=2)
    none = {"MinCapacity": 0, "MaxCapacity": 0}
    scaling.call(
        "PutScheduledAction", **NAMED, ScheduledActionName="night", Schedule="rate(1 day)", ScalableTargetAction=none
    )
    (target,) = scaling.call("DescribeScalableTargets", ServiceNamespace="sagemaker")["ScalableTargets"]
    assert target["MinCapacity"] == 0
