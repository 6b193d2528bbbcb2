"""An inference component's Specification: what is refused, and what is deployed
(https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_InferenceComponentSpecification.html).

No public source shows AWS's words for what is refused here.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from clary.errors import ValidationError
from clary.lifecycles.endpoint import MULTI_MODEL, Demand, Deployment, Variant
from clary.services.context import Context
from clary.services.resources import Params, require
from clary.services.sagemaker.endpoint_configs import MOST_INSTANCES
from clary.services.sagemaker.errors import limit_exceeded, not_offered
from clary.services.sagemaker.images import pinned
from clary.services.sagemaker.model_containers import containers_of
from clary.services.sagemaker.models import MODEL, fill_container

_UNOFFERED = ("BaseInferenceComponentName", "InstanceType")
_REQUIREMENTS = "ComputeResourceRequirements"
_MODELS = ("ModelName", "Container")


def check_specification(params: Params) -> Params | None:
    """The Specification of a request, where it has one and it is offered. Raises ValidationError."""
    if params.get("Specifications"):
        raise not_offered("Specifications")
    asked: Params | None = params.get("Specification")
    if asked is None:
        return None
    for member in _UNOFFERED:
        if asked.get(member):
            raise not_offered(f"Specification.{member}")
    if (asked.get(_REQUIREMENTS) or {}).get("AcceleratorPartitionType"):
        raise not_offered(f"Specification.{_REQUIREMENTS}.AcceleratorPartitionType")
    if (asked.get("Container") or {}).get("ContainerMetricsConfig"):
        raise not_offered("Specification.Container.ContainerMetricsConfig")
    if all(asked.get(member) for member in _MODELS):
        raise ValidationError("Specification: only one of ModelName and Container can be specified.")
    return asked


def updated(before: Mapping[str, Any], asked: Params) -> Params:
    """A Specification after an update: what the request leaves out stays, and a model takes the place of a model."""
    named = [member for member in _MODELS if asked.get(member)]
    kept = {member: value for member, value in before.items() if not named or member not in _MODELS}
    container = {"Container": {**before.get("Container", {}), **asked["Container"]}} if "Container" in named else {}
    return {**kept, **asked, **container}


def check_copies(count: int) -> int:
    """Raises ResourceLimitExceeded."""
    if count > MOST_INSTANCES:
        raise limit_exceeded("copies of an inference component", MOST_INSTANCES, count)
    return count


def resolve(context: Context, row_spec: Mapping[str, Any], asked: Params, copies: int, host: Variant) -> Deployment:
    """What is deployed of a component on the variant `host`: models may be deleted afterwards.

    Raises ValidationError, AccessDenied, ResourceLimitExceeded.
    """
    if not any(asked.get(member) for member in _MODELS):
        raise ValidationError("Specification: one of ModelName and Container must be specified.")
    if _REQUIREMENTS not in asked:
        raise ValidationError(f"Specification: {_REQUIREMENTS} is required.")
    definition, isolated = _model(context, asked, host["role"])
    variant: Variant = {
        "name": row_spec["VariantName"],
        "weight": 1.0,
        "desired_count": check_copies(copies),
        "instance_type": host["instance_type"],
        "container_definitions": [pinned(context, definition)],
        "role": host["role"],
        "isolated": isolated or host["isolated"],
        "replicas": [],
        "endpoint": row_spec["EndpointName"],
        "demand": demand_of(asked[_REQUIREMENTS]),
    }
    if "routing" in host:
        variant["routing"] = host["routing"]
    startup = asked.get("StartupParameters") or {}
    if "ContainerStartupHealthCheckTimeoutInSeconds" in startup:
        variant["startup_seconds"] = float(startup["ContainerStartupHealthCheckTimeoutInSeconds"])
    if "ModelDataDownloadTimeoutInSeconds" in startup:
        variant["download_seconds"] = float(startup["ModelDataDownloadTimeoutInSeconds"])
    return {"config": "", "variants": [variant], "specification": asked}


def demand_of(asked: Params) -> Demand:
    """What a copy takes. Raises ValidationError."""
    least, most = asked["MinMemoryRequiredInMb"], asked.get("MaxMemoryRequiredInMb", 0)
    if most and most < least:
        raise ValidationError("MaxMemoryRequiredInMb must not be smaller than MinMemoryRequiredInMb.")
    return Demand(
        millicores=round(asked.get("NumberOfCpuCoresRequired", 0) * 1000),
        memory_mb=least,
        most_memory_mb=most,
        accelerators=math.ceil(asked.get("NumberOfAcceleratorDevicesRequired", 0)),
    )


def _model(context: Context, asked: Params, role: str) -> tuple[Params, bool]:
    """The container definition, and whether the model is isolated from the network."""
    if asked.get("Container"):
        return fill_container(context, role, _definition(asked["Container"])), False
    model = require(MODEL, context, asked["ModelName"]).spec
    containers = containers_of(model)
    if len(containers) > 1 or containers[0].get("Mode") == MULTI_MODEL:
        raise ValidationError(
            f"Model {asked['ModelName']}: multi-container and multi-model models cannot be inference components."
        )
    return containers[0], bool(model.get("EnableNetworkIsolation"))


def _definition(container: Params) -> Params:
    """As CreateModel would be asked for it. Raises ValidationError."""
    if "Image" not in container:
        raise ValidationError("Specification.Container: Image is required.")
    url = {"ModelDataUrl": container["ArtifactUrl"]} if "ArtifactUrl" in container else {}
    return {"Image": container["Image"], "Environment": container.get("Environment") or {}, **url}
