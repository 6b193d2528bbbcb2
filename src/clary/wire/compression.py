"""Bodies that clients compress because the operation's model says that they may (`requestcompression`)."""

from __future__ import annotations

import zlib

from clary.errors import AWSError

_GZIP = 31
"""zlib's number for a gzip header and its checksum."""


def decompress(body: bytes, limit: int) -> bytes:
    """What a gzip body holds, `limit` bytes at most. Raises AWSError (SerializationException, 413)."""
    unpacked, left = b"", body
    try:
        while left:
            unpacker = zlib.decompressobj(_GZIP)
            unpacked += unpacker.decompress(left, limit - len(unpacked) + 1)
            if len(unpacked) > limit:
                raise AWSError("413", f"HTTP content length exceeded {limit} bytes.", status=413)
            if not unpacker.eof:
                break
            left = unpacker.unused_data
    except zlib.error as error:
        raise _invalid() from error
    if left:
        raise _invalid()
    return unpacked


def _invalid() -> AWSError:
    return AWSError("SerializationException", "The request body is not valid gzip.")
