"""Object lock, as boto3 sees it."""

from datetime import UTC, datetime, timedelta

import pytest

from tests.contract.s3.refusals import refused

PROTECTED = "Access Denied because object protected by object lock."
LATER = datetime(2090, 1, 1, tzinfo=UTC)
SOONER = datetime(2080, 1, 1, tzinfo=UTC)
PAST = datetime(2020, 1, 1, tzinfo=UTC)


def default(**retention):
    return {"ObjectLockEnabled": "Enabled", "Rule": {"DefaultRetention": retention}}


@pytest.fixture
def locked(client, s3):
    client.create_bucket(Bucket="locked", ObjectLockEnabledForBucket=True)
    return "locked"


def put(client, bucket, **members):
    return client.put_object(Bucket=bucket, Key="k", Body=b"x", **members)["VersionId"]


def retain(client, bucket, version, mode, until, **members):
    retention = {"Mode": mode, "RetainUntilDate": until} if mode else {}
    named = {"Bucket": bucket, "Key": "k", "VersionId": version}
    return client.put_object_retention(Retention=retention, **named, **members)


def test_a_configuration_needs_versions_and_keeps_them(client, bucket):
    ask, missing = client.get_object_lock_configuration, "ObjectLockConfigurationNotFoundError"
    refused(missing, 404, ask, Bucket=bucket)
    enabled = {"Bucket": bucket, "ObjectLockConfiguration": {"ObjectLockEnabled": "Enabled"}}
    refused("InvalidBucketState", 409, client.put_object_lock_configuration, **enabled)
    client.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    client.put_object_lock_configuration(**enabled)
    assert ask(Bucket=bucket)["ObjectLockConfiguration"] == {"ObjectLockEnabled": "Enabled"}
    suspended = {"Bucket": bucket, "VersioningConfiguration": {"Status": "Suspended"}}
    refused("InvalidBucketState", 409, client.put_bucket_versioning, **suspended)
    client.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})


def test_a_bucket_made_for_it_has_it(client, locked):
    assert client.get_bucket_versioning(Bucket=locked)["Status"] == "Enabled"
    for configuration in (default(Mode="GOVERNANCE", Days=1), {"ObjectLockEnabled": "Enabled"}):
        client.put_object_lock_configuration(Bucket=locked, ObjectLockConfiguration=configuration)
        assert client.get_object_lock_configuration(Bucket=locked)["ObjectLockConfiguration"] == configuration


@pytest.mark.parametrize(
    "configuration",
    [
        {"Rule": {"DefaultRetention": {"Mode": "GOVERNANCE", "Days": 1}}},
        {},
        {"ObjectLockEnabled": "Enabled", "Rule": {}},
        default(),
        default(Mode="GOVERNANCE"),
        default(Mode="BAD-VALUE", Days=1),
        default(Mode="GOVERNANCE", Days=1, Years=1),
    ],
)
def test_what_is_no_configuration_is_refused(client, locked, configuration):
    call = client.put_object_lock_configuration
    refused("MalformedXML", 400, call, Bucket=locked, ObjectLockConfiguration=configuration)


def test_a_period_is_positive_and_bounded(client, locked):
    for period in ({"Days": 0}, {"Days": 36_501}, {"Years": 101}):
        configuration = default(Mode="GOVERNANCE", **period)
        call = client.put_object_lock_configuration
        refused("InvalidArgument", 400, call, Bucket=locked, ObjectLockConfiguration=configuration)


def test_governance_is_gone_around_by_who_may_and_says_so(s3, client, locked):
    version = put(client, locked, ObjectLockMode="GOVERNANCE", ObjectLockRetainUntilDate=LATER)
    head = client.head_object(Bucket=locked, Key="k")
    assert (head["ObjectLockMode"], head["ObjectLockRetainUntilDate"]) == ("GOVERNANCE", LATER)
    named = {"Bucket": locked, "Key": "k", "VersionId": version}
    assert refused("AccessDenied", 403, client.delete_object, **named)["Message"] == PROTECTED
    s3.rules.denied = {"s3:BypassGovernanceRetention"}
    refused("AccessDenied", 403, client.delete_object, BypassGovernanceRetention=True, **named)
    s3.rules.denied = set()
    assert client.delete_object(BypassGovernanceRetention=True, **named)["VersionId"] == version
    refused("NoSuchVersion", 404, client.get_object, **named)


def test_compliance_is_gone_around_by_nobody(client, locked):
    version = put(client, locked)
    retain(client, locked, version, "COMPLIANCE", SOONER)
    named = {"Bucket": locked, "Key": "k", "VersionId": version}
    refused("AccessDenied", 403, client.delete_object, BypassGovernanceRetention=True, **named)
    for mode, until in (("COMPLIANCE", PAST.replace(year=2079)), ("GOVERNANCE", LATER), (None, None)):
        with pytest.raises(client.exceptions.ClientError, match=PROTECTED):
            retain(client, locked, version, mode, until, BypassGovernanceRetention=True)
    retain(client, locked, version, "COMPLIANCE", LATER)
    assert client.get_object_retention(**named)["Retention"] == {"Mode": "COMPLIANCE", "RetainUntilDate": LATER}
    assert client.delete_object(Bucket=locked, Key="k")["DeleteMarker"]
    refused("AccessDenied", 403, client.delete_object, **named)


def test_a_retention_is_prolonged_by_all_and_shortened_by_who_may(client, locked):
    version = put(client, locked, ObjectLockMode="GOVERNANCE", ObjectLockRetainUntilDate=SOONER)
    retain(client, locked, version, "GOVERNANCE", LATER)
    for mode, until in (("GOVERNANCE", SOONER), (None, None)):
        with pytest.raises(client.exceptions.ClientError, match=PROTECTED):
            retain(client, locked, version, mode, until)
        retain(client, locked, version, mode, until, BypassGovernanceRetention=True)
    refused("NoSuchObjectLockConfiguration", 404, client.get_object_retention, Bucket=locked, Key="k")
    client.delete_object(Bucket=locked, Key="k", VersionId=version)


def test_a_held_version_stays_until_it_is_let_go(client, locked):
    version = put(client, locked, ObjectLockLegalHoldStatus="ON")
    named = {"Bucket": locked, "Key": "k", "VersionId": version}
    assert client.head_object(Bucket=locked, Key="k")["ObjectLockLegalHoldStatus"] == "ON"
    refused("AccessDenied", 403, client.delete_object, BypassGovernanceRetention=True, **named)
    many = {"Objects": [{"Key": "k", "VersionId": version}, {"Key": "other"}]}
    answer = client.delete_objects(Bucket=locked, Delete=many)
    assert [(entry["Code"], entry["Message"]) for entry in answer["Errors"]] == [("AccessDenied", PROTECTED)]
    assert [entry["Key"] for entry in answer["Deleted"]] == ["other"]
    client.put_object_legal_hold(LegalHold={"Status": "OFF"}, **named)
    assert client.get_object_legal_hold(**named)["LegalHold"] == {"Status": "OFF"}
    client.delete_object(**named)


def test_a_bucket_retains_what_says_nothing_of_it(client, locked):
    configuration = default(Mode="GOVERNANCE", Days=1)
    client.put_object_lock_configuration(Bucket=locked, ObjectLockConfiguration=configuration)
    put(client, locked)
    head = client.head_object(Bucket=locked, Key="k")
    assert head["ObjectLockMode"] == "GOVERNANCE"
    assert abs(head["ObjectLockRetainUntilDate"] - head["LastModified"] - timedelta(days=1)) < timedelta(minutes=2)
    put(client, locked, ObjectLockMode="COMPLIANCE", ObjectLockRetainUntilDate=datetime.now(UTC) + timedelta(hours=1))
    assert client.head_object(Bucket=locked, Key="k")["ObjectLockMode"] == "COMPLIANCE"


def test_a_copy_and_an_upload_have_the_lock_that_they_ask_for(client, locked):
    put(client, locked, ObjectLockLegalHoldStatus="ON")
    client.copy_object(Bucket=locked, Key="plain", CopySource=f"{locked}/k")
    assert "ObjectLockLegalHoldStatus" not in client.head_object(Bucket=locked, Key="plain")
    retention = {"ObjectLockMode": "GOVERNANCE", "ObjectLockRetainUntilDate": LATER}
    client.copy_object(Bucket=locked, Key="copy", CopySource=f"{locked}/k", **retention)
    upload = client.create_multipart_upload(Bucket=locked, Key="parts", **retention)["UploadId"]
    named = {"Bucket": locked, "Key": "parts", "UploadId": upload}
    etag = client.upload_part(PartNumber=1, Body=b"x", **named)["ETag"]
    client.complete_multipart_upload(MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": etag}]}, **named)
    for key in ("copy", "parts"):
        head = client.head_object(Bucket=locked, Key=key)
        assert (head["ObjectLockMode"], head["ObjectLockRetainUntilDate"]) == ("GOVERNANCE", LATER)


def test_what_no_lock_can_be_is_refused(client, locked, bucket, s3):
    version = put(client, locked)
    for bad in ({"Mode": "GOVERNANCE"}, {"Mode": "BAD-VALUE", "RetainUntilDate": LATER}):
        refused("MalformedXML", 400, client.put_object_retention, Bucket=locked, Key="k", Retention=bad)
    with pytest.raises(client.exceptions.ClientError, match="The retain until date must be in the future!"):
        retain(client, locked, version, "GOVERNANCE", PAST)
    refused("MalformedXML", 400, client.put_object_legal_hold, Bucket=locked, Key="k", LegalHold={})
    both = "x-amz-object-lock-retain-until-date and x-amz-object-lock-mode must both be supplied"
    files = set(s3.files)
    for half in ({"ObjectLockMode": "GOVERNANCE"}, {"ObjectLockRetainUntilDate": LATER}):
        error = refused("InvalidArgument", 400, client.put_object, Bucket=locked, Key="k", Body=b"x", **half)
        assert error["Message"] == both
    mode = {"ObjectLockMode": "BAD-VALUE", "ObjectLockRetainUntilDate": LATER}
    for call in (client.put_object, client.create_multipart_upload):
        assert refused("InvalidArgument", 400, call, Bucket=locked, Key="k", **mode)["ArgumentValue"] == "BAD-VALUE"
    assert s3.files == files
    for call in (client.get_object_retention, client.get_object_legal_hold):
        refused("NoSuchObjectLockConfiguration", 404, call, Bucket=locked, Key="k")
        refused("NoSuchKey", 404, call, Bucket=locked, Key="nothing")


def test_a_bucket_without_a_lock_has_none(client, bucket):
    client.put_object(Bucket=bucket, Key="k", Body=b"x")
    named = {"Bucket": bucket, "Key": "k"}
    refused("InvalidRequest", 400, client.get_object_retention, **named)
    refused("InvalidRequest", 400, client.put_object_legal_hold, LegalHold={"Status": "ON"}, **named)
    refused("InvalidRequest", 400, client.put_object, ObjectLockLegalHoldStatus="ON", **named)
    for bypass in (True, False):
        refused("InvalidArgument", 400, client.delete_object, BypassGovernanceRetention=bypass, **named)
        many = {"Bucket": bucket, "Delete": {"Objects": [{"Key": "k"}]}}
        refused("InvalidArgument", 400, client.delete_objects, BypassGovernanceRetention=bypass, **many)


def test_a_delete_marker_cannot_be_locked(client, locked):
    marker = client.delete_object(Bucket=locked, Key="k")["VersionId"]
    with pytest.raises(client.exceptions.ClientError, match="MethodNotAllowed"):
        retain(client, locked, marker, "GOVERNANCE", LATER)
    client.delete_object(Bucket=locked, Key="k", VersionId=marker)
