"""Owners, as S3 names accounts."""

from __future__ import annotations

from clary.identity.principals import canonical_user


def owner(account: str) -> dict[str, str]:
    """The account's canonical user id."""
    return {"ID": canonical_user(account)}
