"""Wildcards and variables of policies."""

from __future__ import annotations

import fnmatch
import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clary.identity.patterns import MissingValue, Piece, expression, matching, pieces, plain
from clary.identity.policy import ActionMatch


def matches(pattern: str, text: str, *, arn: bool = False, **context: str) -> bool:
    keys = {key.replace("_", ":", 1): (value,) for key, value in context.items()}
    return matching(pattern, keys, arn=arn).fullmatch(text) is not None


@given(st.text("ab*?", max_size=8), st.text("ab", max_size=10))
def test_matches_as_a_shell_glob_does(pattern: str, text: str) -> None:
    assert matches(pattern, text) == fnmatch.fnmatchcase(text, pattern)


@given(st.text("ab:*?", max_size=10), st.text("ab:", max_size=12))
def test_in_an_arn_wildcards_stay_within_their_part(pattern: str, text: str) -> None:
    head = "x:x:x:"
    colons, source = 3, ""
    for letter in pattern:
        colons += letter == ":"
        anything = "[^:]" if colons < 5 else "."
        source += {"*": f"{anything}*", "?": anything}.get(letter, re.escape(letter))
    assert matches(head + pattern, head + text, arn=True) == (re.fullmatch(source, text) is not None)


@pytest.mark.parametrize(
    ("pattern", "arn", "found"),
    [
        ("arn:aws:s3:::bucket/*", "arn:aws:s3:::bucket/a/b:c", True),
        ("arn:aws:s3:::bucket/*", "arn:aws:s3:::bucket", False),
        ("arn:aws:s3:::*", "arn:aws:s3:::bucket/key", True),
        (
            "arn:aws:sagemaker:*:111111111111:endpoint/x",
            "arn:aws:sagemaker:us-east-1:222222222222:a:1:endpoint/x",
            False,
        ),
        ("arn:*:sagemaker:*:*:endpoint/x?", "arn:aws:sagemaker:us-east-1:222222222222:endpoint/x1", True),
    ],
)
def test_arn_patterns(pattern: str, arn: str, found: bool) -> None:
    assert matches(pattern, arn, arn=True) is found


def test_a_variables_value_is_taken_literally() -> None:
    assert matches("home/${aws:username}/*", "home/a*/x", aws_username="a*")
    assert not matches("home/${aws:username}/*", "home/ab/x", aws_username="a*")


def test_star_question_mark_and_dollar_can_be_written_literally() -> None:
    assert matches("a${*}b${?}${$}", "a*b?$")
    assert not matches("a${*}b", "axb")


def test_a_variable_without_value_takes_its_default_or_is_missing() -> None:
    assert plain("${aws:username, 'nobody'}", {}) == "nobody"
    with pytest.raises(MissingValue):
        pieces("${aws:username}", {})
    with pytest.raises(MissingValue):
        pieces("${}", {})


@pytest.mark.parametrize(
    ("pattern", "action", "found"),
    [
        ("s3:GetObject", "S3:getobject", True),
        ("s3:Get*", "s3:GetObject", True),
        ("s3:*", "s3express:GetObject", False),
        ("*", "s3:GetObject", True),
        ("s3:*Object", "s3:GetObject", True),
        ("s3:*Object", "s3:GetObjectTagging", False),
        ("s3:*Object*", "s3:GetObjectTagging", True),
        ("sagemaker:?reateModel", "sagemaker:CREATEmodel", True),
        ("sagemaker:CreateMode?", "sagemaker:CreateModel", True),
        ("sagemaker:CreateMode?", "sagemaker:CreateMode", False),
        ("s?:*", "s3:GetObject", True),
    ],
)
def test_actions(pattern: str, action: str, found: bool) -> None:
    assert ActionMatch([pattern], negated=False)(action) is found
    assert ActionMatch(["iam:GetRole", pattern], negated=True)(action) is not found


def test_a_pattern_full_of_stars_takes_no_time() -> None:
    source = expression((Piece("*a" * 30 + "b", literal=False),))
    begun = time.process_time()
    assert re.fullmatch(source, "a" * 2000) is None
    assert time.process_time() - begun < 0.5
