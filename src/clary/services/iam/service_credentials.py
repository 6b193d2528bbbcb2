"""Names and passwords of users for services that take no signatures, kept: no such service is here
(https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateServiceSpecificCredential.html)."""

from __future__ import annotations

import base64
import hashlib
import secrets
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from clary.names import Arn, unique_id
from clary.services.context import Context
from clary.services.iam.belongings import SERVICE_CREDENTIAL, belongings
from clary.services.iam.entities import ACTIVE, USER, Rows, all_of, require
from clary.services.iam.errors import limit_exceeded, no_such_entity, validation
from clary.services.iam.listing import page
from clary.services.iam.service import SERVICE
from clary.services.iam.users import user_name
from clary.store.rows import Key, Row

if TYPE_CHECKING:  # each process loads only the parts that it holds
    from clary.store.transaction import Transaction

_SERVICES = ("cassandra.amazonaws.com", "codecommit.amazonaws.com")
_PER_SERVICE = 2
"""Of one user."""

_EXPIRED = "Expired"


def _checked(service: str) -> str:
    if service not in _SERVICES:
        raise no_such_entity(f"No such service {service} is supported for Service Specific Credentials")
    return service


def _password() -> str:
    """32 random bytes, as letters."""
    return base64.b64encode(secrets.token_bytes(32)).decode()


def _digest(password: str) -> str:
    """What is kept of it: nobody reads a password of so many random bits out of that."""
    return hashlib.sha256(password.encode()).hexdigest()


def _metadata(row: Row) -> dict[str, Any]:
    return {
        "UserName": row.spec["UserName"],
        "ServiceName": row.spec["ServiceName"],
        "ServiceUserName": row.spec["ServiceUserName"],
        "ServiceSpecificCredentialId": row.key.name,
        "Status": row.status,
        "CreateDate": row.created,
    }


def _made(context: Context, user: Row, service: str, others: list[Row], password: str) -> Row:
    """The user's first or second name at the service."""
    place = Key(SERVICE_CREDENTIAL, context.account, "", unique_id("ACCA"))
    taken, now = {row.spec["ServiceUserName"] for row in others}, datetime.now(UTC)
    name = user.spec["UserName"]
    names = (f"{name}{mark}-at-{context.account}" for mark in ("", *(f"+{index}" for index in range(1, _PER_SERVICE))))
    free = next(each for each in names if each not in taken)
    spec = {"UserName": name, "ServiceName": service, "ServiceUserName": free}
    arn = str(Arn("iam", "", context.account, f"{SERVICE_CREDENTIAL}/{place.name}"))
    return Row(place, arn, ACTIVE, now, now, spec, {"digest": _digest(password)}, parent=user.key.name)


@SERVICE.operation("CreateServiceSpecificCredential", effect="keeps state")
def create_service_specific_credential(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """The password is told here, and never again. Raises NoSuchEntity, LimitExceeded, ValidationError."""
    password = _password()

    def change(transaction: Transaction) -> Row:
        user, service = require(transaction, USER, context.account, params["UserName"]), _checked(params["ServiceName"])
        if "CredentialAgeDays" in params:
            raise validation(f"CredentialAgeDays is not supported for {service}.")
        mine = belongings(transaction, user, SERVICE_CREDENTIAL)
        others = [row for row in mine if row.spec["ServiceName"] == service]
        if len(others) >= _PER_SERVICE:
            raise limit_exceeded(f"Cannot exceed quota for ServiceSpecificCredentialsPerUser: {_PER_SERVICE}")
        return transaction.insert(_made(context, user, service, others, password))

    return _told(context.store.write(change), password)


def _told(row: Row, password: str) -> dict[str, Any]:
    return {"ServiceSpecificCredential": _metadata(row) | {"ServicePassword": password}}


@SERVICE.operation("ListServiceSpecificCredentials", effect="keeps state")
def list_service_specific_credentials(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """A user's, or everybody's; of one service, if one is named. Raises NoSuchEntity, ValidationError."""
    service = params.get("ServiceName")
    found = [row for row in _asked(context, params) if service is None or row.spec["ServiceName"] == _checked(service)]
    if service is not None:
        _checked(service)
    shown = page("ServiceSpecificCredentials", found, params, lambda row: row.key.name, _metadata)
    return {name: value for name, value in shown.items() if value is not False}


def _asked(context: Context, params: dict[str, Any]) -> Iterator[Row]:
    reader = context.store.read
    if not params.get("AllUsers"):
        user = require(reader, USER, context.account, user_name(context, params))
        return iter(belongings(reader, user, SERVICE_CREDENTIAL))
    if "UserName" in params:
        raise validation("UserName and AllUsers cannot be specified together.")
    return iter(all_of(reader, SERVICE_CREDENTIAL, context.account))


def _require(rows: Rows, context: Context, params: dict[str, Any]) -> Row:
    user = require(rows, USER, context.account, user_name(context, params))
    wanted = params["ServiceSpecificCredentialId"]
    for row in belongings(rows, user, SERVICE_CREDENTIAL):
        if row.key.name == wanted:
            return row
    raise no_such_entity(f"No such credential {wanted} exists")


@SERVICE.operation("ResetServiceSpecificCredential", effect="keeps state")
def reset_service_specific_credential(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """A new password; the old one is none any more."""
    password = _password()

    def change(transaction: Transaction) -> Row:
        row = _require(transaction, context, params)
        return transaction.save(replace(row, state={**row.state, "digest": _digest(password)}))

    return _told(context.store.write(change), password)


@SERVICE.operation("UpdateServiceSpecificCredential", effect="keeps state")
def update_service_specific_credential(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """Active or Inactive: nobody but time lets one expire."""
    status = params["Status"]
    if status == _EXPIRED:
        raise validation(f"The status of a service specific credential cannot be set to {_EXPIRED}.")
    context.store.write(
        lambda transaction: transaction.save(replace(_require(transaction, context, params), status=status))
    )
    return {}


@SERVICE.operation("DeleteServiceSpecificCredential", effect="keeps state")
def delete_service_specific_credential(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    context.store.write(lambda transaction: transaction.delete(_require(transaction, context, params).key))
    return {}
