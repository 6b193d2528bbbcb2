"""An inference component as Describe and List show it: the controller's state in the API's words."""

from __future__ import annotations

from typing import Any

from clary.lifecycles.endpoint import Deployment, Variant, is_ready, replicas_of
from clary.lifecycles.inference_component import shown_status
from clary.names import sagemaker_arn
from clary.services.resources import Output, present
from clary.services.sagemaker.endpoint_stages import goal
from clary.store.rows import Row


def shown(row: Row) -> Output:
    """Describe's members beyond the spec."""
    serving: Deployment | None = row.state.get("current") or row.state.get("next")
    coming: Deployment | None = row.state.get("next") or serving
    asked: int = row.spec["RuntimeConfig"]["CopyCount"]
    return present(
        {
            **_where(row),
            "InferenceComponentStatus": shown_status(row.status),
            "FailureReason": row.state.get("failure_reason"),
            "LastModifiedTime": row.modified,
            "Specification": _specification(row, serving) if serving else _never_deployed(row),
            "RuntimeConfig": {
                "DesiredCopyCount": goal(row, coming["variants"][0]) if coming else asked,
                "CurrentCopyCount": _ready(row),
            },
            "LastDeploymentConfig": row.spec.get("DeploymentConfig"),
        }
    )


def summary(row: Row) -> Output:
    """One entry of the list."""
    return {
        "InferenceComponentName": row.key.name,
        "InferenceComponentArn": row.arn,
        **_where(row),
        "VariantName": row.spec["VariantName"],
        "InferenceComponentStatus": shown_status(row.status),
        "CreationTime": row.created,
        "LastModifiedTime": row.modified,
    }


def _where(row: Row) -> Output:
    endpoint = row.spec["EndpointName"]
    return {
        "EndpointName": endpoint,
        "EndpointArn": sagemaker_arn(row.key.region, row.key.account, "endpoint", endpoint),
    }


def _ready(row: Row) -> int:
    """Copies that answer; two deployments may share some."""
    replicas = [each for name in ("current", "next") for each in replicas_of(row.state.get(name))]
    return len({replica["members"][0]["container"] for replica in replicas if is_ready(replica)})


def _specification(row: Row, deployment: Deployment) -> Output:
    """As it was asked for; of a container besides which image its tag meant."""
    asked: dict[str, Any] = deployment["specification"]
    if "Container" not in asked:
        return asked
    said = {name: value for name, value in asked["Container"].items() if name != "Image"}
    return {**asked, "Container": {**said, "DeployedImage": _image(row, deployment["variants"][0])}}


def _never_deployed(row: Row) -> Output:
    """Of a component that has failed before it served."""
    asked: dict[str, Any] = row.spec["Specification"]
    if "Container" not in asked:
        return asked
    said = {name: value for name, value in asked["Container"].items() if name != "Image"}
    return {**asked, "Container": {**said, "DeployedImage": {"SpecifiedImage": asked["Container"]["Image"]}}}


def _image(row: Row, variant: Variant) -> Output:
    [definition] = variant["container_definitions"]
    image = definition["Image"]
    resolved = definition.get("ResolvedImage", image)
    return {"SpecifiedImage": image, "ResolvedImage": resolved, "ResolutionTime": row.modified}
