"""What a client says about itself with Invoke."""

import base64

import pytest

from clary.errors import AWSError
from clary.services.lambda_.invocations import client_context


def in_base64(text):
    return base64.b64encode(text.encode()).decode()


@pytest.mark.parametrize("sent", ["", in_base64('{"custom": {"ü": 1}}')])
def test_a_context_is_handed_on_as_it_is(sent):
    assert in_base64(client_context(sent)) == sent


@pytest.mark.parametrize("sent", ["fuzz-a", "/////", "ü", in_base64("[]"), in_base64("{"), in_base64("[" * 50_000)])
def test_what_is_no_object_in_base64_is_refused(sent):
    with pytest.raises(AWSError) as refused:
        client_context(sent)
    assert refused.value.code == "InvalidRequestContentException"
