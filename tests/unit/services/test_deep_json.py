"""JSON that is nested more deeply than any reader goes is a client's mistake as any other that is no JSON."""

import base64

import pytest

from clary.errors import AWSError
from clary.services.lambda_.invocations import checked
from clary.services.logs import tokens
from clary.services.placed import page
from clary.services.sagemaker import compilation_spec, model_cards, pipelines

DEEP = "[" * 50_000
TOKEN = base64.urlsafe_b64encode(DEEP.encode()).decode()


@pytest.mark.parametrize(
    "read",
    [
        lambda: checked(DEEP.encode(), "Event"),
        lambda: tokens.read(TOKEN, int),
        lambda: page([], {"NextToken": TOKEN}, 1, descending=False),
        lambda: pipelines._checked(DEEP),
        lambda: model_cards._checked(DEEP),
        lambda: compilation_spec._check_shapes(DEEP),
    ],
)
def test_deep_json_is_refused(read):
    with pytest.raises(AWSError):
        read()
