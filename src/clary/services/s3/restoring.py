"""RestoreObject (https://docs.aws.amazon.com/AmazonS3/latest/API/API_RestoreObject.html).

On AWS it takes minutes to hours until an archived object can be read. Here it lies on the disk, and can be read at
once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from clary.errors import AWSError
from clary.objects.archives import ARCHIVES, is_restored
from clary.objects.model import Attributes, now_ms, to_ms
from clary.services.context import Context
from clary.services.s3.errors import invalid_argument, malformed_xml
from clary.services.s3.lifecycle import midnight_after
from clary.services.s3.service import SERVICE
from clary.services.s3.storage_classes import TIERING
from clary.services.s3.targets import require_object
from clary.wire.rest_xml import STATUS

_TIERS = frozenset({"Standard", "Bulk", "Expedited"})
_ACCEPTED, _THERE_ALREADY = 202, 200


@SERVICE.operation("RestoreObject")
def restore_object(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """Until the midnight behind so many days, from now on also where it was restored before. Raises InvalidObjectState,
    InvalidArgument, MalformedXML."""
    found = require_object(context.objects, params, "POST")
    asked: Mapping[str, Any] = params.get("RestoreRequest") or {}
    _check_kind(asked)
    status = _ACCEPTED

    def restore(attributes: Attributes) -> Attributes:
        nonlocal status
        until = _until(attributes.storage_class, asked)
        status = _THERE_ALREADY if is_restored(attributes, now_ms()) else _ACCEPTED
        return replace(attributes, restored_until=until)

    context.objects.revise(found.bucket, found.key, restore, found.version)
    return {STATUS: status}


def _check_kind(asked: Mapping[str, Any]) -> None:
    """S3 Select is not to be had, neither here nor by whoever has not had it before. Raises MethodNotAllowed."""
    if asked.get("Type") == "SELECT" or "SelectParameters" in asked or "OutputLocation" in asked:
        what = "The specified method is not allowed against this resource."
        raise AWSError("MethodNotAllowed", what, status=405, members={"Method": "POST", "ResourceType": "OBJECT"})


def _until(storage_class: str, asked: Mapping[str, Any]) -> int:
    """When what is restored now is archived again, in milliseconds."""
    if storage_class == TIERING and "Days" in asked:
        what = f"{TIERING} objects are not subject to restore expiry. Do not specify Days when restoring this object"
        raise AWSError("InvalidArgument", what)
    if storage_class not in ARCHIVES:
        what = "Restore is not allowed for the object's current storage class"
        raise AWSError("InvalidObjectState", what, status=403)
    _check_tier(storage_class, (asked.get("GlacierJobParameters") or {}).get("Tier", asked.get("Tier")))
    days = asked.get("Days", 0)
    end = midnight_after(datetime.now(UTC), days) if days > 0 else None
    if end is None:
        raise malformed_xml()
    return to_ms(end)


def _check_tier(storage_class: str, tier: str | None) -> None:
    if tier is not None and tier not in _TIERS:
        raise malformed_xml()
    if tier == "Expedited" and storage_class == "DEEP_ARCHIVE":
        what = "Retrieval option is not supported by this storage class"
        raise invalid_argument(what, "Tier", tier)
