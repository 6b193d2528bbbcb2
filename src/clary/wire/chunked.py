"""aws-chunked: a body in chunks, each with or without a signature, and trailers at the end
(https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html, …/sigv4-streaming-trailers.html)."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

from clary.errors import AWSError

ChunkCheck = Callable[[bytes, str], None]
"""Called at each chunk's end with the SHA-256 (raw bytes) of its data and the signature it carries."""

TrailerCheck = Callable[[bytes, str], None]
"""Called with the trailers' canonical bytes (`name:value\\n` …) and the signature they carry."""

_LONGEST_LINE = 4096
_MOST_TRAILERS = 16
_MAX_CHUNK = 2**31


class Decoder:
    """Feed it the wire's bytes; it gives back the data, and at the end the trailers.

    Data is given out before its chunk's signature is known: whoever takes it must throw it away when an error follows.
    """

    def __init__(self, check_chunk: ChunkCheck | None = None, check_trailer: TrailerCheck | None = None) -> None:
        self.trailers: dict[str, str] = {}
        self.finished = False
        self._check_chunk = check_chunk
        self._check_trailer = check_trailer
        self._buffer = bytearray()
        self._left = 0
        self._signature = ""
        self._digest = hashlib.sha256()
        self._trailer_lines = bytearray()
        self._state: Callable[[], bytes | None] = self._head

    def feed(self, data: bytes) -> list[bytes]:
        """The pieces of data that these bytes complete. Raises AWSError (InvalidRequest, SignatureDoesNotMatch)."""
        self._buffer += data
        pieces: list[bytes] = []
        while not self.finished and (piece := self._state()) is not None:
            if piece:
                pieces.append(piece)
        return pieces

    def close(self) -> None:
        """The wire has ended. Raises AWSError (IncompleteBody) where the chunks have not; the last line may lack."""
        if self._state == self._trailer and not self._buffer and not self.finished:
            self._finish()
        if not self.finished:
            raise incomplete_body()

    def _line(self) -> bytes | None:
        end = self._buffer.find(b"\r\n")
        if end < 0:
            if len(self._buffer) > _LONGEST_LINE:
                raise _malformed()
            return None
        line = bytes(self._buffer[:end])
        del self._buffer[: end + 2]
        return line

    def _head(self) -> bytes | None:
        line = self._line()
        if line is None:
            return None
        self._left, self._signature = _parse_head(line)
        self._digest = hashlib.sha256()
        if self._left:
            self._state = self._data
            return b""
        self._verify()
        self._state = self._trailer
        return b""

    def _data(self) -> bytes | None:
        if not self._buffer:
            return None
        piece = bytes(self._buffer[: self._left])
        del self._buffer[: len(piece)]
        self._left -= len(piece)
        if self._check_chunk:
            self._digest.update(piece)
        if not self._left:
            self._state = self._data_end
        return piece

    def _data_end(self) -> bytes | None:
        if len(self._buffer) < 2:
            return None
        if self._buffer[:2] != b"\r\n":
            raise _malformed()
        del self._buffer[:2]
        self._verify()
        self._state = self._head
        return b""

    def _verify(self) -> None:
        if self._check_chunk:
            self._check_chunk(self._digest.digest(), self._signature)

    def _trailer(self) -> bytes | None:
        line = self._line()
        if line is None:
            return None
        if not line:
            self._finish()
            return b""
        name, colon, value = line.partition(b":")
        if not colon or len(self.trailers) >= _MOST_TRAILERS:
            raise _malformed()
        key, text = name.strip().lower().decode("latin-1"), value.strip().decode("latin-1")
        self.trailers[key] = text
        if key != "x-amz-trailer-signature":
            self._trailer_lines += f"{key}:{text}\n".encode("latin-1")
        return b""

    def _finish(self) -> None:
        signature = self.trailers.pop("x-amz-trailer-signature", "")
        if self._check_trailer and (self.trailers or signature):
            self._check_trailer(bytes(self._trailer_lines), signature)
        self.finished = True


def _parse_head(line: bytes) -> tuple[int, str]:
    size, _, extension = line.partition(b";")
    try:
        length = int(size, 16)
    except ValueError:
        raise _malformed() from None
    if not 0 <= length <= _MAX_CHUNK or not size.strip().isalnum():
        raise _malformed()
    name, _, signature = extension.partition(b"=")
    return length, signature.decode("latin-1") if name.strip() == b"chunk-signature" else ""


def incomplete_body() -> AWSError:
    """S3's answer where fewer or more bytes came than were announced."""
    return AWSError(
        "IncompleteBody", "You did not provide the number of bytes specified by the Content-Length HTTP header"
    )


def _malformed() -> AWSError:
    return AWSError("InvalidRequest", "The chunked encoding of the request body is malformed.")
