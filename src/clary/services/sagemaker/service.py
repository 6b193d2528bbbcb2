"""SageMaker: what is offered, and the rights that each operation needs
(https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonsagemaker.html)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from clary.calls import Access, Call
from clary.names import sagemaker_arn
from clary.services.registry import Service

_TYPES = {
    "TrainingJobName": "training-job",
    "CompilationJobName": "compilation-job",
    "HyperParameterTuningJobName": "hyper-parameter-tuning-job",
    "TransformJobName": "transform-job",
    "ModelName": "model",
    "EndpointName": "endpoint",
    "EndpointConfigName": "endpoint-config",
    "InferenceComponentName": "inference-component",
}
"""The members that name resources, and the type within their ARNs."""

_NO_RESOURCE = {("CreateTransformJob", "ModelName"), ("CreateInferenceExperiment", "EndpointName")}
"""A member that names none here: whether this model may be used is told by `sagemaker:ModelArn`; what becomes of the
endpoint is its role's right."""

_EXPERIMENT = "InferenceExperiment"
"""What operations end with whose resource is called `Name`."""

_TOLD: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("sagemaker:EnableRemoteDebug", ("RemoteDebugConfig", "EnableRemoteDebug")),
    ("sagemaker:InterContainerTrafficEncryption", ("EnableInterContainerTrafficEncryption",)),
    ("sagemaker:KeepAlivePeriod", ("ResourceConfig", "KeepAlivePeriodInSeconds")),
    ("sagemaker:MaxRuntimeInSeconds", ("StoppingCondition", "MaxRuntimeInSeconds")),
    ("sagemaker:NetworkIsolation", ("EnableNetworkIsolation",)),
    ("sagemaker:OutputKmsKey", ("OutputDataConfig", "KmsKeyId")),
    ("sagemaker:OutputKmsKey", ("TransformOutput", "KmsKeyId")),
    ("sagemaker:VolumeKmsKey", ("ResourceConfig", "VolumeKmsKeyId")),
    ("sagemaker:VolumeKmsKey", ("TransformResources", "VolumeKmsKeyId")),
    ("sagemaker:VolumeKmsKey", ("KmsKeyId",)),
    ("sagemaker:VpcSecurityGroupIds", ("VpcConfig", "SecurityGroupIds")),
    ("sagemaker:VpcSubnets", ("VpcConfig", "Subnets")),
)
"""Condition keys, and where in a request their values stand; what the request leaves out is absent."""

_TELLING = frozenset(path[0] for _, path in _TOLD)
"""Where a request has none of these, nothing is told."""


def access(call: Call) -> list[Access]:
    """`sagemaker:<Operation>` on every resource that is named; `sagemaker:AddTags` where a Create brings tags."""
    offered = SERVICE.operations.get(call.operation)
    named = offered.on(call) if offered and offered.on else _resources(call)
    resources = [arn.lower() for arn in named] or ["*"]  # ARNs are in lower case, and found however they are written
    context = dict(_conditions(call))
    needed = [Access(f"sagemaker:{call.operation}", resource, context) for resource in resources]
    if call.params.get("Tags") and call.operation.startswith("Create"):
        needed.append(Access("sagemaker:AddTags", resources[0], context))
    return needed


def _resources(call: Call) -> Iterator[str]:
    if "ResourceArn" in call.params:
        yield call.params["ResourceArn"]
    if call.operation.endswith(_EXPERIMENT) and "Name" in call.params:
        yield sagemaker_arn(call.region, call.principal.account, "inference-experiment", call.params["Name"])
    for member, kind in _TYPES.items():
        if member in call.params and (call.operation, member) not in _NO_RESOURCE:
            yield sagemaker_arn(call.region, call.principal.account, kind, call.params[member])


def _definitions(params: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Of a tuning's training jobs; the request itself for everything else."""
    one = params.get("TrainingJobDefinition")
    return [*(params.get("TrainingJobDefinitions") or ()), *([one] if one else ())] or [params]


def _conditions(call: Call) -> Iterator[tuple[str, str | Sequence[str]]]:
    params = call.params
    yield from _tags(params)
    yield from _told(_definitions(params))
    types = [found for each in _definitions(params) for found in _instance_types(each)]
    if types:
        yield "sagemaker:InstanceTypes", types
    models = list(_models(call))
    if models:
        yield "sagemaker:ModelArn", models


def _tags(params: Mapping[str, Any]) -> Iterator[tuple[str, str | Sequence[str]]]:
    for tag in params.get("Tags") or ():
        yield f"aws:RequestTag/{tag['Key']}", tag["Value"]
    keys = [tag["Key"] for tag in params.get("Tags") or ()] or params.get("TagKeys")
    if keys:
        yield "aws:TagKeys", keys
    for visible in params.get("VisibilityConditions") or ():
        yield f"sagemaker:SearchVisibilityCondition/{visible.get('Key', '')}", visible.get("Value", "")


def _told(definitions: Sequence[Mapping[str, Any]]) -> Iterator[tuple[str, str | Sequence[str]]]:
    """A tuning has an encryption or a network only where all of its training jobs have; it is as isolated as the least
    isolated of them."""
    for key, path in _TOLD:
        said = [value for value in (_at(each, path) for each in definitions) if value not in (None, "")]
        if said and isinstance(said[0], bool):
            yield key, _text(all(said) and len(said) == len(definitions))
        elif said and len(said) == len(definitions):
            values = [part for value in said for part in (value if isinstance(value, list) else [_text(value)])]
            yield key, values if len(values) > 1 or isinstance(said[0], list) else values[0]


def _at(params: Mapping[str, Any], path: Sequence[str]) -> Any:  # noqa: ANN401  whatever the request holds there
    value: Any = params
    for member in path:
        value = (value or {}).get(member)
    return value


def _text(value: str | float | bool) -> str:
    """As conditions compare it."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _models(call: Call) -> Iterator[str]:
    """The models that are used, not made or looked at."""
    users = [call.params] if call.operation == "CreateTransformJob" else _variants(call.params)
    for user in users:
        if "ModelName" in user:
            yield sagemaker_arn(call.region, call.principal.account, "model", user["ModelName"])


def _variants(params: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [*(params.get("ProductionVariants") or ()), *(params.get("ShadowProductionVariants") or ())]


def _instance_types(params: Mapping[str, Any]) -> Iterator[str]:
    training, tuning = params.get("ResourceConfig") or {}, params.get("HyperParameterTuningResourceConfig") or {}
    holders = [
        training,
        tuning,
        params.get("TransformResources") or {},
        *(training.get("InstanceGroups") or ()),
        *(tuning.get("InstanceConfigs") or ()),
        *_variants(params),
    ]
    return (holder["InstanceType"] for holder in holders if "InstanceType" in holder)


SERVICE = Service("sagemaker", access, "clary.services.sagemaker.operations")
