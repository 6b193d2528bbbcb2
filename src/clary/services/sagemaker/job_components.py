"""Trial components of training jobs: made with the job, and read from it as long as it is there
(https://docs.aws.amazon.com/sagemaker/latest/dg/experiments-create.html)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from clary.lifecycles.training_job import KIND as TRAINING_JOB_KIND
from clary.names import sagemaker_arn
from clary.services.resources import present
from clary.services.sagemaker import training_view
from clary.store.rows import Key, Row

if TYPE_CHECKING:  # each process loads only the parts that it holds
    from clary.store import Reader, View

COMPONENT_KIND = "experiment-trial-component"
SOURCE_TYPE = "SageMakerTrainingJob"
_SUFFIX = "-aws-training-job"


def component_key(job: Key) -> Key:
    """Of a training job's trial component: `JOB-aws-training-job`."""
    return replace(job, kind=COMPONENT_KIND, name=job.name + _SUFFIX)


def component_of(job: Row, display_name: str | None) -> Row:
    """A training job's trial component."""
    key = component_key(job.key)
    spec = {
        "TrialComponentName": key.name,
        "DisplayName": display_name or key.name,
        "Source": {"SourceArn": job.arn, "SourceType": SOURCE_TYPE},
    }
    arn = sagemaker_arn(key.region, key.account, COMPONENT_KIND, key.name)
    return Row(key, arn, "", job.created, job.created, spec, dict(job.state), parent=job.arn)


def current(view: Reader | View, component: Row) -> Row:
    """The component with what its job shows now; as it is where it has no job, or the job is gone."""
    source = component.spec.get("Source") or {}
    if source.get("SourceType") != SOURCE_TYPE:
        return component
    job = view.by_arn(source["SourceArn"])
    if job is None or job.key.kind != TRAINING_JOB_KIND or component_key(job.key) != component.key:
        return component
    return told_by(component, job)


def told_by(component: Row, job: Row) -> Row:
    """What the job says, and what users have added to it."""
    seen, spec = training_view.shown(job), component.spec
    told = {
        "Status": {"PrimaryStatus": training_view.public(job), "Message": _message(job, seen)},
        "StartTime": _seconds(seen.get("TrainingStartTime")),
        "EndTime": _seconds(seen.get("TrainingEndTime")),
        "Parameters": {**_parameters(job.spec), **spec.get("Parameters", {})},
        "InputArtifacts": {**_inputs(job.spec), **spec.get("InputArtifacts", {})},
        "OutputArtifacts": {**_outputs(seen), **spec.get("OutputArtifacts", {})},
        "Metrics": [_metric(job.arn, each) for each in job.state.get("metrics", ())] or None,
    }
    return replace(component, spec={**spec, **present(told)}, modified=max(component.modified, job.modified))


def _message(job: Row, seen: Mapping[str, Any]) -> str:
    reason = seen.get("FailureReason")
    return f"Status: {job.status}, secondary status: {job.status}" + (f", failure reason: {reason}." if reason else "")


def _seconds(moment: Any) -> float | None:  # noqa: ANN401  a datetime or None
    return None if moment is None else float(moment.timestamp())


def _parameters(spec: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    resources = spec["ResourceConfig"]
    numbers = {
        "SageMaker.InstanceCount": resources.get("InstanceCount"),
        "SageMaker.VolumeSizeInGB": resources.get("VolumeSizeInGB"),
    }
    texts = {**spec["HyperParameters"], "SageMaker.InstanceType": resources.get("InstanceType")}
    found = {name: _value(value) for name, value in texts.items() if value is not None}
    return {**found, **{name: {"NumberValue": float(value)} for name, value in numbers.items() if value is not None}}


def _value(text: str) -> dict[str, Any]:
    try:
        number = float(text)
    except ValueError:
        return {"StringValue": text}
    return {"NumberValue": number} if abs(number) < float("inf") else {"StringValue": text}


def _inputs(spec: Mapping[str, Any]) -> dict[str, dict[str, str]]:
    found = {"SageMaker.ImageUri": {"Value": spec["AlgorithmSpecification"]["TrainingImage"]}}
    for channel in spec.get("InputDataConfig", ()):
        uri = channel["DataSource"].get("S3DataSource", {}).get("S3Uri")
        if uri:
            media = present({"MediaType": channel.get("ContentType"), "Value": uri})
            found[channel["ChannelName"]] = media
    return found


def _outputs(seen: Mapping[str, Any]) -> dict[str, dict[str, str]]:
    """Only where there is one: a model is uploaded when the job has ended well."""
    if seen["TrainingJobStatus"] != "Completed":
        return {}
    return {"SageMaker.ModelArtifact": {"Value": seen["ModelArtifacts"]["S3ModelArtifacts"]}}


def _metric(arn: str, metric: Mapping[str, Any]) -> dict[str, Any]:
    """A job keeps the last value of each of its metrics."""
    return {
        "MetricName": metric["MetricName"],
        "SourceArn": arn,
        "TimeStamp": metric["Timestamp"],
        "Last": metric["Value"],
    }
