"""Writing the object store. One process holds one `ObjectStore`; the row is the commit point of every change."""

from __future__ import annotations

import errno
import json
import sqlite3
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, BinaryIO

from clary.commits import Writer
from clary.errors import AWSError
from clary.full_disk import is_full
from clary.objects import small
from clary.objects.body import FileKey, receive, receive_bytes, receive_segments, received
from clary.objects.checksums import DEFAULT_ALGORITHM, Digest, digest_file
from clary.objects.envelopes import DataKey, enveloped
from clary.objects.errors import (
    BucketAlreadyExists,
    BucketAlreadyOwnedByYou,
    BucketNotEmpty,
    NoSuchBucket,
    NoSuchKey,
    ObjectSealed,
)
from clary.objects.files import open_regular
from clary.objects.garbage import Collector, discard_upload
from clary.objects.joining import Joiner
from clary.objects.model import (
    Attributes,
    Bucket,
    ObjectInfo,
    Piece,
    Received,
    Version,
    dump_pieces,
    from_ms,
    now_ms,
)
from clary.objects.multipart import Uploads
from clary.objects.objects import Guard, find_bucket, put_object, require_bucket
from clary.objects.reader import ObjectReader
from clary.objects.schema import open_writer
from clary.objects.uploads import overtake
from clary.objects.versions import (
    Deleted,
    delete_current,
    delete_version,
    find_current,
    find_version,
    has_file,
    rewrite,
)

_PIECE = 2**20  # bytes
_UNLINKABLE = frozenset({errno.EXDEV, errno.EMLINK, errno.EPERM, errno.EOPNOTSUPP})


@dataclass(frozen=True)
class Deletion:
    """What is to be deleted: an object, or one version of it for good."""

    key: str
    version: str | None = None
    guard: Guard | None = None
    """Looks at the one that would go; what it raises is the outcome."""
    bypass: bool = False
    """Go around a retention in GOVERNANCE mode."""


@dataclass(frozen=True)
class Keys:
    """The key that what is copied is encrypted under, and the one for the copy: a customer's, or KMS's."""

    source: bytes | None = None
    copy: FileKey = None


NO_KEYS = Keys()


class ObjectStore(ObjectReader):
    """The object store under `root`: reads, and all writes. Every write returns when it is durable."""

    def __init__(self, root: Path) -> None:
        root.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._writer = Writer(open_writer(root), "objects-writer")
        super().__init__(root)
        self._joiner = Joiner(self.files, self._writer, self._again)
        self.uploads: Uploads = Uploads(self._connections.get, self._writer, self.files, self._joiner.soon)
        self.collector = Collector(self.files, self._writer, self._connections.get)

    def close(self) -> None:
        """Let go of the database and stop removing files."""
        self.collector.close()
        self._joiner.close()
        self._writer.close()

    # Buckets

    def create_bucket(
        self, name: str, *, account: str, region: str, settings: Mapping[str, Any] | None = None
    ) -> Bucket:
        """Raises BucketAlreadyOwnedByYou or, where another account has it, BucketAlreadyExists."""

        def change(connection: sqlite3.Connection) -> Bucket:
            taken = find_bucket(connection, name)
            if taken:
                raise BucketAlreadyOwnedByYou(name) if taken.account == account else BucketAlreadyExists(name)
            created = now_ms()
            row = (name, account, region, created, json.dumps(settings or {}))
            connection.execute("INSERT INTO bucket VALUES (?, ?, ?, ?, ?)", row)
            return Bucket.load(row)

        return self._writer.run(change)

    def delete_bucket(self, name: str) -> None:
        """Uploads under way are dropped. Raises NoSuchBucket, BucketNotEmpty."""

        def change(connection: sqlite3.Connection) -> None:
            for table in ("object", "version"):
                if connection.execute(f"SELECT 1 FROM {table} WHERE bucket = ? LIMIT 1", (name,)).fetchone():  # noqa: S608
                    raise BucketNotEmpty(name, versioned=bool(require_bucket(connection, name).versioning))
            for (upload,) in connection.execute("SELECT id FROM upload WHERE bucket = ?", (name,)).fetchall():
                discard_upload(connection, upload)
            if not connection.execute("DELETE FROM bucket WHERE name = ?", (name,)).rowcount:
                raise NoSuchBucket(name)

        self._writer.run(change)

    def set_bucket(
        self,
        name: str,
        setting: str,
        value: Mapping[str, Any] | None,
        check: Callable[[Bucket], None] | None = None,
    ) -> None:
        """Set one of the bucket's settings to what JSON can say; None removes it. Raises NoSuchBucket, and what `check`
        raises, which looks at the bucket in the same transaction."""

        def change(bucket: Bucket) -> Mapping[str, Any] | None:
            if check:
                check(bucket)
            return value

        self.change_bucket(name, setting, change)

    def change_bucket(self, name: str, setting: str, made: Callable[[Bucket], Mapping[str, Any] | None]) -> None:
        """As `set_bucket`, to what is made of the bucket in the same transaction."""

        def change(connection: sqlite3.Connection) -> None:
            bucket = require_bucket(connection, name)
            settings = {**bucket.settings, setting: made(bucket)}
            kept = {key: item for key, item in settings.items() if item is not None}
            connection.execute("UPDATE bucket SET settings = ? WHERE name = ?", (json.dumps(kept), name))

        self._writer.run(change)

    # Objects

    def put(
        self, bucket: str, key: str, body: Received, attributes: Attributes | None = None, guard: Guard | None = None
    ) -> ObjectInfo:
        """Make a received body the object `key`. Raises NoSuchBucket, or what `guard` raises; the file then goes."""
        attributes = replace(attributes or Attributes(), sealed=body.get("sealed", ""))
        attributes = enveloped(attributes, body.get("envelope"))
        if not attributes.checksums:
            kept = body["checksums"][body["algorithm"]]
            attributes = replace(attributes, checksums={body["algorithm"]: kept})
        info = ObjectInfo(
            bucket=bucket,
            key=key,
            etag=body["md5"],
            size=body["size"],
            modified=from_ms(now_ms()),
            attributes=attributes,
            layout=dump_pieces((Piece(body["file"], body["size"]),)),
        )
        data = body.get("data")
        if data is not None:
            return self._writer.run(lambda connection: put_object(connection, info, guard, data))
        try:
            self.files.require(body["file"])
            return self._writer.run(lambda connection: put_object(connection, info, guard))
        except Exception as error:  # after most others it may yet have its row; without one it is swept
            refused = isinstance(error, AWSError)
            if refused or (is_full(error) and not has_file(self._connections.get(), bucket, key, body["file"])):
                self.files.remove(body["file"])
            raise

    def forget(self, body: Received) -> None:
        """What was received becomes no object."""
        if "data" not in body:
            self.files.remove(body["file"])

    def put_bytes(self, bucket: str, key: str, data: bytes, attributes: Attributes | None = None) -> ObjectInfo:
        """Make `data` the object `key`. Raises NoSuchBucket."""
        return self.put(bucket, key, receive_bytes(self.files, data), attributes)

    def put_file(
        self, bucket: str, key: str, path: Path, attributes: Attributes | None = None, data_key: DataKey | None = None
    ) -> ObjectInfo:
        """Make a finished file the object `key` without copying it, where a hard link can be made. Under a data key
        it is a copy that is encrypted.

        Nobody may write to `path` afterwards (the object would change); it may be removed. Done again after a crash
        it puts the same object again. Raises NoSuchBucket, and OSError where it is not there or no regular file: a
        symbolic link is not followed.
        """
        with open_regular(path) as file:
            return self.put_open(bucket, key, file, attributes, data_key)

    def put_open(
        self,
        bucket: str,
        key: str,
        file: BinaryIO,
        attributes: Attributes | None = None,
        data_key: DataKey | None = None,
    ) -> ObjectInfo:
        """As `put_file`, for a regular file that is open and stands at its beginning, whatever its name is by now."""
        if data_key is not None:
            pieces = iter(lambda: file.read(_PIECE), b"")
            return self.put(bucket, key, receive(self.files, pieces, key=data_key), attributes)
        digest = digest_file(file)
        body = received(self.files.take(file.fileno()), digest)
        return self.put(bucket, key, body, attributes)

    def link_to(self, info: ObjectInfo, target: Path) -> None:
        """A new name for its very file, which nobody may ever change: for read-only and copy-on-write views.

        It stays readable when the object is deleted or overwritten. An object of several parts becomes one of one file
        first. Where no link can be made (a small body, another file system, as many links as there may be) `target` is
        a copy.
        Raises FileExistsError, ObjectSealed, and FileNotFoundError where the object was deleted a while ago.
        """
        if info.attributes.sealed:
            raise ObjectSealed
        if not small.lies_in_files(info):
            self.copy_to(info, target)
            return
        whole = self._joiner.whole(info)
        try:
            target.hardlink_to(self.files.path(whole.pieces[0].file))
        except OSError as error:
            if error.errno not in _UNLINKABLE:
                raise
            self.copy_to(whole, target)

    def copy(
        self,
        source: ObjectInfo,
        bucket: str,
        key: str,
        attributes: Attributes,
        *,
        algorithm: str | None = None,
        guard: Guard | None = None,
        keys: Keys = NO_KEYS,
    ) -> ObjectInfo:
        """Make `source`'s bytes the object `key` too; of one file by a hard link, small ones once more. The ETag is
        that of one upload.

        `attributes` brings all but the checksum, which is `algorithm`'s, or the source's. Raises NoSuchBucket,
        NoSuchKey where the source has gone meanwhile, and ObjectSealed.
        """
        algorithm = algorithm or next(iter(source.attributes.checksums), DEFAULT_ALGORITHM)
        try:
            body = self._copied(source, algorithm, keys)
        except FileNotFoundError as reason:
            raise NoSuchKey(source.key) from reason
        return self.put(bucket, key, body, replace(attributes, checksums={}), guard)

    def _copied(self, source: ObjectInfo, algorithm: str, keys: Keys) -> Received:
        if source.attributes.sealed or keys != NO_KEYS:
            pieces = self.unsealed(source, keys.source, 0, source.size)
            return receive(self.files, pieces, algorithm, keys.copy)
        if not small.lies_in_files(source):
            digest, data = Digest(algorithm), b"".join(self.read(source))
            digest.update(data)
            return small.taken(data, digest)
        checksum = source.attributes.checksums.get(algorithm)
        if source.parts_count is not None or checksum is None:
            return receive_segments(self.files, self.segments(source), algorithm)
        with open_regular(self.files.path(source.pieces[0].file)) as file:
            linked = self.files.take(file.fileno())
        return Received(
            file=linked,
            size=source.size,
            md5=source.etag,
            algorithm=algorithm,
            checksums={algorithm: checksum},
        )

    def revise(
        self, bucket: str, key: str, how: Callable[[Attributes], Attributes], version: str | None = None
    ) -> ObjectInfo:
        """Change what is said about an object, or about one of its versions. Raises NoSuchKey, BadVersionId, and what
        `how` raises; nothing is changed then."""

        def change(connection: sqlite3.Connection) -> ObjectInfo:
            found: Version | None = find_current(connection, bucket, key)
            if version is not None:
                found = find_version(connection, bucket, key, version)
            if not isinstance(found, ObjectInfo):
                raise NoSuchKey(key)
            changed = replace(found, attributes=how(found.attributes))
            rewrite(connection, changed, "attributes", changed.attributes.dumps())
            return changed

        return self._writer.run(change)

    def set_tags(self, bucket: str, key: str, tags: Mapping[str, str], version: str | None = None) -> ObjectInfo:
        """Replace the object's tags. Raises NoSuchKey, BadVersionId."""
        return self.revise(bucket, key, lambda attributes: replace(attributes, tags=dict(tags)), version)

    def set_acl(self, bucket: str, key: str, acl: Mapping[str, Any], version: str | None = None) -> ObjectInfo:
        """Replace the object's access control list. Raises NoSuchKey, BadVersionId."""
        return self.revise(bucket, key, lambda attributes: replace(attributes, acl=dict(acl)), version)

    def delete(self, bucket: str, keys: Iterable[str], guard: Guard | None = None) -> None:
        """Delete objects together; one that is not there counts as deleted. Where the bucket keeps versions, the object
        becomes an older one behind a delete marker. Raises NoSuchBucket."""
        for outcome in self.delete_many(bucket, [Deletion(key, guard=guard) for key in keys]):
            if isinstance(outcome, AWSError):
                raise outcome

    def delete_many(self, bucket: str, wanted: Sequence[Deletion]) -> list[Deleted | AWSError]:
        """Delete objects and versions in one commit; each has an outcome of its own: LockedVersion, or what its guard
        raises. Raises NoSuchBucket, BadVersionId."""

        def change(connection: sqlite3.Connection) -> list[Deleted | AWSError]:
            found = require_bucket(connection, bucket)
            return [_delete(connection, found, one) for one in wanted]

        return self._writer.run(change)

    def _again(self, info: ObjectInfo) -> ObjectInfo | None:
        found = self.version(info.bucket, info.key, info.version)
        return found if isinstance(found, ObjectInfo) else None

    def clear(self) -> None:
        """Empty everything, bodies that are being received too: for test suites."""

        def change(connection: sqlite3.Connection) -> None:
            for table in ("object", "version", "bucket", "part", "upload", "garbage", "small"):
                connection.execute(f"DELETE FROM {table}")  # noqa: S608 - names of ours

        self._writer.run(change)
        for file, _ in self.files.all():
            self.files.remove(file)


def _delete(connection: sqlite3.Connection, bucket: Bucket, wanted: Deletion) -> Deleted | AWSError:
    current = find_current(connection, bucket.name, wanted.key)
    found = current if wanted.version is None else find_version(connection, bucket.name, wanted.key, wanted.version)
    try:
        if wanted.guard:
            wanted.guard(found if isinstance(found, ObjectInfo) else None)
        outcome = _deleted(connection, bucket, wanted, found)
    except AWSError as refusal:
        return refusal
    if current is not None and found == current:
        overtake(connection, bucket.name, wanted.key)
    return outcome


def _deleted(connection: sqlite3.Connection, bucket: Bucket, wanted: Deletion, found: Version | None) -> Deleted:
    if wanted.version is None:
        return delete_current(connection, bucket, wanted.key)
    return Deleted(wanted.version) if found is None else delete_version(connection, found, bypass=wanted.bypass)
