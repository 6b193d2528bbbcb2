"""Which operation a request names, by whatever tells it."""

import pytest

from clary.wire.directory import Directory, bucket_of_host
from clary.wire.http import HttpRequest
from clary.wire.routes import BadPath

DIRECTORY = Directory(("sagemaker", "sagemaker-runtime", "s3", "sts", "iam", "logs", "s3control"))


BLOCK = "/v20180820/configuration/publicAccessBlock"
CONTROL = "1.s3-control.us-east-1.amazonaws.com"
ACCOUNT = {"method": "GET", "x_amz_account_id": "1"}
PART = "partNumber=1&uploadId=u"


def find(method="POST", path="/", query="", scope=None, body=b"", host="127.0.0.1:4599", **headers):
    sent = {"host": host, **{name.replace("_", "-"): value for name, value in headers.items()}}
    return DIRECTORY.find(HttpRequest(method, path, query, sent, body), scope)


@pytest.mark.parametrize(
    ("request_", "service", "operation"),
    [
        ({"x_amz_target": "SageMaker.CreateModel", "scope": "sagemaker"}, "sagemaker", "CreateModel"),
        ({"x_amz_target": "SageMaker.CreateModel"}, "sagemaker", "CreateModel"),
        ({"x_amz_target": "Logs_20140328.PutLogEvents"}, "logs", "PutLogEvents"),
        ({"path": "/endpoints/e/invocations", "scope": "sagemaker"}, "sagemaker-runtime", "InvokeEndpoint"),
        ({"path": "/endpoints/e/invocations"}, "sagemaker-runtime", "InvokeEndpoint"),
        ({"body": b"Action=GetUser&Version=2010-05-08", "scope": "iam"}, "iam", "GetUser"),
        ({"body": b"Action=GetUser&Version=2010-05-08"}, "iam", "GetUser"),
        ({"method": "GET", "query": "Action=GetCallerIdentity&Version=2011-06-15"}, "sts", "GetCallerIdentity"),
        ({"method": "GET", "path": "/", "scope": "s3"}, "s3", "ListBuckets"),
        ({"method": "GET", "path": "/b"}, "s3", "ListObjects"),
        ({"method": "GET", "path": "/b/"}, "s3", "ListObjects"),
        ({"method": "GET", "path": "/b", "query": "list-type=2"}, "s3", "ListObjectsV2"),
        ({"method": "GET", "path": "/b", "query": "list-type=1"}, "s3", "ListObjects"),
        ({"method": "GET", "path": "/b", "query": "location"}, "s3", "GetBucketLocation"),
        ({"method": "GET", "path": "/b", "query": "lifecycle"}, "s3", "GetBucketLifecycleConfiguration"),
        ({"method": "GET", "path": "/b/k", "query": "x-id=GetObject"}, "s3", "GetObject"),
        ({"method": "GET", "path": "/b/k", "query": "uploadId=u"}, "s3", "ListParts"),
        ({"method": "GET", "path": "/b/k", "query": "partNumber=1"}, "s3", "GetObject"),
        ({"method": "PUT", "path": "/b/k"}, "s3", "PutObject"),
        ({"method": "PUT", "path": "/b/k", "x_amz_copy_source": "/a/k"}, "s3", "CopyObject"),
        ({"method": "PUT", "path": "/b/k", "query": PART}, "s3", "UploadPart"),
        ({"method": "PUT", "path": "/b/k", "query": PART, "x_amz_copy_source": "/a/k"}, "s3", "UploadPartCopy"),
        ({"method": "POST", "path": "/b/k", "query": "uploads"}, "s3", "CreateMultipartUpload"),
        ({"method": "POST", "path": "/b/k", "query": "uploadId=u"}, "s3", "CompleteMultipartUpload"),
        ({"method": "POST", "path": "/b", "query": "delete"}, "s3", "DeleteObjects"),
        ({"method": "DELETE", "path": "/b/k", "query": "uploadId=u"}, "s3", "AbortMultipartUpload"),
        ({"method": "DELETE", "path": "/b/k"}, "s3", "DeleteObject"),
        ({"method": "HEAD", "path": "/b"}, "s3", "HeadBucket"),
        ({"method": "POST", "path": "/nothing", "scope": "sagemaker"}, "sagemaker-runtime", ""),
        ({"method": "PATCH", "path": "/b/k"}, "s3", ""),
        ({"scope": "glue"}, "glue", ""),
        ({**ACCOUNT, "path": BLOCK, "scope": "s3"}, "s3control", "GetPublicAccessBlock"),
        ({**ACCOUNT, "path": BLOCK, "host": CONTROL}, "s3control", "GetPublicAccessBlock"),
        ({**ACCOUNT, "path": "/v20180820/odd", "scope": "s3"}, "s3control", ""),
        ({"method": "GET", "path": BLOCK, "scope": "s3"}, "s3", "GetObject"),
    ],
)
def test_the_operation_is_found(request_, service, operation):
    target = find(**request_)
    assert (target.service, target.operation) == (service, operation)


@pytest.mark.parametrize(
    ("path", "key"),
    [
        ("/b/k", "k"),
        ("/b/a/b/", "a/b/"),
        ("/b//a", "/a"),
        ("/b/a%2Fb%20c+d", "a/b c+d"),
        ("/b/../x", "../x"),
        ("/b/%C3%BC", "ü"),
    ],
)
def test_keys_are_what_the_path_says(path, key):
    assert find("GET", path).labels == {"Bucket": "b", "Key": key}


def test_a_path_that_was_asked_before_is_not_mistaken_for_another():
    put = {"method": "PUT", "path": "/bucket/key", "scope": "s3"}
    for _ in range(2):
        assert find(path="/endpoints/e/invocations", scope="sagemaker").labels == {"EndpointName": "e"}
        assert find(path="/endpoints/f/invocations", scope="sagemaker").labels == {"EndpointName": "f"}
        assert find(**put).operation == "PutObject"
        assert find(**put, x_amz_copy_source="other/key").operation == "CopyObject"
        assert find(**put, query=PART).operation == "UploadPart"


def test_the_host_may_name_the_bucket():
    assert find("GET", "/a/b", host="bucket.s3.us-east-1.amazonaws.com").labels == {"Bucket": "bucket", "Key": "a/b"}
    target = find("GET", "/", host="my.bucket.localhost:4599", query="list-type=2")
    assert (target.operation, target.labels, target.bucket) == ("ListObjectsV2", {"Bucket": "my.bucket"}, "my.bucket")


@pytest.mark.parametrize(
    ("host", "bucket"),
    [
        ("127.0.0.1:4599", None),
        ("[::1]:4599", None),
        ("localhost:4599", None),
        ("clary:4599", None),
        ("s3.us-east-1.amazonaws.com", None),
        ("s3-eu-west-1.amazonaws.com", None),
        ("host.containers.internal:4599", None),
        ("b.localhost:4599", "b"),
        ("b.s3-eu-west-1.amazonaws.com", "b"),
        ("b.c.s3.amazonaws.com", "b.c"),
        ("", None),
    ],
)
def test_hosts_are_read(host, bucket):
    assert bucket_of_host(host) == bucket


def test_a_path_that_is_no_text_is_refused():
    with pytest.raises(BadPath):
        find("GET", "/b/%ff")


def test_a_services_paths_are_read_when_they_are_asked_for():
    directory = Directory(["s3", "lambda"])
    directory.find(HttpRequest("GET", "/bucket", "", {"host": "127.0.0.1:4599"}, b""), "s3")
    assert set(directory._routes) == {"s3"}
