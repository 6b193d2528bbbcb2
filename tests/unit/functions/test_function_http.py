"""A function behind a URL: the event of version 2.0, and what an answer means."""

from __future__ import annotations

import json

import pytest

from clary.functions import http
from clary.functions.table import Url
from clary.wire.http import HttpRequest

URL = Url("abc", "NONE", {"AllowOrigins": ["http://page.example"], "AllowMethods": ["GET", "POST"], "MaxAge": 5})


def test_the_event_says_what_was_asked():
    headers = {"host": "abc.lambda-url.us-east-1.localhost:1", "cookie": "a=1; b=2", "content-type": "application/json"}
    request = HttpRequest("POST", "/a%20b", "x=1&x=2&y=", headers, b'{"n": 1}')
    event = http.event(request, URL, "r-1", None)
    assert event["rawPath"] == "/a b"
    assert event["queryStringParameters"] == {"x": "1,2", "y": ""}
    assert event["cookies"] == ["a=1", "b=2"]
    assert (event["body"], event["isBase64Encoded"]) == ('{"n": 1}', False)
    assert event["requestContext"]["http"]["method"] == "POST"
    assert event["requestContext"]["accountId"] == "anonymous"


def test_a_body_that_is_no_text_is_base64():
    event = http.event(HttpRequest("PUT", "/", "", {"content-type": "image/png"}, b"\xff"), URL, "r", None)
    assert (event["body"], event["isBase64Encoded"]) == ("/w==", True)


@pytest.mark.parametrize(
    ("said", "status", "body"),
    [
        ({"statusCode": 404, "body": "none"}, 404, b"none"),
        ({"statusCode": 200, "body": "/w==", "isBase64Encoded": True}, 200, b"\xff"),
        ({"prediction": 1}, 200, b'{"prediction": 1}'),
        ("plain", 200, b"plain"),
        ({"statusCode": "201"}, 201, b""),
    ],
    ids=["status", "binary", "object", "text", "empty"],
)
def test_an_answer_is_read_as_aws_does(said, status, body):
    response = http.answer(json.dumps(said).encode())
    assert (response.status, response.body) == (status, body)


@pytest.mark.parametrize(
    "said",
    [
        {"statusCode": "many"},
        {"statusCode": 99},
        {"statusCode": 200, "headers": [1]},
        {"statusCode": 200, "headers": {"x": "a\r\nb"}},
        {"statusCode": 200, "body": "!", "isBase64Encoded": True},
    ],
    ids=["word", "number", "headers", "line-break", "base64"],
)
def test_an_answer_that_is_none_is_malformed(said):
    with pytest.raises(http.Malformed):
        http.answer(json.dumps(said).encode())


def test_cors_is_for_the_origins_that_are_named():
    known = HttpRequest("GET", "/", "", {"origin": "http://page.example"})
    assert http.cors(known, URL)["access-control-allow-origin"] == "http://page.example"
    assert http.cors(HttpRequest("GET", "/", "", {"origin": "http://other.example"}), URL) == {}
    assert http.cors(HttpRequest("GET", "/"), URL) == {}
