"""`s3://bucket/key` taken apart."""

from __future__ import annotations

from clary.workload.errors import WorkloadError

_SCHEME = "s3://"


def split(uri: str) -> tuple[str, str]:
    """Bucket and key (or prefix, may be empty). Raises WorkloadError where it is no S3 address."""
    bucket, _, key = uri.removeprefix(_SCHEME).partition("/")
    if not uri.startswith(_SCHEME) or not bucket:
        raise WorkloadError(f"ClientError: Invalid S3 URI: {uri}")
    return bucket, key


def join(uri: str, *parts: str) -> str:
    """An address below another."""
    return "/".join([uri.rstrip("/"), *parts])
