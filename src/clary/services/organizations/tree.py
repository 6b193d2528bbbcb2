"""The organization's tree: all accounts are right below its one root
(https://docs.aws.amazon.com/organizations/latest/APIReference/API_ListRoots.html)."""

from __future__ import annotations

from clary.services.context import Context
from clary.services.organizations.accounts import shown
from clary.services.organizations.errors import no_child, no_parent
from clary.services.organizations.rows import arn_of, is_member, listed, members, require_managed
from clary.services.organizations.service import SERVICE
from clary.services.resources import Output, Params
from clary.store.rows import Row


def _require_root(context: Context, identifier: str) -> Row:
    """The organization whose root it is. Raises ParentNotFoundException."""
    organization = require_managed(context)
    if identifier != organization.spec["RootId"]:
        raise no_parent()
    return organization


@SERVICE.operation("ListRoots")
def list_roots(context: Context, params: Params) -> Output:
    """The one root."""
    organization = require_managed(context)
    root = organization.spec["RootId"]
    shown_root = {"Id": root, "Arn": arn_of(organization, f"root/{root}"), "Name": "Root", "PolicyTypes": []}
    return listed("Roots", [(root, shown_root)], params)


@SERVICE.operation("ListAccountsForParent")
def list_accounts(context: Context, params: Params) -> Output:
    """Raises ParentNotFoundException."""
    organization = _require_root(context, params["ParentId"])
    return listed("Accounts", [(row.key.name, shown(organization, row)) for row in members(context)], params)


@SERVICE.operation("ListChildren")
def list_children(context: Context, params: Params) -> Output:
    """Accounts; there are no organizational units. Raises ParentNotFoundException."""
    _require_root(context, params["ParentId"])
    wanted = members(context) if params["ChildType"] == "ACCOUNT" else []
    return listed("Children", [(row.key.name, {"Id": row.key.name, "Type": "ACCOUNT"}) for row in wanted], params)


@SERVICE.operation("ListOrganizationalUnitsForParent")
def list_units(context: Context, params: Params) -> Output:
    """None: CreateOrganizationalUnit is not offered. Raises ParentNotFoundException."""
    _require_root(context, params["ParentId"])
    return listed("OrganizationalUnits", [], params)


@SERVICE.operation("ListParents")
def list_parents(context: Context, params: Params) -> Output:
    """The root. Raises ChildNotFoundException."""
    organization = require_managed(context)
    if not is_member(context, params["ChildId"]):
        raise no_child()
    root = organization.spec["RootId"]
    return listed("Parents", [(root, {"Id": root, "Type": "ROOT"})], params)
