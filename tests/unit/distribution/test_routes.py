"""What is for the registry, and what its paths name."""

import pytest

from clary.distribution.routes import Place, is_for_registry, place_of, registry_of_host
from clary.wire.http import HttpRequest

HOST = {"host": "127.0.0.1:4599"}
SIGNED = {"authorization": "AWS4-HMAC-SHA256 Credential=…"}


@pytest.mark.parametrize(
    ("path", "place"),
    [
        ("/v2/", Place("base")),
        ("/v2", Place("base")),
        ("/v2/_catalog", Place("catalog")),
        ("/v2/a/b/tags/list", Place("tags", "a/b")),
        ("/v2/a/manifests/1.0", Place("manifest", "a", "1.0")),
        ("/v2/a/b/blobs/uploads/", Place("uploads", "a/b")),
        ("/v2/a/blobs/uploads", Place("uploads", "a")),
        ("/v2/a/blobs/uploads/u-1", Place("upload", "a", "u-1")),
        ("/v2/a/blobs/sha256:0", Place("blob", "a", "sha256:0")),
        ("/v2/a/referrers/sha256:0", Place("referrers", "a", "sha256:0")),
        ("/v2/blobs/uploads/manifests/latest", Place("manifest", "blobs/uploads", "latest")),
        ("/v2/a/else", None),
        ("/v3/", None),
    ],
)
def test_a_path_names_a_place(path, place):
    assert place_of(path) == place


@pytest.mark.parametrize(
    ("request_", "is_ours"),
    [
        (HttpRequest("GET", "/v2/", headers=HOST), True),
        (HttpRequest("GET", "/v2/", headers={**HOST, "authorization": "Basic QVdT"}), True),
        (HttpRequest("GET", "/v2/x", headers={"host": "000000000000.dkr.ecr.eu-west-1.amazonaws.com"}), True),
        (HttpRequest("GET", "/v2x", headers=HOST), False),
        (HttpRequest("GET", "/v2/apis", headers={**HOST, **SIGNED}), False),
        (HttpRequest("GET", "/v2/apis", "X-Amz-Signature=1", HOST), False),
        (HttpRequest("GET", "/v2/key", headers={"host": "bucket.s3.localhost:4599"}), False),
        (HttpRequest("GET", "/v2/pets", headers={"host": "abc123.execute-api.localhost:4599"}), False),
    ],
    ids=["ping", "logged in", "by its host", "another path", "signed", "presigned", "a bucket", "an API"],
)
def test_what_is_signed_or_for_another_host_is_not_for_the_registry(request_, is_ours):
    assert is_for_registry(request_) is is_ours


def test_a_host_names_account_and_region():
    assert registry_of_host("123456789012.dkr.ecr.eu-west-1.amazonaws.com:443") == ("123456789012", "eu-west-1")
    assert registry_of_host("123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn") == ("123456789012", "cn-north-1")
    assert registry_of_host("127.0.0.1:4599") is None
    assert registry_of_host("1.dkr.ecr.eu-west-1.amazonaws.com.evil.org") is None
