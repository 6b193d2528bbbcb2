"""How values are kept: those of SecureStrings by KMS, asked as the caller; all others under the data folder's root key
(https://docs.aws.amazon.com/systems-manager/latest/userguide/secure-string-parameter-kms-encryption.html)."""

from __future__ import annotations

import base64
import json
import secrets
from typing import Any

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from clary.calls import Call
from clary.errors import AccessDenied, AWSError
from clary.identity.sealing import BadToken
from clary.keys.material import root
from clary.services.context import Context
from clary.services.resources import Output, Params
from clary.store.rows import Row

SECURE = "SecureString"
DEFAULT_KEY = "alias/aws/ssm"

_LARGE = 4096
"""Bytes: KMS encrypts no more; beyond it, it gives a data key."""
_NONCE = 12
_OURS = 500


def sealed(context: Context, arn: str, spec: Params, value: str) -> dict[str, Any]:
    """As a version's row holds it. Raises InvalidKeyId, AccessDeniedException."""
    if spec["Type"] != SECURE:
        return {"sealed": root(context.settings.data_dir).seal(value, _purpose(arn))}
    data, key = value.encode(), spec["KeyId"]
    if len(data) <= _LARGE:
        made = _kms(context, "Encrypt", {"KeyId": key, "Plaintext": data, "EncryptionContext": _context(arn)})
        return {"cipher": base64.b64encode(made["CiphertextBlob"]).decode()}
    asked = {"KeyId": key, "KeySpec": "AES_256", "EncryptionContext": _context(arn)}
    made, nonce = _kms(context, "GenerateDataKey", asked), secrets.token_bytes(_NONCE)
    cipher = nonce + AESGCM(made["Plaintext"]).encrypt(nonce, data, arn.encode())
    return {
        "data_key": base64.b64encode(made["CiphertextBlob"]).decode(),
        "cipher": base64.b64encode(cipher).decode(),
    }


def shown(context: Context, arn: str, row: Row, *, decrypt: bool) -> str:
    """The value of a version; of a SecureString the ciphertext, unless it is to be decrypted. Raises InvalidKeyId,
    AccessDeniedException."""
    state = row.state
    if "sealed" in state:
        return _unsealed(context, arn, state["sealed"])
    if not decrypt:
        return json.dumps(state) if "data_key" in state else str(state["cipher"])
    cipher = base64.b64decode(state["cipher"])
    blob = base64.b64decode(state["data_key"]) if "data_key" in state else cipher
    opened: bytes = _kms(context, "Decrypt", {"CiphertextBlob": blob, "EncryptionContext": _context(arn)})["Plaintext"]
    if "data_key" in state:
        opened = AESGCM(opened).decrypt(cipher[:_NONCE], cipher[_NONCE:], arn.encode())
    return opened.decode()


def _unsealed(context: Context, arn: str, text: str) -> str:
    try:
        return root(context.settings.data_dir).open(text, _purpose(arn))
    except BadToken:
        said = f"{arn} cannot be read: root.key in the data folder is not the one that it was kept under."
        raise AWSError("InternalServerError", said, status=500) from None


def _purpose(arn: str) -> str:
    return f"ssm {arn}"


def _context(arn: str) -> dict[str, str]:
    return {"PARAMETER_ARN": arn}


def _kms(context: Context, operation: str, params: Params) -> Output:
    through = f"ssm.{context.region}.amazonaws.com"
    try:
        return context.invoke(Call(context.call.principal, "kms", operation, params, context.region, parent=through))
    except AccessDenied as denied:
        raise AccessDenied(f"{denied.message} (Service: AWSKMS; Error Code: AccessDeniedException)") from None
    except AWSError as error:
        if error.status >= _OURS:
            raise
        text = f"{error.message} (Service: AWSKMS; Error Code: {error.code})"
        raise AWSError("InvalidKeyId", text.strip()) from None
