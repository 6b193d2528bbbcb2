"""Instance profiles: a role in a wrapping that instances are given
(https://docs.aws.amazon.com/IAM/latest/APIReference/API_InstanceProfile.html)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from clary.calls import Access
from clary.services.context import Context
from clary.services.iam.entities import (
    INSTANCE_PROFILE,
    ROLE,
    Rows,
    all_of,
    asked_tags,
    insert,
    key,
    new_row,
    require,
    save,
    shown,
    shown_tags,
)
from clary.services.iam.errors import delete_conflict, limit_exceeded, no_such_entity
from clary.services.iam.listing import page
from clary.services.iam.publication import write
from clary.services.iam.roles import shown_role
from clary.services.iam.service import SERVICE
from clary.store.rows import Row

if TYPE_CHECKING:  # each process loads only the parts that it holds
    from clary.store.transaction import Transaction


def require_profile(rows: Rows, account: str, name: str) -> Row:
    """The row. Raises NoSuchEntity."""
    row = rows.get(key(INSTANCE_PROFILE, account, name))
    if row is None:
        raise no_such_entity(f"Instance Profile {name} cannot be found.")
    return row


def shown_profile(rows: Rows, row: Row) -> dict[str, Any]:
    """The shape `InstanceProfile`; a role that has gone is in it no more."""
    roles = (rows.get(key(ROLE, row.key.account, name)) for name in row.state["roles"])
    out = shown(INSTANCE_PROFILE, row) | {"Roles": [shown_role(role) for role in roles if role]}
    return out | {"Tags": shown_tags(rows.tags(row.arn))}


def profiles_of(rows: Rows, role: Row) -> list[Row]:
    """The instance profiles that a role is in."""
    return [row for row in all_of(rows, INSTANCE_PROFILE.kind, role.key.account) if role.key.name in row.state["roles"]]


def _listed(context: Context, rows: list[Row], params: dict[str, Any]) -> dict[str, Any]:
    reader = context.store.read
    return page("InstanceProfiles", rows, params, lambda row: row.key.name, lambda row: shown_profile(reader, row))


@SERVICE.operation("CreateInstanceProfile", effect="keeps state")
def create_instance_profile(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    row = new_row(INSTANCE_PROFILE, context.account, params, {"roles": []})
    write(context, lambda transaction: insert(transaction, INSTANCE_PROFILE, row, asked_tags(params)))
    return {"InstanceProfile": shown_profile(context.store.read, row)}


@SERVICE.operation("GetInstanceProfile", effect="keeps state")
def get_instance_profile(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    row = require_profile(context.store.read, context.account, params["InstanceProfileName"])
    return {"InstanceProfile": shown_profile(context.store.read, row)}


@SERVICE.operation("ListInstanceProfiles", effect="keeps state")
def list_instance_profiles(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    rows = all_of(context.store.read, INSTANCE_PROFILE.kind, context.account)
    return _listed(context, [row for row in rows if row.spec["Path"].startswith(params.get("PathPrefix", "/"))], params)


@SERVICE.operation("ListInstanceProfilesForRole", effect="keeps state")
def list_instance_profiles_for_role(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    role = require(context.store.read, ROLE, context.account, params["RoleName"])
    return _listed(context, profiles_of(context.store.read, role), params)


@SERVICE.operation("DeleteInstanceProfile", effect="keeps state")
def delete_instance_profile(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    def change(transaction: Transaction) -> None:
        row = require_profile(transaction, context.account, params["InstanceProfileName"])
        if row.state["roles"]:
            raise delete_conflict("Cannot delete entity, must remove roles from instance profile first.")
        transaction.delete(row.key)

    write(context, change)
    return {}


@SERVICE.operation("AddRoleToInstanceProfile", effect="keeps state")
def add_role_to_instance_profile(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """Whoever wraps a role passes it on: that needs iam:PassRole."""
    role = require(context.store.read, ROLE, context.account, params["RoleName"])
    context.authorise(Access("iam:PassRole", role.arn, {"iam:PassedToService": "ec2.amazonaws.com"}))

    def change(transaction: Transaction) -> None:
        row = require_profile(transaction, context.account, params["InstanceProfileName"])
        if row.state["roles"]:
            raise limit_exceeded("Cannot exceed quota for InstanceSessionsPerInstanceProfile: 1")
        save(transaction, row, roles=[require(transaction, ROLE, context.account, params["RoleName"]).key.name])

    context.store.write(change)
    return {}


@SERVICE.operation("RemoveRoleFromInstanceProfile", effect="keeps state")
def remove_role_from_instance_profile(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    def change(transaction: Transaction) -> None:
        row = require_profile(transaction, context.account, params["InstanceProfileName"])
        name = params["RoleName"].lower()
        if name not in row.state["roles"]:
            raise no_such_entity(f"The role with name {params['RoleName']} cannot be found.")
        save(transaction, row, roles=[])

    context.store.write(change)
    return {}
