"""Who may do what in the bucket: read it, and nothing else."""

import pytest

from clary.calls import Access, Call, Principal
from clary.errors import AWSError
from clary.services.s3 import public
from clary.services.s3.access import access, deletion

PRINCIPAL = Principal("root", "1", "arn", "arn", "1")
BUCKET = "jumpstart-cache-prod-us-east-1"


def needed(operation, **params):
    call = Call(PRINCIPAL, "s3", operation, {"Bucket": BUCKET, **params}, "us-east-1")
    return [one.action for one in access(call)]


@pytest.mark.parametrize("operation", ["GetObject", "HeadObject", "GetObjectTagging"])
def test_objects_are_read_without_a_right(operation):
    assert needed(operation, Key="k") == []


@pytest.mark.parametrize("operation", ["HeadBucket", "ListObjects", "ListObjectsV2", "GetBucketLocation"])
def test_the_bucket_is_listed_without_a_right(operation):
    assert needed(operation) == []


@pytest.mark.parametrize(
    "operation", ["PutObject", "DeleteObject", "CreateMultipartUpload", "PutObjectTagging", "AbortMultipartUpload"]
)
def test_nobody_changes_objects(operation):
    with pytest.raises(AWSError, match="Access Denied"):
        needed(operation, Key="k")


@pytest.mark.parametrize("operation", ["DeleteBucket", "PutBucketTagging", "PutBucketPolicy"])
def test_nobody_changes_the_bucket(operation):
    with pytest.raises(AWSError, match="Access Denied"):
        needed(operation)


def test_of_many_deletes_each_is_refused():
    with pytest.raises(AWSError, match="Access Denied"):
        deletion(BUCKET, "k")


def test_a_copy_out_of_it_needs_only_the_right_to_write():
    call = Call(PRINCIPAL, "s3", "CopyObject", {"Bucket": "b", "Key": "k", "CopySource": f"{BUCKET}/k"}, "us-east-1")
    assert [one.action for one in access(call)] == ["s3:PutObject"]


def test_execution_roles_read_it_too():
    assert public.is_granted(Access("s3:GetObject", f"arn:aws:s3:::{BUCKET}/k"))
    assert not public.is_granted(Access("s3:PutObject", f"arn:aws:s3:::{BUCKET}/k"))
    assert not public.is_granted(Access("s3:GetObject", "arn:aws:s3:::mine/k"))
