"""What is scaled: instances of a variant
(https://docs.aws.amazon.com/autoscaling/application/userguide/services-that-can-integrate-sagemaker.html)."""

from __future__ import annotations

import re
from dataclasses import dataclass

NAMESPACE = "sagemaker"
DIMENSION = "sagemaker:variant:DesiredInstanceCount"

_VARIANT = re.compile(r"endpoint/([A-Za-z0-9-]+)/variant/([A-Za-z0-9-]+)")


@dataclass(frozen=True)
class ScaledVariant:
    """One production variant of one endpoint."""

    endpoint: str
    name: str

    @classmethod
    def parse(cls, resource_id: str) -> ScaledVariant:
        """Of `endpoint/NAME/variant/NAME`. Raises ValueError."""
        found = _VARIANT.fullmatch(resource_id)
        if found is None:
            raise ValueError(f"no variant: {resource_id!r}")
        return cls(found[1], found[2])
