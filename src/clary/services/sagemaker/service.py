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


def _conditions(params: Mapping[str, Any]) -> Iterator[tuple[str, str | Sequence[str]]]:
    for tag in params.get("Tags") or ():
        yield f"aws:RequestTag/{tag['Key']}", tag["Value"]
    keys = [tag["Key"] for tag in params.get("Tags") or ()] or params.get("TagKeys")
    if keys:
        yield "aws:TagKeys", keys
    types = list(_instance_types(params))
    if types:
        yield "sagemaker:InstanceTypes", types
    if "KeepAlivePeriodInSeconds" in (params.get("ResourceConfig") or {}):
        yield "sagemaker:KeepAlivePeriod", str(params["ResourceConfig"]["KeepAlivePeriodInSeconds"])
    for visible in params.get("VisibilityConditions") or ():
        yield f"sagemaker:SearchVisibilityCondition/{visible['Key']}", visible["Value"]
    if "EnableNetworkIsolation" in params:
        yield "sagemaker:NetworkIsolation", "true" if params["EnableNetworkIsolation"] else "false"
    vpc = params.get("VpcConfig") or {}
    if vpc:
        yield "sagemaker:VpcSubnets", vpc["Subnets"]
        yield "sagemaker:VpcSecurityGroupIds", vpc["SecurityGroupIds"]


def _instance_types(params: Mapping[str, Any]) -> Iterator[str]:
    training = params.get("ResourceConfig") or {}
    holders = [
        training,
        params.get("TransformResources") or {},
        *(training.get("InstanceGroups") or ()),
        *(params.get("ProductionVariants") or ()),
    ]
    return (holder["InstanceType"] for holder in holders if "InstanceType" in holder)


SERVICE = Service("sagemaker", access)
