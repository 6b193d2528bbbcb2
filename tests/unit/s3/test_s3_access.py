"""The rights that S3's operations need."""

from datetime import UTC, datetime, timedelta

import pytest

from clary.calls import Call, Principal
from clary.errors import AWSError
from clary.services.s3.access import access
from clary.services.s3.service import SERVICE

PRINCIPAL = Principal("root", "1", "arn", "arn", "1")


def needed(operation, **params):
    call = Call(PRINCIPAL, "s3", operation, params, "us-east-1")
    return [(one.action, one.resource) for one in access(call)]


@pytest.mark.parametrize(
    ("operation", "params", "rights"),
    [
        ("GetObject", {"Key": "a/k"}, [("s3:GetObject", "arn:aws:s3:::b/a/k")]),
        ("HeadObject", {"Key": "k"}, [("s3:GetObject", "arn:aws:s3:::b/k")]),
        ("PutObject", {"Key": "k"}, [("s3:PutObject", "arn:aws:s3:::b/k")]),
        (
            "PutObject",
            {"Key": "k", "Tagging": "a=1"},
            [("s3:PutObject", "arn:aws:s3:::b/k"), ("s3:PutObjectTagging", "arn:aws:s3:::b/k")],
        ),
        (
            "CopyObject",
            {"Key": "k", "CopySource": "/other/a%20b?versionId=null"},
            [("s3:PutObject", "arn:aws:s3:::b/k"), ("s3:GetObjectVersion", "arn:aws:s3:::other/a b")],
        ),
        (
            "CopyObject",
            {"Key": "k", "CopySource": "other/a"},
            [("s3:PutObject", "arn:aws:s3:::b/k"), ("s3:GetObject", "arn:aws:s3:::other/a")],
        ),
        ("GetObject", {"Key": "k", "VersionId": "null"}, [("s3:GetObjectVersion", "arn:aws:s3:::b/k")]),
        ("DeleteObject", {"Key": "k", "VersionId": "null"}, [("s3:DeleteObjectVersion", "arn:aws:s3:::b/k")]),
        ("PutObjectTagging", {"Key": "k", "VersionId": "v"}, [("s3:PutObjectVersionTagging", "arn:aws:s3:::b/k")]),
        (
            "GetObjectAttributes",
            {"Key": "k", "VersionId": "v"},
            [("s3:GetObjectVersionAttributes", "arn:aws:s3:::b/k"), ("s3:GetObjectVersion", "arn:aws:s3:::b/k")],
        ),
        (
            "PutObject",
            {"Key": "k", "ObjectLockMode": "GOVERNANCE", "ObjectLockLegalHoldStatus": "ON"},
            [(f"s3:{name}", "arn:aws:s3:::b/k") for name in ("PutObject", "PutObjectRetention", "PutObjectLegalHold")],
        ),
        ("ListObjectVersions", {}, [("s3:ListBucketVersions", "arn:aws:s3:::b")]),
        ("UploadPart", {"Key": "k"}, [("s3:PutObject", "arn:aws:s3:::b/k")]),
        ("CompleteMultipartUpload", {"Key": "k"}, [("s3:PutObject", "arn:aws:s3:::b/k")]),
        ("AbortMultipartUpload", {"Key": "k"}, [("s3:AbortMultipartUpload", "arn:aws:s3:::b/k")]),
        ("ListParts", {"Key": "k"}, [("s3:ListMultipartUploadParts", "arn:aws:s3:::b/k")]),
        ("ListObjectsV2", {}, [("s3:ListBucket", "arn:aws:s3:::b")]),
        ("HeadBucket", {}, [("s3:ListBucket", "arn:aws:s3:::b")]),
        ("CreateBucket", {}, [("s3:CreateBucket", "arn:aws:s3:::b")]),
        ("DeleteObjects", {"Delete": {"Objects": [{"Key": "x"}]}}, []),
    ],
)
def test_the_right_is_on_what_the_request_names(operation, params, rights):
    assert needed(operation, Bucket="b", **params) == rights


def test_without_a_signature_many_deletes_are_refused_at_once():
    call = Call(Principal("anonymous", "", "", "", ""), "s3", "DeleteObjects", {"Bucket": "b"}, "us-east-1")
    assert [(one.action, one.resource) for one in access(call)] == [("s3:DeleteObject", "arn:aws:s3:::b/*")]


def test_all_buckets_are_listed_by_a_right_on_everything():
    assert needed("ListBuckets") == [("s3:ListAllMyBuckets", "*")]


def test_every_operation_needs_some_right():
    everything = {"Bucket": "b", "Key": "k", "CopySource": "b/k"}
    for operation in SERVICE.operations:
        assert all(action.startswith("s3:") for action, _ in needed(operation, **everything))


def test_conditions_come_from_the_request():
    call = Call(PRINCIPAL, "s3", "ListObjectsV2", {"Bucket": "b", "Delimiter": "/", "MaxKeys": 5}, "us-east-1")
    assert access(call)[0].context == {"s3:prefix": "", "s3:delimiter": "/", "s3:max-keys": "5"}
    call = Call(PRINCIPAL, "s3", "PutObject", {"Bucket": "b", "Key": "k", "ACL": "private"}, "us-east-1")
    assert access(call)[0].context == {"s3:x-amz-acl": "private"}


def test_a_copy_source_that_names_nothing_is_refused():
    with pytest.raises(AWSError, match="InvalidArgument"):
        needed("CopyObject", Bucket="b", Key="k", CopySource="bucket-only")


def test_conditions_on_locks_and_versions_see_what_the_request_brings():
    until = datetime.now(UTC) + timedelta(days=10, hours=1)
    call = Call(PRINCIPAL, "s3", "PutObjectRetention", {"Bucket": "b", "Key": "k", "VersionId": "v"}, "us-east-1")
    call.params["Retention"] = {"Mode": "COMPLIANCE", "RetainUntilDate": until}
    [needed] = access(call)
    assert needed.action == "s3:PutObjectRetention"
    assert needed.context == {
        "s3:VersionId": "v",
        "s3:object-lock-mode": "COMPLIANCE",
        "s3:object-lock-retain-until-date": until.isoformat(),
        "s3:object-lock-remaining-retention-days": "10",
    }


def test_the_right_on_a_copys_source_says_which_version():
    call = Call(PRINCIPAL, "s3", "CopyObject", {"Bucket": "b", "Key": "k"}, "us-east-1")
    call.params["CopySource"] = "other/a?versionId=v1"
    assert access(call)[-1].context == {"s3:VersionId": "v1"}
