"""Serverless variants as clients see them: what is refused, what is shown, and what an update may change.

No public source shows AWS's words for what it refuses.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from clary.controllers.serverless_effects import ServerlessReplicas
from clary.errors import AWSError
from clary.store import Key

ACCOUNT = "000000000000"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/ClaryExecutionRole"
XGBOOST = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1"
KEY = Key("endpoint", ACCOUNT, "us-east-1", "e")
CONTAINER = {"Image": XGBOOST}
CONFIG = {"MemorySizeInMB": 2048, "MaxConcurrency": 5}
REAL_TIME = {"InstanceType": "ml.m5.large", "InitialInstanceCount": 1}


def variant(name="v", model="m", **more):
    return {"VariantName": name, "ModelName": model, "ServerlessConfig": CONFIG, **more}


def configure(sagemaker, name="c", *variants, **more):
    sagemaker.call(
        "CreateEndpointConfig", EndpointConfigName=name, ProductionVariants=list(variants or [variant()]), **more
    )
    return name


@pytest.fixture
def sagemaker(inner):
    service = inner.service("sagemaker")
    models = {
        "m": {"PrimaryContainer": CONTAINER},
        "two": {"Containers": [CONTAINER, CONTAINER]},
        "many": {"PrimaryContainer": {**CONTAINER, "Mode": "MultiModel", "ModelDataUrl": "s3://data/models/"}},
        "vpc": {"PrimaryContainer": CONTAINER, "VpcConfig": {"SecurityGroupIds": ["sg-1"], "Subnets": ["subnet-1"]}},
        "isolated": {"PrimaryContainer": CONTAINER, "EnableNetworkIsolation": True},
    }
    for name, more in models.items():
        service.call("CreateModel", ModelName=name, ExecutionRoleArn=ROLE, **more)
    return service


def in_service(inner):
    """As the controller does when the model has come up."""

    def change(tx):
        row = tx.get(KEY)
        variants = [_settled(each) for each in row.state["next"]["variants"]]
        current = {**row.state["next"], "variants": variants}
        tx.save(replace(row, status="InService", state={"current": current, "next": None}))

    inner.store.write(change)


def _settled(each):
    return {**each, "desired_count": each["serverless"]["provisioned"]} if "serverless" in each else each


@pytest.fixture
def endpoint(inner, sagemaker):
    configure(sagemaker)
    sagemaker.call("CreateEndpoint", EndpointName="e", EndpointConfigName="c")
    in_service(inner)
    return sagemaker


def refused(call, match):
    with pytest.raises(AWSError, match=match) as raised:
        call()
    assert raised.value.code == "ValidationException"


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (REAL_TIME, "InstanceType cannot be specified with ServerlessConfig"),
        ({"InitialInstanceCount": 1}, "InitialInstanceCount cannot be specified with ServerlessConfig"),
        ({"ServerlessConfig": {**CONFIG, "MemorySizeInMB": 1500}}, "MemorySizeInMB 1500 is not valid"),
        ({"ServerlessConfig": {**CONFIG, "MemorySizeInMB": 512}}, "greater than or equal to 1024"),
        ({"ServerlessConfig": {**CONFIG, "MaxConcurrency": 201}}, "less than or equal to 200"),
        ({"ServerlessConfig": {**CONFIG, "ProvisionedConcurrency": 6}}, r"ProvisionedConcurrency \(6\) must be less"),
        ({"ModelName": "two"}, "does not support inference pipelines"),
        ({"ModelName": "many"}, "does not support multi-model endpoints"),
        ({"ModelName": "vpc"}, "does not support VPC configuration"),
        ({"ModelName": "isolated"}, "does not support network isolation"),
    ],
    ids=lambda value: "" if isinstance(value, str) else ",".join(value),
)
def test_what_a_serverless_variant_cannot_be(sagemaker, more, message):
    refused(lambda: configure(sagemaker, "c", variant(**more)), message)


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"EnableNetworkIsolation": True}, "EnableNetworkIsolation"),
        (
            {
                "DataCaptureConfig": {
                    "InitialSamplingPercentage": 100,
                    "DestinationS3Uri": "s3://data/captured",
                    "CaptureOptions": [{"CaptureMode": "Input"}],
                }
            },
            "DataCaptureConfig",
        ),
        ({"ShadowProductionVariants": [{"VariantName": "s", "ModelName": "m", **REAL_TIME}]}, "ShadowProductionVari"),
    ],
    ids=["isolation", "capture", "shadow"],
)
def test_what_a_configuration_with_one_cannot_have(sagemaker, more, message):
    refused(lambda: configure(sagemaker, **more), f"Serverless Inference does not support {message}")


def test_there_is_no_second_variant(sagemaker):
    other = {"VariantName": "w", "ModelName": "m", **REAL_TIME}
    refused(lambda: configure(sagemaker, "c", variant(), other), "does not support several production variants")


def test_a_configuration_is_shown_as_it_was_made(sagemaker):
    configure(sagemaker, "c", variant(ServerlessConfig={**CONFIG, "ProvisionedConcurrency": 1}))
    (shown,) = sagemaker.call("DescribeEndpointConfig", EndpointConfigName="c")["ProductionVariants"]
    assert shown == variant(ServerlessConfig={**CONFIG, "ProvisionedConcurrency": 1}, InitialVariantWeight=1.0)


def test_an_endpoint_shows_what_it_has_in_place_of_instances(endpoint):
    (shown,) = endpoint.call("DescribeEndpoint", EndpointName="e")["ProductionVariants"]
    assert shown["CurrentServerlessConfig"] == shown["DesiredServerlessConfig"] == CONFIG
    assert shown["CurrentInstanceCount"] == 0
    assert (shown["CurrentWeight"], shown["DesiredWeight"]) == (1.0, 1.0)
    assert {"DesiredInstanceCount", "InstanceType"}.isdisjoint(shown)


def test_edges_write_down_how_many_they_need(endpoint, inner):
    woken = []
    replicas = ServerlessReplicas(inner.store, woken.append)
    said = {"endpoint": f"{ACCOUNT}/us-east-1/e", "variant": "v", "config": "c", "wanted": 3, "gone": []}
    for _ in range(2):
        replicas.ask(said)
    (current,) = inner.store.read.get(KEY).state["current"]["variants"]
    assert (current["desired_count"], woken) == (3, [KEY]), "saying it twice is saying it once"
    for gone in ({"endpoint": f"{ACCOUNT}/us-east-1/gone"}, {"config": "gone"}, {"variant": "gone"}):
        replicas.ask({**said, "wanted": 4, **gone})
    assert woken == [KEY]


def test_concurrency_is_updated_without_a_new_configuration(endpoint, inner):
    wanted = {"MaxConcurrency": 8, "ProvisionedConcurrency": 2}
    change = {"VariantName": "v", "ServerlessUpdateConfig": wanted}
    endpoint.call("UpdateEndpointWeightsAndCapacities", EndpointName="e", DesiredWeightsAndCapacities=[change])
    (shown,) = endpoint.call("DescribeEndpoint", EndpointName="e")["ProductionVariants"]
    assert shown["CurrentServerlessConfig"] == CONFIG
    assert shown["DesiredServerlessConfig"] == {**CONFIG, **wanted}
    (coming,) = inner.store.read.get(KEY).state["next"]["variants"]
    assert coming["desired_count"] == 2


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ({"DesiredInstanceCount": 2}, "it has no DesiredInstanceCount"),
        ({"ServerlessUpdateConfig": {"ProvisionedConcurrency": 9}}, "must be less than or equal to MaxConcurrency"),
    ],
    ids=["instances", "provisioned"],
)
def test_capacities_that_it_cannot_have(endpoint, entry, message):
    wanted = [{"VariantName": "v", **entry}]
    refused(
        lambda: endpoint.call(
            "UpdateEndpointWeightsAndCapacities", EndpointName="e", DesiredWeightsAndCapacities=wanted
        ),
        message,
    )


def test_instances_never_become_serverless_and_the_other_way_they_do(endpoint, inner):
    configure(endpoint, "real", {"VariantName": "v", "ModelName": "m", **REAL_TIME})
    endpoint.call("UpdateEndpoint", EndpointName="e", EndpointConfigName="real", RetainAllVariantProperties=True)
    (coming,) = inner.store.read.get(KEY).state["next"]["variants"]
    assert (coming["desired_count"], coming["instance_type"]) == (1, "ml.m5.large")
    in_service(inner)
    refused(
        lambda: endpoint.call("UpdateEndpoint", EndpointName="e", EndpointConfigName="c"),
        "An endpoint that has instances cannot be updated to a serverless endpoint",
    )


def test_traffic_is_shifted_all_at_once(endpoint):
    routing = {
        "Type": "CANARY",
        "WaitIntervalInSeconds": 0,
        "CanarySize": {"Type": "CAPACITY_PERCENT", "Value": 10},
    }
    config = {"BlueGreenUpdatePolicy": {"TrafficRoutingConfiguration": routing}}
    configure(endpoint, "second")
    refused(
        lambda: endpoint.call("UpdateEndpoint", EndpointName="e", EndpointConfigName="second", DeploymentConfig=config),
        "does not support a DeploymentConfig other than ALL_AT_ONCE",
    )


def test_it_has_no_inference_experiment(endpoint):
    real_time = {"InstanceType": "ml.m5.large", "InstanceCount": 1}
    infrastructure = {"InfrastructureType": "RealTimeInference", "RealTimeInferenceConfig": real_time}
    models = [
        {"ModelName": "m", "VariantName": name, "InfrastructureConfig": infrastructure} for name in ("live", "shade")
    ]
    mirrored = [{"ShadowModelVariantName": "shade", "SamplingPercentage": 50}]
    experiment = {
        "Name": "x",
        "Type": "ShadowMode",
        "RoleArn": ROLE,
        "EndpointName": "e",
        "ModelVariants": models,
        "ShadowModeConfig": {"SourceModelVariantName": "live", "ShadowModelVariants": mirrored},
    }
    refused(lambda: endpoint.call("CreateInferenceExperiment", **experiment), "Endpoint e is serverless")


def test_it_has_no_instances_that_could_be_scaled(endpoint, inner):
    scaling = inner.service("application-autoscaling")
    target = {
        "ServiceNamespace": "sagemaker",
        "ResourceId": "endpoint/e/variant/v",
        "ScalableDimension": "sagemaker:variant:DesiredInstanceCount",
        "MinCapacity": 1,
        "MaxCapacity": 2,
    }
    refused(lambda: scaling.call("RegisterScalableTarget", **target), "no instance count that can be scaled")
