"""What is scaled: instances of a variant, or copies of an inference component
(https://docs.aws.amazon.com/autoscaling/application/userguide/services-that-can-integrate-sagemaker.html)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, ClassVar

from clary.lifecycles.endpoint import KIND as ENDPOINT_KIND
from clary.lifecycles.inference_component import KIND as COMPONENT_KIND

NAMESPACE = "sagemaker"
DIMENSION = "sagemaker:variant:DesiredInstanceCount"
COPIES = "sagemaker:inference-component:DesiredCopyCount"
DIMENSIONS = (DIMENSION, COPIES)

_VARIANT = re.compile(r"endpoint/([A-Za-z0-9-]+)/variant/([A-Za-z0-9-]+)")
_COMPONENT = re.compile(r"inference-component/([A-Za-z0-9-]+)")


@dataclass(frozen=True)
class ScaledVariant:
    """One production variant of one endpoint."""

    endpoint: str
    name: str

    kind: ClassVar[str] = ENDPOINT_KIND
    dimension: ClassVar[str] = DIMENSION
    counted: ClassVar[str] = "instance"
    """What there are more or fewer of, in AWS's texts."""
    predefined: ClassVar[str] = "SageMakerVariantInvocationsPerInstance"
    metric: ClassVar[str] = "InvocationsPerInstance"

    @property
    def deployed(self) -> str:
        """The name of the row that has it."""
        return self.endpoint

    @property
    def dimensions(self) -> list[dict[str, str]]:
        """Of the predefined metric."""
        named = {"EndpointName": self.endpoint, "VariantName": self.name}
        return [{"Name": name, "Value": value} for name, value in named.items()]

    def request(self, capacity: int) -> tuple[str, dict[str, Any]]:
        """The operation that gives it so many, and its parameters."""
        wanted = [{"VariantName": self.name, "DesiredInstanceCount": capacity}]
        return "UpdateEndpointWeightsAndCapacities", {
            "EndpointName": self.endpoint,
            "DesiredWeightsAndCapacities": wanted,
        }


@dataclass(frozen=True)
class ScaledComponent:
    """One inference component."""

    name: str

    kind: ClassVar[str] = COMPONENT_KIND
    dimension: ClassVar[str] = COPIES
    counted: ClassVar[str] = "copy"
    predefined: ClassVar[str] = "SageMakerInferenceComponentInvocationsPerCopy"
    metric: ClassVar[str] = "InvocationsPerCopy"

    @property
    def deployed(self) -> str:
        """The name of the row that has it."""
        return self.name

    @property
    def dimensions(self) -> list[dict[str, str]]:
        """Of the predefined metric."""
        return [{"Name": "InferenceComponentName", "Value": self.name}]

    def request(self, capacity: int) -> tuple[str, dict[str, Any]]:
        """The operation that gives it so many, and its parameters."""
        config = {"InferenceComponentName": self.name, "DesiredRuntimeConfig": {"CopyCount": capacity}}
        return "UpdateInferenceComponentRuntimeConfig", config


Scaled = ScaledVariant | ScaledComponent


def parse(resource_id: str) -> Scaled:
    """Of `endpoint/NAME/variant/NAME` or `inference-component/NAME`. Raises ValueError."""
    variant, component = _VARIANT.fullmatch(resource_id), _COMPONENT.fullmatch(resource_id)
    if variant is not None:
        return ScaledVariant(variant[1], variant[2])
    if component is not None:
        return ScaledComponent(component[1])
    raise ValueError(f"nothing that is scaled: {resource_id!r}")
