"""KMS: what is offered, and the right that each operation needs
(https://docs.aws.amazon.com/service-authorization/latest/reference/list_awskeymanagementservice.html)."""

from __future__ import annotations

from clary.calls import Access, Call
from clary.services.registry import Service

_STORES = frozenset(
    {f"{verb}CustomKeyStore" for verb in ("Connect", "Create", "Delete", "Disconnect", "Update")}
    | {"DescribeCustomKeyStores"}
)
_WITHOUT_KEY = _STORES | {"CreateKey", "GenerateRandom", "ListAliases", "ListKeys", "ListRetirableGrants"}


def access(call: Call) -> list[Access]:
    """`kms:<Operation>` on `*`. On keys, whose policies decide, rights are looked at where keys are found: `keyed`."""
    if call.operation not in _WITHOUT_KEY:
        return []
    return [Access(f"kms:{call.operation}", "*", _conditions(call))]


def _conditions(call: Call) -> dict[str, str | list[str]]:
    if call.operation != "CreateKey":
        return {}
    params, tags = call.params, call.params.get("Tags") or ()
    spec = params.get("KeySpec") or params.get("CustomerMasterKeySpec") or "SYMMETRIC_DEFAULT"
    keys: dict[str, str | list[str]] = {
        "kms:KeySpec": spec,
        "kms:KeyUsage": params.get("KeyUsage") or "ENCRYPT_DECRYPT",
        "kms:KeyOrigin": params.get("Origin") or "AWS_KMS",
        "kms:MultiRegion": str(bool(params.get("MultiRegion"))).lower(),
        "kms:BypassPolicyLockoutSafetyCheck": str(bool(params.get("BypassPolicyLockoutSafetyCheck"))).lower(),
    }
    if tags:
        keys |= {f"aws:RequestTag/{tag['TagKey']}": tag["TagValue"] for tag in tags}
        keys["aws:TagKeys"] = [tag["TagKey"] for tag in tags]
    return keys


SERVICE = Service("kms", access, "clary.services.kms.operations")
