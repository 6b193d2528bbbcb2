"""All users, groups, roles and policies at once, and the report on credentials
(https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetAccountAuthorizationDetails.html)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

from clary.identity.managed import managed_policies
from clary.services.context import Context
from clary.services.iam.entities import (
    ENTITIES,
    GROUP,
    POLICY,
    ROLE,
    USER,
    Entity,
    Rows,
    all_of,
    require,
    shown,
    shown_document,
    shown_tags,
)
from clary.services.iam.instance_profiles import profiles_of, shown_profile
from clary.services.iam.listing import page
from clary.services.iam.policies import Usage, shown_managed, shown_policy
from clary.services.iam.service import SERVICE
from clary.services.iam.use import role_last_used
from clary.services.iam.versions import shown_managed_version, shown_version
from clary.store.rows import Row

_Detail = tuple[str, str, Callable[[], dict[str, Any]]]
"""The filter that it falls under, its ARN, and what shows it."""

_MEMBERS = {
    "User": "UserDetailList",
    "Group": "GroupDetailList",
    "Role": "RoleDetailList",
    "LocalManagedPolicy": "Policies",
    "AWSManagedPolicy": "Policies",
}


def _with_policies(entity: Entity, rows: Rows, row: Row) -> dict[str, Any]:
    inline = row.state["inline"].items()
    return shown(entity, row, rows.tags(row.arn)) | {
        f"{entity.noun}PolicyList": [
            {"PolicyName": name, "PolicyDocument": shown_document(text)} for name, text in inline
        ],
        "AttachedManagedPolicies": [
            {"PolicyName": arn.rpartition("/")[2], "PolicyArn": arn} for arn in row.state["attached"]
        ],
    }


def _user(rows: Rows, row: Row) -> dict[str, Any]:
    groups = (require(rows, GROUP, row.key.account, name) for name in row.state.get("groups", ()))
    return _with_policies(USER, rows, row) | {"GroupList": [group.spec["GroupName"] for group in groups]}


def _role(rows: Rows, row: Row) -> dict[str, Any]:
    return _with_policies(ROLE, rows, row) | {
        "AssumeRolePolicyDocument": shown_document(row.spec["AssumeRolePolicyDocument"]),
        "InstanceProfileList": [shown_profile(rows, profile) for profile in profiles_of(rows, row)],
        "RoleLastUsed": role_last_used(row),
        "Tags": shown_tags(rows.tags(row.arn)),
    }


def _group(rows: Rows, row: Row) -> dict[str, Any]:
    return _with_policies(GROUP, rows, row)


_SHOW: Mapping[str, Callable[[Rows, Row], dict[str, Any]]] = {"User": _user, "Group": _group, "Role": _role}


def _policy(row: Row, usage: Usage) -> dict[str, Any]:
    versions = [shown_version(row, version, document=True) for version in row.state["versions"]]
    return shown_policy(row, usage.counts(row.arn)) | {"PolicyVersionList": versions}


def _all(rows: Rows, account: str) -> Iterator[_Detail]:
    usage = Usage.of(rows, account)
    for entity in ENTITIES:
        for row in all_of(rows, entity.kind, account):
            yield entity.noun, row.arn, partial(_SHOW[entity.noun], rows, row)
    for row in all_of(rows, POLICY, account):
        yield "LocalManagedPolicy", row.arn, partial(_policy, row, usage)
    for arn in usage.attached.keys() | usage.bounding.keys():
        if arn in managed_policies():
            yield "AWSManagedPolicy", arn, partial(_managed, arn, usage)


def _managed(arn: str, usage: Usage) -> dict[str, Any]:
    """AWS's own are shown where somebody has them."""
    policy = managed_policies()[arn]
    versions = [shown_managed_version(policy, document=True)]
    return shown_managed(policy, usage.counts(arn)) | {"PolicyVersionList": versions}


@SERVICE.operation("GetAccountAuthorizationDetails")
def get_account_authorization_details(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    wanted = set(params.get("Filter") or _MEMBERS)
    details = [each for each in _all(context.store.read, context.account) if each[0] in wanted]
    paged = page("Details", details, params, lambda each: each[1], lambda each: (each[0], each[2]()))
    out: dict[str, Any] = {member: [] for member in _MEMBERS.values()}
    for kind, detail in paged.pop("Details"):
        out[_MEMBERS[kind]].append(detail)
    return out | paged
