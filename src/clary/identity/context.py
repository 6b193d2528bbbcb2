"""The condition keys that IAM knows of every request
(https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html)."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import lru_cache

from clary.calls import Access, Call, Principal
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
def _stamp(second: int) -> str:
    """Kept: many requests come within one second."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(second))


def _of_request(call: Call, account: str) -> dict[str, str]:
    now = int(time.time())
    return {
        "aws:sourceip": call.source_ip,
        "aws:requestedregion": call.region,
        "aws:currenttime": _stamp(now),
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


Facts = Callable[[Access], Mapping[str, str]]
"""Condition keys of what a right is on, which have to be looked up (`s3:ExistingObjectTag/…`), in lower case."""

LOOKED_UP = "s3:existingobjecttag/"


class WithFacts(Mapping[str, Sequence[str]]):
    """Condition keys, and those of the resource once one is asked for: most requests never do."""

    def __init__(self, keys: Context, facts: Callable[[], Mapping[str, str]]) -> None:
        self._keys = keys
        self._facts = facts
        self._found: Mapping[str, str] | None = None

    def __getitem__(self, key: str) -> Sequence[str]:
        if not key.startswith(LOOKED_UP):
            return self._keys[key]
        if self._found is None:
            self._found = self._facts()
        return (self._found[key],)

    def __iter__(self) -> Iterator[str]:
        return iter(self._keys)

    def __len__(self) -> int:
        return len(self._keys)


def nothing() -> Context:
    """No condition keys."""
    return {}
