"""Writing multipart uploads. Parts are files of their own; completing one writes a row that lists them."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from functools import partial

from clary.commits import Writer
from clary.errors import AWSError
from clary.full_disk import is_full
from clary.objects.completion import Completion, assemble
from clary.objects.files import Files
from clary.objects.garbage import discard, discard_upload, restore
from clary.objects.model import (
    ObjectInfo,
    Part,
    Received,
    Upload,
    encode_key,
    from_ms,
    now_ms,
    to_ms,
)
from clary.objects.objects import put_object, require_bucket
from clary.objects.uploads import UploadGuard, UploadReader, find_upload, load_parts
from clary.objects.versions import find_current, has_file


class Uploads(UploadReader):
    """Multipart uploads: reads, and all writes. Every write returns when it is durable."""

    def __init__(
        self,
        connect: Callable[[], sqlite3.Connection],
        writer: Writer,
        files: Files,
        completed: Callable[[ObjectInfo], None],
    ) -> None:
        super().__init__(connect)
        self._writer = writer
        self._files = files
        self._completed = completed

    def create(self, upload: Upload) -> Upload:
        """Begin an upload. Raises NoSuchBucket."""

        def change(connection: sqlite3.Connection) -> Upload:
            require_bucket(connection, upload.bucket)
            row = (
                upload.id,
                upload.bucket,
                encode_key(upload.key),
                to_ms(upload.initiated),
                json.dumps(dict(upload.principal)),
                upload.attributes.dumps(),
                upload.algorithm,
                upload.declared,
            )
            connection.execute("INSERT INTO upload VALUES (?, ?, ?, ?, ?, ?, ?, ?, 0)", row)
            return upload

        return self._writer.run(change)

    def put_part(self, bucket: str, key: str, upload: str, number: int, body: Received) -> Part:
        """Make a received body part `number` (1 to 10,000); one of that number before it goes.

        Raises NoSuchUpload, and InvalidRequest where its checksum is not of the upload's algorithm.
        """
        part = Part(number, body["file"], body["size"], body["md5"], from_ms(now_ms()), body["checksums"])

        def change(connection: sqlite3.Connection) -> Part:
            _check_algorithm(find_upload(connection, bucket, key, upload), body)
            where = (upload, number)
            old = connection.execute("SELECT file FROM part WHERE upload = ? AND number = ?", where).fetchall()
            discard(connection, [file for (file,) in old])
            restore(connection, [part.file])
            row = (upload, number, part.file, part.size, part.etag, to_ms(part.modified), json.dumps(part.checksums))
            connection.execute("INSERT OR REPLACE INTO part VALUES (?, ?, ?, ?, ?, ?, ?)", row)
            return part

        self._files.require(body["file"])
        try:
            return self._writer.run(change)
        except Exception as error:
            settled = isinstance(error, AWSError) or is_full(error)
            if settled and not self._is_of(bucket, key, upload, body["file"]):
                self._files.remove(body["file"])
            raise

    def _is_of(self, bucket: str, key: str, upload: str, file: str) -> bool:
        """Whether it is a part's, or the object's: it was sent again, perhaps after the upload had been completed."""
        parts = self.parts(upload)
        return any(part.file == file for part in parts) or has_file(self._connect(), bucket, key, file)

    def complete(
        self, bucket: str, key: str, upload: str, asked: Completion, guard: UploadGuard | None = None
    ) -> ObjectInfo:
        """Make the parts one object; parts that are not asked for go. Done again, it answers the same.

        Raises NoSuchUpload, what `assemble` raises, and what `guard` raises.
        """

        def change(connection: sqlite3.Connection) -> ObjectInfo:
            done = find_current(connection, bucket, key)
            if done is not None and done.attributes.upload == upload:
                return done
            found = find_upload(connection, bucket, key, upload)
            parts = {part.number: part for part in load_parts(connection, upload)}
            info = assemble(found, parts, asked, from_ms(now_ms()))
            put = put_object(connection, info, partial(guard, found) if guard else None)
            discard_upload(connection, upload, keep=frozenset(piece.file for piece in info.pieces))
            return put

        info = self._writer.run(change)
        self._completed(info)
        return info

    def abort(self, bucket: str, key: str, upload: str) -> None:
        """Drop the upload and its parts. Raises NoSuchUpload."""

        def change(connection: sqlite3.Connection) -> None:
            find_upload(connection, bucket, key, upload)
            discard_upload(connection, upload)

        self._writer.run(change)


def _check_algorithm(upload: Upload, body: Received) -> None:
    actual = body["algorithm"].lower() if body.get("declared", True) else "null"
    if upload.declared and actual != upload.algorithm.lower():
        raise AWSError(
            "InvalidRequest",
            f"Checksum Type mismatch occurred, expected checksum Type: {upload.algorithm.lower()}, "
            f"actual checksum Type: {actual}",
        )
