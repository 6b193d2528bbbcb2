"""Objects, as boto3 sees them."""

import base64
import hashlib
import http.client
import zlib
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

import pytest
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.exceptions import ClientError

from tests.contract.s3.conftest import KEY, SECRET
from tests.contract.s3.refusals import refused
from tests.kms import ARN

KEYS = [
    "k",
    "a/b/c.txt",
    "ü ü+%2F&=?#",
    "a//b",
    "..",
    "../../etc/passwd",
    "/lead",
    "trail/",
    "'quoted\"<x>",
    "日本/語",
    "a" * 1024,
]


@pytest.mark.parametrize("key", KEYS)
def test_any_key_gives_back_what_was_put(client, bucket, key):
    body = f"body of {key}".encode()
    put = client.put_object(Bucket=bucket, Key=key, Body=body)
    got = client.get_object(Bucket=bucket, Key=key)
    assert got["Body"].read() == body
    assert put["ETag"] == got["ETag"] == f'"{hashlib.md5(body).hexdigest()}"'
    assert [entry["Key"] for entry in client.list_objects_v2(Bucket=bucket)["Contents"]] == [key]
    client.delete_object(Bucket=bucket, Key=key)
    assert "Contents" not in client.list_objects_v2(Bucket=bucket)


def test_a_key_of_more_than_1024_bytes_is_refused(client, bucket, s3):
    refused("KeyTooLongError", 400, client.put_object, Bucket=bucket, Key="ü" * 513, Body=b"x")
    assert s3.files == set()


def test_head_tells_all_that_put_said(client, bucket):
    expires = datetime(2030, 1, 2, 3, 4, 5, tzinfo=UTC)
    said = {
        "ContentType": "text/csv",
        "CacheControl": "no-cache",
        "ContentDisposition": 'attachment; filename="x.csv"',
        "ContentEncoding": "gzip",
        "ContentLanguage": "de",
        "StorageClass": "STANDARD_IA",
        "ServerSideEncryption": "aws:kms",
        "SSEKMSKeyId": ARN,
        "Metadata": {"one": "1", "two": "b c"},
    }
    client.put_object(Bucket=bucket, Key="k", Body=b"12345", Expires=expires, Tagging="a=1&b=x%20y", **said)
    for answer in (client.head_object(Bucket=bucket, Key="k"), client.get_object(Bucket=bucket, Key="k")):
        assert {name: answer[name] for name in said} == said
        assert answer["ContentLength"] == 5
        assert answer["Expires"] == expires
        assert answer["TagCount"] == 2 or "TagCount" not in answer
        assert abs(answer["LastModified"] - datetime.now(UTC)) < timedelta(seconds=60)
    assert client.get_object_tagging(Bucket=bucket, Key="k")["TagSet"] == [
        {"Key": "a", "Value": "1"},
        {"Key": "b", "Value": "x y"},
    ]


def test_what_is_missing_is_named(client, bucket):
    error = refused("NoSuchKey", 404, client.get_object, Bucket=bucket, Key="no")
    assert error["Message"] == "The specified key does not exist." and error["Key"] == "no"
    error = refused("NoSuchBucket", 404, client.get_object, Bucket="nobody", Key="no")
    assert error["BucketName"] == "nobody"
    refused("404", 404, client.head_object, Bucket=bucket, Key="no")
    refused("404", 404, client.head_bucket, Bucket="nobody")


def test_who_may_not_list_does_not_learn_what_is_missing(s3, client, bucket):
    client.put_object(Bucket=bucket, Key="there", Body=b"x")
    s3.rules.denied = {"s3:ListBucket"}
    assert client.get_object(Bucket=bucket, Key="there")["Body"].read() == b"x"
    error = refused("AccessDenied", 403, client.get_object, Bucket=bucket, Key="no")
    assert "s3:ListBucket on arn:aws:s3:::bucket" in error["Message"]
    refused("403", 403, client.head_object, Bucket=bucket, Key="no")
    refused("AccessDenied", 403, client.get_object_attributes, Bucket=bucket, Key="no", ObjectAttributes=["ETag"])
    refused("NoSuchBucket", 404, client.put_object, Bucket="nobody", Key="k", Body=b"x")
    refused("InvalidArgument", 400, client.get_object, Bucket=bucket, Key="k", VersionId="abc")


def test_a_refused_put_leaves_no_file(client, bucket, s3):
    refused("NoSuchBucket", 404, client.put_object, Bucket="nobody", Key="k", Body=b"x")
    refused("NotImplemented", 501, client.put_object, Bucket=bucket, Key="k", Body=b"x", IfNoneMatch='"tag"')
    refused("AccessControlListNotSupported", 400, client.put_object, Bucket=bucket, Key="k", ACL="public-read")
    refused("InvalidStorageClass", 400, client.put_object, Bucket=bucket, Key="k", StorageClass="SNOW")
    refused(
        "NotImplemented",
        501,
        client.put_object,
        Bucket=bucket,
        Key="k",
        WriteOffsetBytes=3,
    )
    assert s3.files == set()


@pytest.mark.parametrize(
    ("header", "start", "end"),
    [
        ("bytes=0-0", 0, 1),
        ("bytes=2-4", 2, 5),
        ("bytes=5-", 5, 10),
        ("bytes=-3", 7, 10),
        ("bytes=8-99", 8, 10),
        ("bytes=-99", 0, 10),
    ],
)
def test_a_range_is_answered_with_206(client, bucket, header, start, end):
    client.put_object(Bucket=bucket, Key="k", Body=b"0123456789")
    got = client.get_object(Bucket=bucket, Key="k", Range=header)
    assert got["Body"].read() == b"0123456789"[start:end]
    assert got["ContentRange"] == f"bytes {start}-{end - 1}/10"
    assert got["ResponseMetadata"]["HTTPStatusCode"] == 206
    head = client.head_object(Bucket=bucket, Key="k", Range=header)
    assert (head["ContentLength"], head["ResponseMetadata"]["HTTPStatusCode"]) == (end - start, 206)


@pytest.mark.parametrize("header", ["bytes=10-", "bytes=10-12", "bytes=-0"])
def test_a_range_outside_is_refused(client, bucket, header):
    client.put_object(Bucket=bucket, Key="k", Body=b"0123456789")
    error = refused("InvalidRange", 416, client.get_object, Bucket=bucket, Key="k", Range=header)
    assert error["ActualObjectSize"] == "10"


@pytest.mark.parametrize(
    "header", ["bytes=4-2", "items=0-1", "bytes=0-1,4-5", "bytes=-", "nonsense", "bytes=" + "9" * 4000 + "-"]
)
def test_a_range_that_is_none_is_ignored(client, bucket, header):
    client.put_object(Bucket=bucket, Key="k", Body=b"0123456789")
    got = client.get_object(Bucket=bucket, Key="k", Range=header)
    assert (got["Body"].read(), got["ResponseMetadata"]["HTTPStatusCode"]) == (b"0123456789", 200)


def test_conditions_on_reading(client, bucket):
    etag = client.put_object(Bucket=bucket, Key="k", Body=b"x")["ETag"]
    modified = client.head_object(Bucket=bucket, Key="k")["LastModified"]
    at = {"Bucket": bucket, "Key": "k"}
    earlier, later = modified - timedelta(hours=1), modified + timedelta(seconds=1)
    assert client.get_object(**at, IfMatch=etag)["Body"].read() == b"x"
    assert client.get_object(**at, IfMatch="*", IfUnmodifiedSince=earlier)["Body"].read() == b"x"
    assert client.get_object(**at, IfNoneMatch='"other"', IfModifiedSince=modified)["Body"].read() == b"x"
    assert client.get_object(**at, IfModifiedSince=earlier)["Body"].read() == b"x"
    refused("PreconditionFailed", 412, client.get_object, **at, IfMatch='"other"')
    refused("PreconditionFailed", 412, client.get_object, **at, IfUnmodifiedSince=earlier)
    refused("304", 304, client.get_object, **at, IfNoneMatch=etag)
    refused("304", 304, client.get_object, **at, IfModifiedSince=modified)
    refused("304", 304, client.head_object, **at, IfNoneMatch=etag.strip('"'))
    with pytest.raises(ClientError) as same:
        client.get_object(**at, IfNoneMatch=etag)
    headers = same.value.response["ResponseMetadata"]["HTTPHeaders"]
    assert (headers["etag"], parsedate_to_datetime(headers["last-modified"])) == (etag, modified)
    assert client.get_object(**at, IfModifiedSince=later + timedelta(days=1))["Body"].read() == b"x"


def test_conditions_on_writing(client, bucket, s3):
    at = {"Bucket": bucket, "Key": "k"}
    refused("NoSuchKey", 404, client.put_object, **at, Body=b"x", IfMatch='"e"')
    for header, asked in (
        ("If-Match", {"IfMatch": "*"}),
        ("If-None-Match", {"IfNoneMatch": "e"}),
        ("If-Match,If-None-Match", {"IfMatch": "e", "IfNoneMatch": "*"}),
    ):
        assert refused("NotImplemented", 501, client.put_object, **at, Body=b"x", **asked)["Header"] == header
    first = client.put_object(**at, Body=b"one", IfNoneMatch="*")["ETag"]
    error = refused("PreconditionFailed", 412, client.put_object, **at, Body=b"two", IfNoneMatch="*")
    assert error["Condition"] == "If-None-Match"
    second = client.put_object(**at, Body=b"two", IfMatch=first)["ETag"]
    refused("PreconditionFailed", 412, client.put_object, **at, Body=b"three", IfMatch=first)
    refused("PreconditionFailed", 412, client.delete_object, **at, IfMatch=first)
    assert client.get_object(**at)["Body"].read() == b"two"
    client.delete_object(**at, IfMatch=second)
    client.put_object(**at, Body=b"four")
    client.delete_object(**at, IfMatch="*")
    refused("NoSuchKey", 404, client.get_object, **at)


ALGORITHMS = ["CRC32", "CRC32C", "CRC64NVME", "SHA1", "SHA256"]


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_checksum_asked_for_is_kept_and_given_back(client, bucket, algorithm):
    member = f"Checksum{algorithm}"
    put = client.put_object(Bucket=bucket, Key="k", Body=b"hello", ChecksumAlgorithm=algorithm)
    got = client.get_object(Bucket=bucket, Key="k", ChecksumMode="ENABLED")
    assert put[member] == got[member]
    assert got["ChecksumType"] == "FULL_OBJECT"
    assert got["Body"].read() == b"hello"
    assert client.list_objects_v2(Bucket=bucket)["Contents"][0]["ChecksumAlgorithm"] == [algorithm]


def test_without_a_checksum_crc64nvme_is_computed(s3, bucket):
    client = s3.client(request_checksum_calculation="when_required")
    assert client.put_object(Bucket=bucket, Key="k", Body=b"hello")["ChecksumCRC64NVME"] == "M3eFcAZSQlc="


def test_a_wrong_checksum_is_refused_and_nothing_kept(client, bucket, s3):
    at = {"Bucket": bucket, "Key": "k", "Body": b"hello"}
    wrong = base64.b64encode(zlib.crc32(b"other").to_bytes(4, "big")).decode()
    error = refused("BadDigest", 400, client.put_object, **at, ChecksumCRC32=wrong)
    assert error["Message"] == "The CRC32 you specified did not match the calculated checksum."
    refused("InvalidRequest", 400, client.put_object, **at, ChecksumCRC32="nonsense")
    for nonsense in ("eA==", "__invalid__", "000", "not base64 encoded checksum"):
        error = refused("InvalidDigest", 400, client.put_object, **at, ContentMD5=nonsense)
        assert error["Content-MD5"] == nonsense
    s3.intake._threads.submit(lambda: None).result(60)
    assert client.list_objects_v2(Bucket=bucket)["KeyCount"] == 0


@pytest.mark.parametrize("size", [5, 100_000])
def test_a_body_that_is_not_what_its_md5_says(client, bucket, size):
    """S3 writes the digest that it was told in hexadecimal for objects, in base64 for parts."""
    other, body = hashlib.md5(b"other"), bytes(size)
    said, real = base64.b64encode(other.digest()).decode(), base64.b64encode(hashlib.md5(body).digest()).decode()
    error = refused("BadDigest", 400, client.put_object, Bucket=bucket, Key="k", Body=body, ContentMD5=said)
    assert (error["ExpectedDigest"], error["CalculatedDigest"]) == (other.hexdigest(), real)
    assert error["Message"] == "The Content-MD5 you specified did not match what we received."
    upload = {"Bucket": bucket, "Key": "k"}
    upload["UploadId"] = client.create_multipart_upload(**upload)["UploadId"]
    error = refused("BadDigest", 400, client.upload_part, **upload, PartNumber=1, Body=body, ContentMD5=said)
    assert (error["ExpectedDigest"], error["CalculatedDigest"]) == (said, real)


@pytest.mark.parametrize(
    ("header", "value", "code"),
    [
        ("Content-MD5", base64.b64encode(hashlib.md5(b"other").digest()).decode(), "BadDigest"),
        ("Content-MD5", "nonsense", "InvalidDigest"),
        ("x-amz-checksum-crc32", base64.b64encode(b"1234").decode(), "BadDigest"),
    ],
)
def test_a_document_that_is_not_what_its_checksums_say(client, bucket, header, value, code):
    client.put_object(Bucket=bucket, Key="k", Body=b"x")

    def spoil(request, **_):
        del request.headers[header]
        request.headers[header] = value

    client.meta.events.register("before-sign.s3.DeleteObjects", spoil)
    refused(code, 400, client.delete_objects, Bucket=bucket, Delete={"Objects": [{"Key": "k"}]})
    client.head_object(Bucket=bucket, Key="k")


def test_a_body_of_megabytes(client, bucket):
    body = bytes(range(256)) * 4096 * 11
    client.put_object(Bucket=bucket, Key="big", Body=body)
    assert client.get_object(Bucket=bucket, Key="big")["Body"].read() == body
    part = client.get_object(Bucket=bucket, Key="big", Range="bytes=1000000-9000000")["Body"].read()
    assert part == body[1000000:9000001]


def test_a_body_sent_in_chunks_with_a_trailer(s3, bucket):
    """What SDKs send over TLS: aws-chunked, unsigned, the checksum behind the body."""
    crc = base64.b64encode(zlib.crc32(b"hello world").to_bytes(4, "big")).decode()
    body = f"5\r\nhello\r\n6\r\n world\r\n0\r\nx-amz-checksum-crc32:{crc}\r\n\r\n".encode()
    headers = {
        "Content-Encoding": "aws-chunked",
        "X-Amz-Decoded-Content-Length": "11",
        "X-Amz-Trailer": "x-amz-checksum-crc32",
    }
    request = AWSRequest("PUT", f"{s3.url}/{bucket}/k", headers, body)
    request.context["checksum"] = {"request_algorithm": {"in": "trailer"}}
    S3SigV4Auth(Credentials(KEY, SECRET), "s3", "us-east-1").add_auth(request)
    connection = http.client.HTTPConnection(urlsplit(s3.url).netloc)
    connection.request("PUT", f"/{bucket}/k", body, dict(request.headers))
    answer = connection.getresponse()
    assert answer.status == 200, answer.read()
    got = s3.client().get_object(Bucket=bucket, Key="k", ChecksumMode="ENABLED")
    assert (got["Body"].read(), got["ChecksumCRC32"]) == (b"hello world", crc)
    assert "ContentEncoding" not in got


def test_a_body_cut_short_leaves_nothing(s3, bucket):
    split = urlsplit(s3.client().generate_presigned_url("put_object", {"Bucket": bucket, "Key": "k"}))
    connection = http.client.HTTPConnection(split.netloc)
    connection.putrequest("PUT", f"{split.path}?{split.query}")
    connection.putheader("Content-Length", "3000000")
    connection.endheaders()
    connection.send(b"x" * 2_500_000)
    connection.close()
    client = s3.client()
    assert client.list_objects_v2(Bucket=bucket)["KeyCount"] == 0


@pytest.mark.parametrize("version", ["s3v4", "s3"])
def test_presigned_get_and_put(s3, bucket, version):
    client = s3.client(signature_version=version)
    for method, path_body, key in (("put_object", b"via url", "p/k +ü"), ("get_object", None, "p/k +ü")):
        split = urlsplit(client.generate_presigned_url(method, {"Bucket": bucket, "Key": key}))
        connection = http.client.HTTPConnection(split.netloc)
        connection.request("PUT" if path_body else "GET", f"{split.path}?{split.query}", path_body)
        answer = connection.getresponse()
        read = answer.read()
        assert answer.status == 200, read
    assert read == b"via url"


def test_response_headers_can_be_chosen_in_the_query(client, bucket):
    client.put_object(Bucket=bucket, Key="k", Body=b"x", ContentType="text/plain")
    got = client.get_object(Bucket=bucket, Key="k", ResponseContentType="text/html", ResponseCacheControl="no-store")
    assert (got["ContentType"], got["CacheControl"]) == ("text/html", "no-store")


def test_copy_keeps_or_replaces_what_is_said_of_the_object(client, bucket):
    client.put_object(
        Bucket=bucket, Key="a b/ü", Body=b"body", ContentType="text/csv", Metadata={"x": "1"}, Tagging="t=1"
    )
    source = {"Bucket": bucket, "Key": "a b/ü"}
    result = client.copy_object(Bucket=bucket, Key="kept", CopySource=source)["CopyObjectResult"]
    assert result["ETag"] == f'"{hashlib.md5(b"body").hexdigest()}"'
    kept = client.get_object(Bucket=bucket, Key="kept")
    assert (kept["Body"].read(), kept["ContentType"], kept["Metadata"]) == (b"body", "text/csv", {"x": "1"})
    assert client.get_object_tagging(Bucket=bucket, Key="kept")["TagSet"] == [{"Key": "t", "Value": "1"}]
    client.copy_object(
        Bucket=bucket,
        Key="new",
        CopySource=source,
        MetadataDirective="REPLACE",
        ContentType="text/plain",
        Metadata={"y": "2"},
        TaggingDirective="REPLACE",
        ChecksumAlgorithm="SHA256",
    )
    new = client.head_object(Bucket=bucket, Key="new", ChecksumMode="ENABLED")
    assert (new["ContentType"], new["Metadata"]) == ("text/plain", {"y": "2"})
    assert new["ChecksumSHA256"] == base64.b64encode(hashlib.sha256(b"body").digest()).decode()
    assert client.get_object_tagging(Bucket=bucket, Key="new")["TagSet"] == []


def test_a_copy_outlives_its_source(client, bucket, s3):
    client.put_object(Bucket=bucket, Key="a", Body=b"body")
    client.copy_object(Bucket=bucket, Key="b", CopySource=f"{bucket}/a")
    client.delete_object(Bucket=bucket, Key="a")
    s3.store.collector.collect(now=datetime.now(UTC).timestamp() + 3600)
    assert client.get_object(Bucket=bucket, Key="b")["Body"].read() == b"body"


def test_copies_that_are_refused(client, bucket):
    client.put_object(Bucket=bucket, Key="a", Body=b"body")
    at = {"Bucket": bucket, "Key": "b"}
    refused("InvalidRequest", 400, client.copy_object, Bucket=bucket, Key="a", CopySource=f"{bucket}/a")
    refused("NoSuchKey", 404, client.copy_object, **at, CopySource=f"{bucket}/none")
    refused("NoSuchBucket", 404, client.copy_object, **at, CopySource="nobody/a")
    refused("InvalidArgument", 400, client.copy_object, **at, CopySource="nonsense")
    refused("PreconditionFailed", 412, client.copy_object, **at, CopySource=f"{bucket}/a", CopySourceIfMatch="x")
    refused("InvalidArgument", 400, client.copy_object, **at, CopySource=f"{bucket}/a", MetadataDirective="MOVE")
    refused(
        "AccessDenied",
        403,
        client.copy_object,
        **at,
        CopySource=f"{bucket}/a",
        ExpectedSourceBucketOwner="999999999999",
    )


def test_delete_many(client, bucket):
    for key in ("a", "b", "c"):
        client.put_object(Bucket=bucket, Key=key, Body=b"x")
    wanted = {"Objects": [{"Key": "a"}, {"Key": "missing"}, {"Key": "b", "VersionId": "v1"}]}
    answer = client.delete_objects(Bucket=bucket, Delete=wanted)
    assert [entry["Key"] for entry in answer["Deleted"]] == ["a", "missing"]
    assert [(entry["Key"], entry["Code"]) for entry in answer["Errors"]] == [("b", "NoSuchVersion")]
    quiet = client.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": "b"}], "Quiet": True})
    assert "Deleted" not in quiet
    assert [entry["Key"] for entry in client.list_objects_v2(Bucket=bucket)["Contents"]] == ["c"]
    refused("MalformedXML", 400, client.delete_objects, Bucket=bucket, Delete={"Objects": []})


def test_a_delete_that_is_not_allowed_does_not_keep_the_others_back(s3, client, bucket):
    for key in ("keep", "go"):
        client.put_object(Bucket=bucket, Key=key, Body=b"x")
    s3.rules.denied = {"s3:DeleteObject arn:aws:s3:::bucket/keep"}
    answer = client.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": "keep"}, {"Key": "go"}]})
    assert [each["Key"] for each in answer["Deleted"]] == ["go"]
    assert [(each["Key"], each["Code"].startswith("AccessDenied")) for each in answer["Errors"]] == [("keep", True)]
    assert [each["Key"] for each in client.list_objects_v2(Bucket=bucket)["Contents"]] == ["keep"]


def test_object_tags_are_replaced_and_removed(client, bucket):
    client.put_object(Bucket=bucket, Key="k", Body=b"x")
    at = {"Bucket": bucket, "Key": "k"}
    client.put_object_tagging(**at, Tagging={"TagSet": [{"Key": "a", "Value": "1"}]})
    assert client.get_object_tagging(**at)["TagSet"] == [{"Key": "a", "Value": "1"}]
    client.delete_object_tagging(**at)
    assert client.get_object_tagging(**at)["TagSet"] == []
    many = [{"Key": str(n), "Value": ""} for n in range(11)]
    refused("BadRequest", 400, client.put_object_tagging, **at, Tagging={"TagSet": many})
    twice = [{"Key": "a", "Value": "1"}, {"Key": "a", "Value": "2"}]
    refused("InvalidTag", 400, client.put_object_tagging, **at, Tagging={"TagSet": twice})


def test_rights_are_those_of_the_object_and_of_the_source(client, bucket, s3):
    client.put_object(Bucket=bucket, Key="a", Body=b"x")
    s3.rules.denied = {"s3:GetObject"}
    refused("AccessDenied", 403, client.get_object, Bucket=bucket, Key="a")
    refused("403", 403, client.head_object, Bucket=bucket, Key="a")
    refused("AccessDenied", 403, client.copy_object, Bucket=bucket, Key="b", CopySource=f"{bucket}/a")
    s3.rules.denied = {"s3:PutObjectTagging"}
    refused("AccessDenied", 403, client.put_object, Bucket=bucket, Key="a", Body=b"x", Tagging="a=1")
    client.put_object(Bucket=bucket, Key="a", Body=b"x")


def test_a_file_object_by_the_transfer_library(client, bucket, tmp_path):
    source, target = tmp_path / "in", tmp_path / "out"
    source.write_bytes(bytes(range(256)) * 4096 * 20)
    client.upload_file(str(source), bucket, "k", ExtraArgs={"Metadata": {"m": "1"}})
    client.download_file(bucket, "k", str(target))
    assert target.read_bytes() == source.read_bytes()
    assert client.head_object(Bucket=bucket, Key="k")["Metadata"] == {"m": "1"}
