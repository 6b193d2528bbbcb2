"""IAM: what is offered, and the right that each operation needs
(https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsidentityandaccessmanagementiam.html)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from clary.calls import Access, Call
from clary.names import Arn
from clary.services.iam.entities import GROUP, ROLE, USER, arn_of, asked_tags
from clary.services.registry import Service

_ENTITIES_BY_WEIGHT = (GROUP, ROLE, USER)
"""AddUserToGroup names a group and a user: the right is on the group."""


_OWN = frozenset({"GetUser", "ListAccessKeys", "CreateAccessKey", "UpdateAccessKey", "DeleteAccessKey"})
"""Without UserName these are about the caller."""


def _entity_arn(account: str, params: dict[str, Any]) -> str | None:
    for entity in _ENTITIES_BY_WEIGHT:
        if entity.name_member in params:
            return arn_of(entity, account, params.get("Path", "/"), params[entity.name_member])
    return None


def _policy_arn(account: str, params: dict[str, Any]) -> str | None:
    if "PolicyName" in params:
        return str(Arn("iam", "", account, f"policy{params.get('Path', '/')}{params['PolicyName']}"))
    found = params.get("PolicyArn") or params.get("PolicySourceArn")
    return str(found) if found else None


def _resource(call: Call) -> str:
    account, params = call.principal.account, call.params
    own = call.principal.identity if call.operation in _OWN and call.principal.kind == "user" else None
    return _entity_arn(account, params) or _policy_arn(account, params) or own or "*"


def _context(params: dict[str, Any]) -> dict[str, str | Sequence[str]]:
    keys: dict[str, str | Sequence[str]] = {}
    if "PolicyArn" in params:
        keys["iam:PolicyARN"] = params["PolicyArn"]
    if "PermissionsBoundary" in params:
        keys["iam:PermissionsBoundary"] = params["PermissionsBoundary"]
    tags = asked_tags(params)
    keys |= {f"aws:RequestTag/{name}": value for name, value in tags.items()}
    if tags or "TagKeys" in params:
        keys["aws:TagKeys"] = list(tags) or params["TagKeys"]
    return keys


def access(call: Call) -> list[Access]:
    """`iam:<Operation>` on the entity or policy that is named. An existing entity's path is not in its name, and is
    taken to be `/`."""
    return [Access(f"iam:{call.operation}", _resource(call), _context(call.params))]


SERVICE = Service("iam", access)
