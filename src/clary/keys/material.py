"""Key material: made, kept, and read again. Raw bytes of symmetric keys, PKCS #8 of private ones."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import NotRequired, TypedDict

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from clary.identity.sealed_text import TextSealer
from clary.identity.sealing import load_key
from clary.keys.specs import SPECS

_EXPONENT = 65_537

CURVES: Mapping[str, type[ec.EllipticCurve]] = {
    "ECC_NIST_P256": ec.SECP256R1,
    "ECC_NIST_P384": ec.SECP384R1,
    "ECC_NIST_P521": ec.SECP521R1,
    "ECC_SECG_P256K1": ec.SECP256K1,
}

Private = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey
Public = rsa.RSAPublicKey | ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey


class Material(TypedDict):
    """One piece of a key's material, as its row holds it."""

    id: str
    """KeyMaterialId: 64 hexadecimal digits."""
    sealed: str
    """Under the root key; empty where imported material was deleted or has expired."""
    made: float
    """Epoch seconds."""
    how: str
    """Of a rotation: `AUTOMATIC` or `ON_DEMAND`; empty for the first."""
    expires: float | None
    """Of imported material: epoch seconds."""
    description: NotRequired[str]
    """What whoever imported it says of it."""


@lru_cache(maxsize=4)
def root(data_dir: Path) -> TextSealer:
    """What seals all material of a data folder: a file that only its owner reads. Raises ClaryError."""
    lost = "Bring back the file as it was: without it nothing that was encrypted can be read."
    return TextSealer(load_key(data_dir / "root.key", lost))


def generated(spec: str) -> bytes:
    """New material for a KeySpec."""
    if not SPECS[spec].asymmetric:
        return secrets.token_bytes(SPECS[spec].size)
    return packed(private(spec))


def private(spec: str) -> Private:
    """A new private key."""
    if spec.startswith("RSA"):
        return rsa.generate_private_key(_EXPONENT, SPECS[spec].size)
    if spec in CURVES:
        return ec.generate_private_key(CURVES[spec]())
    return ed25519.Ed25519PrivateKey.generate()


def packed(key: Private) -> bytes:
    """PKCS #8, DER."""
    return key.private_bytes(
        serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


@lru_cache(maxsize=64)
def unpacked(data: bytes) -> Private:
    """The inverse; remembered, since an RSA key is checked each time that it is read. Raises ValueError."""
    key = serialization.load_der_private_key(data, password=None)
    if not isinstance(key, Private):
        raise ValueError("a key of another kind")  # noqa: TRY004  as the library says what it cannot read
    return key


def public(key: Private) -> bytes:
    """SubjectPublicKeyInfo, DER."""
    return key.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)


def fits(spec: str, data: bytes) -> bool:
    """Whether imported bytes are material of this KeySpec."""
    if not SPECS[spec].asymmetric:
        return len(data) == SPECS[spec].size
    try:
        key = unpacked(data)
    except (ValueError, TypeError):
        return False
    if spec.startswith("RSA"):
        return isinstance(key, rsa.RSAPrivateKey) and key.key_size == SPECS[spec].size
    if spec in CURVES:
        return isinstance(key, ec.EllipticCurvePrivateKey) and isinstance(key.curve, CURVES[spec])
    return isinstance(key, ed25519.Ed25519PrivateKey)


def kept(sealer: TextSealer, key: str, data: bytes, now: float, how: str = "") -> Material:
    """Material of the key with this id, as a row holds it."""
    name = hashlib.sha256(b"clary material" + key.encode() + data).hexdigest()
    return Material(id=name, sealed=sealer.seal_bytes(data, _purpose(key, name)), made=now, how=how, expires=None)


def opened(sealer: TextSealer, key: str, material: Material) -> bytes:
    """The inverse. Raises BadToken where the root key is another one."""
    return sealer.open_bytes(material["sealed"], _purpose(key, material["id"]))


def _purpose(key: str, name: str) -> str:
    return f"kms material {key} {name}"
