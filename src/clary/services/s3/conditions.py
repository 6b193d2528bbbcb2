"""Conditional requests (RFC 9110, section 13; https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from clary.objects.model import ObjectInfo, Upload
from clary.objects.uploads import UploadGuard
from clary.services.s3.errors import conflict, no_such_key, not_implemented, not_modified, precondition_failed

ANY = "*"

Guard = Callable[[ObjectInfo | None], None]


def check_read(info: ObjectInfo, params: dict[str, Any]) -> None:
    """For GetObject and HeadObject. Raises PreconditionFailed, and NotModified (304)."""
    _check_unchanged(info, params, "If-Match", "If-Unmodified-Since")
    if _still_the_same(info, params):
        raise not_modified(info)


def check_copy_source(info: ObjectInfo, params: dict[str, Any]) -> None:
    """For the source of a copy, whose conditions all end in 412. Raises PreconditionFailed."""
    prefix = "CopySource"
    plain = {name.removeprefix(prefix): value for name, value in params.items() if name.startswith(f"{prefix}If")}
    _check_unchanged(info, plain, "x-amz-copy-source-If-Match", "x-amz-copy-source-If-Unmodified-Since")
    if _still_the_same(info, plain):
        by_tag = "IfNoneMatch" in plain
        condition = "If-None-Match" if by_tag else "If-Modified-Since"
        raise precondition_failed(f"x-amz-copy-source-{condition}")


def write_guard(key: str, params: dict[str, Any]) -> Guard | None:
    """For writes: what must hold of the object that would be replaced.

    `If-None-Match` can only be `*` here, and `If-Match` only an entity tag. The guard raises PreconditionFailed, and
    NoSuchKey for `If-Match` without an object. Raises NotImplemented.
    """
    match, none_match = params.get("IfMatch"), params.get("IfNoneMatch")
    if match is not None and none_match is not None:
        raise not_implemented("If-Match,If-None-Match", "Multiple conditional request headers present in the request")
    if match == ANY or none_match not in (None, ANY):
        header = "If-None-Match" if match is None else "If-Match"
        raise not_implemented(header, f"We don't accept the provided value of {header} header for this API")
    return deletion_guard(key, match) if none_match is None else _is_absent


def deletion_guard(key: str, match: str | None) -> Guard | None:
    """For deletions, which take `*` too. The guard raises PreconditionFailed, and NoSuchKey without an object."""
    if match is None:
        return None

    def guard(info: ObjectInfo | None) -> None:
        if info is None:
            raise no_such_key(key)
        if not matches(match, info.etag):
            raise precondition_failed("If-Match")

    return guard


def _is_absent(info: ObjectInfo | None) -> None:
    if info is not None:
        raise precondition_failed("If-None-Match")


def completion_guard(key: str, params: dict[str, Any]) -> UploadGuard | None:
    """For uploads, whose conditions are of the time at which they began, too: what was written or deleted under their
    key meanwhile is in their way, even if what is asked for holds again. The guard raises also
    ConditionalRequestConflict; else as `write_guard`."""
    guard = write_guard(key, params)
    if guard is None:
        return None
    condition = "If-Match" if "IfMatch" in params else "If-None-Match"

    def stricter(upload: Upload, info: ObjectInfo | None) -> None:
        guard(info)
        if upload.overtaken or (info is not None and info.modified > upload.initiated):
            raise conflict(key, condition)

    return stricter


def matches(wanted: str, etag: str) -> bool:
    """Whether `wanted`, a list of entity tags or `*`, names `etag`; quotes may be missing, as S3 allows."""
    tags = {tag.strip().removeprefix("W/").strip('"') for tag in wanted.split(",")}
    return ANY in tags or etag in tags


def _check_unchanged(info: ObjectInfo, params: dict[str, Any], match: str, unmodified: str) -> None:
    """If-Match counts alone where it is there. The last two arguments are the conditions' names in the error."""
    if "IfMatch" in params:
        if not matches(params["IfMatch"], info.etag):
            raise precondition_failed(match)
    elif "IfUnmodifiedSince" in params and _seconds(info.modified) > _seconds(params["IfUnmodifiedSince"]):
        raise precondition_failed(unmodified)


def _still_the_same(info: ObjectInfo, params: dict[str, Any]) -> bool:
    """If-None-Match counts alone where it is there; a time that has not come yet is no condition."""
    if "IfNoneMatch" in params:
        return matches(params["IfNoneMatch"], info.etag)
    if "IfModifiedSince" not in params:
        return False
    since = _seconds(params["IfModifiedSince"])
    return _seconds(info.modified) <= since <= _seconds(datetime.now(UTC))


def _seconds(moment: datetime) -> int:
    """HTTP dates have whole seconds."""
    return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())
