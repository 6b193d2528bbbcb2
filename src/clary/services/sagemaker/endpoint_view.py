"""An endpoint as Describe shows it: the controller's state in the API's words."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from clary.lifecycles.endpoint import Deployment, Variant, is_ready, production_of, shadows_of
from clary.services.resources import Output, present
from clary.services.sagemaker.endpoint_stages import coming_status, goal, serving_status
from clary.services.sagemaker.serverless import shown as serverless
from clary.serving.capture import is_on
from clary.store.rows import Row


def shown(row: Row) -> Output:
    """Describe's members beyond the spec: what serves, and what is being deployed beside it."""
    current: Deployment | None = row.state.get("current")
    coming: Deployment | None = row.state.get("next")
    serving = current or coming
    wanted = {variant["name"]: variant for variant in (coming or {}).get("variants", ())}
    updated = "rollout" in row.state

    def show(variants: list[Variant]) -> list[Output]:
        return [_serving(row, each, each if updated else wanted.get(each["name"], each)) for each in variants]

    return present(
        {
            "EndpointConfigName": serving["config"] if serving else row.spec["EndpointConfigName"],
            "ProductionVariants": show(production_of(serving)) or None,
            "ShadowProductionVariants": show(shadows_of(serving)) or None,
            "DataCaptureConfig": _captured(serving["capture"]) if serving and "capture" in serving else None,
            "AsyncInferenceConfig": serving.get("asynchronous") if serving else None,
            "EndpointStatus": row.status,
            "FailureReason": row.state.get("failure_reason"),
            "LastModifiedTime": row.modified,
            "LastDeploymentConfig": row.spec.get("DeploymentConfig"),
            "PendingDeploymentSummary": _pending(row, coming) if updated and coming else None,
        }
    )


def _pending(row: Row, deployment: Deployment) -> Output:
    """What UpdateEndpoint brings, while it does."""
    return present(
        {
            "EndpointConfigName": deployment["config"],
            "ProductionVariants": [_coming(row, variant) for variant in production_of(deployment)],
            "ShadowProductionVariants": [_coming(row, variant) for variant in shadows_of(deployment)] or None,
            "StartTime": datetime.fromtimestamp(row.state["rollout"]["started"], UTC),
        }
    )


def _serving(row: Row, variant: Variant, wanted: Variant) -> Output:
    status = serving_status(row, variant, wanted["desired_count"])
    return present({**_variant(row, variant, wanted, wanted["desired_count"]), "VariantStatus": status})


def _coming(row: Row, variant: Variant) -> Output:
    shown = _variant(row, variant, variant, goal(row, variant))
    status = coming_status(row, variant)
    return present({**shown, "InstanceType": variant.get("instance_type"), "VariantStatus": status})


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
    if "serverless" in variant:
        counts: Output = {
            "CurrentInstanceCount": 0,
            "CurrentServerlessConfig": serverless(variant),
            "DesiredServerlessConfig": serverless(wanted),
        }
    else:
        ready = sum(map(is_ready, variant.get("replicas", ())))
        counts = {"CurrentInstanceCount": ready, "DesiredInstanceCount": count}
    return {
        "VariantName": variant["name"],
        "DeployedImages": deployed or None,
        "CurrentWeight": variant["weight"],
        "DesiredWeight": wanted["weight"],
        **counts,
        "RoutingConfig": {"RoutingStrategy": variant["routing"]} if "routing" in variant else None,
        "ManagedInstanceScaling": variant.get("managed_scaling"),
    }


def _deployed(row: Row, definition: dict[str, Any]) -> Output:
    image = definition["Image"]
    resolved = definition.get("ResolvedImage", image)
    return {"SpecifiedImage": image, "ResolvedImage": resolved, "ResolutionTime": row.modified}
