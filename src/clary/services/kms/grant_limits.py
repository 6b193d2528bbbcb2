"""What a grant may say (https://docs.aws.amazon.com/kms/latest/developerguide/grants.html#terms-grant-operations)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from clary.calls import Access
from clary.errors import AccessDenied
from clary.keys.rows import GRANT
from clary.keys.specs import AGREE, ENCRYPT, MAC, SIGN, SYMMETRIC
from clary.services.context import Context
from clary.services.kms.conditions import conditions
from clary.services.kms.errors import invalid
from clary.services.kms.policy_documents import compiled
from clary.services.kms.rights import is_named
from clary.services.resources import Params
from clary.store.rows import Row

_ALL = frozenset({"CreateGrant", "DescribeKey", "RetireGrant"})
_ENCRYPTING = frozenset({"Encrypt", "Decrypt", "ReEncryptFrom", "ReEncryptTo"})
_DATA_KEYS = frozenset(
    {
        "GenerateDataKey",
        "GenerateDataKeyWithoutPlaintext",
        "GenerateDataKeyPair",
        "GenerateDataKeyPairWithoutPlaintext",
    }
)
_BY_USAGE = {
    ENCRYPT: _ENCRYPTING,
    SIGN: frozenset({"Sign", "Verify"}),
    MAC: frozenset({"GenerateMac", "VerifyMac"}),
    AGREE: frozenset({"DeriveSharedSecret"}),
}


def check_operations(row: Row, params: Params) -> None:
    """Only what the key can do. Raises ValidationException."""
    possible = _ALL | _BY_USAGE[row.spec["KeyUsage"]]
    symmetric = row.spec["KeySpec"] == SYMMETRIC
    if symmetric:
        possible |= _DATA_KEYS
    elif row.spec["KeyUsage"] != MAC:
        possible |= {"GetPublicKey"}
    for operation in params["Operations"]:
        if operation not in possible:
            raise invalid(f"Operation {operation} is not valid for the key spec {row.spec['KeySpec']}.")
    if params.get("Constraints") and not symmetric:
        raise invalid("Grant constraints are valid only for symmetric encryption keys.")


def check_narrower(context: Context, row: Row, params: Params) -> None:
    """Who may create grants by a grant alone gives no more than it has. Raises AccessDeniedException."""
    right = Access("kms:CreateGrant", row.arn, conditions(context, row, params))
    if context.decide(right, compiled(row.spec["Policy"], row.arn)).allowed:
        return
    own = (each for each in context.store.read.children(GRANT, row.key) if _gives(each, context))
    if not any(_covers(each.spec, params) for each in own):
        who = context.call.principal.arn
        raise AccessDenied(
            f"User: {who} is not authorized to perform: kms:CreateGrant on resource: {row.arn} because the grant "
            "would allow more than the one that lets it be created"
        )


def _gives(grant: Row, context: Context) -> bool:
    named = is_named(grant.spec.get("GranteePrincipal", ""), context.call.principal)
    return named and "CreateGrant" in grant.spec["Operations"]


def _covers(wide: Mapping[str, Any], narrow: Params) -> bool:
    if not set(narrow["Operations"]) <= set(wide["Operations"]):
        return False
    bounds, given = wide.get("Constraints") or {}, narrow.get("Constraints") or {}
    equal, within = bounds.get("EncryptionContextEquals"), bounds.get("EncryptionContextSubset")
    if equal is not None:
        return bool(given.get("EncryptionContextEquals") == equal)
    said = given.get("EncryptionContextEquals") or given.get("EncryptionContextSubset") or {}
    return within is None or within.items() <= said.items()
