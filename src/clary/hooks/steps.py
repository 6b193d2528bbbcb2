"""What follows on a new image: AWS's own requests, in which the image, the model and fresh names are filled in.

{"CreateTrainingJob": {"OutputDataConfig": {"S3OutputPath": "s3://churn/models"}},
 "CreateEndpoint": {"EndpointName": "churn"}}
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

from botocore.validate import ParamValidator

from clary.errors import ValidationError
from clary.wire import models
from clary.wire.validation import validate

TRAIN = "CreateTrainingJob"
MODEL = "CreateModel"
CONFIG = "CreateEndpointConfig"
ENDPOINT = "CreateEndpoint"

Steps = Mapping[str, Mapping[str, Any]]
Params = dict[str, Any]

_INSTANCE = "ml.m5.large"
_DAY = 86_400
_EXAMPLE_IMAGE = "123456789012.dkr.ecr.us-east-1.amazonaws.com/name:tag"
_EXAMPLE_DATA = "s3://bucket/model.tar.gz"


def checked(said: Any, role: str) -> Steps:  # noqa: ANN401 — a document that somebody wrote
    """The steps, as they are kept. Raises ValidationError where one of the requests would be refused for its form."""
    if not isinstance(said, dict) or not all(isinstance(params, dict) for params in said.values()):
        raise ValidationError("What follows on a new image is a JSON object of requests by their operations.")
    unknown = sorted(set(said) - {TRAIN, MODEL, CONFIG, ENDPOINT})
    if unknown:
        raise ValidationError(f"{', '.join(unknown)}: only {TRAIN}, {MODEL}, {CONFIG} and {ENDPOINT} can follow.")
    if ENDPOINT not in said and (MODEL in said or CONFIG in said):
        raise ValidationError(f"{MODEL} and {CONFIG} are for an endpoint: name it by {ENDPOINT}.")
    for operation, params in _examples(said, role):
        _check(operation, params)
    return said


def _check(operation: str, params: Params) -> None:
    """As boto3 would before it sends it, then as the API would."""
    shape = models.operation("sagemaker", operation).input_shape
    if shape is None:
        raise ValidationError(f"{operation} takes nothing.")
    report = ParamValidator().validate(params, shape)
    if report.has_errors():
        raise ValidationError(f"{operation}: {report.generate_report()}")
    validate(shape, params)


def _examples(steps: Steps, role: str) -> list[tuple[str, Params]]:
    found = []
    if TRAIN in steps:
        found.append((TRAIN, training_job(steps, "name", _EXAMPLE_IMAGE, role)))
    if ENDPOINT in steps:
        found.append((MODEL, model(steps, "name", _EXAMPLE_IMAGE, _EXAMPLE_DATA, role)))
        found.append((CONFIG, endpoint_config(steps, "name", "name")))
        found.append((ENDPOINT, endpoint(steps, "name")))
    return found


def trains(steps: Steps) -> bool:
    """Whether a training job follows."""
    return TRAIN in steps


def endpoint_name(steps: Steps) -> str:
    """The endpoint that is to serve it; empty where none is."""
    name: str = steps.get(ENDPOINT, {}).get("EndpointName", "")
    return name


def training_job(steps: Steps, name: str, image: str, role: str) -> Params:
    """CreateTrainingJob's parameters; of what it needs besides, the least."""
    params = copy.deepcopy(dict(steps[TRAIN]))
    algorithm = {"TrainingInputMode": "File", **_object(params, "AlgorithmSpecification"), "TrainingImage": image}
    resources = {"InstanceType": _INSTANCE, "InstanceCount": 1, "VolumeSizeInGB": 30}
    defaults = {
        "RoleArn": role,
        "ResourceConfig": resources,
        "StoppingCondition": {"MaxRuntimeInSeconds": _DAY},
    }
    return {**defaults, **params, "TrainingJobName": name, "AlgorithmSpecification": algorithm}


def model(steps: Steps, name: str, image: str, data: str, role: str) -> Params:
    """CreateModel's parameters; without `data` what the image brings, or the document names, is the model."""
    params = copy.deepcopy(dict(steps.get(MODEL, {})))
    found = {"ModelDataUrl": data} if data else {}
    container = {**_object(params, "PrimaryContainer"), "Image": image, **found}
    return {"ExecutionRoleArn": role, **params, "ModelName": name, "PrimaryContainer": container}


def _object(params: Params, name: str) -> Params:
    value = params.get(name, {})
    if not isinstance(value, dict):
        raise ValidationError(f"{name} is an object.")
    return value


def endpoint_config(steps: Steps, name: str, model_name: str) -> Params:
    """CreateEndpointConfig's parameters: every variant serves the new model."""
    params = copy.deepcopy(dict(steps.get(CONFIG, {})))
    default = {"VariantName": "AllTraffic", "InstanceType": _INSTANCE, "InitialInstanceCount": 1}
    given = params.get("ProductionVariants", [default])
    if not isinstance(given, list) or not all(isinstance(variant, dict) for variant in given):
        raise ValidationError("ProductionVariants is a list of objects.")
    variants = [{**variant, "ModelName": model_name} for variant in given]
    return {**params, "EndpointConfigName": name, "ProductionVariants": variants}


def endpoint(steps: Steps, config: str) -> Params:
    """CreateEndpoint's parameters."""
    return {**copy.deepcopy(dict(steps[ENDPOINT])), "EndpointConfigName": config}


def endpoint_update(steps: Steps, config: str) -> Params:
    """UpdateEndpoint's: what goes on serving keeps its tags."""
    return {name: value for name, value in endpoint(steps, config).items() if name != "Tags"}
