"""What is scaled: instances of a variant, its provisioned concurrency, or copies of an inference component
(https://docs.aws.amazon.com/autoscaling/application/userguide/services-that-can-integrate-sagemaker.html)."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

from clary.lifecycles.endpoint import KIND as ENDPOINT_KIND
from clary.lifecycles.endpoint import Variant
from clary.lifecycles.inference_component import KIND as COMPONENT_KIND

NAMESPACE = "sagemaker"
DIMENSION = "sagemaker:variant:DesiredInstanceCount"
CONCURRENCY = "sagemaker:variant:DesiredProvisionedConcurrency"
COPIES = "sagemaker:inference-component:DesiredCopyCount"
DIMENSIONS = (DIMENSION, CONCURRENCY, COPIES)

_VARIANT = re.compile(r"endpoint/([A-Za-z0-9-]+)/variant/([A-Za-z0-9-]+)")
_COMPONENT = re.compile(r"inference-component/([A-Za-z0-9-]+)")
_OF_CONCURRENCY = ":provisioned-concurrency"
"""Ends the name of a target whose ResourceId is that of a variant's instances, too."""


class Tracked(NamedTuple):
    """A predefined metric, and how its alarms look at it."""

    metric: str
    statistic: str
    period: int = 60
    """Seconds."""


class Scaled(ABC):
    """One thing of which there can be more or fewer."""

    name: str
    """Of the variant or component."""
    kind: ClassVar[str]
    """Of the row that has it."""
    dimension: ClassVar[str]
    counted: ClassVar[str]
    """What there are more or fewer of, in AWS's texts."""
    predefined: ClassVar[Mapping[str, Tracked]]
    """What can be tracked by its PredefinedMetricType."""

    @property
    @abstractmethod
    def deployed(self) -> str:
        """The name of the row that has it."""

    @property
    @abstractmethod
    def resource_id(self) -> str:
        """As clients name it."""

    @property
    def target(self) -> str:
        """The name of its scalable target."""
        return self.resource_id

    def capacity(self, variant: Variant) -> int:
        """How many it is to have; of a component, `variant` are its copies."""
        return variant["desired_count"]

    @abstractmethod
    def is_of(self, variant: Variant) -> bool:
        """Whether this variant can be scaled so."""

    @property
    @abstractmethod
    def dimensions(self) -> list[dict[str, str]]:
        """Of its predefined metrics."""

    @abstractmethod
    def request(self, capacity: int) -> tuple[str, dict[str, Any]]:
        """The operation that gives it so many, and its parameters."""


@dataclass(frozen=True)
class ScaledVariant(Scaled):
    """The instances of one production variant of one endpoint."""

    endpoint: str
    name: str

    kind: ClassVar[str] = ENDPOINT_KIND
    dimension: ClassVar[str] = DIMENSION
    counted: ClassVar[str] = "instance"
    predefined: ClassVar[Mapping[str, Tracked]] = {
        "SageMakerVariantInvocationsPerInstance": Tracked("InvocationsPerInstance", "Sum"),
        "SageMakerVariantConcurrentRequestsPerModelHighResolution": Tracked(
            "ConcurrentRequestsPerModel", "Average", 10
        ),
    }

    @property
    def deployed(self) -> str:
        return self.endpoint

    @property
    def resource_id(self) -> str:
        return f"endpoint/{self.endpoint}/variant/{self.name}"

    def is_of(self, variant: Variant) -> bool:
        return "serverless" not in variant

    @property
    def dimensions(self) -> list[dict[str, str]]:
        named = {"EndpointName": self.endpoint, "VariantName": self.name}
        return [{"Name": name, "Value": value} for name, value in named.items()]

    def request(self, capacity: int) -> tuple[str, dict[str, Any]]:
        return self._with({"DesiredInstanceCount": capacity})

    def _with(self, wanted: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        desired = [{"VariantName": self.name, **wanted}]
        return "UpdateEndpointWeightsAndCapacities", {
            "EndpointName": self.endpoint,
            "DesiredWeightsAndCapacities": desired,
        }


@dataclass(frozen=True)
class ScaledConcurrency(ScaledVariant):
    """The provisioned concurrency of a serverless variant
    (https://docs.aws.amazon.com/sagemaker/latest/dg/serverless-endpoints-autoscale.html)."""

    dimension: ClassVar[str] = CONCURRENCY
    counted: ClassVar[str] = "provisioned concurrency"
    predefined: ClassVar[Mapping[str, Tracked]] = {
        "SageMakerVariantProvisionedConcurrencyUtilization": Tracked(
            "ServerlessProvisionedConcurrencyUtilization", "Average"
        ),
    }

    @property
    def target(self) -> str:
        return self.resource_id + _OF_CONCURRENCY

    def capacity(self, variant: Variant) -> int:
        return variant["serverless"]["provisioned"] if "serverless" in variant else 0

    def is_of(self, variant: Variant) -> bool:
        """AWS scales what is provisioned already."""
        return self.capacity(variant) > 0

    def request(self, capacity: int) -> tuple[str, dict[str, Any]]:
        return self._with({"ServerlessUpdateConfig": {"ProvisionedConcurrency": capacity}})


@dataclass(frozen=True)
class ScaledComponent(Scaled):
    """The copies of one inference component."""

    name: str

    kind: ClassVar[str] = COMPONENT_KIND
    dimension: ClassVar[str] = COPIES
    counted: ClassVar[str] = "copy"
    predefined: ClassVar[Mapping[str, Tracked]] = {
        "SageMakerInferenceComponentInvocationsPerCopy": Tracked("InvocationsPerCopy", "Sum"),
        "SageMakerInferenceComponentConcurrentRequestsPerCopyHighResolution": Tracked(
            "ConcurrentRequestsPerCopy", "Average", 10
        ),
    }

    @property
    def deployed(self) -> str:
        return self.name

    @property
    def resource_id(self) -> str:
        return f"inference-component/{self.name}"

    def is_of(self, variant: Variant) -> bool:
        """Copies can always be scaled."""
        return True

    @property
    def dimensions(self) -> list[dict[str, str]]:
        return [{"Name": "InferenceComponentName", "Value": self.name}]

    def request(self, capacity: int) -> tuple[str, dict[str, Any]]:
        config = {"InferenceComponentName": self.name, "DesiredRuntimeConfig": {"CopyCount": capacity}}
        return "UpdateInferenceComponentRuntimeConfig", config


def parse(target: str) -> Scaled:
    """By the name of a scalable target. Raises ValueError."""
    resource_id = target.removesuffix(_OF_CONCURRENCY)
    variant, component = _VARIANT.fullmatch(resource_id), _COMPONENT.fullmatch(target)
    if variant is not None:
        kind = ScaledVariant if resource_id == target else ScaledConcurrency
        return kind(variant[1], variant[2])
    if component is not None:
        return ScaledComponent(component[1])
    raise ValueError(f"nothing that is scaled: {target!r}")


def of(resource_id: str, dimension: str | None) -> tuple[Scaled, ...]:
    """What clients name: `endpoint/NAME/variant/NAME` or `inference-component/NAME`; all of it where they say no
    dimension, nothing where there is no such thing."""
    variant, component = _VARIANT.fullmatch(resource_id), _COMPONENT.fullmatch(resource_id)
    found: tuple[Scaled, ...] = ()
    if variant is not None:
        found = ScaledVariant(variant[1], variant[2]), ScaledConcurrency(variant[1], variant[2])
    elif component is not None:
        found = (ScaledComponent(component[1]),)
    return tuple(each for each in found if dimension in (None, each.dimension))
