"""Groups (https://docs.aws.amazon.com/IAM/latest/APIReference/API_Group.html); who is in one stands in users' rows."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from clary.services.context import Context
from clary.services.iam.entities import GROUP, USER, Rows, all_of, arn_of, insert, key, new_row, require, shown
from clary.services.iam.errors import delete_conflict, entity_exists
from clary.services.iam.listing import page
from clary.services.iam.publication import write
from clary.services.iam.service import SERVICE
from clary.services.iam.users import set_groups
from clary.store.rows import AlreadyExists, Row

if TYPE_CHECKING:  # each process loads only the parts that it holds
    from clary.store.transaction import Transaction


def _members(rows: Rows, group: Row) -> list[Row]:
    users = all_of(rows, USER.kind, group.key.account)
    return [user for user in users if group.key.name in user.state.get("groups", ())]


@SERVICE.operation("CreateGroup")
def create_group(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    row = new_row(GROUP, context.call.principal.account, params)
    return {"Group": shown(GROUP, write(context, lambda transaction: insert(transaction, GROUP, row, {})))}


@SERVICE.operation("GetGroup")
def get_group(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    reader = context.store.read
    row = require(reader, GROUP, context.call.principal.account, params["GroupName"])
    users = page("Users", _members(reader, row), params, lambda user: user.key.name, lambda user: shown(USER, user))
    return {"Group": shown(GROUP, row), **users}


@SERVICE.operation("ListGroups")
def list_groups(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    prefix = params.get("PathPrefix", "/")
    rows = all_of(context.store.read, GROUP.kind, context.call.principal.account)
    chosen = [row for row in rows if row.spec["Path"].startswith(prefix)]
    return page("Groups", chosen, params, lambda row: row.key.name, lambda row: shown(GROUP, row))


def _move(transaction: Transaction, row: Row, fresh: Row) -> None:
    """A name and a path are part of key and ARN: the row is made anew, and members follow."""
    members = _members(transaction, row)
    transaction.delete(row.key)
    try:
        transaction.insert(fresh)
    except AlreadyExists as clash:
        raise entity_exists(f"Group with name {fresh.spec['GroupName']} already exists.") from clash
    for user in members:
        others = set(user.state["groups"]) - {row.key.name}
        set_groups(transaction, user, [*others, fresh.key.name])


@SERVICE.operation("UpdateGroup")
def update_group(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    def change(transaction: Transaction) -> None:
        row = require(transaction, GROUP, context.account, params["GroupName"])
        name, path = params.get("NewGroupName", row.spec["GroupName"]), params.get("NewPath", row.spec["Path"])
        place, arn = key(GROUP, context.account, name), arn_of(GROUP, context.account, path, name)
        spec = {**row.spec, "GroupName": name, "Path": path}
        _move(transaction, row, replace(row, key=place, arn=arn, spec=spec))

    write(context, change)
    return {}


@SERVICE.operation("DeleteGroup")
def delete_group(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    def change(transaction: Transaction) -> None:
        row = require(transaction, GROUP, context.call.principal.account, params["GroupName"])
        if row.state["attached"]:
            raise delete_conflict("Cannot delete entity, must detach all policies first.")
        if row.state["inline"]:
            raise delete_conflict("Cannot delete entity, must delete policies first.")
        if _members(transaction, row):
            raise delete_conflict("Cannot delete entity, must remove users from group first.")
        transaction.delete(row.key)

    write(context, change)
    return {}


def _change_membership(context: Context, params: dict[str, Any], *, member: bool) -> dict[str, Any]:
    account = context.call.principal.account

    def change(transaction: Transaction) -> None:
        group = require(transaction, GROUP, account, params["GroupName"])
        user = require(transaction, USER, account, params["UserName"])
        others = set(user.state.get("groups", ())) - {group.key.name}
        set_groups(transaction, user, [*others, group.key.name] if member else [*others])

    write(context, change)
    return {}


@SERVICE.operation("AddUserToGroup")
def add_user_to_group(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    return _change_membership(context, params, member=True)


@SERVICE.operation("RemoveUserFromGroup")
def remove_user_from_group(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    return _change_membership(context, params, member=False)


@SERVICE.operation("ListGroupsForUser")
def list_groups_for_user(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    reader, account = context.store.read, context.call.principal.account
    user = require(reader, USER, account, params["UserName"])
    rows = [require(reader, GROUP, account, name) for name in user.state.get("groups", ())]
    return page("Groups", rows, params, lambda row: row.key.name, lambda row: shown(GROUP, row))
