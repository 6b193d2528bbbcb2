"""Objects under keys: what becomes of them with their key."""

import time

import pytest

from clary.controllers.key_effects import KeyController
from clary.keys.rows import KIND
from clary.objects.errors import ObjectSealed
from clary.store.rows import Key

DAYS = 86_400.0
TEXT = b"nobody shall read this"
KMS = {"ServerSideEncryption": "aws:kms"}


@pytest.fixture
def s3(emptied_inner):
    def call(operation, **params):
        return emptied_inner("s3", operation, Bucket="bbb", **params)

    call("CreateBucket")
    return call


def copied(inner, **params):
    return inner.refusal("s3", "CopyObject", Bucket="bbb", Key="copy", CopySource="bbb/k", **params)


def test_a_deleted_key_takes_with_it_all_that_it_has_encrypted(kms, s3, emptied_inner):
    key = kms.create()
    put = s3("PutObject", Key="k", Body=TEXT, SSEKMSKeyId=key, **KMS)
    assert put["SSEKMSKeyId"] == kms.arn(key)
    s3("CopyObject", Key="plain", CopySource="bbb/k")
    kms("ScheduleKeyDeletion", KeyId=key, PendingWindowInDays=7)
    assert copied(emptied_inner) == ("KMS.KMSInvalidStateException", f"{kms.arn(key)} is pending deletion.")
    controller = KeyController(
        emptied_inner.settings,
        emptied_inner.store,
        emptied_inner.door,
        emptied_inner.woken.append,
        lambda: time.time() + 8 * DAYS,
    )
    controller.reconcile(Key(KIND, "000000000000", "us-east-1", key))
    code, text = copied(emptied_inner)
    assert code == "AccessDenied" and text.startswith(
        "The ciphertext refers to a customer master key that does not exist"
    )
    objects = emptied_inner.objects
    with pytest.raises(ObjectSealed):
        b"".join(objects.read(objects.head("bbb", "k")))
    assert b"".join(objects.read(objects.head("bbb", "plain"))) == TEXT


def test_a_key_without_its_material_decrypts_nothing_until_that_is_back(kms, s3, emptied_inner):
    key = kms.create()
    s3("PutObject", Key="k", Body=TEXT, SSEKMSKeyId=key, **KMS)
    kms("DisableKey", KeyId=key)
    assert copied(emptied_inner) == ("KMS.DisabledException", f"{kms.arn(key)} is disabled.")
    kms("EnableKey", KeyId=key)
    kms("RotateKeyOnDemand", KeyId=key)
    s3("CopyObject", Key="copy", CopySource="bbb/k")
    waiting = kms.create(Origin="EXTERNAL")
    put = {"Bucket": "bbb", "Key": "l", "Body": b"x", "SSEKMSKeyId": waiting, **KMS}
    assert emptied_inner.refusal("s3", "PutObject", **put)[0] == "KMS.KMSInvalidStateException"
    signer = kms.of("ECC_NIST_P256", "SIGN_VERIFY")
    assert (
        emptied_inner.refusal("s3", "PutObject", **{**put, "SSEKMSKeyId": signer})[0] == "KMS.InvalidKeyUsageException"
    )


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ("fake-key-id", "Invalid keyId 'fake-key-id'"),
        ("alias/none", "Alias arn:aws:kms:us-east-1:000000000000:alias/none is not found."),
        ("arn:aws:kms:eu-west-1:000000000000:key/134f2428-cec1-4b25-a1ae-9048164dba47", "Invalid arn eu-west-1"),
        (
            "134f2428-cec1-4b25-a1ae-9048164dba47",
            "Key 'arn:aws:kms:us-east-1:000000000000:key/134f2428-cec1-4b25-a1ae-9048164dba47' does not exist",
        ),
    ],
)
def test_keys_that_are_none(s3, emptied_inner, given, text):
    put = {"Bucket": "bbb", "Key": "k", "Body": b"x", "SSEKMSKeyId": given, **KMS}
    assert emptied_inner.refusal("s3", "PutObject", **put) == ("KMS.NotFoundException", text)


def test_keys_are_named_in_four_ways_and_by_none(kms, s3):
    key = kms.create()
    kms("CreateAlias", AliasName="alias/mine", TargetKeyId=key)
    for given in (key, kms.arn(key), "alias/mine", "arn:aws:kms:us-east-1:000000000000:alias/mine"):
        assert s3("PutObject", Key="k", Body=b"x", SSEKMSKeyId=given, **KMS)["SSEKMSKeyId"] == kms.arn(key)
    own = s3("PutObject", Key="k", Body=b"x", **KMS)["SSEKMSKeyId"]
    found = kms("DescribeKey", KeyId="alias/aws/s3")["KeyMetadata"]
    assert (found["Arn"], found["KeyManager"]) == (own, "AWS")
