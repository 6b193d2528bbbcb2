"""Whatever is accepted as a policy can be enforced; whatever is not is refused in IAM's words, never by a crash."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from clary.calls import Principal
from clary.identity.grammar import check_identity_policy, check_resource_policy, check_trust_policy
from clary.identity.policy import Decision, MalformedPolicy, PolicySet, Question, compile_policy, decide
from clary.identity.resources import Guarded, together
from clary.identity.trust import trust_of_principal, trusts_service

_JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


def _maybe(*likely: Any) -> st.SearchStrategy[Any]:
    good = st.sampled_from(likely)
    return st.one_of(good, good, good, st.lists(good, min_size=1, max_size=3), _JUNK)


_CONDITION = st.dictionaries(
    st.sampled_from(["StringEquals", "ForAnyValue:StringLike", "NumericLessThan", "Null", "IpAddressIfExists", "Odd"]),
    st.dictionaries(st.sampled_from(["aws:SourceIp", "aws:TagKeys", "plain"]), _maybe("x", "${aws:username}", 3, True)),
    max_size=2,
)
_STATEMENT = st.fixed_dictionaries(
    {"Effect": _maybe("Allow", "Deny")},
    optional={
        "Sid": _maybe("A", "B"),
        "Action": _maybe("*", "s3:*", "sts:AssumeRole", "s3:Get?bject*"),
        "NotAction": _maybe("iam:*"),
        "Resource": _maybe("*", "arn:aws:s3:::b/${aws:username}", "arn:aws:s3:::*"),
        "NotResource": _maybe("arn:aws:s3:::a*"),
        "Principal": _maybe("*", {"AWS": "*"}, {"Service": ["sagemaker.amazonaws.com"]}),
        "Condition": st.one_of(_CONDITION, _JUNK),
    },
)
_DOCUMENT = st.fixed_dictionaries(
    {"Version": st.sampled_from(["2012-10-17", "2012-10-17", "2008-10-17", "x"])},
    optional={"Statement": st.one_of(_STATEMENT, st.lists(_STATEMENT, max_size=3), _JUNK), "Id": _JUNK},
)
_ANN = Principal("user", "1", "arn:aws:iam::1:user/ann", "arn:aws:iam::1:user/ann", "AIDAX")


def _question() -> Question:
    return Question(
        "s3:GetObject", "arn:aws:s3:::b/k", lambda: {"aws:sourceip": ("10.0.0.1",), "aws:tagkeys": ("a", "b")}
    )


@given(_DOCUMENT)
def test_an_identity_policy_is_enforced_or_refused(document: dict[str, Any]) -> None:
    text = json.dumps(document)
    try:
        check_identity_policy(text)
    except MalformedPolicy as error:
        assert str(error)
        return
    assert decide(_question(), PolicySet(compile_policy(text, "test"))).effect


@given(_DOCUMENT)
def test_a_trust_policy_is_enforced_or_refused(document: dict[str, Any]) -> None:
    text = json.dumps(document)
    try:
        check_trust_policy(text)
    except MalformedPolicy as error:
        assert str(error)
        return
    statements = compile_policy(text, "test")
    assert trust_of_principal(statements, _question(), _ANN)
    assert trusts_service(statements, _question(), "sagemaker.amazonaws.com") in (True, False)


@given(_DOCUMENT)
def test_a_resource_s_policy_is_enforced_or_refused(document: dict[str, Any]) -> None:
    text = json.dumps(document)
    try:
        check_resource_policy(text)
    except MalformedPolicy as error:
        assert str(error)
        return
    guarded, own = Guarded("1", PolicySet(compile_policy(text, "test")), alone=True), Decision("allowed", "identity")
    assert together(guarded, _question(), _ANN, [own]).effect


@given(st.one_of(_JUNK.map(json.dumps), st.text(max_size=20), st.just("[" * 100_000)))
def test_anything_else_is_refused(text: str) -> None:
    for check in (check_identity_policy, check_trust_policy, check_resource_policy):
        try:
            check(text)
        except MalformedPolicy as error:
            assert str(error)
        else:
            raise AssertionError(text)
