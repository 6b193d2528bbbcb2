"""Regular expressions of filter patterns: as Python's own, and never slow."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clary.logsearch.regexes import BadRegex, compiled

ATOMS = st.sampled_from(["a", "b", ".", "[ab]", "[^a]", r"\d", r"\.", r"\x62", "1"])
TIMES = st.sampled_from(["", "", "", "*", "+", "?", "{2}", "{1,2}", "{0,}"])
SEQUENCES = st.lists(st.tuples(ATOMS, TIMES).map("".join), min_size=1, max_size=5).map("".join)
ANCHORED = st.tuples(st.sampled_from(["", "^"]), SEQUENCES, st.sampled_from(["", "$"])).map("".join)


@given(st.lists(ANCHORED, min_size=1, max_size=3).map("|".join), st.text("ab1.c", max_size=8))
def test_what_is_found_is_what_python_finds(expression, text):
    assert compiled(expression)(text) == bool(re.search(expression.replace("$", r"\Z"), text))


def test_an_expression_that_pythons_engine_would_not_finish_is_decided_in_one_pass():
    assert not compiled("a*a*a*a*a*a*b")("a" * 50_000)


@pytest.mark.parametrize("expression", ["(a)", "a**", "*a", "[a", "a{", "a{2,1}", "a\\", "a{999}", "[b-a]"])
def test_what_is_not_known_is_refused(expression):
    with pytest.raises(BadRegex):
        compiled(expression)
