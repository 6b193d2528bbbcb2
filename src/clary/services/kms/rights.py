"""Whether the caller may do something with a key: by the key's policy, by the caller's own where that lets the account
in, or by a grant (https://docs.aws.amazon.com/kms/latest/developerguide/determining-access.html)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from clary.calls import Access, Principal
from clary.identity.denial import denied
from clary.identity.policy import compile_policy
from clary.identity.resource_policy import ResourcePolicy
from clary.keys.rows import GRANT
from clary.services.context import Context
from clary.services.kms.conditions import conditions
from clary.services.kms.policy_documents import compiled
from clary.services.resources import Params
from clary.store.rows import Row

_WITH_CONTEXT = frozenset(
    {
        "Encrypt",
        "Decrypt",
        "ReEncryptFrom",
        "ReEncryptTo",
        "GenerateDataKey",
        "GenerateDataKeyWithoutPlaintext",
        "GenerateDataKeyPair",
        "GenerateDataKeyPairWithoutPlaintext",
    }
)
"""Operations that grants' constraints hold for."""


def authorise(context: Context, action: str, row: Row, params: Params) -> None:
    """Raises AccessDeniedException."""
    access = Access(f"kms:{action}", row.arn, conditions(context, row, params))
    decision = context.decide(access, compiled(row.spec["Policy"], row.arn))
    if decision.allowed or (decision.effect == "implicitDeny" and granted(context, action, row, params, access)):
        return
    raise denied("kms", context.call.principal, access.action, row.arn, decision)


def granted(context: Context, action: str, row: Row, params: Params, access: Access) -> bool:
    """Whether a grant lets the caller: a session of whom it names keeps to its own policies all the same."""
    if action == "RetireGrant":  # each grant speaks for itself
        return False
    return any(
        action in grant.spec["Operations"]
        and is_named(grant.spec.get("GranteePrincipal", ""), context.call.principal)
        and (action not in _WITH_CONTEXT or fulfilled(grant.spec.get("Constraints") or {}, params))
        and context.decide(access, _as_policy(grant, access)).allowed
        for grant in context.store.read.children(GRANT, row.key)
    )


def _as_policy(grant: Row, access: Access) -> ResourcePolicy:
    """What the grant says of this one right."""
    principal = {"AWS": grant.spec["GranteePrincipal"]}
    statement = {"Effect": "Allow", "Principal": principal, "Action": access.action, "Resource": access.resource}
    return ResourcePolicy(compile_policy({"Version": "2012-10-17", "Statement": statement}, grant.arn), sole=True)


def is_named(name: str, who: Principal) -> bool:
    """Whether an ARN is the caller's: of its session, its user or role, or, for root, of the account."""
    return name in {who.arn, who.identity}


def fulfilled(constraints: Mapping[str, Any], params: Params) -> bool:
    """Whether the encryption context is one that a grant allows."""
    said = params.get("EncryptionContext") or {}
    equal, within = constraints.get("EncryptionContextEquals"), constraints.get("EncryptionContextSubset")
    if equal is not None and equal != said:
        return False
    return within is None or within.items() <= said.items()
