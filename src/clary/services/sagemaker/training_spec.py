"""CreateTrainingJob's request, checked beyond the model and filled in as AWS fills it in."""

from __future__ import annotations

from typing import Any

from clary.errors import ValidationError
from clary.services.context import Context
from clary.services.sagemaker.errors import not_offered
from clary.services.sagemaker.images import resolve_image
from clary.services.sagemaker.roles import check_role
from clary.services.sagemaker.training_channels import fill_channels
from clary.services.sagemaker.training_profiler import check_profiler
from clary.services.sagemaker.training_resources import fill_resources, fill_stopping

Params = dict[str, Any]


def fill_training_job(context: Context, params: Params) -> Params:
    """The spec of a training job. Raises ValidationError, AccessDenied, ResourceLimitExceeded."""
    if "ServerlessJobConfig" in params:
        raise not_offered("ServerlessJobConfig")
    spot = bool(params.get("EnableManagedSpotTraining"))
    check_role(context, params["RoleArn"])
    filled = {
        **params,
        "AlgorithmSpecification": _algorithm(context, params.get("AlgorithmSpecification"), params["RoleArn"]),
        "ResourceConfig": fill_resources(params.get("ResourceConfig"), spot),
        "StoppingCondition": fill_stopping(params),
        "HyperParameters": params.get("HyperParameters") or {},
        "OutputDataConfig": {"KmsKeyId": "", "CompressionType": "GZIP", **params["OutputDataConfig"]},
        "EnableNetworkIsolation": params.get("EnableNetworkIsolation", False),
        "EnableInterContainerTrafficEncryption": params.get("EnableInterContainerTrafficEncryption", False),
        "EnableManagedSpotTraining": spot,
    }
    check_profiler(params.get("ProfilerConfig"))
    channels = fill_channels(context, filled)
    return {**filled, **({"InputDataConfig": channels} if channels else {})}


def _algorithm(context: Context, asked: Params | None, role: str) -> Params:
    if asked is None:
        raise ValidationError("AlgorithmSpecification is required to create a training job.")
    if ("TrainingImage" in asked) == ("AlgorithmName" in asked):
        raise ValidationError(
            "You must specify either an algorithm name or a training image, but not both, in AlgorithmSpecification."
        )
    if "AlgorithmName" in asked:
        raise not_offered("AlgorithmSpecification.AlgorithmName")
    image = resolve_image(context, asked["TrainingImage"], role)
    defined = [{"Name": metric.name, "Regex": metric.regex} for metric in image.metric_definitions]
    metrics = asked.get("MetricDefinitions") or defined
    filled = {"EnableSageMakerMetricsTimeSeries": image.built_in or bool(metrics), **asked}
    return {**filled, "MetricDefinitions": metrics} if metrics else filled
