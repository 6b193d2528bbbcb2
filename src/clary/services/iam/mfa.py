"""Virtual MFA devices: their codes are really checked, by EnableMFADevice and by STS
(https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_mfa_enable_virtual.html)."""

from __future__ import annotations

import base64
import secrets
import time
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from clary.errors import AWSError
from clary.identity import totp
from clary.identity.sealed_text import TextSealer
from clary.names import Arn
from clary.services.context import Context
from clary.services.iam.belongings import MFA_DEVICE, belongings
from clary.services.iam.entities import USER, Rows, all_of, asked_tags, require, save, shown, shown_tags
from clary.services.iam.errors import delete_conflict, entity_exists, no_such_entity
from clary.services.iam.listing import page
from clary.services.iam.service import SERVICE
from clary.services.iam.users import user_name
from clary.store.rows import AlreadyExists, Key, Row

if TYPE_CHECKING:  # each process loads only the parts that it holds
    from clary.store.transaction import Transaction

_SEED_BYTES = 40
_REFUSED = "MultiFactorAuthentication failed with invalid MFA one time pass code. "


def require_device(rows: Rows, account: str, serial: str) -> Row:
    """The device. Raises NoSuchEntity."""
    row = rows.by_arn(serial)
    if row is None or (row.key.kind, row.key.account) != (MFA_DEVICE, account):
        raise no_such_entity(f"VirtualMFADevice with serial number {serial} does not exist.")
    return row


def _seed(context: Context, row: Row) -> str:
    return TextSealer.of(context.settings.data_dir).open(row.state["seed"], row.arn)


def check_code(context: Context, serial: str, shown_code: str) -> None:
    """What STS asks: the device is the caller's, and the code right, and new. Raises AccessDenied."""
    refused = AWSError("AccessDenied", _REFUSED, status=403)

    def change(transaction: Transaction) -> None:
        row = transaction.by_arn(serial)
        owner = transaction.by_arn(context.call.principal.identity)
        if row is None or owner is None or row.key.kind != MFA_DEVICE or row.parent != owner.key.name:
            raise refused
        step = totp.step_of(_seed(context, row), shown_code, time.time(), row.state["step"])
        if step is None:
            raise refused
        save(transaction, row, step=step)

    context.store.write(change)


@SERVICE.operation("CreateVirtualMFADevice")
def create_virtual_mfa_device(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """The seed is given once; programs type it in, so that there is no picture of it."""
    name, path, now = params["VirtualMFADeviceName"], params.get("Path", "/"), datetime.now(UTC)
    arn = str(Arn("iam", "", context.account, f"mfa{path}{name}"))
    seed = base64.b32encode(secrets.token_bytes(_SEED_BYTES)).decode()
    state = {"seed": TextSealer.of(context.settings.data_dir).seal(seed, arn), "step": -1}
    row = Row(Key(MFA_DEVICE, context.account, "", arn), arn, "", now, now, {"Path": path}, state)
    tags = asked_tags(params)

    def change(transaction: Transaction) -> None:
        try:
            transaction.insert(row)
        except AlreadyExists as clash:
            raise entity_exists("MFADevice entity at the same path and name already exists.") from clash
        transaction.set_tags(arn, tags)

    context.store.write(change)
    device = {"SerialNumber": arn, "Base32StringSeed": seed.encode()}
    return {"VirtualMFADevice": device | ({"Tags": shown_tags(tags)} if tags else {})}


def _codes(context: Context, row: Row, params: Mapping[str, Any]) -> int:
    """The step of the second code. Codes before the last one that counted count no more."""
    first, second = params["AuthenticationCode1"], params["AuthenticationCode2"]
    step = totp.consecutive(_seed(context, row), first, second, time.time(), after=row.state["step"])
    if step is None:
        raise AWSError("InvalidAuthenticationCode", "Authentication code for device is not valid.", status=403)
    return step


@SERVICE.operation("EnableMFADevice")
def enable_mfa_device(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    def change(transaction: Transaction) -> None:
        user = require(transaction, USER, context.account, params["UserName"])
        row = require_device(transaction, context.account, params["SerialNumber"])
        if row.parent:
            raise entity_exists(f"MFA Device already in use: {row.arn}")
        step = _codes(context, row, params)
        state = {**row.state, "step": step, "enabled": time.time()}
        spec = {**row.spec, "UserName": user.spec["UserName"]}
        transaction.save(replace(row, parent=user.key.name, spec=spec, state=state))

    context.store.write(change)
    return {}


def _of_user(rows: Rows, context: Context, params: Mapping[str, Any], name: str) -> Row:
    user = require(rows, USER, context.account, name)
    row = require_device(rows, context.account, params["SerialNumber"])
    if row.parent != user.key.name:
        raise no_such_entity(f"MFA Device invalid for user: {params['SerialNumber']}")
    return row


@SERVICE.operation("ResyncMFADevice")
def resync_mfa_device(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    def change(transaction: Transaction) -> None:
        row = _of_user(transaction, context, params, params["UserName"])
        save(transaction, row, step=_codes(context, row, params))

    context.store.write(change)
    return {}


@SERVICE.operation("DeactivateMFADevice")
def deactivate_mfa_device(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    name = user_name(context, params)

    def change(transaction: Transaction) -> None:
        row = _of_user(transaction, context, params, name)
        transaction.save(replace(row, parent="", spec={"Path": row.spec["Path"]}))

    context.store.write(change)
    return {}


@SERVICE.operation("DeleteVirtualMFADevice")
def delete_virtual_mfa_device(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    def change(transaction: Transaction) -> None:
        row = require_device(transaction, context.account, params["SerialNumber"])
        if row.parent:
            raise delete_conflict(f"Cannot delete entity, must deactivate MFA device {row.arn} first.")
        transaction.delete(row.key)

    context.store.write(change)
    return {}


def _enabled(row: Row) -> datetime:
    return datetime.fromtimestamp(int(row.state["enabled"]), UTC)


def _shown(row: Row) -> dict[str, Any]:
    return {"UserName": row.spec["UserName"], "SerialNumber": row.arn, "EnableDate": _enabled(row)}


@SERVICE.operation("ListMFADevices")
def list_mfa_devices(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    reader = context.store.read
    user = require(reader, USER, context.account, user_name(context, params))
    return page("MFADevices", belongings(reader, user, MFA_DEVICE), params, lambda row: row.arn, _shown)


@SERVICE.operation("GetMFADevice")
def get_mfa_device(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    reader = context.store.read
    if "UserName" in params:
        return _shown(_of_user(reader, context, params, params["UserName"]))
    row = require_device(reader, context.account, params["SerialNumber"])
    return _shown(row) if row.parent else {"SerialNumber": row.arn}


@SERVICE.operation("ListVirtualMFADevices")
def list_virtual_mfa_devices(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    reader, wanted = context.store.read, params.get("AssignmentStatus", "Any")
    rows = all_of(reader, MFA_DEVICE, context.account)
    chosen = [row for row in rows if wanted == "Any" or bool(row.parent) == (wanted == "Assigned")]

    def show(row: Row) -> dict[str, Any]:
        if not row.parent:
            return {"SerialNumber": row.arn}
        owner = shown(USER, require(reader, USER, context.account, row.parent))
        return {"SerialNumber": row.arn, "EnableDate": _enabled(row), "User": owner}

    return page("VirtualMFADevices", chosen, params, lambda row: row.arn, show)
