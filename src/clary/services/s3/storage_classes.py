"""Storage classes: what a request may ask for, and what answers say of archived objects
(https://docs.aws.amazon.com/AmazonS3/latest/userguide/storage-class-intro.html).

All of them lie in one folder on one disk. What a class says of access holds: what is in an archive is read only once it
was restored.
"""

from __future__ import annotations

from datetime import datetime
from email.utils import format_datetime
from typing import Any

from clary.errors import AWSError
from clary.objects.archives import ARCHIVES, Archived, is_archived, is_restored
from clary.objects.model import DEFAULT_STORAGE_CLASS, Attributes, ObjectInfo, from_ms, now_ms

TIERING = "INTELLIGENT_TIERING"
_CLASSES = ARCHIVES | {
    DEFAULT_STORAGE_CLASS,
    "REDUCED_REDUNDANCY",
    "STANDARD_IA",
    "ONEZONE_IA",
    TIERING,
    "GLACIER_IR",
}


def asked_class(params: dict[str, Any]) -> str:
    """That of a write. Raises InvalidStorageClass."""
    asked: str = params.get("StorageClass", DEFAULT_STORAGE_CLASS)
    if asked not in _CLASSES:
        what = "The storage class you specified is not valid"
        raise AWSError("InvalidStorageClass", what, members={"StorageClassRequested": asked})
    return asked


def check_active(info: ObjectInfo) -> None:
    """For who reads it. Raises Archived."""
    if is_archived(info.attributes, now_ms()):
        raise Archived(info.attributes.storage_class)


def check_source_active(info: ObjectInfo) -> None:
    """For who copies it. Raises Archived."""
    if is_archived(info.attributes, now_ms()):
        raise Archived(info.attributes.storage_class, "Operation is not valid for the source object's")


def shown_class(attributes: Attributes) -> dict[str, str]:
    """As GetObject and HeadObject show it: what is common is left out."""
    if attributes.storage_class == DEFAULT_STORAGE_CLASS:
        return {}
    until = _until(attributes)
    if until is None:
        return {"StorageClass": attributes.storage_class}
    date = format_datetime(until, usegmt=True)
    restored = f'ongoing-request="false", expiry-date="{date}"'
    return {"StorageClass": attributes.storage_class, "Restore": restored}


def restore_status(attributes: Attributes) -> dict[str, Any] | None:
    """As lists show it, which are asked to."""
    until = _until(attributes)
    return None if until is None else {"IsRestoreInProgress": False, "RestoreExpiryDate": until}


def _until(attributes: Attributes) -> datetime | None:
    return from_ms(attributes.restored_until) if is_restored(attributes, now_ms()) else None
