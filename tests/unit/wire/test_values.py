"""Moments, forms and XML: what may come, and what must not break us."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from botocore.parsers import create_parser
from hypothesis import given
from hypothesis import strategies as st

from clary.errors import AWSError
from clary.wire import models, timestamps
from clary.wire.http import HttpRequest
from clary.wire.locations import split_list
from clary.wire.query import Query
from clary.wire.rest_xml import RestXml

MOMENT = datetime(2026, 11, 21, 3, 4, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-21T03:04:05Z",
        "2026-11-21T03:04:05",
        "2026-11-21T05:04:05+02:00",
        "1795230245",
        "1795230245.0",
        "Sat, 21 Nov 2026 03:04:05 GMT",
        1795230245,
        1795230245.0,
    ],
)
def test_moments_are_read_in_every_form(text):
    assert timestamps.parse(text) == MOMENT


@pytest.mark.parametrize("text", ["", "tomorrow", "1e300", 1e300, "2026-13-01T00:00:00Z", "nan"])
def test_what_is_no_moment_is_a_value_error(text):
    with pytest.raises(ValueError, match="timestamp"):
        timestamps.parse(text)


def test_no_number_is_no_moment():
    with pytest.raises(ValueError, match="NaN"):
        timestamps.parse(float("nan"))


def test_moments_are_written_in_utc():
    there = MOMENT.astimezone(timezone(timedelta(hours=2)))
    assert timestamps.render(there, "iso8601") == "2026-11-21T03:04:05Z"
    assert timestamps.render(there, "iso8601", milliseconds=True) == "2026-11-21T03:04:05.000Z"
    assert timestamps.render(there, "rfc822") == "Sat, 21 Nov 2026 03:04:05 GMT"
    assert timestamps.seconds(there.replace(microsecond=123_456)) == 1795230245.123


def test_lists_in_headers_may_be_quoted():
    assert split_list('a, "b,c" , "d\\"e",,f') == ["a", "b,c", 'd"e', "f"]


FORMS = [
    b"Tags=x",
    b"Tags.member.1=x",
    b"Tags.member.x.Key=1",
    b"UserName.x=1",
    b"Tags.member.1.Key.deep=1",
    b"a." * 500 + b"=1",
    b"&&&=&=x&",
    b"Tags..member=1",
    b"=1&.=2",
    b"x" * 100_000,
    "UserName=ü%ff".encode(),
    b"UserName=a&UserName.b=c&UserName=d",
    b"a&" * 30_000,
]


@pytest.mark.parametrize("form", FORMS, ids=range(len(FORMS)))
def test_odd_forms_are_read_or_refused(form):
    operation = models.operation("iam", "CreateUser")
    try:
        params = Query().parse(HttpRequest("POST", "/", body=form), operation, {})
    except AWSError as error:
        assert error.code == "MalformedInput"
    else:
        assert set(params) <= {"UserName", "Tags"}


@given(st.binary(max_size=200))
def test_any_bytes_as_a_form_are_read_or_refused(body):
    try:
        Query().parse(HttpRequest("POST", "/", body=body), models.operation("iam", "CreateUser"), {})
    except AWSError as error:
        assert error.status == 400


TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=100)


@given(st.binary(max_size=200) | TEXTS.map(lambda text: f"<Delete>{text}</Delete>".encode()))
def test_any_bytes_as_xml_are_read_or_refused(body):
    request = HttpRequest("POST", "/b", "delete", {}, body)
    try:
        RestXml().parse(request, models.operation("s3", "DeleteObjects"), {"Bucket": "b"})
    except AWSError as error:
        assert error.code == "MalformedXML"


@given(TEXTS)
def test_any_key_survives_our_xml(key):
    operation = models.operation("s3", "ListObjectsV2")
    response = RestXml().serialise({"Contents": [{"Key": key, "Size": 1}]}, operation, "r")
    sent = {"body": response.body, "headers": {}, "status_code": 200}
    parsed = create_parser("rest-xml").parse(sent, operation.output_shape)
    possible = "".join(c for c in key if (c >= " " or c in "\t\n\r") and c not in "\ufffe\uffff")
    assert parsed["Contents"][0]["Key"] == possible


def test_a_part_of_an_object_is_answered_206():
    output = {"Body": b"part", "ContentRange": "bytes 0-3/10", "ContentLength": 4}
    response = RestXml().serialise(output, models.operation("s3", "GetObject"), "r")
    assert (response.status, response.headers["content-range"]) == (206, "bytes 0-3/10")
