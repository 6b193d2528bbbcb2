"""Users (https://docs.aws.amazon.com/IAM/latest/APIReference/API_User.html)."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from clary.services.context import Context
from clary.services.iam.attachments import require_attachable
from clary.services.iam.belongings import FIRST, KINDS, belongings
from clary.services.iam.entities import (
    USER,
    all_of,
    arn_of,
    asked_tags,
    insert,
    key,
    new_row,
    require,
    save,
    shown,
)
from clary.services.iam.errors import delete_conflict, entity_exists, validation
from clary.services.iam.listing import page
from clary.services.iam.publication import write
from clary.services.iam.service import SERVICE
from clary.store.rows import AlreadyExists, Row

if TYPE_CHECKING:  # each process loads only the parts that it holds
    from clary.store.transaction import Transaction


def user_name(context: Context, params: dict[str, Any]) -> str:
    """UserName, or the caller's own. Raises ValidationError where the caller is no user."""
    if "UserName" in params:
        return str(params["UserName"])
    if context.call.principal.kind != "user":
        raise validation("Must specify userName when calling with non-User credentials")
    return context.call.principal.identity.rpartition("/")[2]


@SERVICE.operation("CreateUser")
def create_user(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    account, tags = context.call.principal.account, asked_tags(params)
    row = new_row(USER, account, params)

    def change(transaction: Transaction) -> Row:
        if row.state["boundary"]:
            require_attachable(transaction, account, row.state["boundary"])
        return insert(transaction, USER, row, tags)

    return {"User": shown(USER, write(context, change), tags)}


@SERVICE.operation("GetUser")
def get_user(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    row = require(context.store.read, USER, context.call.principal.account, user_name(context, params))
    return {"User": shown(USER, row, context.store.read.tags(row.arn))}


@SERVICE.operation("ListUsers")
def list_users(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    prefix = params.get("PathPrefix", "/")
    rows = all_of(context.store.read, USER.kind, context.call.principal.account)
    chosen = [row for row in rows if row.spec["Path"].startswith(prefix)]
    return page("Users", chosen, params, lambda row: row.key.name, lambda row: shown(USER, row))


def _renamed(row: Row, name: str, path: str) -> Row:
    account = row.key.account
    spec = {**row.spec, "UserName": name, "Path": path}
    return replace(row, key=key(USER, account, name), arn=arn_of(USER, account, path, name), spec=spec)


def _move(transaction: Transaction, row: Row, fresh: Row) -> None:
    """A name and a path are part of key and ARN: the row is made anew, and what hangs on it follows."""
    tags = transaction.tags(row.arn)
    owned = [each for kind in KINDS for each in belongings(transaction, row, kind)]
    transaction.delete(row.key)
    try:
        transaction.insert(fresh)
    except AlreadyExists as clash:
        raise entity_exists(f"User with name {fresh.spec['UserName']} already exists.") from clash
    transaction.set_tags(fresh.arn, tags)
    for each in owned:
        transaction.save(replace(each, parent=fresh.key.name, spec={**each.spec, "UserName": fresh.spec["UserName"]}))


@SERVICE.operation("UpdateUser")
def update_user(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    def change(transaction: Transaction) -> None:
        row = require(transaction, USER, context.call.principal.account, params["UserName"])
        fresh = _renamed(row, params.get("NewUserName", row.spec["UserName"]), params.get("NewPath", row.spec["Path"]))
        _move(transaction, row, fresh)

    write(context, change)
    return {}


@SERVICE.operation("DeleteUser")
def delete_user(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    def change(transaction: Transaction) -> None:
        row = require(transaction, USER, context.call.principal.account, params["UserName"])
        obstacles = (
            (row.state["attached"], "detach all policies"),
            (row.state["inline"], "delete policies"),
            (row.state.get("groups"), "remove users from group"),
            (row.state.get("login"), "delete login profile"),
            *((belongings(transaction, row, kind), remedy) for kind, remedy in FIRST.items()),
        )
        for found, remedy in obstacles:
            if found:
                raise delete_conflict(f"Cannot delete entity, must {remedy} first.")
        transaction.delete(row.key)

    write(context, change)
    return {}


def set_groups(transaction: Transaction, user: Row, groups: list[str]) -> None:
    """The user's groups, by their keys' names."""
    save(transaction, user, groups=sorted(groups))
