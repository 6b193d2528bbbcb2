"""Versions of objects, within a change of the writer: what becomes of the current one when another is written or it is
deleted (https://docs.aws.amazon.com/AmazonS3/latest/userguide/Versioning.html).

The current version is the row of `object`; there is none where the newest version is a delete marker. All others are
rows of `version`, so that reading and listing without versions never meets them.
"""

# ruff: noqa: S608 - names of ours; no value is in the text of a query

from __future__ import annotations

import sqlite3
from dataclasses import dataclass, replace
from typing import Any

from clary.objects.garbage import discard, discard_object
from clary.objects.locks import LockedVersion, is_locked
from clary.objects.model import (
    NULL_VERSION,
    Attributes,
    Bucket,
    DeleteMarker,
    ObjectInfo,
    Version,
    encode_key,
    from_ms,
    now_ms,
    to_ms,
)
from clary.objects.version_ids import new_id, place_of

COLUMNS = "key, etag, size, modified, attributes, layout, version, place"
OBJECT = f"SELECT {COLUMNS} FROM object WHERE bucket = ? AND key = ?"
_ROW = "(bucket, key, etag, size, modified, attributes, layout, version, place) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
_OF_KEY = "bucket = ? AND key = ?"
_NEWEST = f"SELECT {COLUMNS} FROM version WHERE {_OF_KEY} ORDER BY place DESC LIMIT 1"
_NULL = f"SELECT {COLUMNS} FROM version WHERE {_OF_KEY} AND version = 'null'"
_AT = f"SELECT {COLUMNS} FROM version WHERE {_OF_KEY} AND place = ?"
_LAST = f"SELECT {COLUMNS} FROM version WHERE {_OF_KEY} ORDER BY place DESC LIMIT 100"
_RETIRE = f"INSERT INTO version (bucket, {COLUMNS}) SELECT bucket, {COLUMNS} FROM object WHERE {_OF_KEY}"
_PROMOTE = f"INSERT INTO object (bucket, {COLUMNS}) SELECT bucket, {COLUMNS} FROM version WHERE {_OF_KEY} AND place = ?"


@dataclass(frozen=True)
class Deleted:
    """What a deletion did: the version that it deleted, or the delete marker that it left. None: the bucket keeps no
    versions, and none was named."""

    version: str | None = None
    marker: bool = False


def load_version(bucket: str, row: tuple[Any, ...]) -> Version:
    """From `COLUMNS`."""
    if row[5]:
        return ObjectInfo.load(bucket, row)
    found = ObjectInfo.load(bucket, row)
    return DeleteMarker(bucket, found.key, found.modified, found.version, found.place)


def find_current(connection: sqlite3.Connection, bucket: str, key: str) -> ObjectInfo | None:
    """The current version, or None."""
    row = connection.execute(OBJECT, (bucket, encode_key(key))).fetchone()
    return ObjectInfo.load(bucket, row) if row else None


def find_newest(connection: sqlite3.Connection, bucket: str, key: str) -> Version | None:
    """The current version, or the delete marker in its place, or None."""
    return find_current(connection, bucket, key) or _one(connection, _NEWEST, bucket, key)


def find_version(connection: sqlite3.Connection, bucket: str, key: str, version: str) -> Version | None:
    """The version of that id, or None. Raises BadVersionId."""
    place = None if version == NULL_VERSION else place_of(version)
    current = find_current(connection, bucket, key)
    if current is not None and current.version == version:
        return current
    if place is None:
        return _one(connection, _NULL, bucket, key)
    found = _one(connection, _AT, bucket, key, place)
    return found if found is not None and found.version == version else None


def find_lately(connection: sqlite3.Connection, bucket: str, key: str, layout: str) -> ObjectInfo | None:
    """That one of the last versions which has these very files, or None."""
    for row in connection.execute(_LAST, (bucket, encode_key(key))):
        if row[5] == layout:
            return ObjectInfo.load(bucket, row)
    return None


def has_file(connection: sqlite3.Connection, bucket: str, key: str, file: str) -> bool:
    """Whether a version of the key has the file."""
    newest = [
        *connection.execute(OBJECT, (bucket, encode_key(key))),
        *connection.execute(_LAST, (bucket, encode_key(key))),
    ]
    return any(f'"{file}"' in layout for *_, layout, _version, _place in newest)


def make_current(connection: sqlite3.Connection, bucket: Bucket, info: ObjectInfo) -> ObjectInfo:
    """Write the row; what it replaces goes, or becomes an older version. The object, with its version."""
    placed = _placed(connection, bucket, info)
    _set_aside(connection, bucket, info.key)
    attributes = placed.attributes.dumps()
    row = (placed.etag, placed.size, to_ms(placed.modified), attributes, placed.layout, placed.version, placed.place)
    connection.execute(f"INSERT INTO object {_ROW}", (info.bucket, encode_key(info.key), *row))
    return placed


def delete_current(connection: sqlite3.Connection, bucket: Bucket, key: str) -> Deleted:
    """Delete the object: for good where the bucket has never kept versions, else by a delete marker."""
    if not bucket.versioning:
        _set_aside(connection, bucket, key)
        return Deleted()
    marker = ObjectInfo(bucket.name, key, "", 0, from_ms(now_ms()), Attributes(), "")
    placed = _placed(connection, bucket, marker)
    _set_aside(connection, bucket, key)
    row = (bucket.name, encode_key(key), "", 0, to_ms(placed.modified), "{}", "", placed.version, placed.place)
    connection.execute(f"INSERT INTO version {_ROW}", row)
    return Deleted(placed.version, marker=True)


def delete_version(connection: sqlite3.Connection, found: Version, *, bypass: bool = False) -> Deleted:
    """Delete a version for good; the one before it becomes the current one. Raises LockedVersion."""
    if isinstance(found, ObjectInfo):
        if is_locked(found.attributes, now_ms(), bypass=bypass):
            raise LockedVersion
        discard(connection, [piece.file for piece in found.pieces])
    where = (found.bucket, encode_key(found.key))
    for table in ("object", "version"):
        connection.execute(f"DELETE FROM {table} WHERE {_OF_KEY} AND place = ?", (*where, found.place))
    _promote(connection, found.bucket, found.key)
    return Deleted(found.version, marker=isinstance(found, DeleteMarker))


def rewrite(connection: sqlite3.Connection, info: ObjectInfo, column: str, value: str) -> bool:
    """Set `attributes` or `layout` of a version that was found in this change, or has the same layout still."""
    where = (value, info.bucket, encode_key(info.key), info.place, info.layout)
    return any(
        connection.execute(
            f"UPDATE {table} SET {column} = ? WHERE {_OF_KEY} AND place = ? AND layout = ?", where
        ).rowcount
        for table in ("object", "version")
    )


def _placed(connection: sqlite3.Connection, bucket: Bucket, info: ObjectInfo) -> ObjectInfo:
    """With the version that it is going to be: the newest."""
    if not bucket.versioning:
        return info
    newest = find_newest(connection, bucket.name, info.key)
    place = max(now_ms(), newest.place + 1 if newest else 0)
    return replace(info, place=place, version=new_id(place) if bucket.versioning == "Enabled" else NULL_VERSION)


def _set_aside(connection: sqlite3.Connection, bucket: Bucket, key: str) -> None:
    """The current version becomes an older one; but the null version goes, where the next one is null too."""
    where = (bucket.name, encode_key(key))
    if not bucket.versioning:
        discard_object(connection, bucket.name, key)
        return
    if bucket.versioning == "Suspended":
        null = find_version(connection, bucket.name, key, NULL_VERSION)
        if null is not None:
            delete_version(connection, null)
    connection.execute(_RETIRE, where)
    connection.execute(f"DELETE FROM object WHERE {_OF_KEY}", where)


def _promote(connection: sqlite3.Connection, bucket: str, key: str) -> None:
    """Where there is no current version, and the newest is no delete marker, that is the current one."""
    where = (bucket, encode_key(key))
    if connection.execute(f"SELECT 1 FROM object WHERE {_OF_KEY}", where).fetchone():
        return
    newest = _one(connection, _NEWEST, bucket, key)
    if isinstance(newest, ObjectInfo):
        connection.execute(_PROMOTE, (*where, newest.place))
        connection.execute(f"DELETE FROM version WHERE {_OF_KEY} AND place = ?", (*where, newest.place))


def _one(connection: sqlite3.Connection, query: str, bucket: str, key: str, *more: int) -> Version | None:
    row = connection.execute(query, (bucket, encode_key(key), *more)).fetchone()
    return load_version(bucket, row) if row else None
