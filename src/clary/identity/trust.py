"""Trust policies: who may assume a role
(https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

from clary.calls import Principal
from clary.identity.policy import Question, Statement, applies

Trust = Literal["denied", "none", "account", "principal"]
"""What a trust policy says: an explicit deny; nothing; the account may (its own policies then decide for each of its
identities); this very principal may."""


def _trusts_principal(name: str, principal: Principal) -> Trust:
    if name in {"*", principal.arn, principal.identity}:
        return "principal"
    if name in {principal.account, f"arn:aws:iam::{principal.account}:root"}:
        return "principal" if principal.kind == "root" else "account"
    return "none"


def _names(statement: Statement, principal: Principal) -> Trust:
    found = {_trusts_principal(name, principal) for name in statement.principals.get("AWS", ())}
    return "principal" if "principal" in found else "account" if "account" in found else "none"


def _strongest(statements: Sequence[Statement], question: Question, names: Callable[[Statement], Trust]) -> Trust:
    found: set[Trust] = set()
    for statement in statements:
        said = names(statement)
        if said == "none" or not statement.action(question.action) or not applies(statement, question):
            continue
        if not statement.allow:
            return "denied"
        found.add(said)
    return "principal" if "principal" in found else "account" if "account" in found else "none"


def trust_of_principal(statements: Sequence[Statement], question: Question, principal: Principal) -> Trust:
    """What a role's trust policy, compiled, says of a principal that asks to assume it."""
    return _strongest(statements, question, lambda statement: _names(statement, principal))


def trusts_service(statements: Sequence[Statement], question: Question, service: str) -> bool:
    """Whether a service (`sagemaker.amazonaws.com`) may assume the role."""

    def names(statement: Statement) -> Trust:
        named = statement.principals.get("Service", ())
        everyone = "*" in statement.principals.get("AWS", ())
        return "principal" if service in named or everyone else "none"

    return _strongest(statements, question, names) == "principal"


def trusts_provider(statements: Sequence[Statement], question: Question, provider: str) -> bool:
    """Whether whoever an identity provider vouches for may assume the role; `provider` is its ARN."""

    def names(statement: Statement) -> Trust:
        return "principal" if provider in statement.principals.get("Federated", ()) else "none"

    return _strongest(statements, question, names) == "principal"
