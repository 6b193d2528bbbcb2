"""Changing one object's row, within a change of the writer."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable

from clary.objects.errors import NoSuchBucket
from clary.objects.garbage import discard_object, restore
from clary.objects.model import Bucket, ObjectInfo, encode_key, to_ms

Guard = Callable[[ObjectInfo | None], None]
"""Looks at the object that a change would replace, in the same transaction; what it raises stops the change."""

BUCKET = "SELECT name, account, region, created, settings FROM bucket WHERE name = ?"
OBJECT = "SELECT key, etag, size, modified, attributes, layout FROM object WHERE bucket = ? AND key = ?"
_PUT = "INSERT INTO object VALUES (?, ?, ?, ?, ?, ?, ?)"


def find_bucket(connection: sqlite3.Connection, name: str) -> Bucket | None:
    """The bucket, or None."""
    row = connection.execute(BUCKET, (name,)).fetchone()
    return Bucket.load(row) if row else None


def require_bucket(connection: sqlite3.Connection, name: str) -> Bucket:
    """The bucket. Raises NoSuchBucket."""
    found = find_bucket(connection, name)
    if found is None:
        raise NoSuchBucket(name)
    return found


def find_object(connection: sqlite3.Connection, bucket: str, key: str) -> ObjectInfo | None:
    """The object, or None."""
    row = connection.execute(OBJECT, (bucket, encode_key(key))).fetchone()
    return ObjectInfo.load(bucket, row) if row else None


def put_object(connection: sqlite3.Connection, info: ObjectInfo, guard: Guard | None) -> None:
    """Write the row; the files of the object that it replaces become garbage. Raises NoSuchBucket.

    Asked once more (the answer was lost on the way, and the call was sent again) it is done already, whatever `guard`
    would say; and files that were thrown away in between are wanted again.
    """
    require_bucket(connection, info.bucket)
    there = find_object(connection, info.bucket, info.key)
    if there is not None and there.layout == info.layout:
        return
    if guard:
        guard(there)
    restore(connection, [piece.file for piece in info.pieces])
    discard_object(connection, info.bucket, info.key)
    attributes = info.attributes.dumps()
    row = (info.bucket, encode_key(info.key), info.etag, info.size, to_ms(info.modified), attributes, info.layout)
    connection.execute(_PUT, row)
