"""Secrets that have to be read again: AES-256-GCM under the key that only this Clary has (sealing.py)."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from clary.identity.sealing import BadToken, key_path, load_key

_NONCE_BYTES = 12


class TextSealer:
    """Seals texts, each for one `purpose`: sealed for another it does not open."""

    def __init__(self, key: bytes) -> None:
        self._cipher = AESGCM(hmac.digest(key, b"clary sealed text", hashlib.sha256))

    @classmethod
    def of(cls, data_dir: Path) -> TextSealer:
        """The sealer of a data folder. Raises ClaryError."""
        return cls(load_key(key_path(data_dir)))

    def seal(self, text: str, purpose: str) -> str:
        """As base64."""
        return self.seal_bytes(text.encode(), purpose)

    def seal_bytes(self, data: bytes, purpose: str) -> str:
        """As base64."""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        return base64.b64encode(nonce + self._cipher.encrypt(nonce, data, purpose.encode())).decode()

    def open(self, sealed: str, purpose: str) -> str:
        """The text. Raises BadToken where it was not sealed here, or for something else."""
        return self.open_bytes(sealed, purpose).decode()

    def open_bytes(self, sealed: str, purpose: str) -> bytes:
        """The bytes. Raises BadToken where they were not sealed here, or for something else."""
        try:
            raw = base64.b64decode(sealed, validate=True)
            return self._cipher.decrypt(raw[:_NONCE_BYTES], raw[_NONCE_BYTES:], purpose.encode())
        except (ValueError, InvalidTag) as error:
            raise BadToken("not sealed here") from error
