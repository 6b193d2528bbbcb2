"""A KMS with one key, for tests of those that ask it: it wraps, and refuses when it is told to."""

from __future__ import annotations

import json
import secrets
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from clary.calls import Call
from clary.errors import AWSError

ARN = "arn:aws:kms:us-east-1:000000000000:key/0d1e2f3a-0000-4000-8000-000000000001"


class OneKey:
    """Carries out GenerateDataKey and Decrypt."""

    def __init__(self) -> None:
        self._cipher = AESGCM(secrets.token_bytes(32))
        self.refuses: AWSError | None = None
        self.calls: list[Call] = []

    def __call__(self, call: Call) -> dict[str, Any]:
        self.calls.append(call)
        if self.refuses is not None:
            raise self.refuses
        bound = json.dumps(call.params["EncryptionContext"], sort_keys=True).encode()
        if call.operation == "GenerateDataKey":
            nonce, plain = secrets.token_bytes(12), secrets.token_bytes(call.params["NumberOfBytes"])
            return {
                "KeyId": ARN,
                "Plaintext": plain,
                "CiphertextBlob": nonce + self._cipher.encrypt(nonce, plain, bound),
            }
        assert call.operation == "Decrypt"
        blob = call.params["CiphertextBlob"]
        try:
            return {"KeyId": ARN, "Plaintext": self._cipher.decrypt(blob[:12], blob[12:], bound)}
        except InvalidTag:
            raise AWSError("InvalidCiphertextException", "") from None
