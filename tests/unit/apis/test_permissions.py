"""What a function's policy lets API Gateway do."""

from __future__ import annotations

from typing import Any

import pytest

from clary.apis.permissions import function_name, lets_in
from clary.calls import Call, account_root

SERVICE = "apigateway.amazonaws.com"
FUNCTION = "arn:aws:lambda:us-east-1:000000000000:function:f"
METHOD = "arn:aws:execute-api:us-east-1:000000000000:abc/dev/GET/pets"


def _statement(**more: Any) -> dict[str, Any]:
    principal = {"Service": SERVICE}
    said = {"Effect": "Allow", "Principal": principal, "Action": "lambda:InvokeFunction", "Resource": FUNCTION}
    return {**said, **more}


def _from(pattern: str) -> dict[str, Any]:
    return {"ArnLike": {"AWS:SourceArn": pattern}}


@pytest.mark.parametrize(
    ("statements", "allowed"),
    [
        ([_statement()], True),
        ([], False),
        ([_statement(Principal={"Service": "s3.amazonaws.com"})], False),
        ([_statement(Action="lambda:GetFunction")], False),
        ([_statement(Condition=_from("arn:aws:execute-api:us-east-1:000000000000:abc/*/GET/*"))], True),
        ([_statement(Condition=_from("arn:aws:execute-api:us-east-1:000000000000:abc/*/POST/*"))], False),
        ([_statement(Condition=_from("arn:aws:execute-api:us-east-1:000000000000:other/*"))], False),
        ([_statement(), _statement(Effect="Deny")], False),
    ],
)
def test_the_policy_decides_by_service_and_method(statements: list[dict[str, Any]], allowed: bool) -> None:
    call = Call(account_root("000000000000"), "lambda", "Invoke", {}, "us-east-1", parent=METHOD)
    assert lets_in(statements, call, FUNCTION, SERVICE) is allowed


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("f", ("f", "")),
        ("f:live", ("f", "live")),
        (FUNCTION, ("f", "")),
        (f"{FUNCTION}:2", ("f", "2")),
        ("000000000000:function:f", ("f", "")),
    ],
)
def test_names_of_functions(given: str, expected: tuple[str, str]) -> None:
    assert function_name(given) == expected
