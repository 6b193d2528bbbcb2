"""The ids of versions: opaque to clients, 32 letters as on AWS; to us they say where the version stands among those of
its key, so that a listing goes on behind one that was deleted meanwhile.

A checksum tells an id that was once given out from any other text: S3 answers them differently.
"""

from __future__ import annotations

import base64
import binascii
import os
import zlib

_PLACE_BYTES, _RANDOM_BYTES, _SUM_BYTES = 8, 12, 4
_LETTERS = b"._"  # in place of base64's + and /, which would be percent-encoded everywhere
_LENGTH = 4 * (_PLACE_BYTES + _RANDOM_BYTES + _SUM_BYTES) // 3


class BadVersionId(ValueError):
    """No id of ours."""


def new_id(place: int) -> str:
    """An id for the version at `place`, one that nobody guesses."""
    body = os.urandom(_RANDOM_BYTES) + place.to_bytes(_PLACE_BYTES, "big")
    return base64.b64encode(body + _sum(body), altchars=_LETTERS).decode()


def place_of(version: str) -> int:
    """The inverse of `new_id`. Raises BadVersionId."""
    if len(version) != _LENGTH:
        raise BadVersionId(version)
    try:
        raw = base64.b64decode(version.encode("ascii"), altchars=_LETTERS, validate=True)
    except (binascii.Error, ValueError):
        raise BadVersionId(version) from None
    body, told = raw[:-_SUM_BYTES], raw[-_SUM_BYTES:]
    if _sum(body) != told:
        raise BadVersionId(version)
    return int.from_bytes(body[_RANDOM_BYTES:], "big")


def _sum(body: bytes) -> bytes:
    return zlib.crc32(body).to_bytes(_SUM_BYTES, "big")
