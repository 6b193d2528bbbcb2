"""`s3://bucket/key` taken apart, and the addresses by https that mean the same
(https://docs.aws.amazon.com/AmazonS3/latest/userguide/VirtualHosting.html)."""

from __future__ import annotations

import os
import re

from clary.workload.errors import WorkloadError

_SCHEME = "s3://"
_HOST = re.compile(r"https://(?:([^/]+)\.)?s3(?:[.-][a-z0-9-]+)*\.amazonaws\.com(?:\.cn)?/?")


def split(uri: str) -> tuple[str, str]:
    """Bucket and key (or prefix, may be empty). Raises WorkloadError where it is no S3 address."""
    plain = canonical(uri)
    bucket, _, key = plain.removeprefix(_SCHEME).partition("/")
    if not plain.startswith(_SCHEME) or not bucket:
        raise WorkloadError(f"ClientError: Invalid S3 URI: {uri}")
    return bucket, key


def canonical(uri: str) -> str:
    """`https://s3.REGION.amazonaws.com/b/k` or `https://b.s3.amazonaws.com/k` as `s3://b/k`; all else as it is."""
    host = _HOST.match(uri)
    if host is None:
        return uri
    bucket, path = host.group(1), uri[host.end() :]
    return f"{_SCHEME}{bucket}/{path}" if bucket else f"{_SCHEME}{path}"


def join(uri: str, *parts: str) -> str:
    """An address below another."""
    return "/".join([canonical(uri).rstrip("/"), *parts])


def as_key(path: str) -> str:
    """A file's path as an object's key, which is UTF-8: other bytes are written as `\\xff`."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")
