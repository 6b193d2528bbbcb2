"""Writing one body to a new file, with its checksums, durably."""

from __future__ import annotations

import os
from collections.abc import Iterable

from clary.names import random_hex
from clary.objects.checksums import DEFAULT_ALGORITHM, Digest
from clary.objects.envelopes import DataKey
from clary.objects.files import Files, read_segments
from clary.objects.model import Received
from clary.objects.sealing import Seal, mark_of
from clary.wire.http import Segment


class Body:
    """A file in the making: nothing is made before the first byte, and it goes where `finish` is not reached.

    With a `key` it is encrypted; the digest is of what was there before.
    """

    def __init__(self, files: Files, digest: Digest, key: bytes | None = None) -> None:
        self._files = files
        self._seal = Seal(key) if key else None
        self._descriptor = -1
        self._file = ""
        self.digest = digest

    def write(self, data: bytes) -> None:
        """Append `data` to the file; digesting it is the caller's task."""
        self._put(self._seal.update(data) if self._seal else data)

    def _put(self, data: bytes) -> None:
        if self._descriptor < 0:
            self._file, self._descriptor = self._files.create()
        view = memoryview(data)
        while view:
            view = view[os.write(self._descriptor, view) :]

    def append(self, data: bytes) -> None:
        """Append `data` to the file and digest it."""
        self.digest.update(data)
        self.write(data)

    def finish(self, last: bytes = b"") -> Received:
        """Append `last`, then make the file and its name durable."""
        self.append(last)
        if self._seal:
            self._put(self._seal.finish())
        os.fsync(self._descriptor)
        self._close()
        self._files.sync_folder(self._file)
        return received(self._file, self.digest)

    def discard(self) -> None:
        """Remove the file, if there is one."""
        self._close()
        if self._file:
            self._files.remove(self._file)

    def _close(self) -> None:
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)


def received(file: str, digest: Digest) -> Received:
    """What is known of a file that is complete."""
    checksums = digest.checksums()
    return Received(
        file=file,
        size=digest.size,
        md5=digest.md5(),
        algorithm=digest.algorithm,
        checksums=checksums,
    )


FileKey = bytes | DataKey | None
"""What a file is encrypted under: a customer's key, a data key of KMS's, nothing."""


def plain_key(key: FileKey) -> bytes | None:
    """The key itself."""
    return key.plain if isinstance(key, DataKey) else key


def marked(body: Received, key: FileKey) -> Received:
    """With the mark of the key that it was encrypted under, and an ETag that tells nothing of its content."""
    plain = plain_key(key)
    if plain is None:
        return body
    sealed: Received = {**body, "md5": random_hex(), "sealed": mark_of(plain)}
    return {**sealed, "envelope": key.envelope} if isinstance(key, DataKey) else sealed


def receive_bytes(files: Files, data: bytes, algorithm: str = DEFAULT_ALGORITHM, key: FileKey = None) -> Received:
    """Keep bytes that are in memory."""
    return receive(files, [data], algorithm, key)


def receive_segments(files: Files, segments: Iterable[Segment], algorithm: str = DEFAULT_ALGORITHM) -> Received:
    """Keep a copy of stretches of files, joined. Raises FileNotFoundError."""
    return receive(files, read_segments(segments), algorithm)


def receive(files: Files, pieces: Iterable[bytes], algorithm: str = DEFAULT_ALGORITHM, key: FileKey = None) -> Received:
    """Keep the pieces, joined, encrypted under `key`; what reading them raises leaves nothing behind."""
    body = Body(files, Digest(algorithm), plain_key(key))
    try:
        for piece in pieces:
            body.append(piece)
        return marked(body.finish(), key)
    except BaseException:
        body.discard()
        raise
