"""Feature groups: their definition is kept. Records are neither taken nor stored: the runtime that would is not
offered, and an offline store says that it is blocked
(https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateFeatureGroup.html)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from clary.errors import AWSError, ValidationError
from clary.services import resources
from clary.services.context import Context
from clary.services.declaring import changed, declare, named, shown
from clary.services.resources import Output, Params, Resource
from clary.services.sagemaker.code import ALL
from clary.services.sagemaker.kept_errors import does_not_exist, in_use
from clary.services.sagemaker.roles import check_role
from clary.services.sagemaker.service import SERVICE
from clary.store.rows import Row

_BLOCKED = {"Status": "Blocked", "BlockedReason": "Clary keeps no offline store: no record is written to Amazon S3."}
_RESERVED = ("is_deleted", "write_time", "api_invocation_time")


def _fill(context: Context, params: Params) -> Params:
    """Raises ValidationError."""
    check_role(context, params.get("RoleArn"))
    online = params.get("OnlineStoreConfig", {}).get("EnableOnlineStore", False)
    if not online and "OfflineStoreConfig" not in params:
        raise ValidationError(
            "Validation Error: You must provide at least one of OnlineStoreConfig and OfflineStoreConfig."
        )
    if "OfflineStoreConfig" in params and "RoleArn" not in params:
        raise ValidationError("Validation Error: RoleArn is required where OfflineStoreConfig is provided.")
    _check_features(params["FeatureDefinitions"])
    for member in ("RecordIdentifierFeatureName", "EventTimeFeatureName"):
        _check_named(params, member)
    return params


def _check_features(features: list[Params]) -> None:
    names = [each["FeatureName"] for each in features]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValidationError(f"Validation Error: Duplicate feature names: {', '.join(twice)}.")
    reserved = [name for name in names if name.lower() in _RESERVED]
    if reserved:
        raise ValidationError(f"Validation Error: {', '.join(reserved)}: the name is reserved.")


def _check_named(params: Params, member: str) -> None:
    names = [each["FeatureName"] for each in params["FeatureDefinitions"]]
    if params[member] not in names:
        raise ValidationError(f"Validation Error: {member} {params[member]} is none of the FeatureDefinitions.")


def _shown(row: Row) -> Output:
    offline = {"OfflineStoreStatus": _BLOCKED} if "OfflineStoreConfig" in row.spec else {}
    return {**offline, "NextToken": ""}


def _update(_context: Context, row: Row, params: Params) -> Params:
    features = [*row.spec["FeatureDefinitions"], *params.get("FeatureAdditions", ())]
    _check_features(features)
    others = {name: value for name, value in params.items() if name != "FeatureAdditions"}
    if "OnlineStoreConfig" in others:
        others["OnlineStoreConfig"] = {**row.spec.get("OnlineStoreConfig", {}), **others["OnlineStoreConfig"]}
    return {**row.spec, **others, "FeatureDefinitions": features}


FEATURE_GROUP = Resource(
    kind="feature-group",
    noun="FeatureGroup",
    list_member="FeatureGroupSummaries",
    status="Created",
    exists=in_use("FeatureGroup"),
    missing=does_not_exist("FeatureGroup"),
    fill=_fill,
    shown=_shown,
    update=_update,
    equal={"FeatureGroupStatusEquals": "FeatureGroupStatus", "OfflineStoreStatusEquals": "OfflineStoreStatus.Status"},
    verbs=ALL,
)

declare(SERVICE, FEATURE_GROUP, effect="keeps state")


def metadata(row: Row, feature: Mapping[str, Any]) -> Output:
    """One feature of a group: its type, and what was said of it."""
    said = row.state.get("features", {}).get(feature["FeatureName"], {})
    times = {"CreationTime": row.created, "LastModifiedTime": resources.moment(said.get("modified")) or row.created}
    parameters = [{"Key": key, "Value": value} for key, value in said.get("parameters", {}).items()]
    told = {"Description": said.get("description"), "Parameters": parameters or None}
    return resources.present({"FeatureGroupArn": row.arn, "FeatureGroupName": row.key.name, **feature, **times, **told})


def _feature(row: Row, name: str) -> Mapping[str, Any]:
    found = next((each for each in row.spec["FeatureDefinitions"] if each["FeatureName"] == name), None)
    if found is None:
        raise AWSError("ResourceNotFound", f"Feature {name} does not exist in FeatureGroup '{row.arn}'.")
    return dict(found)


@SERVICE.operation("DescribeFeatureMetadata", effect="keeps state", on=named(FEATURE_GROUP))
def describe_metadata(context: Context, params: Params) -> Output:
    """Raises ResourceNotFound."""
    row = resources.require(FEATURE_GROUP, context, params["FeatureGroupName"])
    return shown("sagemaker", "DescribeFeatureMetadata", metadata(row, _feature(row, params["FeatureName"])))


@SERVICE.operation("UpdateFeatureMetadata", effect="keeps state", on=named(FEATURE_GROUP))
def update_metadata(context: Context, params: Params) -> Output:
    """What is said of one feature. Raises ResourceNotFound."""

    def change(row: Row) -> Row:
        name = _feature(row, params["FeatureName"])["FeatureName"]
        before = row.state.get("features", {})
        return replace(
            changed(context, row, dict(row.spec)),
            state={**row.state, "features": {**before, name: _said(before.get(name, {}), params)}},
        )

    resources.change_row(FEATURE_GROUP, context, params["FeatureGroupName"], change)
    return {}


def _said(before: Params, params: Params) -> Params:
    added = {each["Key"]: each["Value"] for each in params.get("ParameterAdditions", ())}
    gone = params.get("ParameterRemovals", ())
    kept = {key: value for key, value in {**before.get("parameters", {}), **added}.items() if key not in gone}
    description = params.get("Description", before.get("description"))
    return {"parameters": kept, "description": description, "modified": resources.now().timestamp()}
