"""Condition operators, each with a key that matches, one that does not and none."""

from __future__ import annotations

import pytest

from clary.identity.conditions import UnknownOperator, condition

ARN = "arn:aws:iam::111111111111:role/path/name"


@pytest.mark.parametrize(
    ("operator", "wanted", "value", "expected"),
    [
        ("StringEquals", ["a", "b"], "b", True),
        ("StringEquals", "a", "A", False),
        ("StringNotEquals", ["a", "b"], "b", False),
        ("StringNotEquals", ["a", "b"], "c", True),
        ("StringEqualsIgnoreCase", "Straße", "STRASSE", True),
        ("StringNotEqualsIgnoreCase", "a", "A", False),
        ("StringLike", "ml-*", "ml-x", True),
        ("StringLike", "ml-?", "ml-xx", False),
        ("StringNotLike", "ml-*", "ml-x", False),
        ("NumericEquals", "10", "10.0", True),
        ("NumericEquals", "10", "ten", False),
        ("NumericNotEquals", 10, "11", True),
        ("NumericLessThan", "10", "9", True),
        ("NumericLessThanEquals", "10", "10", True),
        ("NumericGreaterThan", "10", "10", False),
        ("NumericGreaterThanEquals", "10", "10", True),
        ("DateEquals", "2026-01-01T00:00:00Z", "1767225600", True),
        ("DateNotEquals", "2026-01-01T00:00:00Z", "1767225601", True),
        ("DateLessThan", "2026-01-01T00:00:00Z", "2025-12-31T23:59:59Z", True),
        ("DateGreaterThan", "2026-01-01", "2026-01-01T00:00:01+00:00", True),
        ("DateGreaterThanEquals", "2026-01-01T00:00:00Z", "2026-01-01T00:00:00Z", True),
        ("DateLessThanEquals", "2026-01-01T00:00:00Z", "2026-01-01T00:00:01Z", False),
        ("Bool", True, "true", True),
        ("Bool", "false", "True", False),
        ("BinaryEquals", "QmlpbmFyeQ==", "QmlpbmFyeQ==", True),
        ("BinaryEquals", "QmlpbmFyeQ==", "no base64", False),
        ("IpAddress", ["10.0.0.0/8", "::1"], "10.1.2.3", True),
        ("IpAddress", "203.0.113.0/24", "10.1.2.3", False),
        ("NotIpAddress", "203.0.113.0/24", "10.1.2.3", True),
        ("IpAddress", "no network", "10.1.2.3", False),
        ("ArnEquals", ARN, ARN, True),
        ("ArnLike", "arn:aws:iam::*:role/*", ARN, True),
        ("ArnLike", "arn:aws:*:role/*", ARN, False),
        ("ArnNotLike", "arn:aws:iam::*:role/*", ARN, False),
        ("ArnNotEquals", ARN, ARN, False),
        ("stringequals", "a", "a", True),
    ],
)
def test_operators(operator: str, wanted: object, value: str, expected: bool) -> None:
    assert condition(operator, "aws:Key", wanted).holds({"aws:key": (value,)}) is expected


@pytest.mark.parametrize(
    ("operator", "expected"),
    [
        ("StringEquals", False),
        ("StringEqualsIfExists", True),
        ("StringNotEquals", True),
        ("StringNotLike", True),
        ("NumericLessThan", False),
        ("NumericLessThanIfExists", True),
        ("NotIpAddress", True),
        ("ArnNotLike", True),
        ("Bool", False),
        ("BoolIfExists", True),
        ("ForAllValues:StringEquals", True),
        ("ForAnyValue:StringEquals", False),
        ("ForAnyValue:StringNotEquals", False),
    ],
)
def test_a_key_that_is_absent(operator: str, expected: bool) -> None:
    assert condition(operator, "aws:Key", "1").holds({}) is expected
    assert condition(operator, "aws:Key", "1").holds({"aws:key": ()}) is expected


@pytest.mark.parametrize(
    ("wanted", "values", "expected"),
    [("true", (), True), ("true", ("x",), False), ("false", ("x",), True), (False, (), False), (True, (), True)],
)
def test_null(wanted: object, values: tuple[str, ...], expected: bool) -> None:
    assert condition("Null", "aws:Key", wanted).holds({"aws:key": values}) is expected


@pytest.mark.parametrize(
    ("operator", "values", "expected"),
    [
        ("ForAllValues:StringEquals", ("a", "b"), True),
        ("ForAllValues:StringEquals", ("a", "c"), False),
        ("ForAnyValue:StringEquals", ("a", "c"), True),
        ("ForAnyValue:StringEquals", ("c", "d"), False),
        ("ForAnyValue:StringNotEquals", ("a", "c"), True),
        ("ForAnyValue:StringNotEquals", ("a", "b"), False),
        ("ForAllValues:StringNotEquals", ("c", "d"), True),
        ("ForAllValues:StringNotEquals", ("a", "c"), False),
    ],
)
def test_keys_with_several_values(operator: str, values: tuple[str, ...], expected: bool) -> None:
    assert condition(operator, "aws:TagKeys", ["a", "b"]).holds({"aws:tagkeys": values}) is expected


@pytest.mark.parametrize("operator", ["StringAlmost", "ForSome:StringEquals", "", ":", "IfExists"])
def test_an_operator_that_does_not_exist(operator: str) -> None:
    with pytest.raises(UnknownOperator):
        condition(operator, "aws:Key", "x")


def test_variables_stand_for_the_requests_own_values() -> None:
    context = {"s3:prefix": ("home/ann/x",), "aws:username": ("ann",)}
    assert condition("StringLike", "s3:prefix", "home/${aws:username}/*").holds(context)
    assert condition("StringEquals", "aws:username", "${aws:username}").holds(context)
