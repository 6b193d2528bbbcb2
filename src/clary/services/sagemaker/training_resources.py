"""What a training job runs on and for how long, checked beyond the model and filled in as AWS fills it in:
ResourceConfig, StoppingCondition (https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_ResourceConfig.html).
"""

from __future__ import annotations

from typing import Any

from clary.errors import ValidationError
from clary.services.sagemaker.errors import limit_exceeded, not_offered

MOST_INSTANCES = 20
"""Of one job: AWS's own first quota. Each is a container of this machine."""

_MAX_RUNTIME_SECONDS = 86_400
_VOLUME_GB = 30
_ELSEWHERE = ("InstancePreferences", "TrainingPlanArn", "InstancePlacementConfig")
"""Members that choose among AWS's machines."""

Params = dict[str, Any]


def fill_resources(asked: Params | None, spot: bool) -> Params:
    """ResourceConfig. Raises ValidationError, ResourceLimitExceeded."""
    if asked is None:
        raise ValidationError("ResourceConfig is required to create a training job.")
    for member in _ELSEWHERE:
        if member in asked:
            raise not_offered(f"ResourceConfig.{member}")
    if "InstanceGroups" in asked:
        _check_groups(asked)
    else:
        _check_instances(asked)
    if asked.get("KeepAlivePeriodInSeconds"):
        _check_warm_pool(asked, spot)
    return {"VolumeSizeInGB": _VOLUME_GB, **asked}


def _check_instances(asked: Params) -> None:
    if "InstanceType" not in asked or not asked.get("InstanceCount"):
        raise ValidationError("ResourceConfig: InstanceType and InstanceCount are required.")
    _check_count(asked["InstanceType"], asked["InstanceCount"])


def _check_groups(asked: Params) -> None:
    if "InstanceType" in asked or "InstanceCount" in asked:
        raise ValidationError("InstanceType or InstanceCount cannot be specified with InstanceGroups")
    groups = asked["InstanceGroups"]
    names = [group["InstanceGroupName"] for group in groups]
    if not names or len(set(names)) < len(names):
        raise ValidationError(f"Instance group names must be unique, and there must be one at least: {names}.")
    if not all(group["InstanceCount"] for group in groups):
        raise ValidationError("Every instance group must have one instance at least.")
    _check_count(groups[0]["InstanceType"], sum(group["InstanceCount"] for group in groups))


def _check_count(instance_type: str, count: int) -> None:
    if count > MOST_INSTANCES:
        raise limit_exceeded(f"{instance_type} for training job usage", MOST_INSTANCES, count)


def _check_warm_pool(asked: Params, spot: bool) -> None:
    """What has no warm pool (https://docs.aws.amazon.com/sagemaker/latest/dg/train-warm-pools.html); texts are ours."""
    if spot:
        raise ValidationError("KeepAlivePeriodInSeconds cannot be used with EnableManagedSpotTraining.")
    if "InstanceGroups" in asked:
        raise ValidationError("KeepAlivePeriodInSeconds cannot be used with InstanceGroups.")


def fill_stopping(params: Params) -> Params:
    """StoppingCondition. Raises ValidationError."""
    filled: Params = {"MaxRuntimeInSeconds": _MAX_RUNTIME_SECONDS, **(params.get("StoppingCondition") or {})}
    wait = filled.get("MaxWaitTimeInSeconds")
    if not params.get("EnableManagedSpotTraining"):
        if wait is not None:
            raise ValidationError(
                "Invalid MaxWaitTimeInSeconds. It is only supported when EnableManagedSpotTraining is set to true"
            )
    elif wait is None or wait < filled["MaxRuntimeInSeconds"]:
        raise ValidationError(
            "Invalid MaxWaitTimeInSeconds. It must be present and be greater than or equal to MaxRuntimeInSeconds"
        )
    return filled
