"""A training job as Describe and List show it: the controller's state in the API's words."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from clary.lifecycles import tuning_job
from clary.lifecycles.training_job import LIFECYCLE, public_status
from clary.names import sagemaker_arn
from clary.services.resources import Output, moment, now, present
from clary.store.rows import Row


def public(row: Row) -> str:
    """TrainingJobStatus."""
    return public_status(row.status, row.target)


def ended(row: Row) -> bool:
    """Whether nothing more will happen to it."""
    return LIFECYCLE.terminal(row.status)


def summary(row: Row) -> Output:
    """A list entry's members beyond name, ARN and time."""
    return present(
        {
            "TrainingEndTime": moment(row.state.get("training_end")),
            "LastModifiedTime": row.modified,
            "TrainingJobStatus": public(row),
            "SecondaryStatus": row.status,
            "WarmPoolStatus": warm_pool(row),
        }
    )


def shown(row: Row) -> Output:
    """Describe's members beyond the spec: what the controller has found."""
    state = row.state
    runs = _runs(state)
    return present(
        {
            "TuningJobArn": _tuning_job_arn(row),
            "TrainingJobStatus": public(row),
            "SecondaryStatus": row.status,
            "SecondaryStatusTransitions": [_transition(entry) for entry in state.get("transitions", ())],
            "FailureReason": state.get("failure_reason"),
            "ModelArtifacts": {"S3ModelArtifacts": state.get("model_artifacts") or artifacts_uri(row)},
            "TrainingStartTime": moment(runs[0][0] if runs else state.get("training_start")),
            "TrainingEndTime": moment(state.get("training_end")),
            "LastModifiedTime": row.modified,
            "FinalMetricDataList": [_metric(entry) for entry in state.get("metrics", ())] or None,
            "TrainingTimeInSeconds": _seconds(runs),
            "BillableTimeInSeconds": _seconds(runs[-1:]),
            "WarmPoolStatus": warm_pool(row),
            "ProfilingStatus": "Disabled",
        }
    )


def _tuning_job_arn(row: Row) -> str | None:
    key = row.key
    return sagemaker_arn(key.region, key.account, tuning_job.KIND, row.parent) if row.parent else None


def artifacts_uri(row: Row) -> str:
    """Where the model will lie: `S3OutputPath/JOB/output/model.tar.gz`, or the folder where it is not compressed."""
    output = row.spec["OutputDataConfig"]
    last = "model.tar.gz" if output["CompressionType"] == "GZIP" else "model/"
    return f"{output['S3OutputPath'].rstrip('/')}/{row.key.name}/output/{last}"


def warm_pool(row: Row) -> Output | None:
    """WarmPoolStatus: None for a job that asked for none. While nothing retains its instances, they are Terminated."""
    if not row.spec["ResourceConfig"].get("KeepAlivePeriodInSeconds") and "warm_pool" not in row.state:
        return None
    if not ended(row):
        return {"Status": "InUse"}
    pool = row.state.get("warm_pool")
    if pool is None:
        return {"Status": "Terminated"}
    retained = math.ceil(pool.get("ended", now().timestamp()) - pool["since"])
    known = {"ResourceRetainedBillableTimeInSeconds": max(0, retained), "ReusedByJob": pool.get("reused_by")}
    over = "Reused" if "reused_by" in pool else "Terminated"
    return {"Status": over if "ended" in pool else "Available", **present(known)}


def _runs(state: Mapping[str, Any]) -> list[tuple[float, float]]:
    """Start and end of its programs in each attempt; the last one is what is billed: neither the time that a spot
    instance was taken away from nor what the machine's own errors have cost is."""
    runs = [(start, end) for start, end in state.get("attempts", ())]
    if "training_start" in state and "container_end" in state:
        runs.append((state["training_start"], state["container_end"]))
    return runs


def _seconds(runs: Sequence[tuple[float, float]]) -> int | None:
    return max(1, math.ceil(sum(end - start for start, end in runs))) if runs else None


def _transition(entry: Mapping[str, Any]) -> Output:
    times = {name: moment(entry.get(name)) for name in ("StartTime", "EndTime")}
    return present({"Status": entry["Status"], **times, "StatusMessage": entry.get("StatusMessage", "")})


def _metric(entry: Mapping[str, Any]) -> Output:
    return {**entry, "Timestamp": moment(entry["Timestamp"])}
