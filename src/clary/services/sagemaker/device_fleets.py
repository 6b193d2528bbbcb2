"""Fleets of edge devices, and the devices that are registered in them: kept. No device reports here, so that none has a
heartbeat or a model (https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_RegisterDevices.html)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from clary.calls import Call
from clary.errors import AWSError
from clary.names import sagemaker_arn
from clary.services import resources
from clary.services.context import Context
from clary.services.declaring import declare, listed, named, shown
from clary.services.resources import Output, Params, Resource
from clary.services.sagemaker.code import ALL
from clary.services.sagemaker.kept_errors import in_use, invalid
from clary.services.sagemaker.roles import check_role
from clary.services.sagemaker.service import SERVICE
from clary.services.tags import checked_tags
from clary.store.rows import Row

if TYPE_CHECKING:  # each process loads only the parts that it holds
    from clary.store.transaction import Transaction

_MOST_MODELS = 10


def _fill_fleet(context: Context, params: Params) -> Params:
    check_role(context, params.get("RoleArn"))
    return params


def _alias(row: Row) -> Output:
    if not row.spec.get("EnableIotRoleAlias"):
        return {}
    return {"IotRoleAlias": f"SageMakerEdge-{row.key.name}"}


def _no_devices(transaction: Transaction, row: Row) -> None:
    if transaction.children("device", row.key):
        raise AWSError("ResourceInUse", f"The devicefleet {row.arn} has devices: deregister them first.")


FLEET = Resource(
    kind="device-fleet",
    noun="DeviceFleet",
    list_member="DeviceFleetSummaries",
    exists=in_use("DeviceFleet"),
    missing=invalid("No devicefleet with name: {name} exists."),
    fill=_fill_fleet,
    shown=_alias,
    unused=_no_devices,
    verbs=ALL,
)

declare(SERVICE, FLEET, effect="keeps state")

DEVICE = Resource(
    kind="device",
    noun="Device",
    arn_type="device-fleet",
    within=("DeviceFleetName",),
    list_member="DeviceSummaries",
    exists=in_use("Device"),
    missing=invalid("No device with name: {name} exists."),
    shown=lambda row: {"RegistrationTime": row.created, "MaxModels": _MOST_MODELS, "DeviceFleetName": row.parent},
    listed=lambda _row: {"Models": []},
    parent=lambda _context, spec: str(spec["DeviceFleetName"]),
    group="DeviceFleetName",
    verbs=("Describe",),
)

declare(SERVICE, DEVICE, effect="keeps state")


def _devices(call: Call) -> Sequence[str]:
    fleet = call.params["DeviceFleetName"]
    names = [each["DeviceName"] for each in call.params.get("Devices", ())] or call.params.get("DeviceNames", ())
    account = call.principal.account
    return [sagemaker_arn(call.region, account, DEVICE.arn_type, f"{fleet}/device/{name}") for name in names]


def _rows(context: Context, params: Params) -> list[Row]:
    """Of the devices that a request names, as they would be new."""
    fleet = params["DeviceFleetName"]
    resources.require(FLEET, context, fleet)
    return [
        replace(
            resources.new_row(DEVICE, context, {**each, "DeviceFleetName": fleet}),
            arn=sagemaker_arn(context.region, context.account, "device-fleet", f"{fleet}/device/{each['DeviceName']}"),
        )
        for each in params["Devices"]
    ]


@SERVICE.operation("RegisterDevices", effect="keeps state", on=_devices)
def register(context: Context, params: Params) -> Output:
    """All of them or none; who is registered already is taken as asked now."""
    rows, tags = _rows(context, params), checked_tags(params.get("Tags") or ())

    def change(transaction: Transaction) -> None:
        for row in rows:
            there = transaction.get(row.key)
            if there is None:
                transaction.insert(row)
            else:
                transaction.save(replace(there, spec=row.spec, modified=row.modified))
            transaction.set_tags(row.arn, tags)

    context.store.write(change)
    return {}


@SERVICE.operation("UpdateDevices", effect="keeps state", on=_devices)
def update(context: Context, params: Params) -> Output:
    """Raises ValidationError where one is not registered."""
    rows = _rows(context, params)

    def change(transaction: Transaction) -> None:
        for row in rows:
            there = resources.found(DEVICE, context, transaction, row.key.name)
            transaction.save(replace(there, spec={**there.spec, **row.spec}, modified=row.modified))

    context.store.write(change)
    return {}


@SERVICE.operation("DeregisterDevices", effect="keeps state", on=_devices)
def deregister(context: Context, params: Params) -> Output:
    """Names that are not registered are nothing."""
    keys = [resources.key_of(DEVICE, context, f"{params['DeviceFleetName']}/{name}") for name in params["DeviceNames"]]

    def change(transaction: Transaction) -> None:
        for key in keys:
            transaction.delete(key)

    context.store.write(change)
    return {}


@SERVICE.operation("ListDevices", effect="keeps state", on=lambda _call: ["*"])
def list_(context: Context, params: Params) -> Output:
    """None has a model or a heartbeat: who asks for these finds nothing."""
    absent = "ModelName" in params or "LatestHeartbeatAfter" in params
    found = resources.page(context, resources.query_of(DEVICE, context, params), lambda _row: not absent)
    return resources.listing(DEVICE, found, lambda row: listed("sagemaker", "ListDevices", DEVICE, row))


@SERVICE.operation("GetDeviceFleetReport", effect="keeps state", on=named(FLEET))
def report(context: Context, params: Params) -> Output:
    """How many devices are registered; none is connected."""
    row = resources.require(FLEET, context, params["DeviceFleetName"])
    registered = len(context.store.read.children(DEVICE.kind, row.key))
    stats = {"ConnectedDeviceCount": 0, "RegisteredDeviceCount": registered}
    known = {**row.spec, "DeviceFleetArn": row.arn, "DeviceStats": stats, "ReportGenerated": resources.now()}
    return shown("sagemaker", "GetDeviceFleetReport", known)
