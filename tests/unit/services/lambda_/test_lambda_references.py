"""Functions are named in six ways (https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html)."""

from __future__ import annotations

import pytest

from clary.calls import Call, account_root
from clary.errors import AWSError
from clary.services.lambda_.references import Reference, reference

ARN = "arn:aws:lambda:eu-west-1:111122223333:function:f"


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("f", Reference("000000000000", "us-east-1", "f")),
        ("f:live", Reference("000000000000", "us-east-1", "f", "live")),
        ("function:f", Reference("000000000000", "us-east-1", "f")),
        ("111122223333:function:f", Reference("111122223333", "us-east-1", "f")),
        ("111122223333:f", Reference("111122223333", "us-east-1", "f")),
        (ARN, Reference("111122223333", "eu-west-1", "f")),
        (f"{ARN}:$LATEST", Reference("111122223333", "eu-west-1", "f", "$LATEST")),
    ],
)
def test_a_name_names_a_function(given, expected):
    call = Call(account_root("000000000000"), "lambda", "Invoke", {}, "us-east-1")
    assert reference(call, {"FunctionName": given}) == expected


def test_two_qualifiers_that_differ_are_refused():
    call = Call(account_root("000000000000"), "lambda", "Invoke", {}, "us-east-1")
    with pytest.raises(AWSError, match="derived qualifier"):
        reference(call, {"FunctionName": "f:1", "Qualifier": "2"})
