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
    "HyperParameterTuningJobName": "hyper-parameter-tuning-job",
    "TransformJobName": "transform-job",
    "ModelName": "model",
    "EndpointName": "endpoint",
    "EndpointConfigName": "endpoint-config",
}
"""The members that name resources, and the type within their ARNs."""


def access(call: Call) -> list[Access]:
    """`sagemaker:<Operation>` on every resource that is named; `sagemaker:AddTags` where a Create brings tags."""
    resources = list(_resources(call)) or ["*"]
    context = dict(_conditions(call.params))
    needed = [Access(f"sagemaker:{call.operation}", resource, context) for resource in resources]
    if call.params.get("Tags") and call.operation.startswith("Create"):
        needed.append(Access("sagemaker:AddTags", resources[0], context))
    return needed


def _resources(call: Call) -> Iterator[str]:
    if "ResourceArn" in call.params:
        yield call.params["ResourceArn"]
    for member, kind in _TYPES.items():
        if member in call.params:
            yield sagemaker_arn(call.region, call.principal.account, kind, call.params[member])


def _definitions(params: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Of a tuning's training jobs; the request itself for everything else."""
    one = params.get("TrainingJobDefinition")
    return [*(params.get("TrainingJobDefinitions") or ()), *([one] if one else ())] or [params]


def _conditions(params: Mapping[str, Any]) -> Iterator[tuple[str, str | Sequence[str]]]:
    for tag in params.get("Tags") or ():
        yield f"aws:RequestTag/{tag['Key']}", tag["Value"]
    keys = [tag["Key"] for tag in params.get("Tags") or ()] or params.get("TagKeys")
    if keys:
        yield "aws:TagKeys", keys
    types = [found for each in _definitions(params) for found in _instance_types(each)]
    if types:
        yield "sagemaker:InstanceTypes", types
    if "KeepAlivePeriodInSeconds" in (params.get("ResourceConfig") or {}):
        yield "sagemaker:KeepAlivePeriod", str(params["ResourceConfig"]["KeepAlivePeriodInSeconds"])
    for visible in params.get("VisibilityConditions") or ():
        yield f"sagemaker:SearchVisibilityCondition/{visible['Key']}", visible["Value"]
    yield from _isolation(_definitions(params))


def _isolation(definitions: Sequence[Mapping[str, Any]]) -> Iterator[tuple[str, str | Sequence[str]]]:
    """A tuning is as isolated as the least isolated of its training jobs, and in the networks of all."""
    said = [each["EnableNetworkIsolation"] for each in definitions if "EnableNetworkIsolation" in each]
    if said:
        yield "sagemaker:NetworkIsolation", "true" if all(said) and len(said) == len(definitions) else "false"
    networks = [each["VpcConfig"] for each in definitions if each.get("VpcConfig")]
    if networks:
        yield "sagemaker:VpcSubnets", [subnet for vpc in networks for subnet in vpc["Subnets"]]
        yield "sagemaker:VpcSecurityGroupIds", [group for vpc in networks for group in vpc["SecurityGroupIds"]]


def _instance_types(params: Mapping[str, Any]) -> Iterator[str]:
    training, tuning = params.get("ResourceConfig") or {}, params.get("HyperParameterTuningResourceConfig") or {}
    holders = [
        training,
        tuning,
        params.get("TransformResources") or {},
        *(training.get("InstanceGroups") or ()),
        *(tuning.get("InstanceConfigs") or ()),
        *(params.get("ProductionVariants") or ()),
    ]
    return (holder["InstanceType"] for holder in holders if "InstanceType" in holder)


SERVICE = Service("sagemaker", access)
