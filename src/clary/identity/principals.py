"""Whom a policy on a resource names: `Principal` and `NotPrincipal`
(https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html)."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Literal

from clary.calls import Principal
from clary.identity.policy import Statement

Named = Literal["none", "account", "role", "principal"]
"""How a statement names somebody: not at all; by the account, whose own policies then decide for each of its
identities; by the role that a session is of; or directly, which `*` does too."""

_RANK: Mapping[Named, int] = {"none": 0, "account": 1, "role": 2, "principal": 3}
_SERVICES = ".amazonaws.com"


@lru_cache(maxsize=1024)
def canonical_user(account: str) -> str:
    """The account's canonical user id, as S3 names owners: 64 hexadecimal digits, the same ones for ever."""
    return hashlib.sha256(f"clary canonical user {account}".encode()).hexdigest()


def named(statement: Statement, principal: Principal) -> Named:
    """How the statement names the principal."""
    if statement.other_principals:
        return "none" if _excepted(statement.other_principals, principal) else "principal"
    found = [_as_aws(name, principal) for name in statement.principals.get("AWS", ())]
    found += [_as_canonical(name, principal) for name in statement.principals.get("CanonicalUser", ())]
    found += [_as_service(name, principal) for name in statement.principals.get("Service", ())]
    return max(found, key=_RANK.__getitem__, default="none")


def is_service(principal: Principal) -> bool:
    """Whether an AWS service calls by its own name: users and roles may be called alike, but theirs are ARNs."""
    return principal.identity.endswith(_SERVICES) and not principal.identity.startswith("arn:")


def stronger(one: Named, other: Named) -> Named:
    """The one that says more."""
    return max(one, other, key=_RANK.__getitem__)


def _as_aws(name: str, principal: Principal) -> Named:
    if name == "*":
        return "principal"
    if principal.kind == "anonymous" or is_service(principal):
        return "none"
    if name in {principal.account, f"arn:aws:iam::{principal.account}:root"}:
        return "principal" if principal.kind == "root" else "account"
    if name in {principal.arn, principal.user_id}:
        return "principal"
    if name in {principal.identity, principal.user_id.partition(":")[0]}:
        return "role"
    return "none"


def _as_canonical(name: str, principal: Principal) -> Named:
    if principal.kind == "anonymous" or is_service(principal) or name != canonical_user(principal.account):
        return "none"
    return "principal" if principal.kind == "root" else "account"


def _as_service(name: str, principal: Principal) -> Named:
    return "principal" if is_service(principal) and name in ("*", principal.identity) else "none"


def _excepted(listed: Mapping[str, Sequence[str]], principal: Principal) -> bool:
    """Whether `NotPrincipal` leaves somebody out: an account must be listed beside what is in it, a role beside its
    sessions."""
    names = set(listed.get("AWS", ()))
    if "*" in names:
        return True
    if is_service(principal):
        return principal.identity in listed.get("Service", ())
    if principal.kind == "anonymous":
        return False
    accounts = {principal.account, f"arn:aws:iam::{principal.account}:root"}
    of_account = bool(names & accounts) or canonical_user(principal.account) in listed.get("CanonicalUser", ())
    return of_account and (principal.kind == "root" or {principal.arn, principal.identity} <= names)
