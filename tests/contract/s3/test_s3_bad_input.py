"""Whatever is sent, S3 answers with an error of the client's, never with one of its own, and goes on."""

import http.client
from urllib.parse import quote, urlsplit

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

QUERIES = [
    "",
    "acl",
    "attributes",
    "delete",
    "list-type",
    "location",
    "max-keys",
    "part-number-marker",
    "partNumber",
    "prefix",
    "marker",
    "continuation-token",
    "delimiter",
    "encoding-type",
    "max-parts",
    "max-uploads",
    "max-buckets",
    "key-marker",
    "upload-id-marker",
    "publicAccessBlock",
    "response-expires",
    "tagging",
    "uploadId",
    "uploads",
    "versionId",
    "versioning",
    "versions",
    "version-id-marker",
    "lifecycle",
    "object-lock",
    "retention",
    "legal-hold",
]
HEADERS = [
    "range",
    "if-match",
    "if-none-match",
    "if-modified-since",
    "if-unmodified-since",
    "content-md5",
    "content-type",
    "content-encoding",
    "expires",
    "x-amz-acl",
    "x-amz-checksum-crc32",
    "x-amz-checksum-sha256",
    "x-amz-checksum-type",
    "x-amz-checksum-algorithm",
    "x-amz-content-sha256",
    "x-amz-copy-source",
    "x-amz-copy-source-range",
    "x-amz-copy-source-if-modified-since",
    "x-amz-decoded-content-length",
    "x-amz-expected-bucket-owner",
    "x-amz-meta-x",
    "x-amz-metadata-directive",
    "x-amz-mp-object-size",
    "x-amz-object-attributes",
    "x-amz-object-ownership",
    "x-amz-object-lock-mode",
    "x-amz-object-lock-retain-until-date",
    "x-amz-object-lock-legal-hold",
    "x-amz-bucket-object-lock-enabled",
    "x-amz-bypass-governance-retention",
    "x-amz-sdk-checksum-algorithm",
    "x-amz-storage-class",
    "x-amz-tagging",
    "x-amz-trailer",
]
NUMBERS = st.sampled_from(["0", "1", "-1", "2", "10001", "9" * 25, "1.5", "NaN", "٣"])
PLAIN = st.sampled_from(
    ["", "*", "null", "true", "url", "COPY", "bucket/k", "/bucket/k?versionId=", "bytes=0-3", "a=1&a=2"]
)
VALUES = NUMBERS | PLAIN | st.text(max_size=12)
HEADER_TEXT = VALUES.map(
    lambda v: "".join(c for c in v if c.isprintable()).encode("utf-8", "replace").decode("latin-1")
)
TAGS = ["Delete", "Object", "Key", "Quiet", "Tagging", "TagSet", "Tag", "Value", "CompleteMultipartUpload", "Part",
        "PartNumber", "ETag", "CreateBucketConfiguration", "LocationConstraint", "PublicAccessBlockConfiguration",
        "BlockPublicAcls", "ChecksumCRC32", "VersionId", "LifecycleConfiguration", "Rule", "Filter", "And",
        "Expiration", "Days", "Date", "Status", "Transition", "Retention", "Mode", "RetainUntilDate", "LegalHold",
        "VersioningConfiguration", "ObjectLockConfiguration", "ObjectLockEnabled", "DefaultRetention"]  # fmt: skip


def element(inside):
    def wrap(pair):
        name, content = pair
        return f"<{name}>{content}</{name}>"

    return st.tuples(st.sampled_from(TAGS), inside).map(wrap)


ESCAPED = VALUES.map(lambda v: v.replace("&", "&amp;").replace("<", "&lt;"))
DOCUMENTS = st.recursive(ESCAPED, lambda inside: element(st.lists(inside, max_size=3).map("".join)), max_leaves=8)
BODIES = DOCUMENTS.map(str.encode) | st.binary(max_size=30)


def ask(server, method, target, headers, body):
    connection = http.client.HTTPConnection(urlsplit(server.url).netloc, timeout=60)
    try:
        connection.request(method, target, body, headers)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


@pytest.fixture
def open_to_all(server, monkeypatch):
    """Requests here are not signed, so that they come as far as they can."""
    monkeypatch.setattr(server.rules, "authorise", lambda call, needed: None)
    server.store.clear()
    server.store.create_bucket("bucket", account="", region="us-east-1")
    return server


@settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    method=st.sampled_from(["GET", "HEAD", "PUT", "POST", "DELETE"]),
    key=st.sampled_from(["", "k", "k/l"]),
    query=st.dictionaries(st.sampled_from(QUERIES), VALUES, max_size=3),
    headers=st.dictionaries(st.sampled_from(HEADERS), HEADER_TEXT, max_size=4),
    body=BODIES,
)
def test_bad_input_is_the_clients_fault(open_to_all, method, key, query, headers, body):
    encoded = "&".join(f"{quote(name)}={quote(value, errors='replace')}" for name, value in query.items())
    status, answer = ask(open_to_all, method, f"/bucket/{key}?{encoded}", headers, body)
    assert status < 500 or status == 501, answer
    if open_to_all.store.get_bucket("bucket") is None:
        open_to_all.store.create_bucket("bucket", account="", region="us-east-1")
    open_to_all.store.put_bytes("bucket", "k", b"0123456789")
