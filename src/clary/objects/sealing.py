"""Files that are encrypted: a salt, then chunks of 64 KiB under AES-256-GCM, so that any stretch can be read alone.

Each file has a key of its own, derived from the caller's and the salt. A chunk's nonce is its number and whether it is
the last: chunks cannot change places, and a file that was cut off is no file (https://eprint.iacr.org/2015/189).
A key of twice 32 bytes is two keys: chunks are encrypted under the first, and what that gives under the second.
"""

from __future__ import annotations

import base64
import hmac
import os
import secrets
from collections.abc import Iterator, Sequence
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

KEY_BYTES = 32
CHUNK = 64 * 1024
"""Plain bytes; the last one of a file may have fewer, and has none only where the file is empty."""

_TAG = 16
_SALT = 32
_AT_ONCE = 8  # chunks, 512 KiB: what is read from the disk and decrypted at a time
_PURPOSE = b"clary object file"


class Damaged(OSError):
    """The file is not what was written, or was written under another key."""


class Seal:
    """Encrypts one file, front to back."""

    def __init__(self, key: bytes) -> None:
        self._salt = secrets.token_bytes(_SALT)
        self._ciphers = _ciphers(key, self._salt)
        self._number = 0
        self._left = b""
        self._begun = False

    def update(self, data: bytes) -> bytes:
        """What is to be written for the next bytes; a chunk waits until it is known whether it is the last one."""
        plain = self._left + data
        whole = max(0, (len(plain) - 1) // CHUNK) * CHUNK
        self._left = plain[whole:]
        view = memoryview(plain)
        return self._head() + b"".join(self._chunk(view[at : at + CHUNK]) for at in range(0, whole, CHUNK))

    def finish(self) -> bytes:
        """What is to be written last."""
        return self._head() + self._chunk(self._left, last=True)

    def _head(self) -> bytes:
        begun, self._begun = self._begun, True
        return b"" if begun else self._salt

    def _chunk(self, plain: bytes | memoryview, *, last: bool = False) -> bytes:
        nonce = _nonce(self._number, last=last)
        for cipher in self._ciphers:
            plain = cipher.encrypt(nonce, plain, None)
        self._number += 1
        return bytes(plain)


def unsealed(path: Path, key: bytes, size: int, start: int, length: int) -> Iterator[bytes]:
    """`length` bytes from byte `start` of a file that holds `size` bytes, in pieces of at most 512 KiB.

    Reads the chunks that hold them and no others. Raises FileNotFoundError, Damaged.
    """
    if not length:
        return
    final = max(0, size - 1) // CHUNK
    with path.open("rb") as file:
        ciphers = _ciphers(key, os.pread(file.fileno(), _SALT, 0))
        step = CHUNK + _TAG * len(ciphers)
        number, end = start // CHUNK, start + length
        while number * CHUNK < end:
            many = min(_AT_ONCE, final + 1 - number)
            sealed = os.pread(file.fileno(), many * step, _SALT + number * step)
            plain = _opened(ciphers, sealed, number, final)
            first = number * CHUNK
            if len(plain) != min(many * CHUNK, size - first):
                raise Damaged(f"{path} is shorter than its row says")
            yield plain[max(0, start - first) : end - first]
            number += many


def mark_of(key: bytes) -> str:
    """By which a key is known again; nothing can be learned of it from that."""
    salt = secrets.token_bytes(_SALT)
    return base64.b64encode(salt + _mac(salt, key)).decode()


def is_marked(mark: str, key: bytes) -> bool:
    """Whether it is the key that the mark was made of."""
    made = base64.b64decode(mark)
    return hmac.compare_digest(made[_SALT:], _mac(made[:_SALT], key))


def _mac(salt: bytes, key: bytes) -> bytes:
    return hmac.digest(key, b"clary customer key" + salt, "sha256")


def _ciphers(key: bytes, salt: bytes) -> list[AESGCM]:
    """Innermost first."""
    keys = (key[at : at + KEY_BYTES] for at in range(0, len(key), KEY_BYTES))
    return [AESGCM(HKDF(SHA256(), KEY_BYTES, salt, _PURPOSE).derive(each)) for each in keys]


def _nonce(number: int, *, last: bool) -> bytes:
    return number.to_bytes(11, "big") + (b"\1" if last else b"\0")


def _opened(ciphers: Sequence[AESGCM], sealed: bytes, number: int, final: int) -> bytes:
    view, step = memoryview(sealed), CHUNK + _TAG * len(ciphers)
    chunks = (view[at : at + step] for at in range(0, len(sealed), step))
    try:
        return b"".join(
            _chunk(ciphers, _nonce(each, last=each == final), chunk) for each, chunk in enumerate(chunks, number)
        )
    except InvalidTag:
        raise Damaged("an object's file is not what was written") from None


def _chunk(ciphers: Sequence[AESGCM], nonce: bytes, sealed: bytes | memoryview) -> bytes:
    """Raises InvalidTag."""
    for cipher in reversed(ciphers):
        sealed = cipher.decrypt(nonce, sealed, None)
    return bytes(sealed)
