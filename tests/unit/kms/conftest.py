"""KMS of a control that has no edge."""

import pytest


class Kms:
    """Keys of one Clary."""

    def __init__(self, inner):
        self.inner = inner

    def __call__(self, operation, **params):
        return self.inner("kms", operation, **params)

    def refusal(self, operation, **params):
        return self.inner.refusal("kms", operation, **params)

    def create(self, **params):
        return self("CreateKey", **params)["KeyMetadata"]["KeyId"]

    def of(self, spec, usage):
        return self.create(KeySpec=spec, KeyUsage=usage)

    def encrypt(self, key, text=b"secret", **params):
        return self("Encrypt", KeyId=key, Plaintext=text, **params)["CiphertextBlob"]

    def decrypt(self, blob, **params):
        return self("Decrypt", CiphertextBlob=blob, **params)["Plaintext"]

    def arn(self, key):
        return f"arn:aws:kms:us-east-1:000000000000:key/{key}"


@pytest.fixture
def kms(emptied_inner):
    return Kms(emptied_inner)
