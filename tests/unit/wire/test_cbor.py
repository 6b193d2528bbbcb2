"""CBOR, with botocore's own reader and RFC 8949's examples as oracles."""

import contextlib
import io

import pytest
from botocore.parsers import RpcV2CBORParser
from hypothesis import given
from hypothesis import strategies as st

from clary.wire import cbor
from clary.wire.values import Mismatch

values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False) | st.text() | st.binary(),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(max_size=5), inner, max_size=5),
    max_leaves=20,
)

EXAMPLES = [
    ("00", 0),
    ("1818", 24),
    ("1903e8", 1000),
    ("1bffffffffffffffff", 2**64 - 1),
    ("3bffffffffffffffff", -(2**64)),
    ("f93c00", 1.0),
    ("fa47c35000", 100000.0),
    ("fbc010666666666666", -4.1),
    ("f4", False),
    ("f6", None),
    ("f7", None),
    ("c11a514b67b0", cbor.Tagged(1, 1363896240)),
    ("5f42010243030405ff", b"\x01\x02\x03\x04\x05"),
    ("7f657374726561646d696e67ff", "streaming"),
    ("9f018202039f0405ffff", [1, [2, 3], [4, 5]]),
    ("bf61610161629f0203ffff", {"a": 1, "b": [2, 3]}),
    ("62c3bc", "ü"),
]


@pytest.mark.parametrize(("encoded", "value"), EXAMPLES)
def test_examples_of_the_rfc(encoded, value):
    assert cbor.loads(bytes.fromhex(encoded)) == value


@given(values | st.none())
def test_what_is_written_is_read(value):
    assert cbor.loads(cbor.dumps(value)) == value


@given(values)
def test_botocore_reads_what_is_written(value):
    parser = RpcV2CBORParser()
    assert parser.parse_data_item(io.BufferedReader(io.BytesIO(cbor.dumps(value)))) == value


@given(st.binary(max_size=60))
def test_any_bytes_are_a_value_or_refused(data):
    with contextlib.suppress(Mismatch):
        cbor.loads(data)


@pytest.mark.parametrize(
    "data", [b"", b"\x01\x02", b"\x9b" + b"\xff" * 8, b"\x81" * 200 + b"\x00", b"\xa1\x80\x01", b"\x1c"]
)
def test_hostile_bytes_are_refused_at_once(data):
    with pytest.raises(Mismatch):
        cbor.loads(data)
