"""The bytes of one input object, cut into records and batches
(https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_TransformInput.html).

A batch is what one request carries: as many records as the payload limit allows (MultiRecord), or one (SingleRecord).
Nothing is held but the batch itself, however large the object is.
"""

from __future__ import annotations

import gzip
import io
import struct
import zlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import BinaryIO, cast

RECORDIO_MAGIC = 0xCED7230A
_LENGTH_MASK = (1 << 29) - 1
_LONGEST_RECORD = 2**31
"""More than any request carries: a length beyond it is no length, and is not made room for."""
_READ_BYTES = 1 << 20

Segment = tuple[str, int, int]
"""Path, offset, length."""


class TooLarge(Exception):
    """A record is larger than MaxPayloadInMB allows."""


class Malformed(Exception):
    """The object is not what SplitType or CompressionType says."""


class Segments(io.RawIOBase):
    """Pieces of files as one stream."""

    def __init__(self, segments: Sequence[Segment]) -> None:
        self._left = list(segments)
        self._file: BinaryIO | None = None
        self._size = 0

    def readable(self) -> bool:
        """It is."""
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        """The next bytes; 0 at the end. Raises OSError, EOFError where a file is shorter than it should be."""
        while not self._size:
            if not self._left:
                return 0
            self._open(*self._left.pop(0))
        view = memoryview(buffer)[: self._size]
        count = cast("io.FileIO", self._file).readinto(view)
        if not count:
            raise EOFError("an object's file is shorter than its row says")
        self._size -= count
        return count

    def _open(self, path: str, offset: int, length: int) -> None:
        if self._file:
            self._file.close()
        self._file = Path(path).open("rb", buffering=0)  # noqa: SIM115 — closed with the stream
        self._file.seek(offset)
        self._size = length

    def close(self) -> None:
        """Let go of the file."""
        if self._file:
            self._file.close()
        super().close()


def opened(segments: Sequence[Segment], *, gzipped: bool) -> BinaryIO:
    """The object's content, decompressed where it is compressed."""
    raw = io.BufferedReader(Segments(segments), _READ_BYTES)
    return cast("BinaryIO", gzip.GzipFile(fileobj=raw)) if gzipped else cast("BinaryIO", raw)


def batches(source: BinaryIO, split: str, *, single: bool, limit: int | None) -> Iterator[bytes]:
    """Bodies of requests, in order; `limit` in bytes, None is no limit. Raises TooLarge, Malformed, OSError."""
    try:
        yield from _CUTS[split](source, single, limit)
    except (gzip.BadGzipFile, zlib.error, EOFError, struct.error) as error:
        raise Malformed(str(error)) from None


def _whole(source: BinaryIO, _single: bool, limit: int | None) -> Iterator[bytes]:
    data = source.read() if limit is None else source.read(limit + 1)
    if limit is not None and len(data) > limit:
        raise TooLarge
    yield data


def _lines(source: BinaryIO, single: bool, limit: int | None) -> Iterator[bytes]:
    if single:
        for line in source:
            _check(line, limit)
            yield line
        return
    yield from _blocks_of_lines(source, limit or _READ_BYTES * 6)


def _blocks_of_lines(source: BinaryIO, limit: int) -> Iterator[bytes]:
    """As much as fits, cut at a newline: no line is looked at by itself."""
    kept = b""
    while True:
        data = kept + source.read(limit - len(kept))
        if len(data) < limit:
            if data:
                yield data
            return
        cut = data.rfind(b"\n") + 1
        if not cut:
            more = source.read(1)
            if more:
                raise TooLarge
            yield data
            return
        yield data[:cut]
        kept = data[cut:]


def _recordio(source: BinaryIO, single: bool, limit: int | None) -> Iterator[bytes]:
    """Each record with its frame, as containers read them."""
    return _gathered(_recordio_frames(source), single, limit)


def _recordio_frames(source: BinaryIO) -> Iterator[bytes]:
    while head := source.read(8):
        magic, length = struct.unpack("<II", head)
        if magic != RECORDIO_MAGIC:
            raise Malformed("no RecordIO record begins here")
        size = length & _LENGTH_MASK
        yield head + _exactly(source, size + -size % 4)


def _tfrecord(source: BinaryIO, single: bool, limit: int | None) -> Iterator[bytes]:
    """Each record with its lengths and checksums (https://www.tensorflow.org/tutorials/load_data/tfrecord)."""
    return _gathered(_tfrecord_frames(source), single, limit)


def _tfrecord_frames(source: BinaryIO) -> Iterator[bytes]:
    while head := source.read(12):
        (size,) = struct.unpack("<Q", head[:8])
        yield head + _exactly(source, size + 4)


def _exactly(source: BinaryIO, size: int) -> bytes:
    data = source.read(min(size, _LONGEST_RECORD))
    if len(data) != size:
        raise Malformed("the last record is cut off")
    return data


def _gathered(records: Iterator[bytes], single: bool, limit: int | None) -> Iterator[bytes]:
    kept: list[bytes] = []
    size = 0
    for record in records:
        _check(record, limit)
        if kept and (single or (limit is not None and size + len(record) > limit)):
            yield b"".join(kept)
            kept, size = [], 0
        kept.append(record)
        size += len(record)
    if kept:
        yield b"".join(kept)


def _check(record: bytes, limit: int | None) -> None:
    if limit is not None and len(record) > limit:
        raise TooLarge


_CUTS: dict[str, Callable[[BinaryIO, bool, int | None], Iterator[bytes]]] = {
    "None": _whole,
    "Line": _lines,
    "RecordIO": _recordio,
    "TFRecord": _tfrecord,
}
