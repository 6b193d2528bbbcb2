"""Access keys of users (https://docs.aws.amazon.com/IAM/latest/APIReference/API_AccessKey.html)."""

from __future__ import annotations

import secrets
import string
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from clary.names import Arn, unique_id
from clary.services.context import Context
from clary.services.iam.belongings import belongings
from clary.services.iam.entities import ACCESS_KEY, ACTIVE, USER, Rows, require
from clary.services.iam.errors import limit_exceeded, no_such_entity
from clary.services.iam.listing import page
from clary.services.iam.publication import write
from clary.services.iam.service import SERVICE
from clary.services.iam.users import user_name
from clary.store.rows import Key, Row

if TYPE_CHECKING:  # each process loads only the parts that it holds
    from clary.store.transaction import Transaction

_KEYS_AT_MOST = 2
_SECRET_LETTERS = string.ascii_letters + string.digits
_ID_RANDOM = 16


def new_key_id() -> str:
    """An id for a long-lived key."""
    return unique_id("AKIA", _ID_RANDOM)


def new_secret() -> str:
    """40 letters and digits, 238 random bits."""
    return "".join(secrets.choice(_SECRET_LETTERS) for _ in range(40))


def key_row(account: str, key_id: str, secret: str, owner: Row | None) -> Row:
    """An active key of a user; of the default identity where `owner` is None."""
    now = datetime.now(UTC)
    return Row(
        key=Key(ACCESS_KEY, account, "", key_id),
        arn=str(Arn("iam", "", account, f"access-key/{key_id}")),
        status=ACTIVE,
        created=now,
        modified=now,
        spec={"UserName": owner.spec["UserName"] if owner else ""},
        state={"secret": secret},
        parent=owner.key.name if owner else "",
    )


def _shown(row: Row) -> dict[str, Any]:
    return {
        "UserName": row.spec["UserName"],
        "AccessKeyId": row.key.name,
        "Status": row.status,
        "CreateDate": row.created,
    }


@SERVICE.operation("CreateAccessKey")
def create_access_key(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    account, name = context.call.principal.account, user_name(context, params)

    def change(transaction: Transaction) -> Row:
        user = require(transaction, USER, account, name)
        if len(belongings(transaction, user, ACCESS_KEY)) >= _KEYS_AT_MOST:
            raise limit_exceeded(f"Cannot exceed quota for AccessKeysPerUser: {_KEYS_AT_MOST}")
        return transaction.insert(key_row(account, new_key_id(), new_secret(), user))

    row = write(context, change)
    return {"AccessKey": _shown(row) | {"SecretAccessKey": row.state["secret"]}}


@SERVICE.operation("ListAccessKeys")
def list_access_keys(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    reader = context.store.read
    user = require(reader, USER, context.call.principal.account, user_name(context, params))
    return page("AccessKeyMetadata", belongings(reader, user, ACCESS_KEY), params, lambda row: row.key.name, _shown)


def _require_key(rows: Rows, context: Context, params: dict[str, Any]) -> Row:
    user = require(rows, USER, context.call.principal.account, user_name(context, params))
    for row in belongings(rows, user, ACCESS_KEY):
        if row.key.name == params["AccessKeyId"]:
            return row
    raise no_such_entity(f"The Access Key with id {params['AccessKeyId']} cannot be found.")


@SERVICE.operation("UpdateAccessKey")
def update_access_key(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    def change(transaction: Transaction) -> None:
        transaction.save(replace(_require_key(transaction, context, params), status=params["Status"]))

    write(context, change)
    return {}


@SERVICE.operation("DeleteAccessKey")
def delete_access_key(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    write(context, lambda transaction: transaction.delete(_require_key(transaction, context, params).key))
    return {}
