"""Layers: code that several functions have below /opt
(https://docs.aws.amazon.com/lambda/latest/api/API_PublishLayerVersion.html)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from clary.lifecycles.function import LAYER_KIND
from clary.services.context import Context
from clary.services.lambda_.code import keep, store_of
from clary.services.lambda_.errors import invalid, not_found
from clary.services.lambda_.functions import location
from clary.services.lambda_.rows import PAGE
from clary.services.lambda_.service import SERVICE, layer_arn
from clary.services.lambda_.view import moment
from clary.services.resources import Output, Params, now, present
from clary.store.rows import Key, Row
from clary.workload.functions.code import base64_digest

if TYPE_CHECKING:  # each process loads only the parts that it holds
    from clary.store.transaction import Transaction

_COUNTER_KIND = "layer"
"""A row that holds the last version's number: numbers are never given twice."""

_KEPT = ("Description", "CompatibleRuntimes", "CompatibleArchitectures", "LicenseInfo")


def _name(given: str) -> str:
    """From a name or an ARN."""
    return given.split(":")[6] if given.startswith("arn:") else given


def _key(context: Context, name: str, number: int) -> Key:
    """Names of rows are ordered as text, versions as numbers."""
    return Key(LAYER_KIND, context.account, context.region, f"{name}:{number:010d}")


@SERVICE.operation("PublishLayerVersion")
def publish(context: Context, params: Params) -> Output:
    """Raises InvalidParameterValueException."""
    name, made = _name(params["LayerName"]), now()
    digest = keep(context, params["Content"])
    spec = {member: params[member] for member in _KEPT if params.get(member) is not None}
    spec |= {"Code": digest, "CodeSize": store_of(context).size(digest)}

    def apply(transaction: Transaction) -> Row:
        number = _next_number(context, transaction, name)
        arn = layer_arn(context.call, name, number)
        row = Row(_key(context, name, number), arn, "", made, made, {**spec, "Version": number}, parent=name)
        return transaction.insert(row)

    return _shown(context, context.store.write(apply))


def _next_number(context: Context, transaction: Transaction, name: str) -> int:
    key, made = Key(_COUNTER_KIND, context.account, context.region, name), now()
    row = transaction.get(key)
    if row is None:
        transaction.insert(Row(key, layer_arn(context.call, name), "", made, made, {}, {"last": 1}))
        return 1
    number = int(row.state["last"]) + 1
    transaction.save(Row(key, row.arn, "", row.created, made, {}, {"last": number}, version=row.version))
    return number


@SERVICE.operation("GetLayerVersion")
def get(context: Context, params: Params) -> Output:
    """Raises ResourceNotFoundException."""
    name = _name(params["LayerName"])
    row = context.store.read.get(_key(context, name, params["VersionNumber"]))
    if row is None:
        raise not_found("The resource you requested does not exist.")
    return _shown(context, row)


@SERVICE.operation("GetLayerVersionByArn")
def get_by_arn(context: Context, params: Params) -> Output:
    """Raises ResourceNotFoundException."""
    row = context.store.read.by_arn(params["Arn"])
    if row is None or row.key.kind != LAYER_KIND:
        raise not_found("The resource you requested does not exist.")
    return _shown(context, row)


@SERVICE.operation("ListLayerVersions")
def list_versions(context: Context, params: Params) -> Output:
    """The newest first. Raises InvalidParameterValueException for a marker that is none."""
    name = _name(params["LayerName"])
    rows = [row for row in reversed(_versions(context, name)) if _matches(row, params)]
    return _paged(params, "LayerVersions", [_item(row) for row in rows])


@SERVICE.operation("ListLayers")
def list_(context: Context, params: Params) -> Output:
    """Each layer with its newest version, by name."""
    latest: dict[str, Row] = {}
    for row in sorted(context.store.read.rows(LAYER_KIND), key=lambda row: row.key):
        if (row.key.account, row.key.region) == (context.account, context.region) and _matches(row, params):
            latest[row.parent] = row
    shown = [
        {"LayerName": name, "LayerArn": layer_arn(context.call, name), "LatestMatchingVersion": _item(row)}
        for name, row in sorted(latest.items())
    ]
    return _paged(params, "Layers", shown)


@SERVICE.operation("DeleteLayerVersion")
def delete(context: Context, params: Params) -> Output:
    """One that is not there is nothing; functions that have it go on with it."""
    key = _key(context, _name(params["LayerName"]), params["VersionNumber"])
    context.store.write(lambda transaction: transaction.delete(key))
    return {}


def _versions(context: Context, name: str) -> list[Row]:
    return context.store.read.children(LAYER_KIND, Key(_COUNTER_KIND, context.account, context.region, name))


def _matches(row: Row, params: Params) -> bool:
    runtime, architecture = params.get("CompatibleRuntime"), params.get("CompatibleArchitecture")
    return (not runtime or runtime in row.spec.get("CompatibleRuntimes", [])) and (
        not architecture or architecture in row.spec.get("CompatibleArchitectures", [])
    )


def _paged(params: Params, member: str, entries: list[Any]) -> Output:
    marker, size = params.get("Marker") or "0", min(params.get("MaxItems") or PAGE, PAGE)
    if not marker.isdigit():
        raise invalid("Invalid marker.")
    start = int(marker)
    more = {"NextMarker": str(start + size)} if len(entries) > start + size else {}
    return {member: entries[start : start + size], **more}


def _item(row: Row) -> Output:
    kept = {member: row.spec.get(member) for member in _KEPT}
    item = {"LayerVersionArn": row.arn, "Version": row.spec["Version"], "CreatedDate": moment(row.created)}
    return present({**item, **kept})


def _shown(context: Context, row: Row) -> Output:
    digest = row.spec["Code"]
    content = {
        "Location": location(context, digest),
        "CodeSha256": base64_digest(digest),
        "CodeSize": row.spec["CodeSize"],
    }
    return {"Content": content, "LayerArn": row.arn.rpartition(":")[0], **_item(row)}
