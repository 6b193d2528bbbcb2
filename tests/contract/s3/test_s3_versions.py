"""Versions, as boto3 sees them."""

import pytest

from tests.contract.s3.refusals import refused


def set_versioning(client, bucket, status):
    client.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": status})


@pytest.fixture
def versioned(client, bucket):
    set_versioning(client, bucket, "Enabled")
    return bucket


def put(client, bucket, body, key="k"):
    return client.put_object(Bucket=bucket, Key=key, Body=body).get("VersionId")


def body_of(client, bucket, version=None, key="k"):
    named = {} if version is None else {"VersionId": version}
    return client.get_object(Bucket=bucket, Key=key, **named)["Body"].read()


def listed(client, bucket, **params):
    """(key, version, whether it is the latest, whether it is a marker), in the order of the XML within each kind."""
    page = client.list_object_versions(Bucket=bucket, **params)
    versions = [(v["Key"], v["VersionId"], v["IsLatest"], False) for v in page.get("Versions", [])]
    return versions + [(m["Key"], m["VersionId"], m["IsLatest"], True) for m in page.get("DeleteMarkers", [])]


def test_versioning_is_set_and_read(client, bucket):
    assert client.get_bucket_versioning(Bucket=bucket).get("Status") is None
    for status in ("Suspended", "Enabled", "Suspended"):
        set_versioning(client, bucket, status)
        assert client.get_bucket_versioning(Bucket=bucket)["Status"] == status
    put_versioning = client.put_bucket_versioning
    for wrong in ("enabled", "Disabled"):
        refused("MalformedXML", 400, put_versioning, Bucket=bucket, VersioningConfiguration={"Status": wrong})
    illegal = "IllegalVersioningConfigurationException"
    refused(illegal, 400, put_versioning, Bucket=bucket, VersioningConfiguration={})
    with_mfa = {"Status": "Enabled", "MFADelete": "Enabled"}
    refused("AccessDenied", 403, put_versioning, Bucket=bucket, VersioningConfiguration=with_mfa)
    refused("NoSuchBucket", 404, put_versioning, Bucket="nobody", VersioningConfiguration={"Status": "Enabled"})


def test_each_put_is_a_version_and_each_can_be_read(client, versioned):
    first, second = put(client, versioned, b"one"), put(client, versioned, b"two!")
    assert len({first, second}) == 2
    assert {len(first), len(second)} == {32}
    assert body_of(client, versioned) == b"two!"
    assert body_of(client, versioned, first) == b"one"
    assert client.get_object(Bucket=versioned, Key="k")["VersionId"] == second
    head = client.head_object(Bucket=versioned, Key="k", VersionId=first)
    assert (head["VersionId"], head["ContentLength"]) == (first, 3)
    told = client.get_object_attributes(Bucket=versioned, Key="k", VersionId=first, ObjectAttributes=["ObjectSize"])
    assert (told["VersionId"], told["ObjectSize"]) == (first, 3)
    assert listed(client, versioned) == [("k", second, True, False), ("k", first, False, False)]


def test_what_was_there_before_is_the_null_version(client, bucket):
    assert put(client, bucket, b"old") is None
    assert "VersionId" not in client.get_object(Bucket=bucket, Key="k", VersionId="null")
    set_versioning(client, bucket, "Enabled")
    assert client.get_object(Bucket=bucket, Key="k")["VersionId"] == "null"
    new = put(client, bucket, b"new")
    assert listed(client, bucket) == [("k", new, True, False), ("k", "null", False, False)]
    assert body_of(client, bucket, "null") == b"old"


def test_suspended_a_put_replaces_the_null_version_and_no_other(client, versioned, s3):
    kept = put(client, versioned, b"kept")
    set_versioning(client, versioned, "Suspended")
    assert put(client, versioned, b"null 1") is None
    assert put(client, versioned, b"null 2") is None
    assert listed(client, versioned) == [("k", "null", True, False), ("k", kept, False, False)]
    assert body_of(client, versioned) == body_of(client, versioned, "null") == b"null 2"
    deleted = client.delete_object(Bucket=versioned, Key="k")
    assert (deleted["DeleteMarker"], deleted["VersionId"]) == (True, "null")
    assert listed(client, versioned) == [("k", kept, False, False), ("k", "null", True, True)]
    assert put(client, versioned, b"null 3") is None
    assert listed(client, versioned) == [("k", "null", True, False), ("k", kept, False, False)]
    s3.store.collector.collect(now=1e12)
    assert len(s3.files) == 2


def test_a_delete_leaves_a_marker_and_deleting_that_brings_the_object_back(client, versioned):
    version = put(client, versioned, b"x")
    deleted = client.delete_object(Bucket=versioned, Key="k")
    marker = deleted["VersionId"]
    assert deleted["DeleteMarker"]
    error = refused("NoSuchKey", 404, client.get_object, Bucket=versioned, Key="k")
    assert error["Key"] == "k"
    refused("404", 404, client.head_object, Bucket=versioned, Key="k")
    assert "Contents" not in client.list_objects_v2(Bucket=versioned)
    assert body_of(client, versioned, version) == b"x"
    again = client.delete_object(Bucket=versioned, Key="k", VersionId=marker)
    assert (again["DeleteMarker"], again["VersionId"]) == (True, marker)
    assert body_of(client, versioned) == b"x"


def test_a_delete_marker_can_only_be_deleted(client, versioned):
    put(client, versioned, b"x")
    marker = client.delete_object(Bucket=versioned, Key="k")["VersionId"]
    named = {"Bucket": versioned, "Key": "k", "VersionId": marker}
    error = refused("MethodNotAllowed", 405, client.get_object, **named)
    assert (error["Method"], error["ResourceType"]) == ("GET", "DeleteMarker")
    refused("405", 405, client.head_object, **named)
    tagging = {"TagSet": [{"Key": "a", "Value": "1"}]}
    for params in (named, {"Bucket": versioned, "Key": "k"}):
        refused("MethodNotAllowed", 405, client.put_object_tagging, Tagging=tagging, **params)
        refused("MethodNotAllowed", 405, client.get_object_tagging, **params)
        error = refused("MethodNotAllowed", 405, client.delete_object_tagging, **params)
        assert error["Method"] == "DELETE"
    source = {"Bucket": versioned, "Key": "k", "VersionId": marker}
    refused("InvalidRequest", 400, client.copy_object, Bucket=versioned, Key="copy", CopySource=source)
    refused("NoSuchKey", 404, client.copy_object, Bucket=versioned, Key="copy", CopySource=f"{versioned}/k")


def test_headers_say_that_a_delete_marker_is_there(client, versioned):
    marker = client.delete_object(Bucket=versioned, Key="k")["VersionId"]
    for params, status in (({}, 404), ({"VersionId": marker}, 405)):
        with pytest.raises(client.exceptions.ClientError) as caught:
            client.get_object(Bucket=versioned, Key="k", **params)
        answer = caught.value.response["ResponseMetadata"]
        assert answer["HTTPStatusCode"] == status
        assert answer["HTTPHeaders"]["x-amz-delete-marker"] == "true"
        assert answer["HTTPHeaders"]["x-amz-version-id"] == marker


def test_a_version_that_is_not_there_and_an_id_that_is_none(client, versioned):
    version = put(client, versioned, b"x")
    client.delete_object(Bucket=versioned, Key="k", VersionId=version)
    error = refused("NoSuchVersion", 404, client.get_object, Bucket=versioned, Key="k", VersionId=version)
    assert (error["Key"], error["VersionId"]) == ("k", version)
    assert client.delete_object(Bucket=versioned, Key="k", VersionId=version)["VersionId"] == version
    foreign = "HPniJFCxqTsMuIH9KX8K8wEjNUgmABCD"
    for call in (client.get_object, client.delete_object, client.get_object_tagging):
        error = refused("InvalidArgument", 400, call, Bucket=versioned, Key="k", VersionId=foreign)
        assert error["Message"] == "Invalid version id specified"
        assert (error["ArgumentName"], error["ArgumentValue"]) == ("versionId", foreign)
    refused("InvalidArgument", 400, client.delete_object, Bucket=versioned, Key="k", VersionId="")
    other = put(client, versioned, b"y", key="other")
    refused("NoSuchVersion", 404, client.get_object, Bucket=versioned, Key="k", VersionId=other)


def test_deleting_the_newest_version_makes_the_one_before_it_current(client, versioned):
    first, second, third = (put(client, versioned, body) for body in (b"1", b"2", b"3"))
    client.delete_object(Bucket=versioned, Key="k", VersionId=second)
    client.delete_object(Bucket=versioned, Key="k", VersionId=third)
    assert body_of(client, versioned) == b"1"
    client.delete_object(Bucket=versioned, Key="k", VersionId=first)
    assert listed(client, versioned) == []
    client.delete_bucket(Bucket=versioned)


def test_a_bucket_with_versions_is_not_empty(client, versioned):
    version = put(client, versioned, b"x")
    marker = client.delete_object(Bucket=versioned, Key="k")["VersionId"]
    for left in (version, marker):
        error = refused("BucketNotEmpty", 409, client.delete_bucket, Bucket=versioned)
        assert error["Message"].endswith("You must delete all versions in the bucket.")
        client.delete_object(Bucket=versioned, Key="k", VersionId=left)
    client.delete_bucket(Bucket=versioned)


def test_many_versions_are_deleted_together(client, versioned):
    first = put(client, versioned, b"1")
    wanted = [{"Key": "k"}, {"Key": "wrong"}]
    deleted = client.delete_objects(Bucket=versioned, Delete={"Objects": wanted})["Deleted"]
    assert [(entry["Key"], entry["DeleteMarker"], "VersionId" in entry) for entry in deleted] == [
        ("k", True, False),
        ("wrong", True, False),
    ]
    marker = deleted[0]["DeleteMarkerVersionId"]
    wanted = [{"Key": "k", "VersionId": v} for v in (marker, first, "HPniJFCxqTsMuIH9KX8K8wEjNUgmABCD")]
    answer = client.delete_objects(Bucket=versioned, Delete={"Objects": wanted})
    assert answer["Deleted"] == [
        {"Key": "k", "VersionId": marker, "DeleteMarker": True, "DeleteMarkerVersionId": marker},
        {"Key": "k", "VersionId": first},
    ]
    assert [(entry["Code"], entry["VersionId"]) for entry in answer["Errors"]] == [
        ("NoSuchVersion", "HPniJFCxqTsMuIH9KX8K8wEjNUgmABCD")
    ]


def test_a_delete_by_its_etag_goes_only_with_it(client, versioned):
    put(client, versioned, b"x")
    wrong = {"Objects": [{"Key": "k", "ETag": '"0"'}]}
    [error] = client.delete_objects(Bucket=versioned, Delete=wrong)["Errors"]
    assert error["Code"] == "PreconditionFailed"
    assert body_of(client, versioned) == b"x"


def test_tags_belong_to_a_version(client, versioned):
    first, second = put(client, versioned, b"1"), put(client, versioned, b"2")
    for version, value in ((first, "old"), (None, "new")):
        named = {"Bucket": versioned, "Key": "k", **({"VersionId": version} if version else {})}
        answer = client.put_object_tagging(Tagging={"TagSet": [{"Key": "is", "Value": value}]}, **named)
        assert answer["VersionId"] == (version or second)
    for version, value in ((first, "old"), (second, "new")):
        tags = client.get_object_tagging(Bucket=versioned, Key="k", VersionId=version)
        assert (tags["VersionId"], tags["TagSet"]) == (version, [{"Key": "is", "Value": value}])
    assert client.delete_object_tagging(Bucket=versioned, Key="k", VersionId=first)["VersionId"] == first
    assert client.head_object(Bucket=versioned, Key="k")["TagCount"] == 1
    assert "TagCount" not in client.head_object(Bucket=versioned, Key="k", VersionId=first)


def test_a_version_is_copied_and_an_older_one_made_the_current_one(client, versioned):
    first = put(client, versioned, b"one")
    put(client, versioned, b"two")
    source = {"Bucket": versioned, "Key": "k", "VersionId": first}
    copied = client.copy_object(Bucket=versioned, Key="k", CopySource=source)
    assert copied["CopySourceVersionId"] == first
    assert copied["VersionId"] not in {first, None}
    assert body_of(client, versioned) == b"one"
    assert len(listed(client, versioned)) == 3
    itself = {"Bucket": versioned, "Key": "k", "CopySource": f"{versioned}/k"}
    refused("InvalidRequest", 400, client.copy_object, **itself)


def test_a_multipart_upload_becomes_a_version(client, versioned):
    first = put(client, versioned, b"one")
    upload = client.create_multipart_upload(Bucket=versioned, Key="k")["UploadId"]
    named = {"Bucket": versioned, "Key": "k", "UploadId": upload}
    source = {"Bucket": versioned, "Key": "k", "VersionId": first}
    part = client.upload_part_copy(PartNumber=1, CopySource=source, **named)
    assert part["CopySourceVersionId"] == first
    parts = {"Parts": [{"PartNumber": 1, "ETag": part["CopyPartResult"]["ETag"]}]}
    done = client.complete_multipart_upload(MultipartUpload=parts, **named)
    again = client.complete_multipart_upload(MultipartUpload=parts, **named)
    assert done["VersionId"] == again["VersionId"]
    assert listed(client, versioned) == [("k", done["VersionId"], True, False), ("k", first, False, False)]


def test_conditions_look_at_the_current_version(client, versioned):
    put(client, versioned, b"x")
    refused("PreconditionFailed", 412, client.put_object, Bucket=versioned, Key="k", Body=b"y", IfNoneMatch="*")
    client.delete_object(Bucket=versioned, Key="k")
    refused("NoSuchKey", 404, client.put_object, Bucket=versioned, Key="k", Body=b"y", IfMatch='"0"')
    assert client.put_object(Bucket=versioned, Key="k", Body=b"y", IfNoneMatch="*")["VersionId"]


def test_versions_are_listed_in_pages(client, versioned):
    for key in ("a", "b", "c"):
        put(client, versioned, b"1", key)
        put(client, versioned, b"2", key)
        client.delete_object(Bucket=versioned, Key=key)
    whole = sorted(listed(client, versioned))
    assert len(whole) == 9
    for size in (1, 2, 4):
        pages = client.get_paginator("list_object_versions").paginate(
            Bucket=versioned, PaginationConfig={"PageSize": size}
        )
        found = [(v["Key"], v["VersionId"]) for p in pages for v in p.get("Versions", []) + p.get("DeleteMarkers", [])]
        assert sorted(found) == [(key, version) for key, version, _, _ in whole]
    by_key = client.list_object_versions(Bucket=versioned, KeyMarker="a", MaxKeys=1)
    assert [m["Key"] for m in by_key["DeleteMarkers"]] == ["b"]
    assert (by_key["NextKeyMarker"], by_key["NextVersionIdMarker"]) == ("b", by_key["DeleteMarkers"][0]["VersionId"])
    refused("InvalidArgument", 400, client.list_object_versions, Bucket=versioned, VersionIdMarker=whole[0][1])
    wrong = {"KeyMarker": "a", "VersionIdMarker": "abc"}
    refused("InvalidArgument", 400, client.list_object_versions, Bucket=versioned, **wrong)


def test_a_page_goes_on_behind_a_version_that_was_deleted_meanwhile(client, versioned):
    """As every program does that empties a bucket."""
    for body in range(5):
        put(client, versioned, b"%d" % body)
    while page := client.list_object_versions(Bucket=versioned, MaxKeys=2).get("Versions"):
        for version in page:
            client.delete_object(Bucket=versioned, Key="k", VersionId=version["VersionId"])
    for body in range(5):
        put(client, versioned, b"%d" % body)
    marker = {}
    for _ in range(3):
        page = client.list_object_versions(Bucket=versioned, MaxKeys=2, **marker)
        objects = [{"Key": "k", "VersionId": version["VersionId"]} for version in page["Versions"]]
        client.delete_objects(Bucket=versioned, Delete={"Objects": objects})
        marker = {"KeyMarker": page.get("NextKeyMarker"), "VersionIdMarker": page.get("NextVersionIdMarker")}
    assert listed(client, versioned) == []


def test_versions_are_grouped_by_common_prefixes(client, versioned):
    for key in ("dir/a", "dir/a", "dir/sub/1", "dir/sub/2", "dir/z"):
        put(client, versioned, b"x", key)
    found, prefixes, marker = [], [], {}
    while marker is not None:
        page = client.list_object_versions(Bucket=versioned, Prefix="dir/", Delimiter="/", MaxKeys=1, **marker)
        found += [version["Key"] for version in page.get("Versions", [])]
        prefixes += [common["Prefix"] for common in page.get("CommonPrefixes", [])]
        names = {"KeyMarker": "NextKeyMarker", "VersionIdMarker": "NextVersionIdMarker"}
        marker = {name: page[after] for name, after in names.items() if after in page} if page["IsTruncated"] else None
    assert (found, prefixes) == (["dir/a", "dir/a", "dir/z"], ["dir/sub/"])


def test_each_right_on_a_version_is_a_right_of_its_own(s3, client, versioned):
    first = put(client, versioned, b"1")
    put(client, versioned, b"2")
    s3.rules.denied = {"s3:GetObjectVersion", "s3:DeleteObjectVersion"}
    assert body_of(client, versioned) == b"2"
    refused("AccessDenied", 403, client.get_object, Bucket=versioned, Key="k", VersionId=first)
    refused("AccessDenied", 403, client.delete_object, Bucket=versioned, Key="k", VersionId=first)
    [error] = client.delete_objects(Bucket=versioned, Delete={"Objects": [{"Key": "k", "VersionId": first}]})["Errors"]
    assert error["Code"] == "AccessDenied"
    assert client.delete_object(Bucket=versioned, Key="k")["DeleteMarker"]


def test_each_version_has_a_list_of_its_own(client):
    client.create_bucket(Bucket="listed", ObjectOwnership="ObjectWriter")
    set_versioning(client, "listed", "Enabled")
    first, second = put(client, "listed", b"1"), put(client, "listed", b"2")
    reader = f'id="{"a" * 64}"'
    client.put_object_acl(Bucket="listed", Key="k", VersionId=first, GrantRead=reader)
    granted = [client.get_object_acl(Bucket="listed", Key="k", VersionId=v)["Grants"] for v in (first, second)]
    assert [[grant["Permission"] for grant in grants] for grants in granted] == [["READ"], ["FULL_CONTROL"]]
    marker = client.delete_object(Bucket="listed", Key="k")["VersionId"]
    refused("NoSuchKey", 404, client.get_object_acl, Bucket="listed", Key="k")
    refused("MethodNotAllowed", 405, client.get_object_acl, Bucket="listed", Key="k", VersionId=marker)
    for more in ({}, {"VersionId": marker}):
        refused("MethodNotAllowed", 405, client.put_object_acl, Bucket="listed", Key="k", GrantRead=reader, **more)
