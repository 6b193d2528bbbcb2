"""Encrypt, Decrypt, ReEncrypt (https://docs.aws.amazon.com/kms/latest/APIReference/API_Decrypt.html)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from clary.keys import asymmetric, ciphertext
from clary.keys.ciphertext import BadCiphertext, Sealed
from clary.keys.material import unpacked
from clary.keys.rows import materials
from clary.keys.specs import ENCRYPT, SYMMETRIC
from clary.services.context import Context
from clary.services.kms.errors import bad_ciphertext, invalid, unreachable_key, wrong_key
from clary.services.kms.keyed import allowed, check_use, on_key, secret
from clary.services.kms.rows import find, of_id
from clary.services.kms.service import SERVICE
from clary.services.resources import Output, Params
from clary.store.rows import Row


@on_key("Encrypt", aliases=True)
def encrypt(context: Context, params: Params, row: Row) -> Output:
    """Raises NotFoundException, DisabledException, KMSInvalidStateException, InvalidKeyUsageException."""
    algorithm = params.get("EncryptionAlgorithm") or SYMMETRIC
    check_use(row, params, ENCRYPT, "Encrypt", algorithm)
    blob = encrypted(context, row, algorithm, params["Plaintext"], params.get("EncryptionContext") or {})
    return {"CiphertextBlob": blob, "KeyId": row.arn, "EncryptionAlgorithm": algorithm}


def encrypted(context: Context, row: Row, algorithm: str, plaintext: bytes, said: Mapping[str, str]) -> bytes:
    """The ciphertext, under the key's newest material. Raises ValidationException."""
    if algorithm == SYMMETRIC:
        newest = materials(row)[-1]
        return ciphertext.encrypt(row.key.name, newest["id"], secret(context, row, newest), plaintext, said)
    if said:
        raise invalid("The EncryptionContext parameter is not valid for asymmetric encryption algorithms.")
    key = unpacked(secret(context, row))
    assert isinstance(key, RSAPrivateKey)  # noqa: S101  no other has these algorithms
    if len(plaintext) > asymmetric.longest(key, algorithm):
        most = f"larger than {asymmetric.longest(key, algorithm)} bytes."
        raise invalid(f"Algorithm {algorithm} and key spec {row.spec['KeySpec']} cannot encrypt data {most}")
    return asymmetric.rsa_encrypt(key, algorithm, plaintext)


@dataclass(frozen=True)
class _Opened:
    """What was decrypted, and by what."""

    row: Row
    algorithm: str
    plaintext: bytes
    material: str | None

    def named(self, member: str) -> Output:
        """The id of symmetric material."""
        return {member: self.material} if self.material else {}


@SERVICE.operation("Decrypt")
def decrypt(context: Context, params: Params) -> Output:
    """Raises InvalidCiphertextException, IncorrectKeyException, AccessDeniedException, NotFoundException."""
    opened = _decrypted(context, "Decrypt", params)
    said = {"KeyId": opened.row.arn, "Plaintext": opened.plaintext, "EncryptionAlgorithm": opened.algorithm}
    return {**said, **opened.named("KeyMaterialId")}


def _decrypted(context: Context, action: str, params: Params) -> _Opened:
    """`params` as Decrypt has them."""
    algorithm, blob = params.get("EncryptionAlgorithm") or SYMMETRIC, params.get("CiphertextBlob")
    if not blob:
        raise invalid("CiphertextBlob is required.")
    if algorithm != SYMMETRIC:
        return _decrypted_by_rsa(context, action, params, algorithm, blob)
    given = find(context, params["KeyId"], aliases=True, anyone=True) if params.get("KeyId") else None
    if given is not None and given.spec["KeySpec"] != SYMMETRIC:
        allowed(context, action, given.arn, params)
        raise wrong_key()
    sealed = _parsed(blob)
    made_by = of_id(context, sealed.key)
    if made_by is None:
        raise unreachable_key()
    row = allowed(context, action, made_by.arn, params)
    if given is not None and given.key != row.key:
        raise wrong_key()
    check_use(row, params, ENCRYPT, action, algorithm)
    return _Opened(row, algorithm, _opened(context, row, sealed, params), sealed.material)


def _parsed(blob: bytes) -> Sealed:
    try:
        return ciphertext.parse(blob)
    except BadCiphertext:
        raise bad_ciphertext() from None


def _opened(context: Context, row: Row, sealed: Sealed, params: Params) -> bytes:
    used = next((each for each in materials(row) if each["id"] == sealed.material), None)
    if used is None:
        raise bad_ciphertext()
    try:
        return ciphertext.decrypt(sealed, secret(context, row, used), params.get("EncryptionContext") or {})
    except BadCiphertext:
        raise bad_ciphertext() from None


def _decrypted_by_rsa(context: Context, action: str, params: Params, algorithm: str, blob: bytes) -> _Opened:
    if not params.get("KeyId"):
        raise invalid("Key ID is required when the encryption algorithm is asymmetric.")
    row = allowed(context, action, params["KeyId"], params)
    check_use(row, params, ENCRYPT, action, algorithm)
    key = unpacked(secret(context, row))
    assert isinstance(key, RSAPrivateKey)  # noqa: S101  no other has these algorithms
    try:
        return _Opened(row, algorithm, asymmetric.rsa_decrypt(key, algorithm, blob), None)
    except ValueError:
        raise bad_ciphertext() from None


@SERVICE.operation("ReEncrypt")
def re_encrypt(context: Context, params: Params) -> Output:
    """From one key to another, or to another context. Raises what Decrypt and Encrypt do."""
    algorithm = params.get("DestinationEncryptionAlgorithm") or SYMMETRIC
    said = params.get("DestinationEncryptionContext") or {}
    source = {
        "CiphertextBlob": params.get("CiphertextBlob"),
        "KeyId": params.get("SourceKeyId"),
        "EncryptionContext": params.get("SourceEncryptionContext"),
        "EncryptionAlgorithm": params.get("SourceEncryptionAlgorithm"),
    }
    wanted = {"KeyId": params["DestinationKeyId"], "EncryptionContext": said, "DryRun": params.get("DryRun")}
    opened = _decrypted(context, "ReEncryptFrom", source)
    row = allowed(context, "ReEncryptTo", params["DestinationKeyId"], wanted)
    check_use(row, wanted, ENCRYPT, "ReEncrypt", algorithm)
    shown = {
        "CiphertextBlob": encrypted(context, row, algorithm, opened.plaintext, said),
        "SourceKeyId": opened.row.arn,
        "KeyId": row.arn,
        "SourceEncryptionAlgorithm": opened.algorithm,
        "DestinationEncryptionAlgorithm": algorithm,
        **opened.named("SourceKeyMaterialId"),
    }
    if algorithm == SYMMETRIC:
        shown["DestinationKeyMaterialId"] = materials(row)[-1]["id"]
    return shown
