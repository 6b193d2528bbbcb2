"""Layers and parts of uploads in the object store. A row says that a layer is there; its bytes are an object.

Written in this order: the object, then the row. Removed in this: the row, then the object, if it is still the one that
the row named. Whatever breaks off in between leaves an object that no row names, which the keeper sweeps up.
"""

from __future__ import annotations

import base64
from contextlib import suppress
from typing import TYPE_CHECKING

from clary.errors import AWSError
from clary.objects.body import receive_segments
from clary.objects.checksums import DEFAULT_ALGORITHM
from clary.objects.errors import BucketAlreadyOwnedByYou, NoSuchBucket
from clary.objects.model import Attributes, ObjectInfo, Received
from clary.services.ecr.names import BUCKET, OWNER, layer_object, layers_prefix, part_object, uploads_prefix
from clary.store.rows import Key

if TYPE_CHECKING:  # each process loads only the parts that it holds
    from collections.abc import Iterator, Sequence

    from clary.objects import ObjectStore

ALGORITHM = "SHA256"


class _Changed(AWSError):
    """Another object stands there by now."""

    def __init__(self) -> None:
        super().__init__("PreconditionFailed", "The layer has been pushed anew.", status=412)


class LayerStore:
    """The bucket of layers."""

    def __init__(self, objects: ObjectStore) -> None:
        self._objects = objects

    def ensure(self) -> None:
        """Make the bucket where it is not there."""
        if self._objects.get_bucket(BUCKET) is None:
            with suppress(BucketAlreadyOwnedByYou):
                self._objects.create_bucket(BUCKET, account=OWNER, region="")

    def put_part(self, upload: str, first: int, body: Received) -> str:
        """Keep a part; its object key."""
        key = part_object(upload, first, body["file"])
        self._objects.put(BUCKET, key, body)
        return key

    def part(self, key: str) -> ObjectInfo | None:
        """A part, or None."""
        return self._objects.head(BUCKET, key)

    def joined(self, parts: Sequence[ObjectInfo]) -> Received:
        """The parts' bytes as one new file. Raises FileNotFoundError."""
        segments = [segment for part in parts for segment in self._objects.segments(part)]
        return receive_segments(self._objects.files, segments, ALGORITHM)

    def discard(self, body: Received) -> None:
        """Forget what was received."""
        self._objects.files.remove(body["file"])

    def put(self, repository: Key, digest: str, body: Received) -> ObjectInfo:
        """Make what was received the layer."""
        return self._objects.put(BUCKET, layer_object(repository, digest), body)

    def put_copy(self, repository: Key, digest: str, part: ObjectInfo) -> ObjectInfo:
        """Make a part the layer too: a second name for its file."""
        key = layer_object(repository, digest)
        return self._objects.copy(part, BUCKET, key, Attributes(), algorithm=_algorithm(part))

    def remove(self, repository: Key, digest: str, file: str) -> None:
        """Delete a layer, if it is still that file."""

        def unchanged(there: ObjectInfo | None) -> None:
            if there is not None and file_of(there) != file:
                raise _Changed

        with suppress(_Changed, NoSuchBucket):
            self._objects.delete(BUCKET, [layer_object(repository, digest)], unchanged)

    def remove_all(self, repository: Key) -> None:
        """Delete every layer of a repository."""
        self._remove_below(layers_prefix(repository))

    def remove_parts(self, upload: str) -> None:
        """Delete every part of an upload."""
        self._remove_below(uploads_prefix(upload))

    def remove_part(self, key: str) -> None:
        """Delete one part."""
        self._objects.delete(BUCKET, [key])

    def all(self, prefix: str = "") -> Iterator[ObjectInfo]:
        """Everything that is kept, in order of the keys."""
        return self._objects.list(BUCKET, prefix)

    def remove_objects(self, keys: Sequence[str]) -> None:
        """Delete objects by their keys."""
        self._objects.delete(BUCKET, keys)

    def _remove_below(self, prefix: str) -> None:
        keys = [info.key for info in self._objects.list(BUCKET, prefix)]
        if keys:
            self._objects.delete(BUCKET, keys)


def file_of(info: ObjectInfo) -> str:
    """The file that holds it; layers and parts have one."""
    return info.pieces[0].file


def digest_of(info: ObjectInfo) -> str | None:
    """Its digest, where SHA-256 was calculated while it arrived."""
    kept = info.attributes.checksums.get(ALGORITHM)
    return digest_from(kept) if kept else None


def digest_from(checksum: str) -> str:
    """A digest from a SHA-256 in base64, as the object store keeps it."""
    return f"sha256:{base64.b64decode(checksum).hex()}"


def _algorithm(info: ObjectInfo) -> str:
    return next(iter(info.attributes.checksums), DEFAULT_ALGORITHM)
