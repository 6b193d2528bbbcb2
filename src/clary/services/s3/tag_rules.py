"""The rules of S3's tags (https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-tagging.html)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

from clary.errors import AWSError
from clary.services.s3.errors import malformed_xml

TAGGING = "Tagging"
"""The setting that holds a bucket's tags."""

OBJECT_TAGS = 10
BUCKET_TAGS = 50

_OURS = "aws:"
_ALLOWED = re.compile(r"[\w\s+\-=.:/@]*")
_SYSTEM = "System tags cannot be added/updated by requester"
_RESERVED = (
    'User-defined tag keys can\'t start with "aws:". This prefix is reserved for system tags. Remove "aws:" from your '
    "tag keys and try again."
)
_KEY_LETTERS, _VALUE_LETTERS = 128, 256


def checked_tags(pairs: Iterable[tuple[str, str]], *, most: int = OBJECT_TAGS) -> dict[str, str]:
    """Tags by key. Raises BadRequest, InvalidTag."""
    tags: dict[str, str] = {}
    objects = most == OBJECT_TAGS
    for key, value in pairs:
        if key in tags:
            raise _invalid("Cannot provide multiple Tags with the same key", key)
        if not 1 <= len(key) <= _KEY_LETTERS or not _ALLOWED.fullmatch(key):
            raise _invalid("The TagKey you have provided is invalid", key)
        if len(value) > _VALUE_LETTERS or not _ALLOWED.fullmatch(value):
            raise _invalid("The TagValue you have provided is invalid", key, **({} if objects else {"TagValue": value}))
        if key.startswith(_OURS):
            what = "Your TagKey cannot be prefixed with aws:" if objects else _SYSTEM
            raise _invalid(what, key)
        tags[key] = value
    if len(tags) > most:
        what = "Object" if objects else "Bucket"
        raise AWSError("BadRequest", f"{what} tags cannot be greater than {most}")
    return tags


def from_set(tagging: dict[str, Any], *, most: int = OBJECT_TAGS) -> dict[str, str]:
    """Of a request's `Tagging` document. Raises also MalformedXML."""
    return from_list(tagging.get("TagSet", []), most=most)


def of_new_bucket(entries: Sequence[dict[str, str]]) -> dict[str, str]:
    """Those that CreateBucket brings. Raises as `from_list`, of reserved ones in other words."""
    if any(entry.get("Key", "").startswith(_OURS) for entry in entries):
        raise AWSError("InvalidTag", _RESERVED)
    return from_list(entries, most=BUCKET_TAGS)


def from_list(entries: Sequence[dict[str, str]], *, most: int) -> dict[str, str]:
    """Of a document's tags. Raises also MalformedXML."""
    if not all("Key" in entry and "Value" in entry for entry in entries):
        raise malformed_xml()
    return checked_tags(((entry["Key"], entry["Value"]) for entry in entries), most=most)


def as_set(tags: dict[str, str]) -> list[dict[str, str]]:
    """As an answer's `TagSet`."""
    return [{"Key": key, "Value": value} for key, value in tags.items()]


def _invalid(message: str, key: str, **more: str) -> AWSError:
    return AWSError("InvalidTag", message, members={"TagKey": key, **more})
