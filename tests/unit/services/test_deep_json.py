"""JSON that is nested more deeply than any reader goes is a client's mistake as any other that is no JSON."""

import base64

import pytest

from clary.errors import AWSError
from clary.functions import http
from clary.identity.policy import MalformedPolicy, compile_policy
from clary.services.apigateway import rest_apis
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
        lambda: compilation_spec._check_shapes(DEEP, "PYTORCH"),
        lambda: rest_apis.checked({"name": "a", "policy": DEEP}),
    ],
)
def test_deep_json_is_refused(read):
    with pytest.raises(AWSError):
        read()


def test_a_deep_policy_is_malformed_wherever_it_is_compiled():
    with pytest.raises(MalformedPolicy):
        compile_policy(DEEP, "here")


def test_a_deep_answer_of_a_function_is_malformed():
    with pytest.raises(http.Malformed):
        http.answer(DEEP.encode())
