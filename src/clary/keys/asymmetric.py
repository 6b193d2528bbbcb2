"""What is calculated with private and public keys: RSA encryption, signatures, shared secrets; and HMACs
(https://docs.aws.amazon.com/kms/latest/developerguide/asymmetric-key-specs.html)."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa, utils

from clary.keys.material import Private

_HASHES: Mapping[str, type[hashes.HashAlgorithm]] = {
    "1": hashes.SHA1,
    "256": hashes.SHA256,
    "384": hashes.SHA384,
    "512": hashes.SHA512,
}


class BadDigest(Exception):
    """A digest that is not as long as the algorithm's."""


def _hash(algorithm: str) -> hashes.HashAlgorithm:
    return _HASHES[algorithm.rpartition("_")[2]]()


def oaep(algorithm: str) -> padding.OAEP:
    """`RSAES_OAEP_SHA_…`."""
    return padding.OAEP(padding.MGF1(_hash(algorithm)), _hash(algorithm), None)


def longest(key: rsa.RSAPrivateKey, algorithm: str) -> int:
    """Bytes that OAEP can encrypt (RFC 8017, 7.1.1)."""
    return key.key_size // 8 - 2 * _hash(algorithm).digest_size - 2


def rsa_encrypt(key: rsa.RSAPrivateKey, algorithm: str, plaintext: bytes) -> bytes:
    """With its public half."""
    return key.public_key().encrypt(plaintext, oaep(algorithm))


def rsa_decrypt(key: rsa.RSAPrivateKey, algorithm: str, blob: bytes) -> bytes:
    """Raises ValueError."""
    return key.decrypt(blob, oaep(algorithm))


def sign(key: Private, algorithm: str, message: bytes, *, digest: bool) -> bytes:
    """The signature; of ECDSA in DER. Raises BadDigest."""
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return key.sign(message)
    chosen = _chosen(algorithm, message, digest=digest)
    if isinstance(key, ec.EllipticCurvePrivateKey):
        return key.sign(message, ec.ECDSA(chosen))
    return key.sign(message, _padding(algorithm), chosen)


def verify(key: Private, algorithm: str, message: bytes, signature: bytes, *, digest: bool) -> bool:
    """Whether the key's private half made the signature. Raises BadDigest."""
    try:
        _verify(key, algorithm, message, signature, digest=digest)
    except InvalidSignature:
        return False
    return True


def _verify(key: Private, algorithm: str, message: bytes, signature: bytes, *, digest: bool) -> None:
    if isinstance(key, ed25519.Ed25519PrivateKey):
        key.public_key().verify(signature, message)
        return
    chosen = _chosen(algorithm, message, digest=digest)
    if isinstance(key, ec.EllipticCurvePrivateKey):
        key.public_key().verify(signature, message, ec.ECDSA(chosen))
    else:
        key.public_key().verify(signature, message, _padding(algorithm), chosen)


def _chosen(algorithm: str, message: bytes, *, digest: bool) -> hashes.HashAlgorithm | utils.Prehashed:
    chosen = _hash(algorithm)
    if not digest:
        return chosen
    if len(message) != chosen.digest_size:
        raise BadDigest(f"Digest is invalid length for algorithm {algorithm}.")
    return utils.Prehashed(chosen)


def _padding(algorithm: str) -> padding.AsymmetricPadding:
    if "_PSS_" not in algorithm:
        return padding.PKCS1v15()
    chosen = _hash(algorithm)
    return padding.PSS(padding.MGF1(chosen), chosen.digest_size)


def shared_secret(key: ec.EllipticCurvePrivateKey, public: bytes) -> bytes:
    """ECDH with another's public key, DER. Raises ValueError."""
    other = serialization.load_der_public_key(public)
    if not isinstance(other, ec.EllipticCurvePublicKey):
        raise ValueError("no key of a curve")  # noqa: TRY004  as the library says what it cannot read
    return key.exchange(ec.ECDH(), other)


def mac(secret: bytes, algorithm: str, message: bytes) -> bytes:
    """`HMAC_SHA_…`."""
    return hmac.digest(secret, message, getattr(hashlib, f"sha{algorithm.rpartition('_')[2]}"))
