"""Checksums of objects (https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity.html)."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, BinaryIO, Protocol

from clary.later import later

if TYPE_CHECKING:
    from awscrt import checksums as crt
else:
    crt = later("awscrt.checksums")  # a library of 12 MiB

DEFAULT_ALGORITHM = "CRC64NVME"
"""What S3 computes where the client names none."""

_READ_BYTES = 2**20


class Checksum(Protocol):
    """A checksum in the making; `update` releases the interpreter for large data."""

    def update(self, data: bytes, /) -> object:
        """Take in the next bytes."""
        ...

    def digest(self) -> bytes:
        """The checksum of all bytes taken in, big-endian."""
        ...


class _Crc:
    def __init__(self, step: Callable[[bytes, int], int], width: int) -> None:
        self._step, self._width, self._value = step, width, 0

    def update(self, data: bytes, /) -> None:
        self._value = self._step(data, self._value)

    def digest(self) -> bytes:
        return self._value.to_bytes(self._width, "big")


class _XxHash:
    def __init__(self, hasher: crt.XXHash) -> None:
        self._hasher = hasher

    def update(self, data: bytes, /) -> None:
        self._hasher.update(data)

    def digest(self) -> bytes:
        return bytes(self._hasher.finalize())


_MAKERS: dict[str, Callable[[], Checksum]] = {
    "CRC32": lambda: _Crc(crt.crc32, 4),
    "CRC32C": lambda: _Crc(crt.crc32c, 4),
    "CRC64NVME": lambda: _Crc(crt.crc64nvme, 8),
    "SHA1": lambda: hashlib.sha1(usedforsecurity=False),
    "SHA256": hashlib.sha256,
    "SHA512": hashlib.sha512,
    "MD5": lambda: hashlib.md5(usedforsecurity=False),
    "XXHASH64": lambda: _XxHash(crt.XXHash.new_xxhash64()),
    "XXHASH3": lambda: _XxHash(crt.XXHash.new_xxhash3_64()),
    "XXHASH128": lambda: _XxHash(crt.XXHash.new_xxhash3_128()),
}
_WIDTHS = {"CRC32": 4, "CRC32C": 4, "CRC64NVME": 8}

ALGORITHMS = tuple(_MAKERS)
COMBINABLE = tuple(_WIDTHS)
"""Those whose checksum of a whole follows from its parts': FULL_OBJECT is possible for a multipart upload."""


def new(algorithm: str) -> Checksum:
    """A checksum by S3's name of its algorithm. Raises KeyError."""
    return _MAKERS[algorithm]()


def encode(digest: bytes) -> str:
    """As S3 writes checksums: base64."""
    return base64.b64encode(digest).decode()


def composite(algorithm: str, parts: Sequence[str]) -> str:
    """The checksum of the parts' checksums (base64), with `-N`: COMPOSITE."""
    whole = new(algorithm)
    whole.update(b"".join(base64.b64decode(part) for part in parts))
    return f"{encode(whole.digest())}-{len(parts)}"


def combined(algorithm: str, parts: Iterable[tuple[str, int]]) -> str:
    """The checksum of the whole from each part's (base64) and its size in bytes: FULL_OBJECT."""
    combine, width = _combiner(algorithm), _WIDTHS[algorithm]
    value = 0
    for part, size in parts:
        value = combine(value, int.from_bytes(base64.b64decode(part), "big"), size)
    return encode(value.to_bytes(width, "big"))


def _combiner(algorithm: str) -> Callable[[int, int, int], int]:
    found: dict[str, Callable[[int, int, int], int]] = {
        "CRC32": crt.combine_crc32,
        "CRC32C": crt.combine_crc32c,
        "CRC64NVME": crt.combine_crc64nvme,
    }
    return found[algorithm]


class Digest:
    """What is kept of a body: its size, MD5, the checksum asked for, and CRC64NVME, from which a whole's follows.

    `alone`: nothing but the checksum asked for, where nobody will ask for an ETag.
    """

    def __init__(self, algorithm: str = DEFAULT_ALGORITHM, *, alone: bool = False) -> None:
        self.algorithm = algorithm
        self.size = 0
        self._alone = alone
        self._md5 = new("MD5")
        self._crc = new(DEFAULT_ALGORITHM)
        self._asked = self._crc if algorithm == DEFAULT_ALGORITHM else new(algorithm)

    def update(self, data: bytes) -> None:
        """Take in the next bytes."""
        for step in self.steps():
            step(data)
        self.size += len(data)

    def steps(self) -> tuple[Callable[[bytes], object], ...]:
        """The updates one by one, independent of one another: each may run in a thread of its own."""
        if self._alone:
            return (self._asked.update,)
        crc = () if self._asked is self._crc else (self._crc.update,)
        return (self._md5.update, self._asked.update, *crc)

    def md5(self) -> str:
        """Hexadecimal; empty where it was not calculated."""
        return "" if self._alone else self._md5.digest().hex()

    def checksums(self) -> dict[str, str]:
        """By algorithm, base64: the one asked for first."""
        asked = encode(self._asked.digest())
        if self._alone:
            return {self.algorithm: asked}
        crc = asked if self._asked is self._crc else encode(self._crc.digest())
        return {self.algorithm: asked, DEFAULT_ALGORITHM: crc}


def digest_file(file: BinaryIO, algorithm: str = DEFAULT_ALGORITHM) -> Digest:
    """Of a file, from where it stands to its end. Raises OSError."""
    digest = Digest(algorithm)
    while data := file.read(_READ_BYTES):
        digest.update(data)
    return digest
