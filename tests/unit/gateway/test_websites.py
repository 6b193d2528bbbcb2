"""Websites of buckets, where no signature would tell who asks: everybody may read everything."""

from types import SimpleNamespace

import pytest

from clary.gateway.websites import Websites
from clary.settings import Settings
from clary.wire.http import HttpRequest

SITE = {"RedirectAllRequestsTo": {"HostName": "served.example"}}


@pytest.fixture
def site():
    bucket = SimpleNamespace(name="bucket", region="us-east-1", settings={"Website": SITE})
    objects = SimpleNamespace(bucket=lambda name: bucket, get_bucket=lambda name: bucket)
    return Websites(objects, None, None, Settings(auth="off"))


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"host": "bucket.s3-website.evil.example:4599"}, 403),
        ({"host": "bucket.s3-website.localhost:4599", "origin": "https://evil.example"}, 403),
        ({"host": "bucket.s3-website.localhost:4599", "origin": "http://bucket.s3-website.localhost:4599"}, 301),
        ({"host": "bucket.s3-website.localhost:4599"}, 301),
        ({"host": "bucket.s3-website-us-east-1.amazonaws.com"}, 301),
    ],
)
async def test_a_page_of_another_site_does_not_read_what_everybody_may(site, headers, status):
    request = HttpRequest("GET", "/private.csv", headers=headers)
    assert site.takes(request)
    assert (await site.answer(request, None)).status == status
