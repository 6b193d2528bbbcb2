"""An inference experiment as Describe and List show it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from clary.lifecycles import endpoint
from clary.lifecycles.inference_experiment import (
    CANCELLED,
    COMPLETED,
    CREATED,
    CREATING,
    LIFECYCLE,
    RUNNING,
    STARTING,
    STOPPING,
    UPDATING,
)
from clary.services.context import Context
from clary.services.resources import Output, moment, present
from clary.services.sagemaker import endpoint_view
from clary.store.rows import Key, Row
from clary.workload import experiment

_VARIANTS = {
    CREATING: "Creating",
    CREATED: "Creating",
    STARTING: "Creating",
    UPDATING: "Updating",
    RUNNING: "InService",
}
_REMOVED = {STOPPING: "Deleting", COMPLETED: "Deleted", CANCELLED: "Deleted"}


def public(row: Row) -> str:
    """Its Status: one that was asked to stop is Stopping at once."""
    return STOPPING if row.state.get("stop") and not LIFECYCLE.terminal(row.status) else row.status


def description(context: Context, row: Row) -> Output:
    """Describe's output."""
    spec = {name: value for name, value in row.spec.items() if name != "EndpointName"}
    variants = [{**each, "Status": _variant_status(row, each["VariantName"])} for each in row.spec["ModelVariants"]]
    found = {"Arn": row.arn, "EndpointMetadata": _endpoint(context, row), "ModelVariants": variants}
    return {**spec, **summary(row), **found}


def summary(row: Row) -> Output:
    """What a list has of it."""
    state = row.state
    return present(
        {
            "Name": row.key.name,
            "Type": row.spec["Type"],
            "Schedule": {"StartTime": moment(state["begins"]), "EndTime": moment(state["ends"])},
            "Status": public(row),
            "StatusReason": state.get("reason"),
            "Description": row.spec.get("Description"),
            "CreationTime": row.created,
            "CompletionTime": moment(state.get("ended")),
            "LastModifiedTime": row.modified,
            "RoleArn": row.spec["RoleArn"],
        }
    )


def _endpoint(context: Context, row: Row) -> Output:
    name = row.spec["EndpointName"]
    found = context.store.read.get(Key(endpoint.KIND, row.key.account, row.key.region, name))
    shown: Mapping[str, Any] = endpoint_view.shown(found) if found else {}
    members = ("EndpointConfigName", "EndpointStatus", "FailureReason")
    return present({"EndpointName": name, **{member: shown.get(member) for member in members}})


def _variant_status(row: Row, name: str) -> str:
    status = public(row)
    if status in _VARIANTS:
        return _VARIANTS[status]
    stop = row.state.get("stop")
    actions = stop["actions"] if stop else experiment.actions(row.spec, {})
    return _REMOVED[status] if actions[name] == experiment.REMOVE else "InService"
