"""A training job as Describe and List show it: the controller's state in the API's words."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from clary.lifecycles.training_job import LIFECYCLE, public_status
from clary.services.resources import Output, moment, present
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
        }
    )


def shown(row: Row) -> Output:
    """Describe's members beyond the spec: what the controller has found."""
    state = row.state
    seconds = _seconds(state)
    return present(
        {
            "TrainingJobStatus": public(row),
            "SecondaryStatus": row.status,
            "SecondaryStatusTransitions": [_transition(entry) for entry in state.get("transitions", ())],
            "FailureReason": state.get("failure_reason"),
            "ModelArtifacts": {"S3ModelArtifacts": state.get("model_artifacts") or artifacts_uri(row)},
            "TrainingStartTime": moment(state.get("training_start")),
            "TrainingEndTime": moment(state.get("training_end")),
            "LastModifiedTime": row.modified,
            "FinalMetricDataList": [_metric(entry) for entry in state.get("metrics", ())] or None,
            "TrainingTimeInSeconds": seconds,
            "BillableTimeInSeconds": seconds,
            "ProfilingStatus": "Disabled",
        }
    )


def artifacts_uri(row: Row) -> str:
    """Where the model will lie: `S3OutputPath/JOB/output/model.tar.gz`, or the folder where it is not compressed."""
    output = row.spec["OutputDataConfig"]
    last = "model.tar.gz" if output["CompressionType"] == "GZIP" else "model/"
    return f"{output['S3OutputPath'].rstrip('/')}/{row.key.name}/output/{last}"


def _seconds(state: Mapping[str, Any]) -> int | None:
    start, end = state.get("training_start"), state.get("container_end")
    return None if start is None or end is None else max(1, math.ceil(end - start))


def _transition(entry: Mapping[str, Any]) -> Output:
    times = {name: moment(entry.get(name)) for name in ("StartTime", "EndTime")}
    return present({"Status": entry["Status"], **times, "StatusMessage": entry.get("StatusMessage", "")})


def _metric(entry: Mapping[str, Any]) -> Output:
    return {**entry, "Timestamp": moment(entry["Timestamp"])}
