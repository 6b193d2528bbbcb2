"""Ranges and conditions, against RFC 9110."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clary.errors import AWSError
from clary.objects import Attributes, ObjectInfo
from clary.objects.model import Piece, dump_pieces
from clary.services.s3.conditions import matches
from clary.services.s3.ranges import copy_span, parse, span


def info(*sizes):
    pieces = tuple(Piece(f"{n:032x}", size, n) for n, size in enumerate(sizes, 1))
    moment = datetime(2026, 1, 1, tzinfo=UTC)
    return ObjectInfo("b", "k", f"e-{len(sizes)}", sum(sizes), moment, Attributes(), dump_pieces(pieces))


@given(st.integers(0, 50), st.integers(0, 60), st.integers(0, 60))
def test_a_range_takes_the_bytes_that_it_names(size, first, last):
    body = bytes(range(size))
    bounds = parse(f"bytes={first}-{last}", size)
    if last < first:
        assert bounds is None
    else:
        start, end = bounds
        assert body[start:end] == body[first : last + 1]
        assert end <= size


@given(st.integers(0, 50), st.integers(0, 60))
def test_a_suffix_takes_the_last_bytes(size, count):
    start, end = parse(f"bytes=-{count}", size)
    assert bytes(range(size))[start:end] == (bytes(range(size))[-count:] if count else b"")


@given(st.text(max_size=20))
def test_no_header_breaks_it(header):
    bounds = parse(header, 10)
    assert bounds is None or len(bounds) == 2


def test_a_part_is_a_span():
    assert (span(info(5, 3), {"PartNumber": 2}).start, span(info(5, 3), {"PartNumber": 2}).length) == (5, 3)
    assert span(info(5, 3), {"PartNumber": 2}).content_range == "bytes 5-7/8"
    for params, code in (
        ({"PartNumber": 3}, "InvalidPartNumber"),
        ({"PartNumber": 0}, "InvalidArgument"),
        ({"PartNumber": 1, "Range": "bytes=0-1"}, "InvalidRequest"),
    ):
        with pytest.raises(AWSError, match=code):
            span(info(5, 3), params)


def test_an_empty_object_has_no_range():
    assert span(info(0), {}).content_range is None
    assert span(info(0), {"PartNumber": 1}).content_range is None
    with pytest.raises(AWSError, match="InvalidRange"):
        span(info(0), {"Range": "bytes=0-"})


@pytest.mark.parametrize("header", ["bytes=0-", "bytes=-5", "bytes=3-2", "0-5", "bytes=0-10"])
def test_a_copied_range_lies_inside_the_source(header):
    with pytest.raises(AWSError, match="InvalidArgument"):
        copy_span(header, 10)
    assert copy_span("bytes=0-9", 10) == (0, 10)


@pytest.mark.parametrize(
    ("wanted", "same"),
    [('"e"', True), ("e", True), ("*", True), ('"x", "e"', True), ('W/"e"', True), ('"x"', False), ("", False)],
)
def test_entity_tags(wanted, same):
    assert matches(wanted, "e") is same
