"""Listing keys: bytewise order, by seeking, never by an offset; common prefixes are skipped over, not read through."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from clary.objects.model import ObjectInfo, decode_key, encode_key

_OBJECTS = (
    "SELECT key, etag, size, modified, attributes, layout, version, place FROM object"
    " WHERE bucket = ? AND key >= ? AND key < ? ORDER BY key LIMIT ?"
)
_BATCH = 1000
_GROWTH = 4
_SHRINKING = 16
"""Where one group is, the next key is mostly in another: what was read beyond it is thrown away."""
_END = b"\xff"  # no byte of UTF-8 is as high


@dataclass(frozen=True)
class Listing:
    """A page of keys and common prefixes; `last` is the greatest of both: the next page goes on after it."""

    objects: tuple[ObjectInfo, ...]
    prefixes: tuple[str, ...]
    truncated: bool
    last: str | None


@dataclass(frozen=True)
class Scope:
    """What is listed: the keys of one bucket that begin with `prefix`, grouped at the `delimiter` that follows it."""

    bucket: str
    prefix: bytes
    delimiter: bytes = b""

    def common_prefix(self, key: bytes) -> bytes | None:
        """The group that `key` belongs to, or None where it stands for itself."""
        if not self.delimiter:
            return None
        at = key.find(self.delimiter, len(self.prefix))
        return None if at < 0 else key[: at + len(self.delimiter)]

    def start(self, after: bytes | None) -> bytes:
        """The least key that may be listed after `after`; one inside a group stands for the whole group."""
        if after is None or after < self.prefix:
            return self.prefix
        group = self.common_prefix(after) if after.startswith(self.prefix) else None
        return after + b"\0" if group is None else successor(group)


def successor(prefix: bytes) -> bytes:
    """The least key that is greater than every key beginning with `prefix`."""
    return prefix[:-1] + bytes([prefix[-1] + 1]) if prefix else _END


def objects_from(
    connection: sqlite3.Connection, bucket: str, prefix: str, after: str | None, limit: int | None
) -> Iterator[ObjectInfo]:
    """Objects in order, read in batches; at most `limit`."""
    scope = Scope(bucket, encode_key(prefix))
    batch = _BATCH if limit is None else min(limit, _BATCH)
    entries = _entries(connection, scope, _encoded(after), batch)
    return (entry for entry in islice(entries, limit) if isinstance(entry, ObjectInfo))


def list_page(connection: sqlite3.Connection, scope: Scope, after: str | None, limit: int) -> Listing:
    """At most `limit` keys and groups together. A page of none is never truncated, as on AWS."""
    entries = _entries(connection, scope, _encoded(after), limit + 1)
    found = list(islice(entries, limit))
    truncated = bool(found) and next(entries, None) is not None
    last = found[-1] if found else None
    return Listing(
        objects=tuple(entry for entry in found if isinstance(entry, ObjectInfo)),
        prefixes=tuple(entry for entry in found if isinstance(entry, str)),
        truncated=truncated,
        last=last.key if isinstance(last, ObjectInfo) else last,
    )


def _encoded(after: str | None) -> bytes | None:
    return None if after is None else encode_key(after)


def _entries(
    connection: sqlite3.Connection, scope: Scope, after: bytes | None, batch: int
) -> Iterator[ObjectInfo | str]:
    """Objects and groups in order. One seek leaves a group behind, however many keys it has; batches grow between."""
    low, high = scope.start(after), successor(scope.prefix)
    size = min(batch, _BATCH)
    while True:
        rows = connection.execute(_OBJECTS, (scope.bucket, low, high, size)).fetchall()
        group: bytes | None = None
        for row in rows:
            if row[0] < low:  # in the group that was just given
                continue
            group = scope.common_prefix(row[0])
            yield ObjectInfo.load(scope.bucket, row) if group is None else decode_key(group)
            low = row[0] + b"\0" if group is None else successor(group)
        if len(rows) < size:
            return
        size = max(1, size // _SHRINKING) if group is not None else min(size * _GROWTH, _BATCH)
