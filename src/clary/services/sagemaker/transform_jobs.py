"""Batch transform jobs (https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateTransformJob.html).

Create and Stop write what is wanted; `controllers/transform.py` makes it so; Describe shows spec and state.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from clary.errors import ValidationError
from clary.lifecycles.endpoint import MULTI_MODEL
from clary.lifecycles.transform_job import (
    COMPLETED,
    FAILED,
    KIND,
    LIFECYCLE,
    STARTING,
    STOPPED,
    STOPPING,
    TRANSFORMING,
    TransformState,
    public_status,
)
from clary.services import resources
from clary.services.context import Context, Looking
from clary.services.resources import Output, Params, Resource, moment, present
from clary.services.sagemaker.errors import not_found, transform_job_exists, transform_job_in_status
from clary.services.sagemaker.images import pinned
from clary.services.sagemaker.model_containers import DIRECT, containers_of, execution_mode
from clary.services.sagemaker.models import MODEL
from clary.services.sagemaker.patience import settled
from clary.services.sagemaker.service import SERVICE
from clary.store.rows import Row

_UNDER_WAY = (STARTING, TRANSFORMING)
_STATUSES: Mapping[str, tuple[str, ...]] = {
    "InProgress": _UNDER_WAY,
    "Stopping": (*_UNDER_WAY, STOPPING),
    "Completed": (COMPLETED,),
    "Failed": (FAILED,),
    "Stopped": (STOPPED,),
}
"""The rows' statuses that may show as a TransformJobStatus."""

_MOST_IN_FLIGHT_MB = 100

_FILTERS = {"InputFilter": "$", "OutputFilter": "$", "JoinSource": "None"}


def fill_transform_job(context: Context, params: Params) -> Params:
    """The spec of a transform job, as AWS fills it in. Raises ValidationError."""
    given = params["TransformInput"]
    source = {"S3DataSource": dict(given["DataSource"]["S3DataSource"])}
    filled = {
        **params,
        "Environment": params.get("Environment") or {},
        "TransformInput": {"CompressionType": "None", "SplitType": "None", **given, "DataSource": source},
        "TransformOutput": {"AssembleWith": "None", "KmsKeyId": "", **params["TransformOutput"]},
        "DataProcessing": {**_FILTERS, **(params.get("DataProcessing") or {})},
    }
    _check(filled)
    return filled


def _check(spec: Params) -> None:
    """What AWS refuses beyond the model: see the members' descriptions of CreateTransformJob."""
    split = spec["TransformInput"]["SplitType"]
    if spec.get("BatchStrategy") == "MultiRecord" and split == "None":
        raise ValidationError("BatchStrategy MultiRecord requires a SplitType other than None.")
    if spec.get("MaxPayloadInMB") == 0 and spec["TransformInput"]["CompressionType"] != "None":
        raise ValidationError("MaxPayloadInMB 0 cannot be used with a CompressionType.")
    if spec.get("MaxPayloadInMB", 0) > _MOST_IN_FLIGHT_MB:
        raise ValidationError("MaxPayloadInMB cannot be greater than 100 MB.")
    if spec.get("MaxConcurrentTransforms", 0) * spec.get("MaxPayloadInMB", 0) > _MOST_IN_FLIGHT_MB:
        raise ValidationError("MaxConcurrentTransforms * MaxPayloadInMB cannot exceed 100 MB.")
    processing = spec["DataProcessing"]
    if processing["JoinSource"] == "Input" and split not in ("None", "Line"):
        raise ValidationError("JoinSource Input requires SplitType None or Line.")


def _shown(row: Row) -> Output:
    state = row.state
    return present(
        {
            "TransformJobStatus": public_status(row.status, row.target),
            "FailureReason": state.get("failure_reason"),
            "TransformStartTime": moment(state.get("transform_start")),
            "TransformEndTime": moment(state.get("transform_end")),
        }
    )


TRANSFORM_JOB = Resource(
    kind=KIND,
    noun="TransformJob",
    list_member="TransformJobSummaries",
    exists=transform_job_exists,
    missing=not_found,
    fill=fill_transform_job,
    shown=_shown,
)


@SERVICE.operation("CreateTransformJob")
def create(context: Context, params: Params) -> Output:
    """Raises ResourceInUse, ValidationError where the model is not there."""
    row = resources.new_row(TRANSFORM_JOB, context, fill_transform_job(context, params))
    model = resources.require(MODEL, context, params["ModelName"])
    wanted = replace(row, status=LIFECYCLE.initial, target=COMPLETED, state=_of_model(context, model.spec))
    stored = resources.insert(TRANSFORM_JOB, context, wanted, params.get("Tags"))
    context.wake(stored.key)
    return {"TransformJobArn": stored.arn}


def _of_model(context: Context, spec: Mapping[str, Any]) -> TransformState:
    """The model as it is now: it may be deleted while the job runs. Raises ValidationError where no container is the
    first; no public source shows AWS's words."""
    if execution_mode(spec) == DIRECT:
        raise ValidationError("Batch transform does not support models with InferenceExecutionConfig Mode Direct.")
    if any(each.get("Mode") == MULTI_MODEL for each in containers_of(spec)):
        raise ValidationError("Batch transform does not support models with Mode MultiModel.")
    return {
        "container_definitions": [pinned(context, each) for each in containers_of(spec)],
        "role": spec.get("ExecutionRoleArn") or "",
        "isolated": bool(spec.get("EnableNetworkIsolation")),
    }


@SERVICE.operation("DescribeTransformJob", looks=True)
def describe(context: Looking, params: Params) -> Output:
    """Raises ValidationError where it is not there."""
    row = resources.require(TRANSFORM_JOB, context, params["TransformJobName"])
    return resources.description(TRANSFORM_JOB, settled(context, row, _ended))


@SERVICE.operation("ListTransformJobs")
def list_(context: Context, params: Params) -> Output:
    """Sorted, filtered, one page."""
    query = resources.query_of(TRANSFORM_JOB, context, params)
    status = params.get("StatusEquals")
    if status is not None:
        query = replace(query, statuses=_STATUSES.get(status, ()))
    shown = resources.page(
        context, query, lambda row: status is None or public_status(row.status, row.target) == status
    )
    return resources.listing(TRANSFORM_JOB, shown, _summary)


@SERVICE.operation("StopTransformJob")
def stop(context: Context, params: Params) -> Output:
    """What is done stays done. Raises ValidationError where it is not there or has ended."""

    def ask(row: Row) -> Row:
        if _ended(row):
            raise transform_job_in_status(row.status)
        return replace(row, target=STOPPED)

    row = resources.change_row(TRANSFORM_JOB, context, params["TransformJobName"], ask)
    context.wake(row.key)
    return {}


def _ended(row: Row) -> bool:
    return LIFECYCLE.terminal(row.status)


def _summary(row: Row) -> Output:
    members = _shown(row)
    members.pop("TransformStartTime", None)
    return {**resources.summary(TRANSFORM_JOB, row), "LastModifiedTime": row.modified, **members}
