"""Changing one object's row, within a change of the writer."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable

from clary.objects import small
from clary.objects.errors import NoSuchBucket
from clary.objects.garbage import restore
from clary.objects.locks import with_default
from clary.objects.model import Bucket, ObjectInfo
from clary.objects.versions import find_current, find_lately, make_current

Guard = Callable[[ObjectInfo | None], None]
"""Looks at the object that a change would replace, in the same transaction; what it raises stops the change."""

BUCKET = "SELECT name, account, region, created, settings FROM bucket WHERE name = ?"


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


def put_object(
    connection: sqlite3.Connection, info: ObjectInfo, guard: Guard | None, data: bytes | None = None
) -> ObjectInfo:
    """Write the row, and the body where it is small, and give back the object with its version. Raises NoSuchBucket.

    The files of the object that it replaces become garbage, where the bucket does not keep it as an older version.

    Asked once more (the answer was lost on the way, and the call was sent again) it is done already, whatever `guard`
    would say; and files that were thrown away in between are wanted again.
    """
    bucket = require_bucket(connection, info.bucket)
    there = find_current(connection, info.bucket, info.key)
    done = there if there is not None and there.layout == info.layout else None
    if bucket.versioning and done is None:
        done = find_lately(connection, info.bucket, info.key, info.layout)
    if done is not None:
        return done
    if guard:
        guard(there)
    restore(connection, [piece.file for piece in info.pieces])
    if data is not None:
        small.insert(connection, info.pieces[0].file, data)
    return make_current(connection, bucket, with_default(bucket, info))
