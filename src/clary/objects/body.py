"""Writing one body to a new file, with its checksums, durably."""

from __future__ import annotations

import os
from collections.abc import Iterable

from clary.objects.checksums import DEFAULT_ALGORITHM, Digest
from clary.objects.files import Files, read_segments
from clary.objects.model import Received
from clary.wire.http import Segment


class Body:
    """A file in the making: nothing is made before the first byte, and it goes where `finish` is not reached."""

    def __init__(self, files: Files, digest: Digest) -> None:
        self._files = files
        self._descriptor = -1
        self._file = ""
        self.digest = digest

    def write(self, data: bytes) -> None:
        """Append `data` to the file; digesting it is the caller's task."""
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


def receive_bytes(files: Files, data: bytes, algorithm: str = DEFAULT_ALGORITHM) -> Received:
    """Keep bytes that are in memory."""
    return receive(files, [data], algorithm)


def receive_segments(files: Files, segments: Iterable[Segment], algorithm: str = DEFAULT_ALGORITHM) -> Received:
    """Keep a copy of stretches of files, joined. Raises FileNotFoundError."""
    return receive(files, read_segments(segments), algorithm)


def receive(files: Files, pieces: Iterable[bytes], algorithm: str = DEFAULT_ALGORITHM) -> Received:
    """Keep the pieces, joined; what reading them raises leaves nothing behind."""
    body = Body(files, Digest(algorithm))
    try:
        for piece in pieces:
            body.append(piece)
        return body.finish()
    except BaseException:
        body.discard()
        raise
