"""STS: which operations are offered. They need no right that the gateway could know: who may assume a role is said by
the role's trust policy and the caller's own policies together."""

from __future__ import annotations

from clary.calls import Access, Call
from clary.services.registry import Service


def access(call: Call) -> list[Access]:
    """None (https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html)."""
    return []


SERVICE = Service("sts", access)
