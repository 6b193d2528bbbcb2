"""Reading the object store, from any process and thread, beside its writer."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path

from clary.objects import small
from clary.objects.errors import ObjectSealed, StoreUnavailable
from clary.objects.files import Files, copy_segments, read_segments, write_pieces
from clary.objects.listing import Listing, Scope, list_page, objects_from
from clary.objects.model import Bucket, ObjectInfo, Piece, Version, encode_key
from clary.objects.objects import find_bucket, require_bucket
from clary.objects.schema import open_reader
from clary.objects.sealing import unsealed
from clary.objects.uploads import UploadReader
from clary.objects.version_listing import After, Listed, VersionListing, list_versions, versions_from
from clary.objects.versions import find_current, find_newest, find_version
from clary.wire.http import Extent, Segment

_BUCKETS = "SELECT name, account, region, created, settings FROM bucket ORDER BY name"


class Connections:
    """One read-only connection per thread, opened on first use."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._local = threading.local()

    def get(self) -> sqlite3.Connection:
        """This thread's. Raises StoreUnavailable while there is no database."""
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            try:
                connection = self._local.connection = open_reader(self._root)
            except sqlite3.OperationalError as reason:
                raise StoreUnavailable from reason
        return connection


class ObjectReader:
    """The object store under `root`, read-only. Sees every write that was acknowledged before the call."""

    def __init__(self, root: Path) -> None:
        self._connections = Connections(root)
        self.files = Files(root)
        self.uploads = UploadReader(self._connections.get)

    def get_bucket(self, name: str) -> Bucket | None:
        """The bucket, or None."""
        return find_bucket(self._connections.get(), name)

    def bucket(self, name: str) -> Bucket:
        """The bucket. Raises NoSuchBucket."""
        return require_bucket(self._connections.get(), name)

    def buckets(self, account: str) -> tuple[Bucket, ...]:
        """The account's buckets in order of their names."""
        return tuple(bucket for bucket in self.all_buckets() if bucket.account == account)

    def all_buckets(self) -> tuple[Bucket, ...]:
        """Everybody's, in order of their names."""
        return tuple(map(Bucket.load, self._connections.get().execute(_BUCKETS).fetchall()))

    def head(self, bucket: str, key: str) -> ObjectInfo | None:
        """The object, or None: the current version."""
        return find_current(self._connections.get(), bucket, key)

    def newest(self, bucket: str, key: str) -> Version | None:
        """The object, or the delete marker in its place, or None."""
        return find_newest(self._connections.get(), bucket, key)

    def version(self, bucket: str, key: str, version: str) -> Version | None:
        """One version, or None. Raises BadVersionId."""
        return find_version(self._connections.get(), bucket, key, version)

    def list(
        self, bucket: str, prefix: str = "", after: str | None = None, limit: int | None = None
    ) -> Iterator[ObjectInfo]:
        """Objects whose keys begin with `prefix` and come after `after`, in bytewise order, at most `limit`.

        Holds no transaction open: what is written meanwhile may or may not be seen. For one thread.
        """
        return objects_from(self._connections.get(), bucket, prefix, after, limit)

    def page(
        self, bucket: str, *, prefix: str = "", delimiter: str = "", after: str | None = None, limit: int = 1000
    ) -> Listing:
        """One page of ListObjects: keys and common prefixes together, at most `limit`, that come after `after`."""
        scope = Scope(bucket, encode_key(prefix), encode_key(delimiter))
        return list_page(self._connections.get(), scope, after, limit)

    def versions(self, bucket: str, prefix: str = "") -> Iterator[Listed]:
        """All versions of keys that begin with `prefix`, of each key the newest first; as `list`. For one thread."""
        return versions_from(self._connections.get(), bucket, prefix)

    def version_page(
        self, bucket: str, *, prefix: str = "", delimiter: str = "", after: After | None = None, limit: int = 1000
    ) -> VersionListing:
        """One page of ListObjectVersions, as `page`: of each key the newest first."""
        scope = Scope(bucket, encode_key(prefix), encode_key(delimiter))
        return list_versions(self._connections.get(), scope, after, limit)

    def segments(self, info: ObjectInfo, start: int = 0, length: int | None = None) -> tuple[Segment, ...]:
        """Where `length` bytes (None: all that follow) from byte `start` lie: (path, offset, length) in order.

        Raises ObjectSealed where what lies there is encrypted, and ValueError for a small body, which lies in none.
        """
        if info.attributes.sealed:
            raise ObjectSealed
        end = info.size if length is None else min(info.size, start + length)
        found = _stretches(info, start, end)
        return tuple((self.files.path(piece.file), piece.offset + first, many) for piece, first, many in found)

    def extent(self, info: ObjectInfo, start: int, length: int) -> Extent:
        """That stretch as it is sent. Raises ObjectSealed."""
        if small.lies_in_files(info):
            return Extent(self.segments(info, start, length), length)
        return Extent((), length, made=lambda: self._small(info, start, length))

    def _small(self, info: ObjectInfo, start: int, length: int) -> Iterator[bytes]:
        """Raises FileNotFoundError where it was deleted a while ago."""
        [piece] = info.pieces
        if length:
            yield small.read(self._connections.get(), piece.file)[start : start + length]

    def _plain(self, info: ObjectInfo, start: int, length: int) -> Iterator[bytes]:
        if small.lies_in_files(info):
            return read_segments(self.segments(info, start, length))
        return self._small(info, start, length)

    def unsealed(self, info: ObjectInfo, key: bytes | None, start: int, length: int) -> Iterator[bytes]:
        """The bytes of that stretch, in pieces of at most 16 MiB; those of an encrypted object need its key. Raises
        FileNotFoundError where it was deleted a while ago, and Damaged."""
        if key is None:
            yield from self._plain(info, start, length)
            return
        for piece, first, many in _stretches(info, start, start + length):
            yield from unsealed(self.files.path(piece.file), key, piece.size, first, many)

    def read(self, info: ObjectInfo, key: bytes | None = None) -> Iterator[bytes]:
        """Its bytes, in pieces of at most 16 MiB, as `unsealed` gives them. Raises ObjectSealed."""
        return self.unsealed(info, key, 0, info.size) if key else self._plain(info, 0, info.size)

    def copy_to(self, info: ObjectInfo, target: Path, mode: int = 0o600, key: bytes | None = None) -> None:
        """Its bytes as the new file `target`, the caller's own to change. Raises FileExistsError, ObjectSealed. Not
        synced."""
        if key is None and small.lies_in_files(info):
            copy_segments(self.segments(info), target, mode)
        else:
            write_pieces(self.read(info, key), target, mode)


def _stretches(info: ObjectInfo, start: int, end: int) -> Iterator[tuple[Piece, int, int]]:
    """Of each piece that holds bytes from `start` to before `end`: the first, counted in the piece, and how many."""
    at = 0
    for piece in info.pieces:
        first, last = max(start, at), min(end, at + piece.size)
        if first < last:
            yield piece, first - at, last - first
        at += piece.size
