"""MD5 sums by which SDKs see that a message arrived as it was sent
(https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-message-metadata.html)."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from typing import Any

_TEXT, _BYTES = b"\x01", b"\x02"


def of_body(body: str) -> str:
    """Of the body's UTF-8."""
    return hashlib.md5(body.encode(), usedforsecurity=False).hexdigest()


def of_attributes(attributes: Mapping[str, Any]) -> str | None:
    """Of message attributes as they are kept (`BinaryValue` in base64); None where there are none."""
    if not attributes:
        return None
    digest = hashlib.md5(usedforsecurity=False)
    for name in sorted(attributes):
        said = attributes[name]
        digest.update(_sized(name.encode()) + _sized(said["DataType"].encode()))
        if "BinaryValue" in said:
            digest.update(_BYTES + _sized(base64.b64decode(said["BinaryValue"])))
        else:
            digest.update(_TEXT + _sized(said["StringValue"].encode()))
    return digest.hexdigest()


def _sized(data: bytes) -> bytes:
    return len(data).to_bytes(4, "big") + data
