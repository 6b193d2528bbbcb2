"""An endpoint as Describe shows it: the controller's state in the API's words."""

from __future__ import annotations

from typing import Any

from clary.lifecycles.endpoint import Deployment, Variant, is_ready
from clary.services.resources import Output, present
from clary.store.rows import Row


def shown(row: Row) -> Output:
    """Describe's members beyond the spec: what serves, and what is being deployed beside it."""
    current: Deployment | None = row.state.get("current")
    coming: Deployment | None = row.state.get("next")
    serving = current or coming or {}
    pending = coming if current and coming else None
    wanted = {variant["name"]: variant for variant in (pending or {}).get("variants", ())}
    return present(
        {
            "EndpointConfigName": serving.get("config", row.spec["EndpointConfigName"]),
            "ProductionVariants": [
                _variant(row, variant, wanted.get(variant["name"], variant)) for variant in serving.get("variants", ())
            ]
            or None,
            "EndpointStatus": row.status,
            "FailureReason": row.state.get("failure_reason"),
            "LastModifiedTime": row.modified,
            "LastDeploymentConfig": row.spec.get("DeploymentConfig"),
            "PendingDeploymentSummary": _pending(row, pending) if pending else None,
        }
    )


def _pending(row: Row, deployment: Deployment) -> Output:
    variants = [_variant(row, variant, variant) for variant in deployment["variants"]]
    return {"EndpointConfigName": deployment["config"], "ProductionVariants": variants}


def _variant(row: Row, variant: Variant, wanted: Variant) -> Output:
    """`variant` as it serves, and what is wanted of it."""
    deployed = [_deployed(row, definition) for definition in variant["container_definitions"]]
    return {
        "VariantName": variant["name"],
        "DeployedImages": deployed,
        "CurrentWeight": variant["weight"],
        "DesiredWeight": wanted["weight"],
        "CurrentInstanceCount": sum(map(is_ready, variant.get("replicas", ()))),
        "DesiredInstanceCount": wanted["desired_count"],
    }


def _deployed(row: Row, definition: dict[str, Any]) -> Output:
    image = definition["Image"]
    resolved = definition.get("ResolvedImage", image)
    return {"SpecifiedImage": image, "ResolvedImage": resolved, "ResolutionTime": row.modified}
