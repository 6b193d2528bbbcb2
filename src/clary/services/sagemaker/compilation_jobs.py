"""Compilation jobs (https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateCompilationJob.html).

Create and Stop write what is wanted; `controllers/compilation.py` makes it so; Describe shows spec and state.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from clary.images.neo import PFA, form_of
from clary.lifecycles.compilation_job import (
    COMPLETED,
    FAILED,
    INPROGRESS,
    KIND,
    LIFECYCLE,
    STARTING,
    STOPPED,
    STOPPING,
    CompilationState,
    public_status,
)
from clary.services import resources
from clary.services.context import Context, Looking
from clary.services.resources import Output, Params, Resource, moment, present
from clary.services.sagemaker.compilation_spec import artifacts_of, check_compilation, is_for_an_instance
from clary.services.sagemaker.compiler_images import compiler_image, serving_image
from clary.services.sagemaker.errors import compilation_job_exists, compilation_job_in_status, compilation_job_not_found
from clary.services.sagemaker.patience import settled
from clary.services.sagemaker.roles import check_role
from clary.services.sagemaker.service import SERVICE
from clary.store.rows import Row

_UNDER_WAY = (STARTING, INPROGRESS)
_STATUSES: Mapping[str, tuple[str, ...]] = {
    STARTING: (STARTING,),
    INPROGRESS: (INPROGRESS,),
    STOPPING: (*_UNDER_WAY, STOPPING),
    COMPLETED: (COMPLETED,),
    FAILED: (FAILED,),
    STOPPED: (STOPPED,),
}
"""The rows' statuses that may show as a CompilationJobStatus."""


def _shown(row: Row) -> Output:
    """FailureReason and ModelArtifacts are members of every answer."""
    state = row.state
    return present(
        {
            "CompilationJobStatus": public_status(row.status, row.target),
            "CompilationStartTime": moment(state.get("start")),
            "CompilationEndTime": moment(state.get("end")),
            "LastModifiedTime": row.modified,
            "FailureReason": state.get("failure_reason", ""),
            "ModelArtifacts": {"S3ModelArtifacts": state["artifacts"]},
            "ModelDigests": {"ArtifactDigest": state["digest"]} if "digest" in state else None,
            "InferenceImage": state.get("inference_image"),
        }
    )


COMPILATION_JOB = Resource(
    kind=KIND,
    noun="CompilationJob",
    list_member="CompilationJobSummaries",
    exists=compilation_job_exists,
    missing=compilation_job_not_found,
    shown=_shown,
    descending=False,
)


@SERVICE.operation("CreateCompilationJob")
def create(context: Context, params: Params) -> Output:
    """Raises ResourceInUse, ValidationError, AccessDenied."""
    check_compilation(params)
    check_role(context, params["RoleArn"])
    row = resources.new_row(COMPILATION_JOB, context, params)
    wanted = replace(row, status=LIFECYCLE.initial, target=COMPLETED, state=_chosen(context, params))
    stored = resources.insert(COMPILATION_JOB, context, wanted, params.get("Tags"))
    context.wake(stored.key)
    return {"CompilationJobArn": stored.arn}


def _chosen(context: Context, params: Params) -> CompilationState:
    """What compiles it, and what serves it: nothing serves PFA. Raises ValidationError."""
    image = compiler_image(context, params)
    state: CompilationState = {"image": image, "artifacts": artifacts_of(params)}
    output = params["OutputConfig"]
    if is_for_an_instance(output) and form_of(output.get("CompilerOptions", "")) != PFA:
        state["inference_image"] = serving_image(context, params, image)
    return state


@SERVICE.operation("DescribeCompilationJob", looks=True)
def describe(context: Looking, params: Params) -> Output:
    """Raises ResourceNotFound."""
    row = resources.require(COMPILATION_JOB, context, params["CompilationJobName"])
    return resources.description(COMPILATION_JOB, settled(context, row, _ended))


@SERVICE.operation("ListCompilationJobs")
def list_(context: Context, params: Params) -> Output:
    """Sorted, filtered, one page."""
    query = resources.query_of(COMPILATION_JOB, context, params)
    status = params.get("StatusEquals")
    if status is not None:
        query = replace(query, statuses=_STATUSES[status])
    shown = resources.page(
        context, query, lambda row: status is None or public_status(row.status, row.target) == status
    )
    return resources.listing(COMPILATION_JOB, shown, _summary)


@SERVICE.operation("StopCompilationJob")
def stop(context: Context, params: Params) -> Output:
    """Raises ResourceNotFound, ValidationError where it has ended."""

    def ask(row: Row) -> Row:
        if _ended(row):
            raise compilation_job_in_status(row.status)
        return replace(row, target=STOPPED)

    row = resources.change_row(COMPILATION_JOB, context, params["CompilationJobName"], ask)
    context.wake(row.key)
    return {}


@SERVICE.operation("DeleteCompilationJob")
def delete(context: Context, params: Params) -> Output:
    """Only of one that has ended; artifact and log stay. Raises ResourceNotFound, ValidationError."""
    row = resources.require(COMPILATION_JOB, context, params["CompilationJobName"])
    if not _ended(row):
        raise compilation_job_in_status(public_status(row.status, row.target))
    resources.delete(COMPILATION_JOB, context, params["CompilationJobName"])
    return {}


def _ended(row: Row) -> bool:
    return LIFECYCLE.terminal(row.status)


def _summary(row: Row) -> Output:
    output = row.spec["OutputConfig"]
    platform = output.get("TargetPlatform") or {}
    more = {
        "CompilationJobStatus": public_status(row.status, row.target),
        "CompilationStartTime": moment(row.state.get("start")),
        "CompilationEndTime": moment(row.state.get("end")),
        "LastModifiedTime": row.modified,
        "CompilationTargetDevice": output.get("TargetDevice"),
        "CompilationTargetPlatformOs": platform.get("Os"),
        "CompilationTargetPlatformArch": platform.get("Arch"),
        "CompilationTargetPlatformAccelerator": platform.get("Accelerator"),
    }
    return {**resources.summary(COMPILATION_JOB, row), **present(more)}
