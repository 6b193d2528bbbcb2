"""What Encrypt gives under a symmetric key: AES-256-GCM, beginning with the names of the key and of its material, and
bound to them and to the encryption context
(https://docs.aws.amazon.com/kms/latest/developerguide/concepts.html#encrypt_context)."""

from __future__ import annotations

import json
import secrets
import uuid
from collections.abc import Mapping
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_VERSION = b"\x01"
_NONCE = 12
_TAG = 16
_KEY = 16
_MATERIAL = 32
_HEAD = 2 + _KEY + _MATERIAL
MULTI_REGION = "mrk-"
"""What the ids of multi-Region keys begin with: such a ciphertext is read in all their regions."""


class BadCiphertext(Exception):
    """Not made here, changed since, or another context."""


@dataclass(frozen=True)
class Sealed:
    """A ciphertext, taken apart."""

    key: str
    """The key's id."""
    material: str
    head: bytes
    rest: bytes


def encrypt(key: str, material: str, secret: bytes, plaintext: bytes, context: Mapping[str, str]) -> bytes:
    """The ciphertext."""
    head = _head(key, material)
    nonce = secrets.token_bytes(_NONCE)
    return head + nonce + AESGCM(secret).encrypt(nonce, plaintext, _bound(head, context))


def parse(blob: bytes) -> Sealed:
    """Raises BadCiphertext."""
    if len(blob) < _HEAD + _NONCE + _TAG or blob[:1] != _VERSION or blob[1] > 1:
        raise BadCiphertext("no ciphertext of a symmetric key")
    name = blob[2 : 2 + _KEY]
    key = f"{MULTI_REGION}{name.hex()}" if blob[1] else str(uuid.UUID(bytes=name))
    return Sealed(key, blob[2 + _KEY : _HEAD].hex(), blob[:_HEAD], blob[_HEAD:])


def decrypt(sealed: Sealed, secret: bytes, context: Mapping[str, str]) -> bytes:
    """The plaintext. Raises BadCiphertext."""
    try:
        nonce, text = sealed.rest[:_NONCE], sealed.rest[_NONCE:]
        return AESGCM(secret).decrypt(nonce, text, _bound(sealed.head, context))
    except InvalidTag as error:
        raise BadCiphertext("changed, or another context") from error


def _head(key: str, material: str) -> bytes:
    multi = key.startswith(MULTI_REGION)
    name = bytes.fromhex(key.removeprefix(MULTI_REGION)) if multi else uuid.UUID(key).bytes
    return _VERSION + bytes([multi]) + name + bytes.fromhex(material)


def _bound(head: bytes, context: Mapping[str, str]) -> bytes:
    return head + json.dumps(dict(context), sort_keys=True, separators=(",", ":")).encode()
