"""How values are kept: under a data key of KMS's, for this version of this secret alone
(https://docs.aws.amazon.com/secretsmanager/latest/userguide/security-encryption.html). KMS is asked as the caller."""

from __future__ import annotations

import base64
import secrets
from dataclasses import dataclass
from typing import Any

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from clary.calls import Call
from clary.errors import AccessDenied, AWSError
from clary.services.context import Context
from clary.services.resources import Output, Params
from clary.services.secretsmanager.errors import invalid
from clary.store.rows import Row

DEFAULT_KEY = "alias/aws/secretsmanager"
_DEFAULT_SHOWN = "DefaultEncryptionKey"
"""What a version says of it."""

_MOST = 65_536
_NONCE = 12
_OURS = 500


@dataclass(frozen=True)
class Value:
    """What a version holds."""

    data: bytes
    binary: bool

    def shown(self) -> Output:
        """The member of an output."""
        return {"SecretBinary": self.data} if self.binary else {"SecretString": self.data.decode()}


def given(params: Params) -> Value | None:
    """That of a request; None where it has none. Raises InvalidParameterException."""
    text, data = params.get("SecretString"), params.get("SecretBinary")
    if text is not None and data is not None:
        raise invalid("You can't specify both a binary secret value and a string secret value in the same secret.")
    if text is None and data is None:
        return None
    value = Value(data, binary=True) if data is not None else Value(_bytes(str(text)), binary=False)
    if len(value.data) > _MOST:
        raise invalid(f"The secret value is longer than {_MOST} bytes.")
    return value


def _bytes(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError:
        raise invalid("The secret value is no Unicode text.") from None


def sealed(context: Context, arn: str, version: str, key: str | None, value: Value) -> dict[str, Any]:
    """As a version's row holds it. Raises what KMS does."""
    asked = {"KeyId": key or DEFAULT_KEY, "KeySpec": "AES_256", "EncryptionContext": _context(arn, version)}
    made = _kms(context, "GenerateDataKey", asked)
    nonce = secrets.token_bytes(_NONCE)
    data = nonce + AESGCM(made["Plaintext"]).encrypt(nonce, value.data, version.encode())
    return {
        "data_key": base64.b64encode(made["CiphertextBlob"]).decode(),
        "value": base64.b64encode(data).decode(),
        "binary": value.binary,
        "kms_key": made["KeyId"] if key else _DEFAULT_SHOWN,
    }


def opened(context: Context, arn: str, version: str, row: Row) -> Value:
    """The inverse. Raises what KMS does."""
    blob = base64.b64decode(row.state["data_key"])
    asked = {"CiphertextBlob": blob, "EncryptionContext": _context(arn, version)}
    key, data = _kms(context, "Decrypt", asked)["Plaintext"], base64.b64decode(row.state["value"])
    return Value(AESGCM(key).decrypt(data[:_NONCE], data[_NONCE:], version.encode()), row.state["binary"])


def _context(arn: str, version: str) -> dict[str, str]:
    return {"SecretARN": arn, "SecretVersionId": version}


def _kms(context: Context, operation: str, params: Params) -> Output:
    through = f"secretsmanager.{context.region}.amazonaws.com"
    call = Call(context.call.principal, "kms", operation, params, context.region, parent=through)
    try:
        return context.invoke(call)
    except AccessDenied:
        raise AccessDenied("Access to KMS is not allowed") from None
    except AWSError as error:
        raise _told(operation, error) from None


def _told(operation: str, error: AWSError) -> AWSError:
    """What Secrets Manager says where KMS refuses."""
    if error.status >= _OURS:
        return error
    if operation == "Decrypt":
        text = "Secrets Manager can't decrypt the protected secret text using the provided KMS key."
        return AWSError("DecryptionFailure", f"{text} {error.message}".strip())
    text = "Secrets Manager can't encrypt the protected secret text using the provided KMS key. Check that the KMS key "
    return AWSError("EncryptionFailure", f"{text}is available, enabled, and not in an invalid state. {error.message}")
