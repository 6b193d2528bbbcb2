"""Which version a qualifier means, and when an environment counts as old."""

from __future__ import annotations

import pytest

from clary.functions.table import Alias, Function, Version, chosen


def version(number: str) -> Version:
    return Version(number, f"r-{number}", "Active", "", 3.0, 128)


FUNCTION = Function(
    account="000000000000",
    region="us-east-1",
    name="f",
    reserved=None,
    versions={number: version(number) for number in ("$LATEST", "1", "2")},
    aliases={"live": Alias("2"), "split": Alias("2", {"1": 0.25})},
    events={},
    policies={},
    urls={},
)


@pytest.mark.parametrize(
    ("qualifier", "point", "number"),
    [
        ("", 0.5, "$LATEST"),
        ("$LATEST", 0.5, "$LATEST"),
        ("1", 0.5, "1"),
        ("live", 0.0, "2"),
        ("split", 0.0, "1"),
        ("split", 0.249, "1"),
        ("split", 0.25, "2"),
        ("split", 0.999, "2"),
    ],
)
def test_a_qualifier_means_a_version(qualifier, point, number):
    assert chosen(FUNCTION, qualifier, point).number == number


def test_nothing_is_meant_by_a_qualifier_that_is_not_there():
    assert chosen(FUNCTION, "3", 0.5) is None
