"""Buckets, as boto3 and the SageMaker SDK see them."""

import http.client
from urllib.parse import urlsplit

import pytest

from tests.contract.s3.conftest import ACCOUNT
from tests.contract.s3.refusals import refused


def elsewhere(region):
    return {"LocationConstraint": region}


def test_create_head_list_delete(client):
    assert client.create_bucket(Bucket="one")["Location"] == "/one"
    client.create_bucket(Bucket="two", CreateBucketConfiguration=elsewhere("eu-west-1"))
    listed = client.list_buckets()
    assert [bucket["Name"] for bucket in listed["Buckets"]] == ["one", "two"]
    assert len(listed["Owner"]["ID"]) == 64
    assert client.head_bucket(Bucket="two")["BucketRegion"] == "eu-west-1"
    assert client.get_bucket_location(Bucket="one")["LocationConstraint"] is None
    assert client.get_bucket_location(Bucket="two")["LocationConstraint"] == "eu-west-1"
    client.delete_bucket(Bucket="one")
    refused("NoSuchBucket", 404, client.delete_bucket, Bucket="one")
    refused("404", 404, client.head_bucket, Bucket="one")


def test_pages_of_buckets(client):
    for name in ("aaa", "bbb", "bcc"):
        client.create_bucket(Bucket=name)
    first = client.list_buckets(MaxBuckets=2)
    rest = client.list_buckets(MaxBuckets=2, ContinuationToken=first["ContinuationToken"])
    assert [b["Name"] for b in first["Buckets"] + rest["Buckets"]] == ["aaa", "bbb", "bcc"]
    assert "ContinuationToken" not in rest
    assert [b["Name"] for b in client.list_buckets(Prefix="b")["Buckets"]] == ["bbb", "bcc"]
    assert client.list_buckets(BucketRegion="eu-west-1")["Buckets"] == []


def test_creating_again_succeeds_in_us_east_1_only(s3, client):
    client.create_bucket(Bucket="one")
    client.put_object(Bucket="one", Key="k", Body=b"x")
    client.create_bucket(Bucket="one")
    assert client.get_object(Bucket="one", Key="k")["Body"].read() == b"x"
    west = s3.client("us-west-2")
    west.create_bucket(Bucket="two", CreateBucketConfiguration=elsewhere("us-west-2"))
    refused(
        "BucketAlreadyOwnedByYou",
        409,
        west.create_bucket,
        Bucket="two",
        CreateBucketConfiguration=elsewhere("us-west-2"),
    )
    s3.store.create_bucket("theirs", account="999999999999", region="us-east-1")
    refused("BucketAlreadyExists", 409, client.create_bucket, Bucket="theirs")


def test_location_constraints(s3, client):
    west = s3.client("us-west-2")
    illegal = "IllegalLocationConstraintException"
    error = refused(illegal, 400, west.create_bucket, Bucket="one")
    assert error["Message"].startswith("The unspecified location constraint is incompatible")
    refused(illegal, 400, west.create_bucket, Bucket="one", CreateBucketConfiguration=elsewhere("eu-west-1"))
    refused(illegal, 400, west.create_bucket, Bucket="one", CreateBucketConfiguration=elsewhere("mars"))
    refused(
        "InvalidLocationConstraint",
        400,
        client.create_bucket,
        Bucket="one",
        CreateBucketConfiguration=elsewhere("mars"),
    )
    assert client.list_buckets()["Buckets"] == []


def test_where_a_bucket_is(s3, client):
    client.create_bucket(Bucket="home")
    client.create_bucket(Bucket="old-name", CreateBucketConfiguration=elsewhere("EU"))
    s3.client("eu-west-1").create_bucket(Bucket="new-name", CreateBucketConfiguration=elsewhere("eu-west-1"))
    refused(
        "IllegalLocationConstraintException",
        400,
        s3.client("us-west-2").create_bucket,
        Bucket="nowhere",
        CreateBucketConfiguration=elsewhere("EU"),
    )
    for wrong in ("eu-east-1", "us-east-1", "aws-global"):
        create = {"Bucket": "nowhere", "CreateBucketConfiguration": elsewhere(wrong)}
        assert refused("InvalidLocationConstraint", 400, client.create_bucket, **create)["LocationConstraint"] == wrong
    told = [client.get_bucket_location(Bucket=name)["LocationConstraint"] for name in ("home", "old-name", "new-name")]
    assert told == [None, "EU", "eu-west-1"]
    for name, region in (("home", "us-east-1"), ("old-name", "eu-west-1"), ("new-name", "eu-west-1")):
        head = client.head_bucket(Bucket=name)
        assert (head["BucketRegion"], head["BucketArn"]) == (region, f"arn:aws:s3:::{name}")
        for answer in (head, client.list_objects_v2(Bucket=name), client.list_objects(Bucket=name)):
            assert answer["ResponseMetadata"]["HTTPHeaders"]["x-amz-bucket-region"] == region


def test_lists_of_buckets_say_where_they_are_if_asked_for_pages(client):
    client.create_bucket(Bucket="home")
    client.create_bucket(Bucket="west", CreateBucketConfiguration=elsewhere("EU"))
    plain = client.list_buckets()["Buckets"]
    assert [(each["BucketArn"], "BucketRegion" in each) for each in plain] == [
        ("arn:aws:s3:::home", False),
        ("arn:aws:s3:::west", False),
    ]
    for asked in ({"MaxBuckets": 10}, {"Prefix": ""}, {"ContinuationToken": ""}):
        regions = [each["BucketRegion"] for each in client.list_buckets(**asked)["Buckets"]]
        assert regions == ["us-east-1", "eu-west-1"]
    assert [each["Name"] for each in client.list_buckets(BucketRegion="eu-west-1")["Buckets"]] == ["west"]
    error = refused("InvalidArgument", 400, client.list_buckets, BucketRegion="eu-east-1")
    assert error["Message"] == "Argument value eu-east-1 is not a valid AWS Region"
    assert (error["ArgumentName"], "ArgumentValue" in error) == ("bucket-region", False)


@pytest.mark.parametrize(
    "name", ["UPPER", "a", "ab", "under_score", "192.168.0.1", "a..b", "-dash", "xn--x", "x-s3alias"]
)
def test_names_that_no_bucket_can_have(client, name):
    refused("InvalidBucketName", 400, client.create_bucket, Bucket=name)


def test_another_owner_than_expected_is_forbidden_without_a_body(client, bucket):
    client.head_bucket(Bucket=bucket, ExpectedBucketOwner=ACCOUNT)
    refused("403", 403, client.head_bucket, Bucket=bucket, ExpectedBucketOwner="999999999999")
    refused("AccessDenied", 403, client.list_objects_v2, Bucket=bucket, ExpectedBucketOwner="999999999999")


def test_a_bucket_with_objects_stays(client, bucket):
    client.put_object(Bucket=bucket, Key="k", Body=b"x")
    refused("BucketNotEmpty", 409, client.delete_bucket, Bucket=bucket)
    client.delete_object(Bucket=bucket, Key="k")
    upload = client.create_multipart_upload(Bucket=bucket, Key="k")["UploadId"]
    client.delete_bucket(Bucket=bucket)
    client.create_bucket(Bucket=bucket)
    refused("NoSuchUpload", 404, client.list_parts, Bucket=bucket, Key="k", UploadId=upload)


def test_tags_of_a_bucket(client, bucket):
    refused("NoSuchTagSet", 404, client.get_bucket_tagging, Bucket=bucket)
    tags = [{"Key": "team", "Value": "ml"}]
    client.put_bucket_tagging(Bucket=bucket, Tagging={"TagSet": tags})
    assert client.get_bucket_tagging(Bucket=bucket)["TagSet"] == tags
    client.delete_bucket_tagging(Bucket=bucket)
    refused("NoSuchTagSet", 404, client.get_bucket_tagging, Bucket=bucket)


def test_what_tools_read_of_a_fresh_bucket(client, bucket):
    assert "Status" not in client.get_bucket_versioning(Bucket=bucket)
    assert client.get_bucket_acl(Bucket=bucket)["Grants"][0]["Permission"] == "FULL_CONTROL"
    assert client.get_bucket_request_payment(Bucket=bucket)["Payer"] == "BucketOwner"
    assert "LoggingEnabled" not in client.get_bucket_logging(Bucket=bucket)
    assert "QueueConfigurations" not in client.get_bucket_notification_configuration(Bucket=bucket)
    assert client.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"]["BlockPublicAcls"]
    rules = client.get_bucket_ownership_controls(Bucket=bucket)["OwnershipControls"]["Rules"]
    assert rules == [{"ObjectOwnership": "BucketOwnerEnforced"}]
    refused("NoSuchBucketPolicy", 404, client.get_bucket_policy, Bucket=bucket)
    refused("NoSuchLifecycleConfiguration", 404, client.get_bucket_lifecycle_configuration, Bucket=bucket)
    refused("NoSuchCORSConfiguration", 404, client.get_bucket_cors, Bucket=bucket)
    refused("NoSuchWebsiteConfiguration", 404, client.get_bucket_website, Bucket=bucket)
    refused("NoSuchBucket", 404, client.get_bucket_versioning, Bucket="nobody")


@pytest.mark.parametrize(
    ("query", "document"),
    [
        ("tagging", "<Tagging><TagSet><Tag><Key>k</Key></Tag></TagSet></Tagging>"),
        ("tagging", "<Tagging><TagSet>"),
        ("tagging", ""),
        ("delete", "<Delete><Object><VersionId>1</VersionId></Object></Delete>"),
        ("delete", "<Delete/>"),
    ],
)
def test_malformed_documents_are_the_clients_fault(s3, bucket, query, document, monkeypatch):
    """Sent without a signature: anonymous callers are let in for once."""
    monkeypatch.setattr(s3.rules, "authorise", lambda call, needed: None)
    connection = http.client.HTTPConnection(urlsplit(s3.url).netloc)
    connection.request("POST" if query == "delete" else "PUT", f"/{bucket}?{query}", document.encode())
    answer = connection.getresponse()
    assert answer.status == 400, answer.read()
