"""Tokens of OpenID Connect's identity providers: JWTs whose signature is checked against the provider's keys
(RFC 7515, RFC 7517, RFC 7518; https://openid.net/specs/openid-connect-core-1_0.html#IDTokenValidation)."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

_HASHES: Mapping[str, hashes.HashAlgorithm] = {"256": hashes.SHA256(), "384": hashes.SHA384(), "512": hashes.SHA512()}
_CURVES: Mapping[str, ec.EllipticCurve] = {"P-256": ec.SECP256R1(), "P-384": ec.SECP384R1(), "P-521": ec.SECP521R1()}
_CURVE_OF = {"ES256": "P-256", "ES384": "P-384", "ES512": "P-521"}
_RSA_BITS = 2048
"""Shorter keys prove nothing."""


class BadWebToken(Exception):
    """No token, or not signed by one of the keys."""


def claims_of(token: str) -> dict[str, Any]:
    """What a token says, before anything of it is believed. Raises BadWebToken."""
    return _json(_parts(token)[1])


def verified(token: str, keys: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """What a token says that one of the keys (JWKs) has signed. Raises BadWebToken."""
    header, payload, signature = _parts(token)
    said = _json(header)
    signed = f"{header}.{payload}".encode()
    candidates = [key for key in keys if "kid" not in said or key.get("kid", said["kid"]) == said["kid"]]
    if not any(_signs(key, str(said.get("alg")), signed, _bytes(signature)) for key in candidates):
        raise BadWebToken("signed by none of the keys")
    return _json(payload)


def _parts(token: str) -> tuple[str, str, str]:
    parts = token.split(".")
    if len(parts) != 3:
        raise BadWebToken("not a JWT")
    return parts[0], parts[1], parts[2]


def _bytes(text: str) -> bytes:
    try:
        return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except ValueError as error:
        raise BadWebToken("not base64url") from error


def _json(text: str) -> dict[str, Any]:
    try:
        found = json.loads(_bytes(text))
    except (ValueError, RecursionError) as error:
        raise BadWebToken("not JSON") from error
    if not isinstance(found, dict):
        raise BadWebToken("not an object")
    return found


def _number(key: Mapping[str, Any], member: str) -> int:
    return int.from_bytes(_bytes(str(key.get(member, ""))), "big")


def _signs(key: Mapping[str, Any], algorithm: str, signed: bytes, signature: bytes) -> bool:
    digest = _HASHES.get(algorithm[2:])
    if digest is None or key.get("use", "sig") != "sig":
        return False
    try:
        if algorithm.startswith("RS") and key.get("kty") == "RSA":
            return _signs_rsa(key, digest, signed, signature)
        if algorithm in _CURVE_OF and key.get("crv") == _CURVE_OF[algorithm]:
            return _signs_curve(key, digest, signed, signature)
    except (InvalidSignature, ValueError):
        return False
    return False


def _signs_rsa(key: Mapping[str, Any], digest: hashes.HashAlgorithm, signed: bytes, signature: bytes) -> bool:
    public = rsa.RSAPublicNumbers(_number(key, "e"), _number(key, "n")).public_key()
    if public.key_size < _RSA_BITS:
        return False
    public.verify(signature, signed, padding.PKCS1v15(), digest)
    return True


def _signs_curve(key: Mapping[str, Any], digest: hashes.HashAlgorithm, signed: bytes, signature: bytes) -> bool:
    """Signatures of curves are two numbers, one behind the other (RFC 7518, section 3.4)."""
    curve = _CURVES[str(key["crv"])]
    public = ec.EllipticCurvePublicNumbers(_number(key, "x"), _number(key, "y"), curve).public_key()
    half = (curve.key_size + 7) // 8
    if len(signature) != 2 * half:
        return False
    numbers = int.from_bytes(signature[:half], "big"), int.from_bytes(signature[half:], "big")
    public.verify(encode_dss_signature(*numbers), signed, ec.ECDSA(digest))
    return True
