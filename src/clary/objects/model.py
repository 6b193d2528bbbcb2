"""What the object store keeps: buckets, objects, uploads and their parts, as plain data."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any, Literal, NotRequired, TypedDict

ChecksumType = Literal["FULL_OBJECT", "COMPOSITE"]

DEFAULT_CONTENT_TYPE = "binary/octet-stream"
DEFAULT_STORAGE_CLASS = "STANDARD"

NULL_VERSION = "null"
"""The version that an object has where the bucket keeps no versions, or keeps them no longer."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)

LockMode = Literal["", "GOVERNANCE", "COMPLIANCE"]
Versioning = Literal["", "Enabled", "Suspended"]


class Envelope(TypedDict):
    """What is kept of a data key of KMS's."""

    wrapped: str
    """The key as KMS has encrypted it, base64."""
    headers: dict[str, str]
    """What the object says of it: `ServerSideEncryption`, `SSEKMSKeyId` (an ARN), `BucketKeyEnabled` and
    `SSEKMSEncryptionContext` where they are."""


class Received(TypedDict):
    """A body that was taken in: its file, where it has one, is durable; no row names it yet."""

    file: str
    """The file's id."""
    size: int
    md5: str
    """Hexadecimal; empty where nobody will ask for an ETag."""
    algorithm: str
    """The checksum that the client asked for, else S3's default, CRC64NVME."""
    checksums: dict[str, str]
    """By algorithm, base64: the one asked for, and CRC64NVME for whatever may become an object of S3."""
    data: NotRequired[bytes]
    """The body itself, where it is small: it has no file, and is kept together with the row that names it."""
    declared: NotRequired[bool]
    """Whether the client named the algorithm."""
    sealed: NotRequired[str]
    """The mark of the key under which the file is encrypted; `md5` is none of the content then."""
    envelope: NotRequired[Envelope]
    """Where that is a data key of KMS's."""


@dataclass(frozen=True)
class Bucket:
    """A bucket. `settings` are its subresources (`tagging`, …) as the request gave them."""

    name: str
    account: str
    region: str
    created: datetime
    settings: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def load(cls, row: tuple[Any, ...]) -> Bucket:
        """From the columns name, account, region, created, settings."""
        name, account, region, created, settings = row
        return cls(name, account, region, from_ms(created), json.loads(settings))

    @property
    def versioning(self) -> Versioning:
        """Empty where it was never set: the bucket has never kept versions."""
        status: Versioning = self.settings.get("Versioning", {}).get("Status", "")
        return status


@dataclass(frozen=True)
class Attributes:
    """What is said about an object beside its bytes."""

    content_type: str = DEFAULT_CONTENT_TYPE
    headers: Mapping[str, str] = field(default_factory=dict)
    """Further headers by S3's member name: `CacheControl`, `ContentEncoding`, …"""
    metadata: Mapping[str, str] = field(default_factory=dict)
    """The user's own (`x-amz-meta-…`), names in lower case."""
    tags: Mapping[str, str] = field(default_factory=dict)
    storage_class: str = DEFAULT_STORAGE_CLASS
    checksums: Mapping[str, str] = field(default_factory=dict)
    """By algorithm, base64; `…-N` where it is made of the checksums of N parts."""
    checksum_type: ChecksumType = "FULL_OBJECT"
    acl: Mapping[str, Any] = field(default_factory=dict)
    """Its access control list, `Owner` and `Grants`; empty where it is the bucket owner's alone."""
    upload: str = ""
    """The multipart upload that it came by: completing it once more finds it done."""
    lock_mode: LockMode = ""
    lock_until: int = 0
    """Until when it may not be deleted (milliseconds since the epoch), where it has a `lock_mode`."""
    legal_hold: str = ""
    """`ON` and it may not be deleted, `OFF`, or empty where nobody has ever said."""
    sealed: str = ""
    """The mark of the key under which its files are encrypted (`sealing.mark_of`): a customer's, unless there is a
    wrapped one."""
    wrapped: str = ""
    """The data key under which its files are encrypted, as KMS has encrypted it, base64."""
    restored_until: int = 0
    """Until when it can be read (milliseconds since the epoch), where it is archived and was restored."""

    def dumps(self) -> str:
        """As JSON; what has its default is left out."""
        return json.dumps({name: value for name, value in vars(self).items() if value != _DEFAULTS[name]})

    @classmethod
    def loads(cls, text: str) -> Attributes:
        """The inverse of `dumps`."""
        return cls(**json.loads(text)) if text != "{}" else _PLAIN


_PLAIN = Attributes()
_DEFAULTS = vars(_PLAIN)


@dataclass(frozen=True)
class Piece:
    """A file that holds a stretch of an object: all of it, or one part."""

    file: str
    """Its id; of a small body that in the database (`small`)."""
    size: int
    number: int = 1
    """The part number that it was uploaded under."""
    checksums: Mapping[str, str] = field(default_factory=dict)
    offset: int = 0
    """Where in the file it begins: parts may have been joined."""


def dump_pieces(pieces: tuple[Piece, ...]) -> str:
    """As JSON, compact: an object may have 10,000."""
    return json.dumps([[p.file, p.size, p.number, dict(p.checksums), p.offset] for p in pieces], separators=(",", ":"))


@dataclass(frozen=True)
class ObjectInfo:
    """An object but for its bytes. `modified` is UTC, in milliseconds; `etag` is without quotes."""

    bucket: str
    key: str
    etag: str
    size: int
    modified: datetime
    attributes: Attributes
    layout: str
    """The pieces as JSON; see `pieces`."""
    version: str = NULL_VERSION
    place: int = 0
    """Where it stands among the versions of its key: the newest has the highest."""

    @classmethod
    def load(cls, bucket: str, row: tuple[Any, ...]) -> ObjectInfo:
        """From the columns key, etag, size, modified, attributes, layout, version, place."""
        key, etag, size, modified, attributes, layout, version, place = row
        known = Attributes.loads(attributes)
        return cls(bucket, decode_key(key), etag, size, from_ms(modified), known, layout, version, place)

    @cached_property
    def pieces(self) -> tuple[Piece, ...]:
        """The files that hold it, in order."""
        return tuple(Piece(*fields) for fields in json.loads(self.layout))

    @property
    def parts_count(self) -> int | None:
        """How many parts it was uploaded in; None where it came in one request."""
        _, dash, count = self.etag.partition("-")
        return int(count) if dash else None

    @property
    def content_type(self) -> str:
        """Its media type."""
        return self.attributes.content_type

    @property
    def metadata(self) -> Mapping[str, str]:
        """The user's own metadata."""
        return self.attributes.metadata


@dataclass(frozen=True)
class DeleteMarker:
    """A version that says that the object was deleted, where the bucket keeps versions."""

    bucket: str
    key: str
    modified: datetime
    version: str
    place: int


Version = ObjectInfo | DeleteMarker


@dataclass(frozen=True)
class Upload:
    """A multipart upload that is neither completed nor aborted. `attributes` are those of the object to be."""

    id: str
    bucket: str
    key: str
    initiated: datetime
    principal: Mapping[str, str]
    """Who began it: `ID` (ARN) and `DisplayName`."""
    attributes: Attributes
    algorithm: str
    """The checksum algorithm of its parts."""
    declared: bool
    """Whether the client named the algorithm; else it is S3's default."""
    overtaken: bool = False
    """Whether an object of its key has been deleted since it began."""


@dataclass(frozen=True)
class Part:
    """A part of an upload, taken in."""

    number: int
    file: str
    size: int
    etag: str
    modified: datetime
    checksums: Mapping[str, str]


def encode_key(key: str) -> bytes:
    """A key as it is stored and ordered: S3 compares the bytes of UTF-8."""
    return key.encode("utf-8", "surrogatepass")


def decode_key(stored: bytes) -> str:
    """The inverse of `encode_key`."""
    return stored.decode("utf-8", "surrogatepass")


def now_ms() -> int:
    """The time as it is stored: whole milliseconds since the epoch that are over, so that nothing is of the future."""
    return time.time_ns() // 1_000_000


def to_ms(moment: datetime) -> int:
    """The inverse of `from_ms`; of a time between two milliseconds the earlier one."""
    return (moment - _EPOCH) // _MILLISECOND


def from_ms(stored: int) -> datetime:
    """The inverse of `now_ms`."""
    return datetime.fromtimestamp(stored / 1000, UTC)
