"""How material comes in from elsewhere: wrapped under a public key that is good for a day
(https://docs.aws.amazon.com/kms/latest/developerguide/importing-keys-get-public-key-and-token.html).

The import token is the private half, sealed: nothing about it is kept here.
"""

from __future__ import annotations

import base64
import json

from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.keywrap import InvalidUnwrap, aes_key_unwrap_with_padding

from clary.identity.sealed_text import TextSealer
from clary.identity.sealing import BadToken
from clary.keys.asymmetric import oaep
from clary.keys.material import packed, private, public, unpacked

GOOD_FOR = 86_400.0
"""Seconds."""

_AES_UNDER_RSA = "RSA_AES_KEY_WRAP_SHA_"
_PURPOSE = "kms import"


class BadImport(Exception):
    """Material that was not wrapped for the token."""


class ForeignToken(Exception):
    """A token that is not of this key."""


class OldToken(Exception):
    """A token that is older than a day."""


def offer(sealer: TextSealer, key: str, spec: str, algorithm: str, now: float) -> tuple[bytes, bytes]:
    """A public key to wrap with (DER), and the token that goes with it."""
    wrapping = private(spec)
    said = {
        "key": key,
        "algorithm": algorithm,
        "until": now + GOOD_FOR,
        "private": base64.b64encode(packed(wrapping)).decode(),
    }
    return public(wrapping), base64.b64decode(sealer.seal(json.dumps(said), _PURPOSE))


def taken(sealer: TextSealer, key: str, token: bytes, wrapped: bytes, now: float) -> bytes:
    """The material. Raises BadImport, ForeignToken, OldToken."""
    try:
        said = json.loads(sealer.open(base64.b64encode(token).decode(), _PURPOSE))
    except BadToken as error:
        raise ForeignToken from error
    if said["key"] != key:
        raise ForeignToken
    if said["until"] < now:
        raise OldToken
    wrapping = unpacked(base64.b64decode(said["private"]))
    if not isinstance(wrapping, rsa.RSAPrivateKey):
        raise BadImport("no key of RSA's")
    try:
        return _unwrapped(wrapping, said["algorithm"], wrapped)
    except (ValueError, InvalidUnwrap) as error:
        raise BadImport("not wrapped for this token") from error


def _unwrapped(wrapping: rsa.RSAPrivateKey, algorithm: str, wrapped: bytes) -> bytes:
    if algorithm == "RSAES_PKCS1_V1_5":
        return wrapping.decrypt(wrapped, padding.PKCS1v15())
    if not algorithm.startswith(_AES_UNDER_RSA):
        return wrapping.decrypt(wrapped, oaep(algorithm))
    size = wrapping.key_size // 8
    inner = wrapping.decrypt(wrapped[:size], oaep(algorithm))
    return aes_key_unwrap_with_padding(inner, wrapped[size:])
