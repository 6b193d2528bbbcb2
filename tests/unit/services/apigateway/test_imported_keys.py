"""Files of API keys, as ImportApiKeys is sent them."""

import pytest

from clary.errors import AWSError
from clary.services.apigateway.api_keys import rows_of


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
def test_rows_end_as_on_any_machine(end):
    assert rows_of(end.join((b"\xef\xbb\xbfName, key", b"a,1", b"b,2"))) == [
        {"name": "a", "key": "1"},
        {"name": "b", "key": "2"},
    ]


def test_a_field_that_is_too_long_is_refused():
    with pytest.raises(AWSError) as refused:
        rows_of(b"name,key\na," + b"x" * 200_000)
    assert refused.value.code == "BadRequestException"


def test_bytes_that_are_no_file_are_rows_or_refused():
    assert rows_of(b"\x1d\x85+x\r\xe1@") == [{"\ufffd+x": "\ufffd@"}]
