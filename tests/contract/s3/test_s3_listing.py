"""Listing objects: order, pages, groups, encodings."""

from copy import deepcopy

import pytest

from tests.contract.s3.refusals import refused

KEYS = ["a", "a/", "a/1", "a/2/x", "a/2/y", "b c+d", "b/1", "c", "ä", "日/本", "\U0001f600"]


@pytest.fixture
def keys(client, bucket):
    for key in reversed(KEYS):
        client.put_object(Bucket=bucket, Key=key, Body=b"x")
    return sorted(KEYS, key=str.encode)


def shown(answer):
    return (
        [entry["Key"] for entry in answer.get("Contents", [])],
        [entry["Prefix"] for entry in answer.get("CommonPrefixes", [])],
    )


def test_keys_are_in_bytewise_order(client, bucket, keys):
    assert shown(client.list_objects_v2(Bucket=bucket)) == (keys, [])
    assert shown(client.list_objects(Bucket=bucket)) == (keys, [])


def test_a_delimiter_groups(client, bucket, keys):
    answer = client.list_objects_v2(Bucket=bucket, Delimiter="/")
    assert shown(answer) == (["a", "b c+d", "c", "ä", "\U0001f600"], ["a/", "b/", "日/"])
    assert answer["KeyCount"] == 8
    assert shown(client.list_objects_v2(Bucket=bucket, Delimiter="/", Prefix="a/")) == (["a/", "a/1"], ["a/2/"])
    assert shown(client.list_objects_v2(Bucket=bucket, Delimiter="/", Prefix="a")) == (["a"], ["a/"])
    assert shown(client.list_objects_v2(Bucket=bucket, Prefix="nothing")) == ([], [])


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
@pytest.mark.parametrize("delimiter", ["", "/", "2/"])
@pytest.mark.parametrize("operation", ["list_objects", "list_objects_v2"])
def test_pages_together_are_the_whole(client, bucket, keys, size, delimiter, operation):
    asked = {"Bucket": bucket, "Delimiter": delimiter}
    whole = shown(getattr(client, operation)(**asked))
    pages = client.get_paginator(operation).paginate(**asked, PaginationConfig={"PageSize": size})
    parts = [shown(page) for page in pages]
    assert ([k for p in parts for k in p[0]], [g for p in parts for g in p[1]]) == whole
    assert all(len(found) + len(groups) <= size for found, groups in parts)


def test_markers(client, bucket, keys):
    answer = client.list_objects_v2(Bucket=bucket, StartAfter="a/1", MaxKeys=2)
    assert shown(answer)[0] == ["a/2/x", "a/2/y"]
    assert (answer["IsTruncated"], answer["StartAfter"]) == (True, "a/1")
    answer = client.list_objects(Bucket=bucket, Marker="a/", Delimiter="/", MaxKeys=1)
    assert shown(answer) == (["b c+d"], [])
    assert answer["NextMarker"] == "b c+d"
    assert "NextMarker" not in client.list_objects(Bucket=bucket, MaxKeys=1)


def test_a_page_of_none_is_whole(client, bucket, keys):
    answer = client.list_objects_v2(Bucket=bucket, MaxKeys=0)
    assert (answer["IsTruncated"], answer["KeyCount"]) == (False, 0)
    assert client.list_objects_v2(Bucket=bucket, MaxKeys=5000)["MaxKeys"] == 1000


def test_keys_can_be_percent_encoded(client, bucket, keys):
    """As the answer has them, before botocore decodes what it has asked for by itself."""
    seen = []
    client.meta.events.register_first("after-call.s3.ListObjectsV2", lambda parsed, **_: seen.append(deepcopy(parsed)))
    client.list_objects_v2(Bucket=bucket, Prefix="b c", Delimiter="+", StartAfter="b")
    assert seen[0]["EncodingType"] == "url"
    assert (seen[0]["Prefix"], seen[0]["Delimiter"], seen[0]["StartAfter"]) == ("b%20c", "%2B", "b")
    assert seen[0]["CommonPrefixes"] == [{"Prefix": "b%20c%2B"}]


def test_arguments_out_of_range(client, bucket):
    error = refused("InvalidArgument", 400, client.list_objects_v2, Bucket=bucket, ContinuationToken="nonsense")
    assert error["Message"] == "The continuation token provided is incorrect"
    refused("InvalidArgument", 400, client.list_objects_v2, Bucket=bucket, ContinuationToken="")
    refused("InvalidArgument", 400, client.list_objects_v2, Bucket=bucket, MaxKeys=-1)
    refused("InvalidArgument", 400, client.list_objects, Bucket=bucket, EncodingType="latin")
    refused("NoSuchBucket", 404, client.list_objects_v2, Bucket="nobody")


def test_what_an_entry_says(client, bucket, keys):
    entry = client.list_objects_v2(Bucket=bucket, MaxKeys=1)["Contents"][0]
    assert (entry["Size"], entry["StorageClass"], "Owner" in entry) == (1, "STANDARD", False)
    assert "Owner" in client.list_objects_v2(Bucket=bucket, MaxKeys=1, FetchOwner=True)["Contents"][0]
    assert "Owner" in client.list_objects(Bucket=bucket, MaxKeys=1)["Contents"][0]


def test_each_object_has_the_one_version_null(client, bucket, keys):
    pages = client.get_paginator("list_object_versions").paginate(Bucket=bucket, PaginationConfig={"PageSize": 4})
    versions = [version for page in pages for version in page["Versions"]]
    assert [version["Key"] for version in versions] == keys
    assert {(version["VersionId"], version["IsLatest"]) for version in versions} == {("null", True)}
    client.delete_object(Bucket=bucket, Key="a", VersionId="null")
