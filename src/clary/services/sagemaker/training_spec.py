"""CreateTrainingJob's request, checked beyond the model and filled in as AWS fills it in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from clary.errors import ValidationError
from clary.services.context import Context
from clary.services.sagemaker.errors import limit_exceeded, no_objects, not_offered
from clary.services.sagemaker.references import has_objects, resolve_image
from clary.services.sagemaker.roles import check_role, may_list

_MAX_RUNTIME_SECONDS = 86_400
_VOLUME_GB = 30
_UNCOMPRESSED = "None"

Params = dict[str, Any]


def fill_training_job(context: Context, params: Params) -> Params:
    """The spec of a training job. Raises ValidationError, AccessDenied, ResourceLimitExceeded."""
    if "ServerlessJobConfig" in params:
        raise not_offered("ServerlessJobConfig")
    algorithm = _algorithm(context, params.get("AlgorithmSpecification"))
    resources = _resources(params.get("ResourceConfig"))
    stopping = _stopping(params)
    check_role(context, params["RoleArn"])
    channels = [_channel(context, params["RoleArn"], channel) for channel in params.get("InputDataConfig") or ()]
    _check_names(channels)
    return {
        **params,
        "AlgorithmSpecification": algorithm,
        "ResourceConfig": resources,
        "StoppingCondition": stopping,
        "HyperParameters": params.get("HyperParameters") or {},
        "OutputDataConfig": {"KmsKeyId": "", "CompressionType": "GZIP", **params["OutputDataConfig"]},
        "EnableNetworkIsolation": params.get("EnableNetworkIsolation", False),
        "EnableInterContainerTrafficEncryption": params.get("EnableInterContainerTrafficEncryption", False),
        "EnableManagedSpotTraining": params.get("EnableManagedSpotTraining", False),
        **({"InputDataConfig": channels} if channels else {}),
    }


def _algorithm(context: Context, asked: Params | None) -> Params:
    if asked is None:
        raise ValidationError("AlgorithmSpecification is required to create a training job.")
    if ("TrainingImage" in asked) == ("AlgorithmName" in asked):
        raise ValidationError(
            "You must specify either an algorithm name or a training image, but not both, in AlgorithmSpecification."
        )
    if "AlgorithmName" in asked:
        raise not_offered("AlgorithmSpecification.AlgorithmName")
    image = resolve_image(context, asked["TrainingImage"])
    filled = {"EnableSageMakerMetricsTimeSeries": image.built_in, **asked}
    defined = [{"Name": metric.name, "Regex": metric.regex} for metric in image.metric_definitions]
    if defined and not asked.get("MetricDefinitions"):
        filled["MetricDefinitions"] = defined
    return filled


def _resources(asked: Params | None) -> Params:
    if asked is None or "InstanceGroups" in asked:
        raise not_offered("A training job without ResourceConfig.InstanceType")
    if "InstanceType" not in asked or "InstanceCount" not in asked:
        raise ValidationError("ResourceConfig: InstanceType and InstanceCount are required.")
    if asked["InstanceCount"] > 1:
        raise limit_exceeded(f"{asked['InstanceType']} for training job usage", 1, asked["InstanceCount"])
    return {"VolumeSizeInGB": _VOLUME_GB, **asked}


def _stopping(params: Params) -> Params:
    filled = {"MaxRuntimeInSeconds": _MAX_RUNTIME_SECONDS, **(params.get("StoppingCondition") or {})}
    wait = filled.get("MaxWaitTimeInSeconds")
    if wait is not None and not params.get("EnableManagedSpotTraining"):
        raise ValidationError("MaxWaitTimeInSeconds must be specified only when EnableManagedSpotTraining is true.")
    if wait is not None and wait < filled["MaxRuntimeInSeconds"]:
        raise ValidationError(
            "Invalid MaxWaitTimeInSeconds. It must be present and be greater than or equal to MaxRuntimeInSeconds"
        )
    return filled


def _channel(context: Context, role: str, asked: Params) -> Params:
    source = asked["DataSource"].get("S3DataSource")
    if source is None:
        raise not_offered(f"The data source of channel {asked['ChannelName']}: only S3DataSource")
    if asked.get("CompressionType", _UNCOMPRESSED) != _UNCOMPRESSED:
        raise ValidationError(
            f"Channel {asked['ChannelName']}: CompressionType is used only in Pipe input mode, which is not offered by "
            "Clary. In File mode, leave this field unset or set it to None."
        )
    if source["S3DataType"] == "S3Prefix" and not _has_data(context, role, source["S3Uri"]):
        raise no_objects(source["S3Uri"], context.region, role)
    filled = {"S3DataDistributionType": "FullyReplicated", **source}
    return {
        "CompressionType": _UNCOMPRESSED,
        "RecordWrapperType": "None",
        **asked,
        "DataSource": {**asked["DataSource"], "S3DataSource": filled},
    }


def _has_data(context: Context, role: str, uri: str) -> bool:
    """Whether the role finds any object there."""
    return may_list(context, role, uri) and has_objects(context, uri)


def _check_names(channels: Sequence[Mapping[str, Any]]) -> None:
    names = [channel["ChannelName"] for channel in channels]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValidationError(f"Channel names must be unique: {', '.join(twice)}.")
