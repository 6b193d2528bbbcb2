"""Keys of several regions: one material, read in each."""

import json

import pytest

from .test_keys import after

EAST, WEST, SOUTH = "us-east-1", "us-west-2", "sa-east-1"


class Family:
    """A primary in the east with a replica in the west."""

    def __init__(self, kms):
        self.inner = kms.inner
        self.key = kms.create(MultiRegion=True, Description="first")
        self.replica = self.east("ReplicateKey", ReplicaRegion=WEST, Description="second")

    def east(self, operation, **params):
        return self.inner("kms", operation, KeyId=self.key, **params)

    def west(self, operation, **params):
        return self.inner("kms", operation, WEST, KeyId=self.key, **params)

    def shown(self, region):
        return self.inner("kms", "DescribeKey", region, KeyId=self.key)["KeyMetadata"]

    def refused(self, region, operation, **params):
        with pytest.raises(Exception) as raised:
            self.inner("kms", operation, region, KeyId=self.key, **params)
        return raised.value.code, raised.value.message

    def arn(self, region):
        return f"arn:aws:kms:{region}:000000000000:key/{self.key}"


@pytest.fixture
def family(kms):
    return Family(kms)


def test_a_key_says_where_its_others_are(kms, family):
    assert family.key.startswith("mrk-")
    primary, replica = family.shown(EAST), family.shown(WEST)
    assert replica == family.replica["ReplicaKeyMetadata"]
    assert json.loads(family.replica["ReplicaPolicy"])["Id"] == "key-default-1"
    assert (primary["Description"], replica["Description"]) == ("first", "second")
    assert primary["CurrentKeyMaterialId"] == replica["CurrentKeyMaterialId"]
    for shown, kind in ((primary, "PRIMARY"), (replica, "REPLICA")):
        assert shown["MultiRegion"]
        assert shown["MultiRegionConfiguration"] == {
            "MultiRegionKeyType": kind,
            "PrimaryKey": {"Arn": family.arn(EAST), "Region": EAST},
            "ReplicaKeys": [{"Arn": family.arn(WEST), "Region": WEST}],
        }
    plain = kms("DescribeKey", KeyId=kms.create())["KeyMetadata"]
    assert not plain["MultiRegion"]
    assert "MultiRegionConfiguration" not in plain


def test_what_one_region_encrypts_another_decrypts(family):
    blob = family.east("Encrypt", Plaintext=b"hello")["CiphertextBlob"]
    opened = family.inner("kms", "Decrypt", WEST, CiphertextBlob=blob)
    assert (opened["Plaintext"], opened["KeyId"]) == (b"hello", family.arn(WEST))
    family.east("DisableKey")
    assert family.inner("kms", "Decrypt", WEST, CiphertextBlob=blob)["Plaintext"] == b"hello"


def test_replicas_follow_the_primarys_rotations(kms, family):
    family.east("RotateKeyOnDemand")
    family.east("EnableKeyRotation", RotationPeriodInDays=90)
    assert family.shown(WEST)["CurrentKeyMaterialId"] == family.shown(EAST)["CurrentKeyMaterialId"]
    assert family.west("GetKeyRotationStatus")["RotationPeriodInDays"] == 90
    before = family.shown(WEST)["CurrentKeyMaterialId"]
    after(kms, 91)
    assert before != family.shown(WEST)["CurrentKeyMaterialId"] == family.shown(EAST)["CurrentKeyMaterialId"]
    blob = family.west("Encrypt", Plaintext=b"new")["CiphertextBlob"]
    assert family.inner("kms", "Decrypt", CiphertextBlob=blob)["Plaintext"] == b"new"


def test_only_a_primary_is_replicated_and_rotated(kms, family):
    told = ("UnsupportedOperationException", f"{family.arn(WEST)} is not a multi-region primary key.")
    assert family.refused(WEST, "ReplicateKey", ReplicaRegion=SOUTH) == told
    assert family.refused(WEST, "RotateKeyOnDemand") == told
    assert family.refused(WEST, "UpdatePrimaryRegion", PrimaryRegion=EAST) == told
    assert family.refused(EAST, "ReplicateKey", ReplicaRegion=WEST)[0] == "AlreadyExistsException"
    single = kms.create()
    text = f"{kms.arn(single)} is not a multi-region primary key."
    assert kms.refusal("ReplicateKey", KeyId=single, ReplicaRegion=WEST) == ("UnsupportedOperationException", text)


def test_another_region_becomes_the_primarys(kms, family):
    family.east("EnableKeyRotation", RotationPeriodInDays=90)
    family.east("UpdatePrimaryRegion", PrimaryRegion=WEST)
    kinds = {each: family.shown(each)["MultiRegionConfiguration"]["MultiRegionKeyType"] for each in (EAST, WEST)}
    assert kinds == {EAST: "REPLICA", WEST: "PRIMARY"}
    first = family.shown(EAST)["CurrentKeyMaterialId"]
    after(kms, 91)
    assert first != family.shown(EAST)["CurrentKeyMaterialId"] == family.shown(WEST)["CurrentKeyMaterialId"]
    assert len(family.west("ListKeyRotations")["Rotations"]) == 1
    assert family.refused(WEST, "UpdatePrimaryRegion", PrimaryRegion=SOUTH)[0] == "NotFoundException"


def test_a_primary_is_deleted_after_the_last_of_its_replicas(kms, family):
    asked = family.east("ScheduleKeyDeletion", PendingWindowInDays=8)
    assert asked["KeyState"] == family.shown(EAST)["KeyState"] == "PendingReplicaDeletion"
    assert "DeletionDate" not in asked
    assert family.shown(EAST)["PendingDeletionWindowInDays"] == 8
    after(kms, 365)
    assert family.refused(EAST, "Encrypt", Plaintext=b"x")[0] == "KMSInvalidStateException"
    family.west("ScheduleKeyDeletion", PendingWindowInDays=7)
    kms.inner.woken.clear()
    after(kms, 7.5)
    assert family.refused(WEST, "DescribeKey")[0] == "NotFoundException"
    assert [key.region for key in kms.inner.woken] == [EAST]
    assert family.shown(EAST)["KeyState"] == "PendingDeletion"
    assert family.shown(EAST)["MultiRegionConfiguration"]["ReplicaKeys"] == []
    after(kms, 14)
    assert family.shown(EAST)["KeyState"] == "PendingDeletion"
    after(kms, 16)
    assert family.refused(EAST, "DescribeKey")[0] == "NotFoundException"


def test_a_replication_tried_again_is_one(kms, family):
    kms.inner.invocation_id = "again"
    first = family.east("ReplicateKey", ReplicaRegion=SOUTH)
    assert family.east("ReplicateKey", ReplicaRegion=SOUTH) == first
    assert len(family.shown(WEST)["MultiRegionConfiguration"]["ReplicaKeys"]) == 2
