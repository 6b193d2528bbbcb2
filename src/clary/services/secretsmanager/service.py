"""Secrets Manager: what is offered, and the right that each operation needs
(https://docs.aws.amazon.com/service-authorization/latest/reference/list_awssecretsmanager.html)."""

from __future__ import annotations

from clary.calls import Access, Call
from clary.services.registry import Service

_WITHOUT_SECRET = frozenset({"BatchGetSecretValue", "GetRandomPassword", "ListSecrets"})


def access(call: Call) -> list[Access]:
    """`secretsmanager:<Operation>` on `*`. On secrets, which have policies, rights are looked at where secrets are
    found: `found`."""
    validates = call.operation == "ValidateResourcePolicy" and "SecretId" not in call.params
    if call.operation not in _WITHOUT_SECRET and not validates:
        return []
    return [Access(f"secretsmanager:{call.operation}", "*")]


SERVICE = Service("secretsmanager", access, "clary.services.secretsmanager.operations")
