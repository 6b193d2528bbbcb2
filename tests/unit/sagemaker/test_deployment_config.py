"""UpdateEndpoint's DeploymentConfig: what is refused, and what Describe shows of a deployment in each of its stages.

No public source shows AWS's words for the refusals; the messages of VariantStatus are those of AWS's page on events
(https://docs.aws.amazon.com/sagemaker/latest/dg/automating-sagemaker-with-eventbridge.html) where it has them.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from clary.errors import ValidationError
from clary.services.sagemaker.deployment_config import check_deployment_config, rollout
from clary.services.sagemaker.endpoints import description
from clary.store import Key

ACCOUNT = "000000000000"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/ClaryExecutionRole"
XGBOOST = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1"
KEY = Key("endpoint", ACCOUNT, "us-east-1", "e")
ALARMS = {"Alarms": [{"AlarmName": "errors"}]}


def variant(name="v", count=4):
    shape = {"InstanceType": "ml.m5.large", "InitialInstanceCount": count}
    return {"VariantName": name, "ModelName": "m", **shape}


def size(kind, value):
    return {"Type": kind, "Value": value}


def percent(value):
    return size("CAPACITY_PERCENT", value)


def instances(value):
    return size("INSTANCE_COUNT", value)


def blue_green(kind, wait=60, routing=None, **more):
    traffic = {"Type": kind, "WaitIntervalInSeconds": wait, **(routing or {})}
    return {"BlueGreenUpdatePolicy": {"TrafficRoutingConfiguration": traffic, **more}}


def rolling(batch, wait=60, **more):
    return {"RollingUpdatePolicy": {"MaximumBatchSize": batch, "WaitIntervalInSeconds": wait, **more}}


CANARY = blue_green("CANARY", routing={"CanarySize": instances(1)}, TerminationWaitInSeconds=30)


@pytest.fixture
def sagemaker(inner):
    service = inner.service("sagemaker")
    container = {"Image": XGBOOST, "ModelDataUrl": "s3://data/model.tar.gz"}
    service.call("CreateModel", ModelName="m", PrimaryContainer=container, ExecutionRoleArn=ROLE)
    for config, variants in {
        "one": [variant()],
        "two": [variant()],
        "other": [variant("w")],
        "several": [variant("v"), variant("w", 2)],
    }.items():
        service.call("CreateEndpointConfig", EndpointConfigName=config, ProductionVariants=variants)
    return service


def serving(inner, sagemaker, config="one"):
    sagemaker.call("CreateEndpoint", EndpointName="e", EndpointConfigName=config)
    state = inner.store.read.get(KEY).state
    change(inner, status="InService", state={"current": ready(state["next"]), "next": None})


def change(inner, **changes):
    inner.store.write(lambda tx: tx.save(replace(tx.get(KEY), **changes)))


def ready(deployment, *, but=0):
    replicas = [{"members": [{"container": str(n), "ready": n >= but}]} for n in range(4)]
    return {
        **deployment,
        "variants": [{**each, "replicas": replicas[: each["desired_count"]]} for each in deployment["variants"]],
    }


REFUSED = {
    "both policies": ({**CANARY, **rolling(instances(1))}, "only one of BlueGreenUpdatePolicy and RollingUpdatePolicy"),
    "no canary size": (blue_green("CANARY"), "CanarySize is required"),
    "no step size": (blue_green("LINEAR"), "LinearStepSize is required"),
    "a size for another type": (
        blue_green("LINEAR", routing={"LinearStepSize": instances(1), "CanarySize": instances(1)}),
        "CanarySize is not for traffic routing of type LINEAR",
    ),
    "too short": (
        blue_green("ALL_AT_ONCE", 600, MaximumExecutionTimeoutInSeconds=600),
        "MaximumExecutionTimeoutInSeconds must be larger",
    ),
    "too large a canary": (
        blue_green("CANARY", routing={"CanarySize": percent(51)}),
        "CanarySize must be less than or equal to 50% of the total instance count of variant v (4)",
    ),
    "too large a step": (
        blue_green("LINEAR", routing={"LinearStepSize": instances(3)}),
        "LinearStepSize must be between 10% and 50%",
    ),
    "too small a step": (blue_green("LINEAR", routing={"LinearStepSize": percent(9)}), "between 10% and 50%"),
    "too large a batch": (rolling(instances(3)), "MaximumBatchSize must be between 5% and 50%"),
    "too small a batch": (rolling(percent(4)), "MaximumBatchSize must be between 5% and 50%"),
}


def fleet(*counts):
    """A deployment of variants v, w, … with so many instances each."""
    return {"variants": [{"name": name, "desired_count": count} for name, count in zip("vw", counts, strict=False)]}


@pytest.mark.parametrize("case", REFUSED)
def test_what_does_not_go_is_refused(case):
    config, said = REFUSED[case]
    with pytest.raises(ValidationError) as raised:
        check_deployment_config(config)
        rollout(config, fleet(4), fleet(4), 0.0)
    assert said in raised.value.message


def test_a_deployment_that_is_refused_leaves_the_endpoint(inner, sagemaker):
    serving(inner, sagemaker)
    for config, said in (
        (REFUSED["too large a canary"]),
        (REFUSED["both policies"]),
        (blue_green("ALL_AT_ONCE", 3601), "Member must have value less than or equal to 3600"),
        (
            blue_green("ALL_AT_ONCE", MaximumExecutionTimeoutInSeconds=599),
            "Member must have value greater than or equal to 600",
        ),
    ):
        params = {"EndpointName": "e", "EndpointConfigName": "two", "DeploymentConfig": config}
        code, text = sagemaker.refusal("UpdateEndpoint", **params)
        assert (code, said in text) == ("ValidationException", True), text
    assert inner.store.read.get(KEY).status == "InService"


def test_policies_that_do_not_fit_the_variants_are_refused(inner, sagemaker):
    serving(inner, sagemaker)
    for config, name, said in (
        (CANARY, "other", "must have the same variant names as the endpoint has: v"),
        (rolling(instances(1)), "several", "RollingUpdatePolicy is not for endpoints with several variants"),
    ):
        params = {"EndpointName": "e", "EndpointConfigName": name, "DeploymentConfig": config}
        assert said in sagemaker.refusal("UpdateEndpoint", **params)[1]
    sagemaker.call("UpdateEndpoint", EndpointName="e", EndpointConfigName="several")


@pytest.mark.parametrize(
    ("config", "counts", "shares"),
    [
        (CANARY, (2,), [{"v": 0.5}, {"v": 1.0}]),
        (CANARY, (4, 2), [{"v": 0.25, "w": 0.5}, {"v": 1.0, "w": 1.0}]),
        (blue_green("CANARY", routing={"CanarySize": percent(10)}), (1,), [{"v": 0.1}, {"v": 1.0}]),
        (blue_green("LINEAR", routing={"LinearStepSize": percent(50)}), (1,), [{"v": 0.5}, {"v": 1.0}]),
        (
            blue_green("LINEAR", routing={"LinearStepSize": instances(1)}),
            (4, 2),
            [{"v": 0.25, "w": 0.5}, {"v": 0.5, "w": 1.0}, {"v": 0.75, "w": 1.0}, {"v": 1.0, "w": 1.0}],
        ),
        (rolling(percent(50)), (3,), [{"v": 1 / 3}, {"v": 2 / 3}, {"v": 1.0}]),
        (rolling(percent(5)), (2,), [{"v": 0.5}, {"v": 1.0}]),
    ],
    ids=["instances", "of two variants", "percent of one", "linear", "linear, two variants", "batches", "at least one"],
)
def test_what_each_step_shifts(config, counts, shares):
    check_deployment_config(config)
    plan = rollout(config, fleet(*counts), fleet(*counts), 0.0)
    assert [step["shares"] for step in plan["steps"]] == shares


def updated(inner, sagemaker, config, **progress):
    """The endpoint's description in some stage of an update."""
    serving(inner, sagemaker)
    sagemaker.call("UpdateEndpoint", EndpointName="e", EndpointConfigName="two", DeploymentConfig=config)
    row = inner.store.read.get(KEY)
    coming, state = progress.pop("next", None), row.state
    plan = {**state["rollout"], **progress}
    change(inner, state={**state, "rollout": plan, "next": coming or ready(state["next"])})
    return described(inner)


def described(inner):
    """At once: DescribeEndpoint waits a moment for the end of what is young."""
    return description(inner.store.read.get(KEY))


STAGES = {
    "Creating": ({}, "Creating", "Launching 4 instance(s)."),
    "ActivatingTraffic": (
        {"shares": {"v": 0.25}},
        "ActivatingTraffic",
        "Activating traffic on canary capacity of 1 instance(s).",
    ),
    "Baking": (
        {"shares": {"v": 0.25}},
        "Baking",
        "Baking for 60 seconds (WaitIntervalInSeconds) with traffic enabled on canary capacity of 1 instance(s).",
    ),
    "Waiting": (
        {"shares": {"v": 1.0}},
        "Baking",
        "Baking for 30 seconds (TerminationWaitInSeconds) with traffic enabled on full capacity of 4 instance(s).",
    ),
}


@pytest.mark.parametrize("stage", STAGES)
def test_describe_shows_the_stage_of_what_is_coming(inner, sagemaker, stage):
    progress, status, message = STAGES[stage]
    shown = updated(inner, sagemaker, CANARY, stage=stage, **progress)
    pending = shown["PendingDeploymentSummary"]
    started = pending["StartTime"]
    if stage == "Creating":
        state = inner.store.read.get(KEY).state
        change(inner, state={**state, "next": ready(state["next"], but=4)})
        pending = described(inner)["PendingDeploymentSummary"]
    (coming,) = pending["ProductionVariants"]
    assert coming["VariantStatus"] == [{"Status": status, "StatusMessage": message, "StartTime": started}]
    assert (coming["DesiredInstanceCount"], coming["InstanceType"]) == (4, "ml.m5.large")
    assert (shown["EndpointStatus"], shown["EndpointConfigName"], pending["EndpointConfigName"]) == (
        "Updating",
        "one",
        "two",
    )
    assert shown["LastDeploymentConfig"] == CANARY
    assert "VariantStatus" not in shown["ProductionVariants"][0]


def test_a_rolling_update_shows_how_many_there_are_and_how_many_there_shall_be(inner, sagemaker):
    shown = updated(inner, sagemaker, rolling(percent(30)), stage="Deleting", shares={"v": 0.25})
    (coming,) = shown["PendingDeploymentSummary"]["ProductionVariants"]
    assert (coming["CurrentInstanceCount"], coming["DesiredInstanceCount"]) == (1, 4)
    (there,) = shown["ProductionVariants"]
    assert [(each["Status"], each["StatusMessage"]) for each in there["VariantStatus"]] == [
        ("Deleting", "Terminating 1 instance(s).")
    ]


def test_more_instances_on_their_way_are_a_variant_that_is_updated(inner, sagemaker):
    serving(inner, sagemaker)
    wanted = [{"VariantName": "v", "DesiredInstanceCount": 6}]
    sagemaker.call("UpdateEndpointWeightsAndCapacities", EndpointName="e", DesiredWeightsAndCapacities=wanted)
    shown = described(inner)
    (status,) = shown["ProductionVariants"][0]["VariantStatus"]
    assert (status["Status"], status["StatusMessage"]) == ("Updating", "Scaling out desired instance count to 6.")
    assert "PendingDeploymentSummary" not in shown, "the configuration is the same"


def test_after_a_failed_rollback_only_an_update_or_the_end_are_possible(inner, sagemaker):
    updated(inner, sagemaker, {**rolling(instances(1)), "AutoRollbackConfiguration": ALARMS})
    change(inner, status="UpdateRollbackFailed")
    wanted = [{"VariantName": "v", "DesiredInstanceCount": 6}]
    params = {"EndpointName": "e", "DesiredWeightsAndCapacities": wanted}
    assert "in-progress" in sagemaker.refusal("UpdateEndpointWeightsAndCapacities", **params)[1]
    shown = sagemaker.call("ListEndpoints", StatusEquals="UpdateRollbackFailed")
    assert [each["EndpointName"] for each in shown["Endpoints"]] == ["e"]
    sagemaker.call("UpdateEndpoint", EndpointName="e", EndpointConfigName="one")
    assert inner.store.read.get(KEY).state["rollout"]["shares"] == {}
    change(inner, status="UpdateRollbackFailed")
    sagemaker.call("DeleteEndpoint", EndpointName="e")


def test_the_last_deployment_configuration_is_used_again_where_it_is_retained(inner, sagemaker):
    config = {**CANARY, "AutoRollbackConfiguration": ALARMS}
    updated(inner, sagemaker, config)
    current = inner.store.read.get(KEY).state["next"]
    change(inner, status="InService", state={"current": current, "next": None})
    sagemaker.call("UpdateEndpoint", EndpointName="e", EndpointConfigName="one", RetainDeploymentConfig=True)
    plan = inner.store.read.get(KEY).state["rollout"]
    assert (plan["type"], plan["wait"], plan["termination"], plan["alarms"]) == ("CANARY", 60.0, 30.0, ["errors"])
    assert [step["shares"] for step in plan["steps"]] == [{"v": 0.25}, {"v": 1.0}]
