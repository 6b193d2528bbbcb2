"""Regular expressions agree with Python's on what both understand."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clary.velocity.limits import Budget, Limits
from clary.velocity.patterns import compiled

_ATOMS = ("a", "b", ".", "[ab]", "[^a]", r"\d", r"\w", "(a)", "(?:ab)", "(a|b)", "^", "$", r"\b")
_MARKS = ("", "*", "+", "?", "{1,2}", "*?", "+?", "??")
_pieces = st.tuples(st.sampled_from(_ATOMS[:10]), st.sampled_from(_MARKS)).map("".join) | st.sampled_from(_ATOMS[10:])
_expressions = st.lists(_pieces, min_size=1, max_size=4).map("".join)


@given(_expressions, st.text("ab1 \n", max_size=8))
def test_agrees_with_python(expression: str, text: str) -> None:
    budget = Budget(Limits())
    assert compiled(expression).matches(text, budget) == bool(
        re.fullmatch(expression.replace("$", r"\Z"), text, re.ASCII)
    )
    ours = next(compiled(expression).finditer(text, budget), None)
    theirs = re.search(expression.replace("$", r"\Z"), text, re.ASCII)
    assert (ours.span if ours else None) == (theirs.span() if theirs else None)


@pytest.mark.parametrize(
    ("expression", "text", "groups"),
    [
        ("(a+)(b*)", "xaab", ((1, 4), (1, 3), (3, 4))),
        ("(a)|(b)", "b", ((0, 1), None, (0, 1))),
        ("(?i)hello", "HELLO", ((0, 5),)),
        (r"\u0061[\x62-d]", "ac", ((0, 2),)),
        (r"\.", "a.b", ((1, 2),)),
    ],
)
def test_groups(expression: str, text: str, groups: tuple[tuple[int, int] | None, ...]) -> None:
    found = next(compiled(expression).finditer(text, Budget(Limits())))
    assert found.groups == groups
