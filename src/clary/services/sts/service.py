"""STS: which operations are offered, and the rights that they need. Who may assume a role is said by the role's trust
policy and the caller's own policies together, which the operation itself asks."""

from __future__ import annotations

from clary.calls import Access, Call
from clary.names import Arn
from clary.services.registry import Service


def access(call: Call) -> list[Access]:
    """(https://docs.aws.amazon.com/service-authorization/latest/reference/list_awssecuritytokenservice.html)."""
    if call.operation in ("DecodeAuthorizationMessage", "GetAccessKeyInfo"):
        return [Access(f"sts:{call.operation}", "*")]
    if call.operation == "GetFederationToken":
        return _federation(call)
    return []


def _federation(call: Call) -> list[Access]:
    arn = str(Arn("sts", "", call.principal.account, f"federated-user/{call.params['Name']}"))
    tags = {tag["Key"]: tag["Value"] for tag in call.params.get("Tags") or ()}
    if not tags:
        return [Access("sts:GetFederationToken", arn)]
    keys = {"aws:TagKeys": list(tags), **{f"aws:RequestTag/{name}": value for name, value in tags.items()}}
    return [Access("sts:GetFederationToken", arn, keys), Access("sts:TagSession", arn, keys)]


SERVICE = Service("sts", access, "clary.services.sts.operations")
