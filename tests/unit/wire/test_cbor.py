"""CBOR, held against botocore's reader and against bytes that mean harm."""

import gzip
import math
import struct
from contextlib import suppress

import pytest
from botocore.parsers import RpcV2CBORParser
from hypothesis import given
from hypothesis import strategies as st

from clary.errors import AWSError
from clary.wire import cbor, compression
from clary.wire.cbor import BadCbor, Tagged

SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(-(2**64), 2**64 - 1), st.floats(allow_nan=False), st.text(), st.binary()
)
ITEMS = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=30) | st.dictionaries(st.text(), inner, max_size=30), max_leaves=60
)


def as_botocore_reads(data):
    parser = RpcV2CBORParser()
    return parser.parse_data_item(parser.get_peekable_stream_from_bytes(data))


def without_nulls(item):
    """botocore leaves the null members of a map out."""
    if isinstance(item, dict):
        return {key: without_nulls(value) for key, value in item.items() if value is not None}
    return [without_nulls(part) for part in item] if isinstance(item, list) else item


@given(ITEMS)
def test_what_is_written_is_read_again(item):
    assert cbor.loads(cbor.dumps(item)) == item


@given(ITEMS)
def test_what_is_written_botocore_reads(item):
    assert as_botocore_reads(cbor.dumps(item)) == without_nulls(item)


@given(st.binary(max_size=200))
def test_any_bytes_are_an_item_or_refused(data):
    with suppress(BadCbor):
        cbor.loads(data)


@pytest.mark.parametrize(
    ("data", "item"),
    [
        ("9f010203ff", [1, 2, 3]),
        ("bf616101616202ff", {"a": 1, "b": 2}),
        ("7f6161626263ff", "abc"),
        ("5f41014102ff", b"\x01\x02"),
        ("f97c00", math.inf),
        ("f93c00", 1.0),
        ("fa47c35000", 100000.0),
        ("f7", None),
        ("c11a514b67b0", Tagged(1, 1363896240)),
        ("1bffffffffffffffff", 2**64 - 1),
        ("3bffffffffffffffff", -(2**64)),
    ],
)
def test_forms_that_clients_may_choose(data, item):
    assert cbor.loads(bytes.fromhex(data)) == item


@pytest.mark.parametrize(
    "data",
    ["", "18", "9bffffffffffffffff", "5bffffffffffffffff", "bf6161ff", "9f01", "62c328", "0000", "a18001", "1c", "ff"],
)
def test_bytes_that_are_no_item(data):
    with pytest.raises(BadCbor):
        cbor.loads(bytes.fromhex(data))


def test_a_bomb_of_nesting_is_refused():
    with pytest.raises(BadCbor):
        cbor.loads(b"\x81" * 100_000 + b"\x00")


def test_a_float_has_64_bits():
    assert cbor.dumps(0.1) == b"\xfb" + struct.pack(">d", 0.1)


def test_a_bomb_of_zeros_is_refused_before_it_unfolds():
    packed = gzip.compress(bytes(10**6))
    assert compression.decompress(packed, 10**6) == bytes(10**6)
    with pytest.raises(AWSError) as raised:
        compression.decompress(packed, 10**6 - 1)
    assert raised.value.status == 413
    for broken in (packed[:-1], b"no gzip"):
        with pytest.raises(AWSError, match="gzip"):
            compression.decompress(broken, 10**7)
