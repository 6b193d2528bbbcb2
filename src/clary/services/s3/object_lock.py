"""Object lock: the bucket's configuration, retention and legal hold of versions
(https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObjectLockConfiguration.html)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from clary.errors import AWSError
from clary.objects.locks import LOCK, check_retention
from clary.objects.model import Attributes, Bucket, LockMode, ObjectInfo, from_ms, now_ms
from clary.services.context import Context, EdgeContext
from clary.services.s3.errors import malformed_xml, not_configured
from clary.services.s3.locking import future, may_bypass, require_lock
from clary.services.s3.service import SERVICE
from clary.services.s3.targets import located_or_marked, require_bucket

_MODES = ("GOVERNANCE", "COMPLIANCE")
_MOST_DAYS, _MOST_YEARS = 36_500, 100


@SERVICE.operation("PutObjectLockConfiguration")
def put_object_lock_configuration(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """Once there it can be changed, never taken away."""
    bucket = require_bucket(context.objects, params)
    default = _default(params.get("ObjectLockConfiguration") or {})
    context.objects.set_bucket(bucket.name, LOCK, default, check=_require_versioning)
    return {}


def _require_versioning(bucket: Bucket) -> None:
    if bucket.versioning != "Enabled":
        what = "Versioning must be 'Enabled' on the bucket to apply a Object Lock configuration"
        raise AWSError("InvalidBucketState", what, status=409)


def _default(asked: Mapping[str, Any]) -> dict[str, Any]:
    """The default retention; empty where there is none. Raises MalformedXML."""
    if asked.get("ObjectLockEnabled") != "Enabled":
        raise malformed_xml()
    if "Rule" not in asked:
        return {}
    default = (asked["Rule"] or {}).get("DefaultRetention") or {}
    days, years = default.get("Days"), default.get("Years")
    if default.get("Mode") not in _MODES or (days is None) == (years is None):
        raise malformed_xml()
    _check_period("Days", days, _MOST_DAYS)
    _check_period("Years", years, _MOST_YEARS)
    return {name: default[name] for name in ("Mode", "Days", "Years") if default.get(name) is not None}


def _check_period(name: str, value: int | None, most: int) -> None:
    if value is not None and not 1 <= value <= most:
        positive = "a positive integer value" if value < 1 else f"no more than {most}"
        what = f"Default retention period must be {positive}."
        raise AWSError("InvalidArgument", what, members={"ArgumentName": name, "ArgumentValue": str(value)})


@SERVICE.operation("GetObjectLockConfiguration", place="edge", effect="keeps state")
def get_object_lock_configuration(context: EdgeContext, params: dict[str, Any]) -> dict[str, Any]:
    bucket = require_bucket(context.objects, params)
    if LOCK not in bucket.settings:
        what = "Object Lock configuration does not exist for this bucket"
        raise not_configured("ObjectLockConfigurationNotFoundError", what, bucket.name)
    default = bucket.settings[LOCK]
    rule = {"Rule": {"DefaultRetention": default}} if default else {}
    return {"ObjectLockConfiguration": {"ObjectLockEnabled": "Enabled", **rule}}


@SERVICE.operation("PutObjectRetention")
def put_object_retention(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """An empty one takes it away, where it has ended or may be bypassed."""
    bucket, info = _lockable(context, params, "PUT")
    asked = params.get("Retention") or {}
    mode: LockMode = asked.get("Mode") or ""
    until = asked.get("RetainUntilDate")
    if bool(mode) != (until is not None) or mode not in {"", *_MODES}:
        raise malformed_xml()
    ends = 0 if until is None else future(until)
    bypass = may_bypass(context, bucket, params, info.key)

    def retain(attributes: Attributes) -> Attributes:
        check_retention(attributes, mode, ends, now_ms(), bypass=bypass)
        return replace(attributes, lock_mode=mode, lock_until=ends)

    context.objects.revise(bucket.name, info.key, retain, info.version)
    return {}


@SERVICE.operation("GetObjectRetention", place="edge", effect="keeps state")
def get_object_retention(context: EdgeContext, params: dict[str, Any]) -> dict[str, Any]:
    attributes = _lockable(context, params, "GET")[1].attributes
    if not attributes.lock_mode:
        raise _not_locked()
    return {"Retention": {"Mode": attributes.lock_mode, "RetainUntilDate": from_ms(attributes.lock_until)}}


@SERVICE.operation("PutObjectLegalHold")
def put_object_legal_hold(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    bucket, info = located_or_marked(context.objects, params, "PUT")
    status = (params.get("LegalHold") or {}).get("Status")
    if status not in {"ON", "OFF"}:
        raise malformed_xml()
    require_lock(bucket)
    context.objects.revise(bucket.name, info.key, lambda known: replace(known, legal_hold=status), info.version)
    return {}


@SERVICE.operation("GetObjectLegalHold", place="edge", effect="keeps state")
def get_object_legal_hold(context: EdgeContext, params: dict[str, Any]) -> dict[str, Any]:
    attributes = _lockable(context, params, "GET")[1].attributes
    if not attributes.legal_hold:
        raise _not_locked()
    return {"LegalHold": {"Status": attributes.legal_hold}}


def _lockable(context: Context | EdgeContext, params: dict[str, Any], method: str) -> tuple[Bucket, ObjectInfo]:
    """The version that is spoken of. Raises InvalidRequest where the bucket has no object lock."""
    bucket, info = located_or_marked(context.objects, params, method)
    require_lock(bucket)
    return bucket, info


def _not_locked() -> AWSError:
    what = "The specified object does not have a ObjectLock configuration"
    return AWSError("NoSuchObjectLockConfiguration", what, status=404)
