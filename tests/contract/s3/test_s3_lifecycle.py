"""Lifecycle configurations, and what is done by them, as boto3 sees it."""

from datetime import UTC, datetime, timedelta

import pytest

from clary.services.s3.keeping import Lifecycles
from tests.contract.s3.refusals import refused

DAY = {"Expiration": {"Days": 1}}


def rule(**members):
    return {"ID": "r", "Status": "Enabled", "Filter": {}, **members}


def configure(client, bucket, *rules):
    client.put_bucket_lifecycle_configuration(Bucket=bucket, LifecycleConfiguration={"Rules": list(rules)})


def pass_days(s3, days):
    """What control's thread does at that time."""
    Lifecycles(s3.store, lambda: datetime.now(UTC) + timedelta(days=days)).round()


def keys(client, bucket):
    return [entry["Key"] for entry in client.list_objects_v2(Bucket=bucket).get("Contents", [])]


def test_a_configuration_is_kept_as_it_was_put(client, bucket):
    rules = [
        rule(ID="all", Expiration={"Days": 7}),
        rule(ID="on a day", Expiration={"Date": datetime(2040, 1, 1, tzinfo=UTC)}, Filter={"Prefix": "a/"}),
        rule(
            ID="more",
            Filter={"And": {"Prefix": "b/", "Tags": [{"Key": "k", "Value": "v"}], "ObjectSizeGreaterThan": 9}},
            Transitions=[{"Days": 30, "StorageClass": "STANDARD_IA"}],
            NoncurrentVersionTransitions=[{"NoncurrentDays": 0, "StorageClass": "GLACIER"}],
            NoncurrentVersionExpiration={"NoncurrentDays": 3, "NewerNoncurrentVersions": 2},
        ),
        rule(ID="uploads", AbortIncompleteMultipartUpload={"DaysAfterInitiation": 7}, Status="Disabled"),
    ]
    configure(client, bucket, *rules)
    answer = client.get_bucket_lifecycle_configuration(Bucket=bucket)
    assert answer["Rules"] == rules
    assert answer["TransitionDefaultMinimumObjectSize"] == "all_storage_classes_128K"
    client.delete_bucket_lifecycle(Bucket=bucket)
    refused("NoSuchLifecycleConfiguration", 404, client.get_bucket_lifecycle_configuration, Bucket=bucket)
    client.delete_bucket_lifecycle(Bucket=bucket)


def test_the_operations_of_before_are_understood(client, bucket):
    old = {"Rules": [{"ID": "r", "Prefix": "logs/", "Status": "Enabled", "Expiration": {"Days": 3}}]}
    client.put_bucket_lifecycle(Bucket=bucket, LifecycleConfiguration=old)
    assert client.get_bucket_lifecycle(Bucket=bucket)["Rules"] == old["Rules"]


def test_a_rule_without_an_id_gets_one(client, bucket):
    configure(client, bucket, {"Status": "Enabled", "Filter": {}, **DAY})
    assert client.get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"][0]["ID"]


MALFORMED = [
    {"Expiration": {"Days": 7}, "Status": "Enabled", "ID": "no filter"},
    rule(**DAY, NoncurrentVersionExpiration={}),
    rule(**DAY, Filter={"And": {"Prefix": "t"}, "Prefix": ""}),
    rule(**DAY, Filter={"ObjectSizeGreaterThan": 500, "Prefix": ""}),
    rule(Expiration={"Days": 1, "ExpiredObjectDeleteMarker": True}),
    rule(Expiration={"Days": 1, "Date": datetime(2040, 1, 1, tzinfo=UTC)}),
    rule(**DAY, Status="On"),
    rule(**DAY, Prefix="both"),
    rule(Transitions=[{"Days": 1, "StorageClass": "STANDARD"}]),
]
SAID = [
    (rule(Expiration={"Date": datetime(2023, 1, 1, 2, 2, tzinfo=UTC)}), "'Date' must be at midnight GMT"),
    (rule(Expiration={"Days": 0}), "'Days' for Expiration action must be a positive integer"),
    (
        rule(NoncurrentVersionExpiration={"NoncurrentDays": 0}),
        "'NoncurrentDays' for NoncurrentVersionExpiration action must be a positive integer",
    ),
    (
        rule(AbortIncompleteMultipartUpload={"DaysAfterInitiation": 0}),
        "'DaysAfterInitiation' for AbortIncompleteMultipartUpload action must be a positive integer",
    ),
    (rule(**DAY, ID="x" * 256), "ID length should not exceed allowed limit of 255"),
    (
        rule(Transitions=[{"Days": 3, "StorageClass": "STANDARD_IA"}]),
        "'Days' in Transition action must be greater than or equal to 30 for storageClass 'STANDARD_IA'",
    ),
]


def test_what_is_no_rule_is_refused(client, bucket):
    for wrong in MALFORMED:
        with pytest.raises(client.exceptions.ClientError, match="MalformedXML"):
            configure(client, bucket, wrong)
    for wrong, text in SAID:
        with pytest.raises(client.exceptions.ClientError, match="InvalidArgument") as caught:
            configure(client, bucket, wrong)
        assert caught.value.response["Error"]["Message"] == text
    with pytest.raises(client.exceptions.ClientError, match="Rule ID must be unique"):
        configure(client, bucket, rule(**DAY), rule(**DAY))
    tags = [{"Key": "same", "Value": value} for value in "ab"]
    with pytest.raises(client.exceptions.ClientError, match="Duplicate Tag Keys are not allowed"):
        configure(client, bucket, rule(**DAY, Filter={"And": {"Tags": tags}}))
    with pytest.raises(client.exceptions.ClientError, match="At least one action"):
        configure(client, bucket, rule())
    refused("NoSuchLifecycleConfiguration", 404, client.get_bucket_lifecycle_configuration, Bucket=bucket)


def test_days_without_an_end_are_taken(client, bucket):
    configure(client, bucket, rule(Expiration={"Days": 2**31 - 1}))
    assert "Expiration" not in client.put_object(Bucket=bucket, Key="k", Body=b"x")


def test_answers_say_when_an_object_ends(client, bucket):
    configure(client, bucket, rule(**DAY, Filter={"Prefix": "tmp/"}))
    put = client.put_object(Bucket=bucket, Key="tmp/a", Body=b"x")
    assert put["Expiration"].endswith('rule-id="r"')
    for answer in (
        client.head_object(Bucket=bucket, Key="tmp/a"),
        client.get_object(Bucket=bucket, Key="tmp/a"),
        client.copy_object(Bucket=bucket, Key="tmp/b", CopySource=f"{bucket}/tmp/a"),
    ):
        assert answer["Expiration"] == put["Expiration"]
    assert "Expiration" not in client.put_object(Bucket=bucket, Key="other", Body=b"x")
    configure(client, bucket, rule(AbortIncompleteMultipartUpload={"DaysAfterInitiation": 1}))
    upload = client.create_multipart_upload(Bucket=bucket, Key="k")
    assert (upload["AbortRuleId"], upload["AbortDate"].hour) == ("r", 0)


def test_objects_and_uploads_go_when_their_time_has_come(s3, client, bucket):
    for key in ("tmp/a", "tmp/b", "keep"):
        client.put_object(Bucket=bucket, Key=key, Body=b"x")
    client.create_multipart_upload(Bucket=bucket, Key="tmp/upload")
    abort = {"AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 1}}
    configure(client, bucket, rule(**DAY, **abort, Filter={"Prefix": "tmp/"}))
    pass_days(s3, 0)
    assert keys(client, bucket) == ["keep", "tmp/a", "tmp/b"]
    pass_days(s3, 3)
    assert keys(client, bucket) == ["keep"]
    assert "Uploads" not in client.list_multipart_uploads(Bucket=bucket)


def test_versions_and_markers_go_but_not_what_is_locked(s3, client):
    client.create_bucket(Bucket="locked", ObjectLockEnabledForBucket=True)
    held = client.put_object(Bucket="locked", Key="held", Body=b"1", ObjectLockLegalHoldStatus="ON")["VersionId"]
    for key in ("held", "free"):
        client.put_object(Bucket="locked", Key=key, Body=b"2")
        client.delete_object(Bucket="locked", Key=key)
    configure(
        client,
        "locked",
        rule(NoncurrentVersionExpiration={"NoncurrentDays": 1}, Expiration={"ExpiredObjectDeleteMarker": True}),
    )
    pass_days(s3, 3)
    left = client.list_object_versions(Bucket="locked")
    assert [version["VersionId"] for version in left["Versions"]] == [held]
    assert [marker["Key"] for marker in left["DeleteMarkers"]] == ["held"]


def test_what_is_tagged_while_it_is_looked_at_is_not_taken_for_what_it_was(s3, client, bucket):
    client.put_object(Bucket=bucket, Key="k", Body=b"x", Tagging="tmp=1")
    configure(client, bucket, rule(**DAY, Filter={"Tag": {"Key": "tmp", "Value": "1"}}))
    versions = s3.store.versions

    def tagged_just_then(*args):
        found = list(versions(*args))
        client.delete_object_tagging(Bucket=bucket, Key="k")
        return iter(found)

    s3.store.versions = tagged_just_then
    try:
        pass_days(s3, 3)
    finally:
        del s3.store.versions
    assert keys(client, bucket) == ["k"]
