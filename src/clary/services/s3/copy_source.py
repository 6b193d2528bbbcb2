"""What a copy is made of: `x-amz-copy-source`, `[/]BUCKET/KEY[?versionId=ID]`, percent-encoded
(https://docs.aws.amazon.com/AmazonS3/latest/API/API_CopyObject.html)."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import unquote

from clary.services.s3.errors import invalid_argument

_HEADER = "x-amz-copy-source"


@dataclass(frozen=True)
class CopySource:
    """The object that is copied; `version` is None where the request names none."""

    bucket: str
    key: str
    version: str | None = None

    @classmethod
    def parse(cls, header: str) -> CopySource:
        """Raises InvalidArgument."""
        path, question, version = header.partition("?versionId=")
        bucket, _, key = unquote(path).removeprefix("/").partition("/")
        if not bucket or not key:
            raise invalid_argument("Invalid copy source object key", _HEADER, _HEADER)
        return cls(bucket, key, version if question else None)
