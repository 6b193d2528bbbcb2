"""The list that a new object or bucket gets with the request that makes it
(https://docs.aws.amazon.com/AmazonS3/latest/userguide/about-object-ownership.html)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from clary.calls import Principal
from clary.errors import AWSError
from clary.objects.model import Bucket
from clary.objects.reader import ObjectReader
from clary.services.s3 import acl
from clary.services.s3.ownership import ENFORCED, PREFERRED, ownership
from clary.services.s3.public_access import refuse_public

_FULL_TO_OWNER = "bucket-owner-full-control"
_OWNER_ONLY = frozenset({"private", _FULL_TO_OWNER, "bucket-owner-read"})
"""Canned lists that say what holds anyway where ACLs do not count."""


def of_object(
    objects: ObjectReader, bucket: Bucket, params: Mapping[str, Any], principal: Principal
) -> Mapping[str, Any]:
    """The object's list; empty where it is the bucket owner's own, and nobody is granted anything.

    Raises AccessControlListNotSupported, InvalidArgument, InvalidRequest, AccessDenied.
    """
    how = ownership(bucket)
    if how == ENFORCED:
        refuse(params)
        return {}
    preferred = how == PREFERRED and params.get("ACL") == _FULL_TO_OWNER
    owner = bucket.account if preferred else principal.account
    asked = acl.asked(params, owner, bucket.account)
    if acl.is_public(asked):
        refuse_public(objects, bucket, "BlockPublicAcls", principal, "s3:PutObject", params["Key"])
    return {} if asked == acl.private(bucket.account) else asked


def refuse(params: Mapping[str, Any]) -> None:
    """Raises AccessControlListNotSupported where the request would grant others something, and InvalidArgument."""
    acl.asked(params, "", "")
    named = params.get("ACL", "private")
    if named not in _OWNER_ONLY or (acl.by_headers(params) and not params.get("ACL")):
        raise not_supported()


def not_supported() -> AWSError:
    """The bucket's owner owns everything in it, and ACLs do not count."""
    return AWSError("AccessControlListNotSupported", "The bucket does not allow ACLs")
