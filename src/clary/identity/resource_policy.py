"""Policies of resources that are not published, but found where they are asked for; `resources` decides by them."""

from __future__ import annotations

from dataclasses import dataclass

from clary.identity.policy import Statement


@dataclass(frozen=True)
class ResourcePolicy:
    """The policy of one resource, compiled."""

    statements: tuple[Statement, ...] = ()
    sole: bool = False
    """Nobody may do anything but by this policy: the account's own policies count where it lets the account in, as a
    KMS key's does (https://docs.aws.amazon.com/kms/latest/developerguide/key-policies.html)."""
