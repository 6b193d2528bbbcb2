"""Storage classes, and what was archived: it is read when it was restored, and until then."""

import http.client
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

import pytest

from tests.contract.s3.refusals import refused

READ_AT_ONCE = ["REDUCED_REDUNDANCY", "STANDARD_IA", "ONEZONE_IA", "INTELLIGENT_TIERING", "GLACIER_IR"]
DAY = timedelta(days=1)


@pytest.fixture
def archived(client, bucket):
    """An object in an archive, as calls name it."""
    at = {"Bucket": bucket, "Key": "k"}
    client.put_object(**at, Body=b"archived", StorageClass="GLACIER")
    return at


def asked(days=1, **more):
    return {"RestoreRequest": {"Days": days, **more}}


def midnights(days):
    """When what is restored now is archived again; the day may change meanwhile."""
    today = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return {today + (days + 1) * DAY, today + (days + 2) * DAY}


@pytest.mark.parametrize("name", READ_AT_ONCE)
def test_a_class_is_kept_and_told(client, bucket, name):
    at = {"Bucket": bucket, "Key": "k"}
    client.put_object(**at, Body=b"x", StorageClass=name)
    got = client.get_object(**at)
    assert (got["Body"].read(), got["StorageClass"]) == (b"x", name)
    assert client.head_object(**at)["StorageClass"] == name
    assert client.get_object_attributes(**at, ObjectAttributes=["StorageClass"])["StorageClass"] == name
    assert client.list_objects_v2(Bucket=bucket)["Contents"][0]["StorageClass"] == name
    assert client.list_objects(Bucket=bucket)["Contents"][0]["StorageClass"] == name
    assert client.list_object_versions(Bucket=bucket)["Versions"][0]["StorageClass"] == name
    upload = {**at, "UploadId": client.create_multipart_upload(**at, StorageClass=name)["UploadId"]}
    assert client.list_multipart_uploads(Bucket=bucket)["Uploads"][0]["StorageClass"] == name
    assert client.list_parts(**upload)["StorageClass"] == name
    refused("InvalidObjectState", 403, client.restore_object, **at, RestoreRequest={})


@pytest.mark.parametrize("name", ["OUTPOSTS", "SNOW", "EXPRESS_ONEZONE", "nonsense"])
def test_a_class_that_no_bucket_here_has(client, bucket, name):
    at = {"Bucket": bucket, "Key": "k", "StorageClass": name}
    for call in (client.put_object, client.create_multipart_upload):
        assert refused("InvalidStorageClass", 400, call, **at)["StorageClassRequested"] == name


@pytest.mark.parametrize("name", ["GLACIER", "DEEP_ARCHIVE"])
def test_what_is_archived_is_told_of_but_not_read(client, bucket, name):
    at = {"Bucket": bucket, "Key": "k"}
    etag = client.put_object(**at, Body=b"x", StorageClass=name)["ETag"]
    error = refused("InvalidObjectState", 403, client.get_object, **at)
    assert error["Message"] == "The operation is not valid for the object's storage class"
    assert error["StorageClass"] == name
    refused("InvalidObjectState", 403, client.get_object, **at, IfNoneMatch=etag)
    head = client.head_object(**at)
    assert (head["StorageClass"], head["ETag"], "Restore" in head) == (name, etag, False)
    error = refused("InvalidObjectState", 403, client.copy_object, Bucket=bucket, Key="c", CopySource=f"{bucket}/k")
    assert error["Message"] == "Operation is not valid for the source object's storage class"
    upload = {"Bucket": bucket, "Key": "u"}
    upload["UploadId"] = client.create_multipart_upload(**upload)["UploadId"]
    refused("InvalidObjectState", 403, client.upload_part_copy, **upload, PartNumber=1, CopySource=f"{bucket}/k")
    client.put_object_tagging(**at, Tagging={"TagSet": []})
    client.delete_object(**at)


def test_what_was_uploaded_in_parts_or_copied_into_an_archive_lies_there(client, bucket):
    at = {"Bucket": bucket, "Key": "k"}
    upload = {**at, "UploadId": client.create_multipart_upload(**at, StorageClass="DEEP_ARCHIVE")["UploadId"]}
    part = {"PartNumber": 1, "ETag": client.upload_part(**upload, PartNumber=1, Body=b"x")["ETag"]}
    client.complete_multipart_upload(**upload, MultipartUpload={"Parts": [part]})
    refused("InvalidObjectState", 403, client.get_object, **at)
    client.put_object(**at, Body=b"x")
    client.copy_object(**at, CopySource=f"{bucket}/k", StorageClass="GLACIER")
    refused("InvalidObjectState", 403, client.get_object, **at)


def test_what_was_restored_is_read_until_a_midnight(client, s3, archived):
    assert client.restore_object(**archived, **asked(2))["ResponseMetadata"]["HTTPStatusCode"] == 202
    got = client.get_object(**archived)
    assert (got["Body"].read(), got["StorageClass"]) == (b"archived", "GLACIER")
    ongoing, expiry = client.head_object(**archived)["Restore"].split(", ", 1)
    assert ongoing == 'ongoing-request="false"'
    assert parsedate_to_datetime(expiry.removeprefix('expiry-date="').rstrip('"')) in midnights(2)
    longer = client.restore_object(**archived, **asked(9, GlacierJobParameters={"Tier": "Bulk"}))
    assert longer["ResponseMetadata"]["HTTPStatusCode"] == 200
    listed = {"Bucket": archived["Bucket"], "OptionalObjectAttributes": ["RestoreStatus"]}
    for entry in (
        client.list_objects_v2(**listed)["Contents"][0],
        client.list_objects(**listed)["Contents"][0],
        client.list_object_versions(**listed)["Versions"][0],
    ):
        status = entry["RestoreStatus"]
        assert (status["IsRestoreInProgress"], status["RestoreExpiryDate"] in midnights(9)) == (False, True)
    assert "RestoreStatus" not in client.list_objects_v2(Bucket=archived["Bucket"])["Contents"][0]
    s3.store.revise(archived["Bucket"], "k", lambda known: replace(known, restored_until=1))
    refused("InvalidObjectState", 403, client.get_object, **archived)
    assert "Restore" not in client.head_object(**archived)
    assert "RestoreStatus" not in client.list_objects_v2(**listed)["Contents"][0]


def test_what_was_restored_is_brought_back_for_good_by_a_copy(client, archived):
    client.restore_object(**archived, **asked())
    client.copy_object(**archived, CopySource=archived, StorageClass="STANDARD")
    got = client.get_object(**archived)
    assert (got["Body"].read(), "StorageClass" in got, "Restore" in got) == (b"archived", False, False)


def test_one_version_is_restored(client, archived):
    client.put_bucket_versioning(Bucket=archived["Bucket"], VersioningConfiguration={"Status": "Enabled"})
    first = client.put_object(**archived, Body=b"one", StorageClass="GLACIER")["VersionId"]
    client.put_object(**archived, Body=b"two", StorageClass="GLACIER")
    client.restore_object(**archived, VersionId=first, **asked())
    assert client.get_object(**archived, VersionId=first)["Body"].read() == b"one"
    refused("InvalidObjectState", 403, client.get_object, **archived)
    marker = client.delete_object(**archived)["VersionId"]
    refused("NoSuchKey", 404, client.restore_object, **archived, **asked())
    refused("MethodNotAllowed", 405, client.restore_object, **archived, VersionId=marker, **asked())


def test_restores_that_are_refused(client, s3, bucket, archived):
    restore = client.restore_object
    client.put_object(Bucket=bucket, Key="standard", Body=b"x")
    error = refused("InvalidObjectState", 403, restore, Bucket=bucket, Key="standard", **asked())
    assert error["Message"] == "Restore is not allowed for the object's current storage class"
    client.put_object(Bucket=bucket, Key="tiering", Body=b"x", StorageClass="INTELLIGENT_TIERING")
    refused("InvalidArgument", 400, restore, Bucket=bucket, Key="tiering", **asked())
    client.put_object(Bucket=bucket, Key="deep", Body=b"x", StorageClass="DEEP_ARCHIVE")
    expedited = asked(GlacierJobParameters={"Tier": "Expedited"})
    refused("InvalidArgument", 400, restore, Bucket=bucket, Key="deep", **expedited)
    restore(**archived, **expedited)
    for wrong in ({}, asked(0), asked(-1), asked(2**31 - 1), asked(GlacierJobParameters={"Tier": "Slow"})):
        refused("MalformedXML", 400, restore, **archived, **wrong)
    refused("MethodNotAllowed", 405, restore, **archived, RestoreRequest={"Type": "SELECT"})
    refused("NoSuchKey", 404, restore, Bucket=bucket, Key="none", **asked())
    s3.rules.denied = {"s3:RestoreObject"}
    refused("AccessDenied", 403, restore, **archived, **asked())


def test_an_archived_object_s_address_says_why(s3, client, archived):
    split = urlsplit(client.generate_presigned_url("get_object", archived))
    connection = http.client.HTTPConnection(split.netloc)
    connection.request("GET", f"{split.path}?{split.query}")
    answer = connection.getresponse()
    assert (answer.status, b"<StorageClass>GLACIER</StorageClass>" in answer.read()) == (403, True)
