"""Endpoint configurations with AsyncInferenceConfig: what they may be, and what edges are told of them.

The first half of what is refused is AWS's (CreateEndpoint says it); what follows the colon is not, nor are the other
sentences: no public source shows them.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from clary.controllers.endpoint_route import route
from clary.errors import ValidationError
from clary.services.sagemaker.asynchronous import check_kept
from clary.serving.asynchronous.config import PER_INSTANCE
from clary.store import Key

ACCOUNT = "000000000000"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/ClaryExecutionRole"
XGBOOST = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1"
KEY = Key("endpoint", ACCOUNT, "us-east-1", "e")
CONTAINER = {"Image": XGBOOST, "ModelDataUrl": "s3://data/model.tar.gz"}
OUTPUT = {"S3OutputPath": "s3://data/out"}
CAPTURE = {
    "EnableCapture": True,
    "InitialSamplingPercentage": 100,
    "DestinationS3Uri": "s3://data/captured",
    "CaptureOptions": [{"CaptureMode": "Input"}],
}


def variant(name="v", model="m"):
    shape = {"InstanceType": "ml.m5.large", "InitialInstanceCount": 1, "InitialVariantWeight": 1.0}
    return {"VariantName": name, "ModelName": model, **shape}


@pytest.fixture
def sagemaker(inner):
    service = inner.service("sagemaker")
    service.call("CreateModel", ModelName="m", PrimaryContainer=CONTAINER, ExecutionRoleArn=ROLE)
    many = {**CONTAINER, "ModelDataUrl": "s3://data/models/", "Mode": "MultiModel"}
    service.call("CreateModel", ModelName="many", PrimaryContainer=many, ExecutionRoleArn=ROLE)
    return service


def configure(sagemaker, *variants, output=OUTPUT, **more):
    config = {"OutputConfig": output}
    params = {"ProductionVariants": list(variants) or [variant()], "AsyncInferenceConfig": config, **more}
    sagemaker.call("CreateEndpointConfig", EndpointConfigName="c", **params)


@pytest.mark.parametrize(
    ("variants", "more", "words"),
    [
        ([variant("a"), variant("b")], {}, "several production variants"),
        ([variant()], {"ShadowProductionVariants": [variant("s")]}, "ShadowProductionVariants"),
        ([variant()], {"DataCaptureConfig": CAPTURE}, "DataCaptureConfig"),
        ([variant(model="many")], {}, "multi-model endpoints"),
    ],
    ids=["variants", "shadow", "capture", "multi-model"],
)
def test_what_cannot_stand_beside_it_is_refused(sagemaker, variants, more, words):
    said = (
        f"One or more endpoint features are not supported using this configuration: AsyncInferenceConfig with {words}."
    )
    with pytest.raises(ValidationError, match=said):
        configure(sagemaker, *variants, **more)


@pytest.mark.parametrize(
    ("output", "words"),
    [
        ({}, "S3OutputPath is required"),
        ({"S3OutputPath": "https://example.com/out"}, "https://example.com/out is not a valid S3 URI"),
        ({**OUTPUT, "S3FailurePath": "https://example.com/bad"}, "https://example.com/bad is not a valid S3 URI"),
    ],
    ids=["none", "output", "failure"],
)
def test_where_answers_go_must_be_known(sagemaker, output, words):
    with pytest.raises(ValidationError, match=words):
        configure(sagemaker, output=output)


def test_edges_are_told_of_it_with_the_route_and_two_endpoints_of_one_name_are_two(inner, sagemaker):
    configure(sagemaker)
    told = []
    for _ in range(2):
        sagemaker.call("CreateEndpoint", EndpointName="e", EndpointConfigName="c")
        row = inner.store.read.get(KEY)
        assert route(row) is None, "nobody answers yet"
        serving = replace(row, status="InService", state={"current": row.state["next"], "next": None})
        inner.store.write(lambda transaction, serving=serving: transaction.save(serving))
        assert sagemaker.call("DescribeEndpoint", EndpointName="e")["AsyncInferenceConfig"] == {"OutputConfig": OUTPUT}
        told.append(route(serving).asynchronous)
        sagemaker.call("DeleteEndpoint", EndpointName="e")
    assert [(each.output, each.role, each.per_instance) for each in told] == [("s3://data/out", ROLE, PER_INSTANCE)] * 2
    assert told[0].id != told[1].id


@pytest.mark.parametrize(
    ("old", "new", "word"),
    [({"asynchronous": {}}, {}, "removed from"), ({}, {"asynchronous": {}}, "added to")],
    ids=["removed", "added"],
)
def test_an_update_does_not_change_what_an_endpoint_is(old, new, word):
    check_kept(old, old, "e")
    with pytest.raises(ValidationError, match=f"The AsyncInferenceConfig parameter cannot be {word} this endpoint e."):
        check_kept(old, new, "e")


def test_it_has_no_inference_experiment(inner, sagemaker):
    configure(sagemaker)
    sagemaker.call("CreateEndpoint", EndpointName="e", EndpointConfigName="c")
    real_time = {"InstanceType": "ml.m5.large", "InstanceCount": 1}
    infrastructure = {"InfrastructureType": "RealTimeInference", "RealTimeInferenceConfig": real_time}
    models = [{"ModelName": "m", "VariantName": name, "InfrastructureConfig": infrastructure} for name in ("v", "s")]
    mirrored = [{"ShadowModelVariantName": "s", "SamplingPercentage": 50}]
    experiment = {
        "Name": "x",
        "Type": "ShadowMode",
        "RoleArn": ROLE,
        "EndpointName": "e",
        "ModelVariants": models,
        "ShadowModeConfig": {"SourceModelVariantName": "v", "ShadowModelVariants": mirrored},
    }
    with pytest.raises(ValidationError, match="Endpoint e is asynchronous"):
        sagemaker.call("CreateInferenceExperiment", **experiment)
