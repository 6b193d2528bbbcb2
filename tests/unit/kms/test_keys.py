"""Keys, aliases, tags, rotation, deletion. Texts are AWS's, as recorded in public test suites."""

import time

import pytest

from clary.controllers.key_effects import KeyController

DAY = 86_400


def test_a_key_as_aws_describes_it(kms):
    made = kms("CreateKey", Description="d", Tags=[{"TagKey": "a", "TagValue": "1"}])["KeyMetadata"]
    assert {**made, "CreationDate": None, "CurrentKeyMaterialId": None} == {
        "AWSAccountId": "000000000000",
        "KeyId": made["KeyId"],
        "Arn": kms.arn(made["KeyId"]),
        "CreationDate": None,
        "Enabled": True,
        "Description": "d",
        "KeyUsage": "ENCRYPT_DECRYPT",
        "KeyState": "Enabled",
        "Origin": "AWS_KMS",
        "KeyManager": "CUSTOMER",
        "CustomerMasterKeySpec": "SYMMETRIC_DEFAULT",
        "KeySpec": "SYMMETRIC_DEFAULT",
        "EncryptionAlgorithms": ["SYMMETRIC_DEFAULT"],
        "MultiRegion": False,
        "CurrentKeyMaterialId": None,
    }
    for name in (made["KeyId"], made["Arn"]):
        assert kms("DescribeKey", KeyId=name)["KeyMetadata"] == made
    assert kms("ListResourceTags", KeyId=made["KeyId"])["Tags"] == [{"TagKey": "a", "TagValue": "1"}]


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ("fake-key-id", "Invalid keyId 'fake-key-id'"),
        ("arn:aws:kms:eu-west-1:000000000000:key/x", "Invalid arn eu-west-1"),
        ("alias/none", "Alias arn:aws:kms:us-east-1:000000000000:alias/none is not found."),
        (
            "12345678-1234-1234-1234-123456789012",
            "Key 'arn:aws:kms:us-east-1:000000000000:key/12345678-1234-1234-1234-123456789012' does not exist",
        ),
    ],
)
def test_a_key_that_is_not_there(kms, given, text):
    assert kms.refusal("DescribeKey", KeyId=given) == ("NotFoundException", text)


@pytest.mark.parametrize(
    ("asked", "code", "text"),
    [
        (
            {"KeySpec": "HMAC_256"},
            "ValidationException",
            "You must specify a KeyUsage value for all KMS keys except for symmetric encryption keys.",
        ),
        (
            {"KeySpec": "RSA_2048", "KeyUsage": "KEY_AGREEMENT"},
            "ValidationException",
            "KeyUsage KEY_AGREEMENT is not compatible with KeySpec RSA_2048",
        ),
        (
            {"Origin": "AWS_CLOUDHSM"},
            "UnsupportedOperationException",
            "Custom key stores are not offered by Clary.",
        ),
        ({"Tags": [{"TagKey": "aws:a", "TagValue": ""}]}, "TagException", "Tags beginning with aws: are reserved"),
        ({"Tags": [{"TagKey": "a", "TagValue": ""}] * 2}, "TagException", "Duplicate tag keys"),
        ({"Policy": "{}"}, "MalformedPolicyDocumentException", "Syntax errors in policy."),
    ],
)
def test_keys_that_cannot_be_made(kms, asked, code, text):
    assert kms.refusal("CreateKey", **asked) == (code, text)


def test_the_same_call_tried_again_makes_one_key(kms):
    kms.inner.invocation_id = "try"
    assert kms.create() == kms.create()
    kms.inner.invocation_id = "another"
    assert len(kms("ListKeys")["Keys"]) == 1
    kms.create()
    assert len(kms("ListKeys")["Keys"]) == 2


def test_lists_have_pages(kms):
    keys = sorted(kms.create() for _ in range(3))
    first = kms("ListKeys", Limit=2)
    assert [each["KeyId"] for each in first["Keys"]] == keys[:2]
    assert first["Truncated"]
    rest = kms("ListKeys", Limit=2, Marker=first["NextMarker"])
    assert rest == {"Keys": [{"KeyId": keys[2], "KeyArn": kms.arn(keys[2])}], "Truncated": False}
    assert kms.refusal("ListKeys", Marker="x")[0] == "InvalidMarkerException"


def test_aliases_name_keys_and_are_moved(kms):
    one, two = kms.create(), kms.create()
    kms("CreateAlias", AliasName="alias/app", TargetKeyId=one)
    assert kms("DescribeKey", KeyId="alias/app")["KeyMetadata"]["KeyId"] == one
    blob = kms.encrypt("alias/app")
    kms("UpdateAlias", AliasName="alias/app", TargetKeyId=kms.arn(two))
    arn = "arn:aws:kms:us-east-1:000000000000:alias/app"
    assert kms("DescribeKey", KeyId=arn)["KeyMetadata"]["KeyId"] == two
    assert kms.decrypt(blob) == b"secret"
    assert [each["AliasName"] for each in kms("ListAliases", KeyId=two)["Aliases"]] == ["alias/app"]
    assert kms("ListAliases", KeyId=one)["Aliases"] == []
    text = f"An alias with the name {arn} already exists"
    assert kms.refusal("CreateAlias", AliasName="alias/app", TargetKeyId=one) == ("AlreadyExistsException", text)
    kms("DeleteAlias", AliasName="alias/app")
    assert kms.refusal("DeleteAlias", AliasName="alias/app") == ("NotFoundException", f"Alias {arn} is not found.")


@pytest.mark.parametrize(
    ("name", "code"),
    [("app", "ValidationException"), ("alias/aws/x", "NotAuthorizedException")],
)
def test_names_that_no_alias_can_have(kms, name, code):
    assert kms.refusal("CreateAlias", AliasName=name, TargetKeyId=kms.create())[0] == code


def test_a_services_key_is_made_when_it_is_first_used(kms):
    assert kms("ListAliases")["Aliases"] == []
    made = kms("DescribeKey", KeyId="alias/aws/ssm")["KeyMetadata"]
    assert (made["KeyManager"], made["KeyState"]) == ("AWS", "Enabled")
    assert kms("DescribeKey", KeyId="alias/aws/ssm")["KeyMetadata"] == made
    assert kms("GetKeyRotationStatus", KeyId=made["KeyId"])["KeyRotationEnabled"]
    assert kms.refusal("DescribeKey", KeyId="alias/aws/none")[0] == "NotFoundException"


def test_a_disabled_key_does_nothing(kms):
    key = kms.create()
    blob = kms.encrypt(key)
    kms("DisableKey", KeyId=key)
    refused = ("DisabledException", f"{kms.arn(key)} is disabled.")
    assert kms.refusal("Decrypt", CiphertextBlob=blob) == refused
    assert kms.refusal("RotateKeyOnDemand", KeyId=key) == refused
    kms("EnableKey", KeyId=key)
    assert kms.decrypt(blob) == b"secret"


def test_tags_are_added_and_removed(kms):
    key = kms.create()
    kms("TagResource", KeyId=key, Tags=[{"TagKey": name, "TagValue": "v"} for name in "abc"])
    kms("UntagResource", KeyId=key, TagKeys=["b"])
    first = kms("ListResourceTags", KeyId=key, Limit=1)
    assert first["Tags"] == [{"TagKey": "a", "TagValue": "v"}]
    rest = kms("ListResourceTags", KeyId=key, Marker=first["NextMarker"])
    assert rest == {"Tags": [{"TagKey": "c", "TagValue": "v"}], "Truncated": False}


def test_the_description_is_changed(kms):
    key = kms.create()
    kms("UpdateKeyDescription", KeyId=key, Description="new")
    assert kms("DescribeKey", KeyId=key)["KeyMetadata"]["Description"] == "new"


def test_the_default_policy_and_another(kms):
    key = kms.create()
    policy = kms("GetKeyPolicy", KeyId=key, PolicyName="default")["Policy"]
    assert '"Enable IAM User Permissions"' in policy
    assert kms("ListKeyPolicies", KeyId=key)["PolicyNames"] == ["default"]
    kms("PutKeyPolicy", KeyId=key, Policy=policy.replace("Enable IAM User Permissions", "Mine"))
    assert "Mine" in kms("GetKeyPolicy", KeyId=key)["Policy"]
    wrong = policy.replace(":root", ":user/nobody")
    text = "Policy contains a statement with one or more invalid principals."
    assert kms.refusal("PutKeyPolicy", KeyId=key, Policy=wrong) == ("MalformedPolicyDocumentException", text)
    wrong = policy.replace('"Principal"', '"NotPrincipal"')
    assert kms.refusal("PutKeyPolicy", KeyId=key, Policy=wrong)[0] == "MalformedPolicyDocumentException"


def after(kms, days):
    """What a controller does when so many days have passed."""
    later = KeyController(
        kms.inner.settings, kms.inner.store, kms.inner.door, kms.inner.woken.append, lambda: time.time() + days * DAY
    )
    for key in later.resume():
        later.reconcile(key)


def test_a_deleted_key_takes_its_data_along(kms):
    key = kms.create()
    blob = kms.encrypt(key)
    kms("CreateAlias", AliasName="alias/a", TargetKeyId=key)
    done = kms("ScheduleKeyDeletion", KeyId=key, PendingWindowInDays=7)
    assert (done["KeyState"], done["PendingWindowInDays"]) == ("PendingDeletion", 7)
    pending = ("KMSInvalidStateException", f"{kms.arn(key)} is pending deletion.")
    assert kms.refusal("Decrypt", CiphertextBlob=blob) == pending
    assert kms.refusal("ScheduleKeyDeletion", KeyId=key) == pending
    after(kms, 6.9)
    assert kms("DescribeKey", KeyId="alias/a")["KeyMetadata"]["KeyState"] == "PendingDeletion"
    after(kms, 7.1)
    assert kms.refusal("DescribeKey", KeyId=key)[0] == "NotFoundException"
    assert kms("ListAliases")["Aliases"] == []
    code, text = kms.refusal("Decrypt", CiphertextBlob=blob)
    assert code == "AccessDeniedException"
    assert text.startswith("The ciphertext refers to a customer master key that does not exist")


def test_a_deletion_is_cancelled(kms):
    key = kms.create()
    blob = kms.encrypt(key)
    kms("ScheduleKeyDeletion", KeyId=key)
    kms("CancelKeyDeletion", KeyId=key)
    assert kms("DescribeKey", KeyId=key)["KeyMetadata"]["KeyState"] == "Disabled"
    after(kms, 31)
    kms("EnableKey", KeyId=key)
    assert kms.decrypt(blob) == b"secret"
    text = f"{kms.arn(key)} is not pending deletion."
    assert kms.refusal("CancelKeyDeletion", KeyId=key) == ("KMSInvalidStateException", text)


def test_the_same_deletion_tried_again_is_one(kms):
    key = kms.create()
    kms.inner.invocation_id = "try"
    assert kms("ScheduleKeyDeletion", KeyId=key) == kms("ScheduleKeyDeletion", KeyId=key)


def test_what_old_material_encrypted_is_read_after_rotations(kms):
    key = kms.create()
    old = kms("Encrypt", KeyId=key, Plaintext=b"old")["CiphertextBlob"]
    first = kms("DescribeKey", KeyId=key)["KeyMetadata"]["CurrentKeyMaterialId"]
    kms("RotateKeyOnDemand", KeyId=key)
    kms("EnableKeyRotation", KeyId=key, RotationPeriodInDays=90)
    status = kms("GetKeyRotationStatus", KeyId=key)
    assert (status["KeyRotationEnabled"], status["RotationPeriodInDays"]) == (True, 90)
    after(kms, 91)
    rotations = kms("ListKeyRotations", KeyId=key)["Rotations"]
    assert [each["RotationType"] for each in rotations] == ["ON_DEMAND", "AUTOMATIC"]
    assert [each["KeyMaterialState"] for each in rotations] == ["NON_CURRENT", "CURRENT"]
    opened = kms("Decrypt", CiphertextBlob=old)
    assert (opened["Plaintext"], opened["KeyMaterialId"]) == (b"old", first)
    assert kms("Decrypt", CiphertextBlob=kms.encrypt(key))["KeyMaterialId"] == rotations[1]["KeyMaterialId"]
    kms("DisableKeyRotation", KeyId=key)
    after(kms, 200)
    assert len(kms("ListKeyRotations", KeyId=key)["Rotations"]) == 2


def test_a_rotation_on_demand_does_not_put_off_the_next_automatic_one(kms):
    key = kms.create()
    kms("EnableKeyRotation", KeyId=key)
    before = kms("GetKeyRotationStatus", KeyId=key)
    kms("RotateKeyOnDemand", KeyId=key)
    assert kms("GetKeyRotationStatus", KeyId=key) == before


def test_keys_without_rotation(kms):
    mac = kms.of("HMAC_256", "GENERATE_VERIFY_MAC")
    assert kms.refusal("EnableKeyRotation", KeyId=mac) == ("UnsupportedOperationException", "")
    assert kms("GetKeyRotationStatus", KeyId=mac) == {"KeyId": kms.arn(mac), "KeyRotationEnabled": False}


def test_there_are_no_custom_key_stores(kms):
    assert kms("DescribeCustomKeyStores") == {"CustomKeyStores": [], "Truncated": False}
    missing = "CustomKeyStoreNotFoundException"
    assert kms.refusal("DescribeCustomKeyStores", CustomKeyStoreName="s")[0] == missing
    assert kms.refusal("DeleteCustomKeyStore", CustomKeyStoreId="s")[0] == missing
    assert kms.refusal("CreateCustomKeyStore", CustomKeyStoreName="s")[0] == "UnsupportedOperationException"
