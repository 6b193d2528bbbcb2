"""The condition keys that IAM knows of every request
(https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html)."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache

from clary.calls import Call, Principal
from clary.identity.patterns import Context
from clary.identity.principals import is_service

_PRINCIPAL_TYPES = {
    "root": "Account",
    "user": "User",
    "assumed-role": "AssumedRole",
    "federated-user": "FederatedUser",
    "anonymous": "Anonymous",
}


def _of_principal(principal: Principal) -> dict[str, str]:
    if principal.kind == "anonymous":
        return {"aws:principaltype": "Anonymous", "aws:userid": "anonymous"}
    if is_service(principal):
        return {"aws:principalisawsservice": "true", "aws:principalservicename": principal.identity}
    keys = {
        "aws:principalarn": principal.arn if principal.kind == "federated-user" else principal.identity,
        "aws:principalaccount": principal.account,
        "aws:principaltype": _PRINCIPAL_TYPES[principal.kind],
        "aws:userid": principal.user_id,
    }
    if principal.kind == "user":
        keys["aws:username"] = principal.identity.rpartition("/")[2]
    return keys


def _of_session(principal: Principal, now: float) -> dict[str, str]:
    """What was fixed when the session began, and how long ago its device was asked for a code."""
    keys = {key.lower(): value for key, value in principal.session_context.items()}
    if keys.get("aws:multifactorauthpresent") == "true" and "aws:tokenissuetime" in keys:
        began = datetime.fromisoformat(keys["aws:tokenissuetime"]).timestamp()
        keys["aws:multifactorauthage"] = str(int(now - began))
    return keys


@lru_cache(maxsize=4)
def _shown(second: int) -> str:
    """A moment (epoch seconds) as condition keys show it."""
    return datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _of_request(call: Call, account: str) -> dict[str, str]:
    now = int(time.time())
    return {
        "aws:sourceip": call.source_ip,
        "aws:requestedregion": call.region,
        "aws:currenttime": _shown(now),
        "aws:epochtime": str(now),
        "aws:viaawsservice": "false",
        "aws:principalisawsservice": "false",
        "aws:resourceaccount": account,
        "s3:resourceaccount": account,
    }


def _values(value: str | Sequence[str]) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(value)


def context_of(
    call: Call, account: str, tags: Mapping[str, str], more: Mapping[str, str | Sequence[str]]
) -> dict[str, tuple[str, ...]]:
    """All keys of one call, lower case. `account` owns the resources; `tags` are the principal's user's or role's own;
    `more` is what the service adds (`s3:prefix`, `iam:PassedToService`, …)."""
    keys: dict[str, tuple[str, ...]] = {}
    for group in (_of_request(call, account), _of_principal(call.principal)):
        keys.update((key, (value,)) for key, value in group.items())
    keys.update((f"aws:principaltag/{key}".lower(), (value,)) for key, value in tags.items())
    keys.update((key.lower(), (value,)) for key, value in call.transport.items())
    session = _of_session(call.principal, time.time())
    keys.update((key, (value,)) for key, value in session.items())
    keys.update((key.lower(), _values(value)) for key, value in more.items())
    return keys


def nothing() -> Context:
    """No condition keys."""
    return {}
