"""An endpoint as Describe shows it: the controller's state in the API's words."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from clary.lifecycles.endpoint import Deployment, Variant, is_ready
from clary.services.resources import Output, present
from clary.services.sagemaker.endpoint_stages import coming_status, goal, serving_status
from clary.serving.capture import is_on
from clary.store.rows import Row


def shown(row: Row) -> Output:
    """Describe's members beyond the spec: what serves, and what is being deployed beside it."""
    current: Deployment | None = row.state.get("current")
    coming: Deployment | None = row.state.get("next")
    serving = current or coming or {}
    wanted = {variant["name"]: variant for variant in (coming or {}).get("variants", ())}
    updated = "rollout" in row.state
    return present(
        {
            "EndpointConfigName": serving.get("config", row.spec["EndpointConfigName"]),
            "ProductionVariants": [
                _serving(row, variant, variant if updated else wanted.get(variant["name"], variant))
                for variant in serving.get("variants", ())
            ]
            or None,
            "DataCaptureConfig": _captured(serving["capture"]) if "capture" in serving else None,
            "EndpointStatus": row.status,
            "FailureReason": row.state.get("failure_reason"),
            "LastModifiedTime": row.modified,
            "LastDeploymentConfig": row.spec.get("DeploymentConfig"),
            "PendingDeploymentSummary": _pending(row, coming) if updated and coming else None,
        }
    )


def _pending(row: Row, deployment: Deployment) -> Output:
    """What UpdateEndpoint brings, while it does."""
    variants = [_coming(row, variant) for variant in deployment["variants"]]
    started = datetime.fromtimestamp(row.state["rollout"]["started"], UTC)
    return {"EndpointConfigName": deployment["config"], "ProductionVariants": variants, "StartTime": started}


def _serving(row: Row, variant: Variant, wanted: Variant) -> Output:
    status = serving_status(row, variant, wanted["desired_count"])
    return present({**_variant(row, variant, wanted, wanted["desired_count"]), "VariantStatus": status})


def _coming(row: Row, variant: Variant) -> Output:
    shown = _variant(row, variant, variant, goal(row, variant))
    status = coming_status(row, variant)
    return present({**shown, "InstanceType": variant["instance_type"], "VariantStatus": status})


def _captured(config: dict[str, Any]) -> Output:
    """https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_DataCaptureConfigSummary.html."""
    started = is_on(config)
    return {
        "EnableCapture": started,
        "CaptureStatus": "Started" if started else "Stopped",
        "CurrentSamplingPercentage": config["InitialSamplingPercentage"],
        "DestinationS3Uri": config["DestinationS3Uri"],
        "KmsKeyId": config.get("KmsKeyId", ""),
    }


def _variant(row: Row, variant: Variant, wanted: Variant, count: int) -> Output:
    """`variant` as it is, and what is wanted of it: its weight, and `count` instances."""
    deployed = [_deployed(row, definition) for definition in variant["container_definitions"]]
    return {
        "VariantName": variant["name"],
        "DeployedImages": deployed,
        "CurrentWeight": variant["weight"],
        "DesiredWeight": wanted["weight"],
        "CurrentInstanceCount": sum(map(is_ready, variant.get("replicas", ()))),
        "DesiredInstanceCount": count,
    }


def _deployed(row: Row, definition: dict[str, Any]) -> Output:
    image = definition["Image"]
    resolved = definition.get("ResolvedImage", image)
    return {"SpecifiedImage": image, "ResolvedImage": resolved, "ResolutionTime": row.modified}
