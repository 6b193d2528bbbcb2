"""What a tuning's request means for one of its training jobs
(https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_HyperParameterTrainingJobDefinition.html)."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

Spec = Mapping[str, Any]

OBJECTIVE = "_tuning_objective_metric"
"""The hyperparameter that names the objective's metric to the algorithm."""

JOB_NAME_SUFFIX = r"-[0-9]{3,}-[0-9a-f]{8}"
"""What follows the tuning's name in the names of its training jobs."""

_AS_GIVEN = (
    "RoleArn",
    "InputDataConfig",
    "VpcConfig",
    "OutputDataConfig",
    "StoppingCondition",
    "EnableNetworkIsolation",
    "EnableInterContainerTrafficEncryption",
    "EnableManagedSpotTraining",
    "RetryStrategy",
    "Environment",
)
_METRICS = "MetricDefinitions"
_ALGORITHM = ("TrainingImage", "TrainingInputMode", "AlgorithmName", _METRICS)
_RESOURCES = ("InstanceType", "InstanceCount", "VolumeSizeInGB", "VolumeKmsKeyId")


def definitions(spec: Spec) -> Sequence[Mapping[str, Any]]:
    """All training job definitions of a tuning's request."""
    found: Sequence[Mapping[str, Any]] = spec.get("TrainingJobDefinitions") or [spec["TrainingJobDefinition"]]
    return found


def definition(spec: Spec, name: str) -> Mapping[str, Any]:
    """The one of that DefinitionName; the only one where it has none."""
    return next(each for each in definitions(spec) if each.get("DefinitionName", "") == name)


def defining_metrics(spec: Spec) -> list[str]:
    """DefinitionNames of those that bring MetricDefinitions; the others' jobs have their images' own."""
    return [
        each.get("DefinitionName", "") for each in definitions(spec) if each["AlgorithmSpecification"].get(_METRICS)
    ]


def as_given(of: Mapping[str, Any], defining: Collection[str]) -> Mapping[str, Any]:
    """Without MetricDefinitions that are the image's own: there may be more of them than a request may have."""
    if of.get("DefinitionName", "") in defining:
        return of
    algorithm = {name: value for name, value in of["AlgorithmSpecification"].items() if name != _METRICS}
    return {**of, "AlgorithmSpecification": algorithm}


def objective(spec: Spec, of: Mapping[str, Any]) -> Mapping[str, Any]:
    """What a definition's jobs are judged by: `{"Type", "MetricName"}`, empty where the request says nothing."""
    common = spec["HyperParameterTuningJobConfig"].get("HyperParameterTuningJobObjective")
    found: Mapping[str, Any] = of.get("TuningObjective") or common or {}
    return found


def job_name(tuning: str, number: int, unique: str) -> str:
    """`TUNING-001-1f3a…`; `number` from 0 on, `unique` in hex."""
    return f"{tuning}-{number + 1:03}-{unique[:8]}"


def resource_config(of: Mapping[str, Any]) -> dict[str, Any]:
    """ResourceConfig of a definition's jobs; of several InstanceConfigs the first, which AWS prefers too."""
    if "HyperParameterTuningResourceConfig" not in of:
        return dict(of.get("ResourceConfig") or {})
    asked = of["HyperParameterTuningResourceConfig"]
    first = (asked.get("InstanceConfigs") or [{}])[0]
    return {name: value for name, value in {**asked, **first}.items() if name in _RESOURCES}


def job_request(spec: Spec, of: Mapping[str, Any], name: str, values: Mapping[str, str]) -> dict[str, Any]:
    """CreateTrainingJob's parameters for one trial of definition `of`."""
    found: dict[str, Any] = {member: of[member] for member in _AS_GIVEN if member in of}
    algorithm = of["AlgorithmSpecification"]
    found["TrainingJobName"] = name
    found["AlgorithmSpecification"] = {member: algorithm[member] for member in _ALGORITHM if member in algorithm}
    found["HyperParameters"] = hyperparameters(spec, of, values)
    found["ResourceConfig"] = resource_config(of)
    if "CheckpointConfig" in of:
        found["CheckpointConfig"] = _own_checkpoints(of["CheckpointConfig"], name)
    return found


def hyperparameters(spec: Spec, of: Mapping[str, Any], values: Mapping[str, str]) -> dict[str, str]:
    """Static and tuned ones, and the objective's name."""
    metric = objective(spec, of).get("MetricName")
    return {**(of.get("StaticHyperParameters") or {}), **values, **({OBJECTIVE: metric} if metric else {})}


def _own_checkpoints(config: Mapping[str, Any], name: str) -> dict[str, Any]:
    """A folder for each job: none begins where another one has come to."""
    return {**config, "S3Uri": f"{config['S3Uri'].rstrip('/')}/{name}"}
