"""Archived objects: those that have to be restored before they can be read. Pure
(https://docs.aws.amazon.com/AmazonS3/latest/userguide/restoring-objects.html)."""

from __future__ import annotations

from clary.errors import AWSError
from clary.objects.model import Attributes

ARCHIVES = frozenset({"GLACIER", "DEEP_ARCHIVE"})
"""The storage classes of such objects."""


class Archived(AWSError):
    """403: the object lies in an archive, and no restored copy of it is there."""

    def __init__(self, storage_class: str, what: str = "The operation is not valid for the object's") -> None:
        message = f"{what} storage class"
        super().__init__("InvalidObjectState", message, status=403, members={"StorageClass": storage_class})


def is_restored(attributes: Attributes, now_ms: int) -> bool:
    """Whether a copy of an archived object can be read now."""
    return attributes.restored_until > now_ms


def is_archived(attributes: Attributes, now_ms: int) -> bool:
    """Whether it cannot be read now."""
    return attributes.storage_class in ARCHIVES and not is_restored(attributes, now_ms)
