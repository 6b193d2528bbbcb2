"""Deliveries of what AWS services log: sources, destinations, and which goes where. They are kept; no service here
has such logs (https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_CreateDelivery.html)."""

from __future__ import annotations

import secrets
import string
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from clary.errors import AWSError, ValidationError
from clary.names import Arn
from clary.services.context import Context
from clary.services.logs.keeping import checked_document as checked
from clary.services.logs.keeping import key_of, listed, put
from clary.services.logs.service import SERVICE
from clary.services.resources import Output, Params, now, present
from clary.store.rows import Row

if TYPE_CHECKING:  # each process loads only the parts that it holds
    from clary.store.transaction import Transaction

SOURCE, DESTINATION, DELIVERY = "delivery-source", "delivery-destination", "delivery"
"""Kinds of rows, and types within their ARNs."""

_TYPES = {"s3": "S3", "logs": "CWL", "firehose": "FH"}
_TRACES = "XRAY"
_POLICY = "policy"
_PAGE = 50
_ID = string.ascii_letters + string.digits
_ID_LETTERS = 16
_CONFIGURED = ("recordFields", "fieldDelimiter", "s3DeliveryConfiguration")


# Sources


@SERVICE.operation("PutDeliverySource", effect="keeps state")
def put_source(context: Context, params: Params) -> Output:
    """A new one, or another in place of it. Raises ValidationException, ConflictException, ResourceNotFoundException
    where the resource is one that logs go to."""
    arn = _arn(params["resourceArn"])
    if arn.service in _TYPES:
        raise AWSError("ResourceNotFoundException", "Cannot access provided service.")
    spec = {
        "resourceArns": [params["resourceArn"]],
        "service": arn.service,
        "logType": params["logType"],
        "deliverySourceConfiguration": params.get("deliverySourceConfiguration"),
    }
    there = context.store.read.get(key_of(context, SOURCE, params["name"]))
    if there is not None and _same(there) != (spec["resourceArns"], params["logType"]):
        raise _conflict("Delivery Source with this name already exists for another resource or log type.")
    return {"deliverySource": _shown(context, _put(context, SOURCE, params["name"], spec, params))}


def _same(row: Row) -> tuple[list[str], str]:
    return row.spec["resourceArns"], row.spec["logType"]


@SERVICE.operation("GetDeliverySource")
def get_source(context: Context, params: Params) -> Output:
    """Raises ResourceNotFoundException."""
    return {"deliverySource": _shown(context, _require(context, SOURCE, params["name"]))}


@SERVICE.operation("DescribeDeliverySources")
def describe_sources(context: Context, params: Params) -> Output:
    """By name. Raises InvalidParameterException."""
    wanted = set(params.get("resourceArns") or ())
    found = listed(context, SOURCE, params, params.get("limit", _PAGE))
    rows = [row for row in found.rows if not wanted or wanted.intersection(row.spec["resourceArns"])]
    return present({"deliverySources": [_shown(context, row) for row in rows], "nextToken": found.token})


@SERVICE.operation("DeleteDeliverySource")
def delete_source(context: Context, params: Params) -> Output:
    """Raises ResourceNotFoundException, ConflictException while something is delivered from it."""
    return _delete(context, SOURCE, params["name"], "deliverySourceName", params["name"])


# Destinations


@SERVICE.operation("PutDeliveryDestination", effect="keeps state")
def put_destination(context: Context, params: Params) -> Output:
    """Raises ValidationException."""
    target = (params.get("deliveryDestinationConfiguration") or {}).get("destinationResourceArn")
    asked = params.get("deliveryDestinationType")
    kind = _TYPES.get(_arn(target).service) if target else asked
    if kind is None or (asked and asked != kind) or (target is None and kind != _TRACES):
        raise ValidationError("The destination must be a bucket, a log group, a delivery stream, or X-Ray.")
    spec = {
        "deliveryDestinationType": kind,
        "outputFormat": params.get("outputFormat"),
        "deliveryDestinationConfiguration": params.get("deliveryDestinationConfiguration"),
        "roleArn": params.get("roleArn"),
    }
    row = _put(context, DESTINATION, params["name"], spec, params)
    return {"deliveryDestination": _shown(context, row)}


@SERVICE.operation("GetDeliveryDestination")
def get_destination(context: Context, params: Params) -> Output:
    """Raises ResourceNotFoundException."""
    return {"deliveryDestination": _shown(context, _require(context, DESTINATION, params["name"]))}


@SERVICE.operation("DescribeDeliveryDestinations")
def describe_destinations(context: Context, params: Params) -> Output:
    """By name. Raises InvalidParameterException."""
    found = listed(context, DESTINATION, params, params.get("limit", _PAGE))
    return present({"deliveryDestinations": [_shown(context, row) for row in found.rows], "nextToken": found.token})


@SERVICE.operation("DeleteDeliveryDestination")
def delete_destination(context: Context, params: Params) -> Output:
    """Raises ResourceNotFoundException, ConflictException while something is delivered to it."""
    row = _require(context, DESTINATION, params["name"])
    return _delete(context, DESTINATION, params["name"], "deliveryDestinationArn", row.arn)


@SERVICE.operation("PutDeliveryDestinationPolicy", effect="keeps state")
def put_policy(context: Context, params: Params) -> Output:
    """Raises ResourceNotFoundException, InvalidParameterException."""
    document = checked(params["deliveryDestinationPolicy"])
    _respecify(context, DESTINATION, params["deliveryDestinationName"], {_POLICY: document})
    return {"policy": {"deliveryDestinationPolicy": document}}


@SERVICE.operation("GetDeliveryDestinationPolicy")
def get_policy(context: Context, params: Params) -> Output:
    """Empty where there is none. Raises ResourceNotFoundException."""
    document = _require(context, DESTINATION, params["deliveryDestinationName"]).spec.get(_POLICY)
    return {"policy": {"deliveryDestinationPolicy": document} if document else {}}


@SERVICE.operation("DeleteDeliveryDestinationPolicy")
def delete_policy(context: Context, params: Params) -> Output:
    """Raises ResourceNotFoundException."""
    _respecify(context, DESTINATION, params["deliveryDestinationName"], {_POLICY: None})
    return {}


# Deliveries


@SERVICE.operation("CreateDelivery", effect="keeps state")
def create(context: Context, params: Params) -> Output:
    """Raises ResourceNotFoundException, ConflictException where the source is delivered there already."""
    source = _require(context, SOURCE, params["deliverySourceName"])
    destination = context.store.read.by_arn(params["deliveryDestinationArn"])
    if destination is None or destination.key.kind != DESTINATION:
        raise _missing(DESTINATION)
    pair = {"deliverySourceName": source.key.name, "deliveryDestinationArn": destination.arn}
    kind = destination.spec["deliveryDestinationType"]
    taken = [row.spec["deliveryDestinationType"] for row in _deliveries(context, "deliverySourceName", source.key.name)]
    if kind in taken:
        raise _conflict("Delivery already exists for this delivery source and delivery destination type.")
    spec = {**pair, "deliveryDestinationType": kind, **{name: params.get(name) for name in _CONFIGURED}}
    id_ = "".join(secrets.choice(_ID) for _ in range(_ID_LETTERS))
    return {"delivery": _shown(context, _put(context, DELIVERY, id_, spec, params))}


@SERVICE.operation("UpdateDeliveryConfiguration", effect="keeps state")
def update(context: Context, params: Params) -> Output:
    """What is not named stays. Raises ResourceNotFoundException."""
    _respecify(context, DELIVERY, params["id"], {name: params[name] for name in _CONFIGURED if name in params})
    return {}


@SERVICE.operation("GetDelivery")
def get(context: Context, params: Params) -> Output:
    """Raises ResourceNotFoundException."""
    return {"delivery": _shown(context, _require(context, DELIVERY, params["id"]))}


@SERVICE.operation("DescribeDeliveries")
def describe(context: Context, params: Params) -> Output:
    """By id. Raises InvalidParameterException."""
    wanted = params.get("deliverySourceNames")
    found = listed(context, DELIVERY, params, params.get("limit", _PAGE))
    rows = [row for row in found.rows if not wanted or row.spec["deliverySourceName"] in wanted]
    return present({"deliveries": [_shown(context, row) for row in rows], "nextToken": found.token})


@SERVICE.operation("DeleteDelivery")
def delete(context: Context, params: Params) -> Output:
    """Raises ResourceNotFoundException."""
    return _delete(context, DELIVERY, params["id"])


def _put(context: Context, kind: str, name: str, spec: Params, params: Params) -> Row:
    """With its tags."""
    row = put(context, kind, name, spec, 0)
    if params.get("tags"):
        context.store.write(lambda transaction: transaction.set_tags(row.arn, params["tags"]))
    return row


def _shown(context: Context, row: Row) -> Output:
    named = {"id": row.key.name} if row.key.kind == DELIVERY else {"name": row.key.name}
    said = {name: value for name, value in row.spec.items() if name != _POLICY}
    return present({**named, "arn": row.arn, **said, "tags": dict(context.store.read.tags(row.arn)) or None})


def _require(context: Context, kind: str, name: str) -> Row:
    row = context.store.read.get(key_of(context, kind, name))
    if row is None:
        raise _missing(kind)
    return row


def _respecify(context: Context, kind: str, name: str, changes: Mapping[str, object]) -> None:
    def change(transaction: Transaction) -> None:
        row = transaction.get(key_of(context, kind, name))
        if row is None:
            raise _missing(kind)
        transaction.save(replace(row, spec=present({**row.spec, **changes}), modified=now()))

    context.store.write(change)


def _delete(context: Context, kind: str, name: str, member: str = "", used: str = "") -> Output:
    if member and _deliveries(context, member, used):
        raise _conflict(f"Cannot delete {_NOUNS[kind]} while deliveries are associated with it.")
    if not context.store.write(lambda transaction: transaction.delete(key_of(context, kind, name))):
        raise _missing(kind)
    return {}


def _deliveries(context: Context, member: str, value: str) -> list[Row]:
    own = (row for row in context.store.read.rows(DELIVERY) if row.key.account == context.account)
    return [row for row in own if row.key.region == context.region and row.spec[member] == value]


_NOUNS = {SOURCE: "delivery source", DESTINATION: "delivery destination", DELIVERY: "delivery"}


def _missing(kind: str) -> AWSError:
    noun = _NOUNS[kind].title()
    return AWSError("ResourceNotFoundException", f"Requested {noun} does not exist in this account.")


def _conflict(said: str) -> AWSError:
    return AWSError("ConflictException", said)


def _arn(text: str) -> Arn:
    try:
        return Arn.parse(text)
    except ValueError:
        raise ValidationError(f"{text} is not an ARN.") from None
