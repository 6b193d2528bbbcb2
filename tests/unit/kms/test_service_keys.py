"""AWS managed keys: for all who may use the service, through the service alone. S3 with SSE-KMS would call as is done
here."""

import pytest

from clary.calls import Call, Principal
from clary.errors import AccessDenied
from clary.identity.directory import Directory

ANN = "arn:aws:iam::000000000000:user/ann"
WHO = Principal("user", "000000000000", ANN, ANN, "AIDA")
THROUGH = "s3.us-east-1.amazonaws.com"


@pytest.fixture
def ask(kms, monkeypatch):
    """Calls of a user who has no policy, through a service or directly."""
    nobody = {"id": "AIDA", "name": "ann", "policies": [], "boundary": None, "tags": {}}
    known = Directory({"account": "000000000000", "keys": {}, "subjects": {ANN: nobody}, "policies": {}})

    def ask(operation, through, **params):
        call = Call(WHO, "kms", operation, params, "us-east-1", parent=through)
        monkeypatch.setattr(kms.inner, "decide", lambda access, policy: known.decide_on(call, access, policy))
        return kms.inner.door(call)

    return ask


def test_an_object_is_encrypted_through_s3_and_not_otherwise(ask):
    said = {"EncryptionContext": {"aws:s3:arn": "arn:aws:s3:::data/key"}}
    made = ask("GenerateDataKey", THROUGH, KeyId="alias/aws/s3", KeySpec="AES_256", **said)
    assert ask("Decrypt", THROUGH, CiphertextBlob=made["CiphertextBlob"], **said)["Plaintext"] == made["Plaintext"]
    for through in ("", "ssm.us-east-1.amazonaws.com", "a-tuning-job"):
        with pytest.raises(AccessDenied):
            ask("Decrypt", through, CiphertextBlob=made["CiphertextBlob"], **said)


def test_a_service_s_key_is_not_made_for_one_who_may_not(kms, ask):
    with pytest.raises(AccessDenied):
        ask("Encrypt", "", KeyId="alias/aws/sns", Plaintext=b"x")
    assert kms.inner.store.read.rows("kms-key") == []
