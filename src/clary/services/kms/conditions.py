"""The condition keys that KMS knows of a call
(https://docs.aws.amazon.com/kms/latest/developerguide/conditions-kms.html)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from clary.keys.families import is_primary, regions
from clary.keys.rows import ALIAS
from clary.services.kms.names import PREFIX
from clary.services.resources import Params
from clary.store.rows import Row

if TYPE_CHECKING:  # each process loads only the parts that it holds
    from clary.services.context import Context

_SERVICE = ".amazonaws.com"

Pair = tuple[str, str | list[str]]

_PLAIN = {
    "EncryptionAlgorithm": "kms:EncryptionAlgorithm",
    "SigningAlgorithm": "kms:SigningAlgorithm",
    "MacAlgorithm": "kms:MacAlgorithm",
    "KeyAgreementAlgorithm": "kms:KeyAgreementAlgorithm",
    "MessageType": "kms:MessageType",
    "KeyPairSpec": "kms:DataKeyPairSpec",
    "GranteePrincipal": "kms:GranteePrincipal",
    "RetiringPrincipal": "kms:RetiringPrincipal",
    "ExpirationModel": "kms:ExpirationModel",
    "WrappingAlgorithm": "kms:WrappingAlgorithm",
    "WrappingKeySpec": "kms:WrappingKeySpec",
    "PendingWindowInDays": "kms:ScheduleKeyDeletionPendingWindowInDays",
    "RotationPeriodInDays": "kms:RotationPeriodInDays",
    "ReplicaRegion": "kms:ReplicaRegion",
    "PrimaryRegion": "kms:PrimaryRegion",
}


def via_service(context: Context) -> str:
    """The service that makes the call for somebody, as `secretsmanager.us-east-1.amazonaws.com`; else empty."""
    return context.call.parent if context.call.parent.endswith(_SERVICE) else ""


def conditions(context: Context, row: Row, params: Params) -> dict[str, str | list[str]]:
    """All of one call on one key."""
    keys = dict(_of_key(context, row))
    keys |= dict(_of_request(params))
    via = via_service(context)
    if via:
        keys |= {"kms:ViaService": via, "aws:ViaAWSService": "true"}
    return keys


def _of_key(context: Context, row: Row) -> Iterator[Pair]:
    yield "kms:CallerAccount", context.account
    yield "kms:KeySpec", row.spec["KeySpec"]
    yield "kms:KeyUsage", row.spec["KeyUsage"]
    yield "kms:KeyOrigin", row.spec["Origin"]
    yield "kms:MultiRegion", str(bool(regions(row))).lower()
    if regions(row):
        yield "kms:MultiRegionKeyType", "PRIMARY" if is_primary(row) else "REPLICA"
    names = [alias.key.name for alias in context.store.read.children(ALIAS, row.key)]
    if names:
        yield "kms:ResourceAliases", names
    for name, value in context.store.read.tags(row.arn).items():
        yield f"aws:ResourceTag/{name}", value


def _of_request(params: Params) -> Iterator[Pair]:
    for member, key in _PLAIN.items():
        if params.get(member) is not None:
            yield key, str(params[member])
    given = params.get("KeyId") or ""
    if PREFIX in given:
        yield "kms:RequestAlias", PREFIX + given.partition(PREFIX)[2]
    yield from _of_context(params.get("EncryptionContext"))
    if params.get("Operations"):
        yield "kms:GrantOperations", list(params["Operations"])
    constraints = [name for name in params.get("Constraints") or {} if name.startswith("EncryptionContext")]
    if constraints:
        yield "kms:GrantConstraintType", constraints
    if "BypassPolicyLockoutSafetyCheck" in params:
        yield "kms:BypassPolicyLockoutSafetyCheck", str(bool(params["BypassPolicyLockoutSafetyCheck"])).lower()
    if params.get("Tags"):
        yield "aws:TagKeys", [tag["TagKey"] for tag in params["Tags"]]
        yield from ((f"aws:RequestTag/{tag['TagKey']}", tag["TagValue"]) for tag in params["Tags"])
    if params.get("TagKeys"):
        yield "aws:TagKeys", list(params["TagKeys"])


def _of_context(said: dict[str, str] | None) -> Iterator[Pair]:
    if said:
        yield "kms:EncryptionContextKeys", list(said)
        yield from ((f"kms:EncryptionContext:{name}", value) for name, value in said.items())
