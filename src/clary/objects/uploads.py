"""Reading multipart uploads that are under way. Their ids are in the order in which they began, and so are lists."""

# ruff: noqa: S608 - names of ours; no value is in the text of a query

from __future__ import annotations

import json
import re
import sqlite3
import time
from collections.abc import Callable, Iterator
from typing import Any

from clary.names import random_hex
from clary.objects.errors import NoSuchUpload
from clary.objects.model import Attributes, ObjectInfo, Part, Upload, decode_key, encode_key, from_ms

_COLUMNS = "id, bucket, key, initiated, principal, attributes, algorithm, declared, overtaken"
UPLOAD = f"SELECT {_COLUMNS} FROM upload WHERE id = ?"
PARTS = (
    "SELECT number, file, size, etag, modified, checksums FROM part"
    " WHERE upload = ? AND number > ? ORDER BY number LIMIT ?"
)
_UPLOADS = f"SELECT {_COLUMNS} FROM upload WHERE bucket = ? AND (key, id) > (?, ?) ORDER BY key, id LIMIT ?"
_OVERTAKE = "UPDATE upload SET overtaken = 1 WHERE bucket = ? AND key = ?"
_ALL = 10_000
"""As many parts as an upload may have."""
_BATCH = 1000
_TIME_LETTERS = 16
_ID = re.compile(r"[0-9a-f]{48}|[0-9a-f]{64}")


UploadGuard = Callable[[Upload, ObjectInfo | None], None]
"""Looks at an upload and the object that it would replace, in the same transaction; what it raises stops the change."""


class UploadReader:
    """Uploads and their parts, by connections that `connect` gives to each thread."""

    def __init__(self, connect: Callable[[], sqlite3.Connection]) -> None:
        self._connect = connect

    def find(self, bucket: str, key: str, upload: str) -> Upload:
        """The upload of that key. Raises NoSuchUpload."""
        return find_upload(self._connect(), bucket, key, upload)

    def begun(self, upload: str) -> Upload | None:
        """The upload of that id, whose key it may be."""
        row = self._connect().execute(UPLOAD, (upload,)).fetchone()
        return load_upload(row) if row else None

    def parts(self, upload: str, after: int = 0, limit: int = _ALL) -> tuple[Part, ...]:
        """Its parts in order, those whose number is above `after`."""
        return load_parts(self._connect(), upload, after, limit)

    def list(self, bucket: str, prefix: str = "", after: tuple[str, str] | None = None) -> Iterator[Upload]:
        """The bucket's uploads in order of key and id, those that come after the pair `after`."""
        key, upload = max(after or ("", ""), (prefix, ""))
        while True:
            rows = self._connect().execute(_UPLOADS, (bucket, encode_key(key), upload, _BATCH)).fetchall()
            for found in map(load_upload, rows):
                if not found.key.startswith(prefix):
                    return
                yield found
            if len(rows) < _BATCH:
                return
            key, upload = decode_key(rows[-1][2]), rows[-1][0]


def new_upload_id() -> str:
    """One that nobody can guess, greater than those before."""
    return f"{time.time_ns():0{_TIME_LETTERS}x}{random_hex()}"


def may_be_id(text: str) -> bool:
    """Whether an upload may have had this id; those of earlier versions were as long, and all random."""
    return _ID.fullmatch(text) is not None


def find_upload(connection: sqlite3.Connection, bucket: str, key: str, upload: str) -> Upload:
    """The upload of that key. Raises NoSuchUpload."""
    row = connection.execute(UPLOAD, (upload,)).fetchone()
    found = load_upload(row) if row else None
    if found is None or (found.bucket, found.key) != (bucket, key):
        raise NoSuchUpload(upload)
    return found


def overtake(connection: sqlite3.Connection, bucket: str, key: str) -> None:
    """Within a change: the key's object was deleted while these uploads were under way."""
    connection.execute(_OVERTAKE, (bucket, encode_key(key)))


def load_parts(connection: sqlite3.Connection, upload: str, after: int = 0, limit: int = _ALL) -> tuple[Part, ...]:
    """Its parts in order."""
    return tuple(map(_part, connection.execute(PARTS, (upload, after, limit)).fetchall()))


def load_upload(row: tuple[Any, ...]) -> Upload:
    """From the columns of `UPLOAD`."""
    identity, bucket, key, initiated, principal, attributes, algorithm, declared, overtaken = row
    return Upload(
        id=identity,
        bucket=bucket,
        key=decode_key(key),
        initiated=from_ms(initiated),
        principal=json.loads(principal),
        attributes=Attributes.loads(attributes),
        algorithm=algorithm,
        declared=bool(declared),
        overtaken=bool(overtaken),
    )


def _part(row: tuple[Any, ...]) -> Part:
    number, file, size, etag, modified, checksums = row
    return Part(number, file, size, etag, from_ms(modified), json.loads(checksums))
