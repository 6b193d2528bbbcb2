"""Buckets of AWS's own, which everybody may read and nobody may change."""

from __future__ import annotations

from collections.abc import Sequence

from clary.calls import Access
from clary.jumpstart.names import is_public
from clary.services.s3.errors import access_denied

_GRANTED = frozenset(
    {"s3:GetObject", "s3:ListBucket", "s3:ListBucketVersions", "s3:GetBucketLocation", "s3:GetObjectTagging"}
    | {"s3:GetObjectVersion", "s3:GetObjectAttributes"}
)


def is_granted(access: Access) -> bool:
    """Whether everybody has the right, whatever policies say."""
    return access.action in _GRANTED and is_public(access.resource)


def without(needed: Sequence[Access]) -> Sequence[Access]:
    """The rights that somebody has to be given. Raises AccessDenied where nobody has one of them."""
    left = [access for access in needed if not is_granted(access)]
    if any(is_public(access.resource) for access in left):
        raise access_denied()
    return left
