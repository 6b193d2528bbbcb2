"""Data keys, and random bytes (https://docs.aws.amazon.com/kms/latest/APIReference/API_GenerateDataKey.html)."""

from __future__ import annotations

import secrets

from clary.keys.material import packed, private, public
from clary.keys.rows import materials
from clary.keys.specs import ENCRYPT, SPECS, SYMMETRIC
from clary.services.context import Context
from clary.services.kms.encryption import encrypted
from clary.services.kms.errors import invalid, unsupported
from clary.services.kms.keyed import check_asked, check_use, on_key
from clary.services.kms.service import SERVICE
from clary.services.resources import Output, Params
from clary.store.rows import Row

_SIZES = {"AES_256": 32, "AES_128": 16}


def _data_key(context: Context, params: Params, row: Row, operation: str) -> tuple[bytes, Output]:
    check_use(row, params, ENCRYPT, operation, SYMMETRIC)
    size, spec = params.get("NumberOfBytes"), params.get("KeySpec")
    if (size is None) is (spec is None):
        raise invalid("Please specify either number of bytes or key spec.")
    key = secrets.token_bytes(_SIZES[spec] if spec else size)
    return key, {
        "CiphertextBlob": encrypted(context, row, SYMMETRIC, key, params.get("EncryptionContext") or {}),
        "KeyId": row.arn,
        "KeyMaterialId": materials(row)[-1]["id"],
    }


@on_key("GenerateDataKey", aliases=True)
def generate(context: Context, params: Params, row: Row) -> Output:
    """Raises NotFoundException, DisabledException, KMSInvalidStateException, InvalidKeyUsageException."""
    key, said = _data_key(context, params, row, "GenerateDataKey")
    return {**said, "Plaintext": key}


@on_key("GenerateDataKeyWithoutPlaintext", aliases=True)
def generate_without(context: Context, params: Params, row: Row) -> Output:
    """Raises what GenerateDataKey does."""
    return _data_key(context, params, row, "GenerateDataKeyWithoutPlaintext")[1]


def _pair(context: Context, params: Params, row: Row, operation: str) -> tuple[bytes, Output]:
    check_use(row, params, ENCRYPT, operation, SYMMETRIC)
    spec = params["KeyPairSpec"]
    if spec not in SPECS:
        raise unsupported(f"KeyPairSpec {spec} is not offered by Clary.")
    key = private(spec)
    return packed(key), {
        "PrivateKeyCiphertextBlob": encrypted(
            context, row, SYMMETRIC, packed(key), params.get("EncryptionContext") or {}
        ),
        "PublicKey": public(key),
        "KeyId": row.arn,
        "KeyPairSpec": spec,
        "KeyMaterialId": materials(row)[-1]["id"],
    }


@on_key("GenerateDataKeyPair", aliases=True)
def generate_pair(context: Context, params: Params, row: Row) -> Output:
    """Raises what GenerateDataKey does."""
    key, said = _pair(context, params, row, "GenerateDataKeyPair")
    return {**said, "PrivateKeyPlaintext": key}


@on_key("GenerateDataKeyPairWithoutPlaintext", aliases=True)
def generate_pair_without(context: Context, params: Params, row: Row) -> Output:
    """Raises what GenerateDataKey does."""
    return _pair(context, params, row, "GenerateDataKeyPairWithoutPlaintext")[1]


@SERVICE.operation("GenerateRandom")
def random(_context: Context, params: Params) -> Output:
    """Raises ValidationException."""
    if params.get("CustomKeyStoreId"):
        raise unsupported("Custom key stores are not offered by Clary.")
    check_asked(params)
    if not params.get("NumberOfBytes"):
        raise invalid("NumberOfBytes is required.")
    return {"Plaintext": secrets.token_bytes(params["NumberOfBytes"])}
