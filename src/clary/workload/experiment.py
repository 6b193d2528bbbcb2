"""What an inference experiment means for its endpoint: the configurations that are deployed for it
(https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateInferenceExperiment.html)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from clary.lifecycles.inference_experiment import Stop

RETAIN, REMOVE, PROMOTE = "Retain", "Remove", "Promote"

Spec = Mapping[str, Any]
Params = dict[str, Any]


def source(spec: Spec) -> str:
    """The production variant's name."""
    name: str = spec["ShadowModeConfig"]["SourceModelVariantName"]
    return name


def shadow(spec: Spec) -> str:
    """The shadow variant's name."""
    name: str = spec["ShadowModeConfig"]["ShadowModelVariants"][0]["ShadowModelVariantName"]
    return name


def actions(spec: Spec, asked: Mapping[str, str]) -> dict[str, str]:
    """What becomes of both variants; of one that is not named what the other's action leaves."""
    promoted = asked.get(shadow(spec)) == PROMOTE
    first = {source(spec): REMOVE if promoted else RETAIN, shadow(spec): REMOVE}
    return {**first, **asked}


def stays_as_it_was(spec: Spec, stop: Stop) -> bool:
    """Whether the endpoint goes back to what it was before: production as it is, and no shadow."""
    return not stop["variants"] and stop["actions"] == actions(spec, {})


def stays_as_it_is(spec: Spec, stop: Stop) -> bool:
    """Whether the endpoint goes on as in the experiment."""
    return not stop["variants"] and stop["actions"] == {source(spec): RETAIN, shadow(spec): RETAIN}


def before(spec: Spec, name: str) -> Params:
    """CreateEndpointConfig's parameters for an endpoint that is made for the experiment: production alone."""
    return _config(spec, name, [_variant(_infrastructure(spec)[source(spec)], 1.0)])


def during(spec: Spec, name: str) -> Params:
    """CreateEndpointConfig's parameters for the experiment."""
    variants = _infrastructure(spec)
    return _mirrored(spec, name, variants)


def after(stop: Stop, spec: Spec, name: str) -> Params:
    """CreateEndpointConfig's parameters for what is wanted of the endpoint afterwards."""
    wanted = {each["VariantName"]: each for each in stop["variants"]}
    variants = {**_infrastructure(spec), **wanted}
    kept = [name for name, action in stop["actions"].items() if action != REMOVE]
    if kept == [source(spec)] or stop["actions"].get(shadow(spec)) == PROMOTE:
        return _config(spec, name, [_variant(variants[kept[0]], 1.0)])
    return _mirrored(spec, name, variants)


def _mirrored(spec: Spec, name: str, variants: Mapping[str, Spec]) -> Params:
    (mirrored,) = spec["ShadowModeConfig"]["ShadowModelVariants"]
    config = _config(spec, name, [_variant(variants[source(spec)], 1.0)])
    config["ShadowProductionVariants"] = [_variant(variants[shadow(spec)], mirrored["SamplingPercentage"] / 100)]
    return config


def _infrastructure(spec: Spec) -> dict[str, Spec]:
    return {each["VariantName"]: each for each in spec["ModelVariants"]}


def _variant(asked: Spec, weight: float) -> Params:
    real_time = asked["InfrastructureConfig"]["RealTimeInferenceConfig"]
    return {
        "VariantName": asked["VariantName"],
        "ModelName": asked["ModelName"],
        "InstanceType": real_time["InstanceType"],
        "InitialInstanceCount": real_time["InstanceCount"],
        "InitialVariantWeight": weight,
    }


def _config(spec: Spec, name: str, production: list[Params]) -> Params:
    found: Params = {"EndpointConfigName": name, "ProductionVariants": production}
    if "KmsKey" in spec:
        found["KmsKeyId"] = spec["KmsKey"]
    if "DataStorageConfig" in spec:
        found["DataCaptureConfig"] = _captured(spec["DataStorageConfig"])
    return found


def _captured(storage: Spec) -> Params:
    """All of both variants' requests and answers."""
    found: Params = {
        "EnableCapture": True,
        "InitialSamplingPercentage": 100,
        "DestinationS3Uri": storage["Destination"],
        "CaptureOptions": [{"CaptureMode": "Input"}, {"CaptureMode": "Output"}],
    }
    if "KmsKey" in storage:
        found["KmsKeyId"] = storage["KmsKey"]
    if "ContentType" in storage:
        found["CaptureContentTypeHeader"] = storage["ContentType"]
    return found
