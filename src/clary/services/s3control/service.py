"""S3 Control: which operations are offered, and the rights that they need
(https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazons3.html)."""

from __future__ import annotations

from collections.abc import Sequence

from clary.calls import Access, Call
from clary.services.registry import Service

_OF_ACCOUNT = {
    "GetPublicAccessBlock": "s3:GetAccountPublicAccessBlock",
    "PutPublicAccessBlock": "s3:PutAccountPublicAccessBlock",
    "DeletePublicAccessBlock": "s3:PutAccountPublicAccessBlock",
}
"""Operations whose action has another name than they have."""


def access(call: Call) -> Sequence[Access]:
    """The right on the resource whose tags are meant, on the access point that is named, or on all of the account."""
    action = _OF_ACCOUNT.get(call.operation, f"s3:{call.operation}")
    return [Access(action, _resource(call), _tag_keys(call))]


def _resource(call: Call) -> str:
    params = call.params
    if "ResourceArn" in params:
        return str(params["ResourceArn"])
    if "AccessPoint" in call.operation and "Name" in params:
        return f"arn:aws:s3:{call.region}:{call.principal.account}:accesspoint/{params['Name']}"
    return "*"


def _tag_keys(call: Call) -> dict[str, str | Sequence[str]]:
    if call.operation == "UntagResource":
        return {"aws:TagKeys": list(call.params["TagKeys"])}
    tags = {tag["Key"]: tag["Value"] for tag in call.params.get("Tags") or () if {"Key", "Value"} <= tag.keys()}
    of_request = {f"aws:RequestTag/{name}": value for name, value in tags.items()}
    return {"aws:TagKeys": list(tags), **of_request} if tags else {}


SERVICE = Service("s3control", access, "clary.services.s3control.operations")
