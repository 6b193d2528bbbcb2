"""The evaluator against a second one (`naive.py`): generated policies, requests and contexts."""

from __future__ import annotations

from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from clary.identity.policy import PolicySet, Question, compile_policy, decide

from . import naive

_KEYS = ["aws:username", "aws:PrincipalTag/team", "s3:prefix", "aws:TagKeys", "aws:SourceArn"]
_VALUES = st.sampled_from(
    ["ann", "ANN", "red", "re*", "1", "10", "true", "false", "", "arn:aws:s3:::a/k", "arn:aws:s3:::b"]
)
_TEXTS = st.sampled_from(
    ["a", "k", "*", "?", "/", "${aws:username}", "${aws:PrincipalTag/team, 'red'}", "${*}", "${s3:prefix}"]
)
_ACTIONS = st.sampled_from(
    ["*", "s3:*", "s3:Get*", "s3:*Object", "S3:getobject", "s3:?etObject", "s3:PutObject", "iam:*", "i*:Get*"]
)
_PARTS = st.lists(_TEXTS, min_size=1, max_size=4).map("".join)
_RESOURCES = st.one_of(
    st.just("*"),
    _PARTS.map("arn:aws:s3:::{}".format),
    _PARTS.map("arn:aws:*:*:*:{}".format),
    _PARTS.map("arn:aws:s3:*:{}".format),
)
_STRINGS = ["StringEquals", "StringNotEquals", "StringEqualsIgnoreCase", "StringLike", "StringNotLike"]
_OTHERS = ["Bool", "ArnLike", "ArnNotEquals", "NumericEquals", "NumericNotEquals", "NumericLessThan"]
_MORE = ["NumericLessThanEquals", "NumericGreaterThan", "NumericGreaterThanEquals"]


@st.composite
def operators(draw: st.DrawFn) -> tuple[str, Any]:
    """A name and the values that go with it."""
    if draw(st.integers(0, 9)) == 0:
        return "Null", draw(st.sampled_from(["true", "false", ["true", "false"]]))
    base = draw(st.sampled_from([*_STRINGS, *_OTHERS, *_MORE]))
    name = (
        draw(st.sampled_from(["", "", "ForAllValues:", "ForAnyValue:"]))
        + base
        + draw(st.sampled_from(["", "IfExists"]))
    )
    wanted = _PARTS if base in _STRINGS else _RESOURCES if base.startswith("Arn") else _VALUES
    return name, draw(st.lists(wanted, min_size=1, max_size=2))


@st.composite
def statements(draw: st.DrawFn) -> dict[str, Any]:
    """One statement."""
    action, resource = (
        draw(st.sampled_from(["Action", "Action", "NotAction"])),
        draw(st.sampled_from(["Resource", "Resource", "NotResource"])),
    )
    found: dict[str, Any] = {
        "Effect": draw(st.sampled_from(["Allow", "Allow", "Allow", "Deny"])),
        action: draw(st.lists(_ACTIONS, min_size=1, max_size=3)),
        resource: draw(st.lists(_RESOURCES, min_size=1, max_size=2)),
    }
    block: dict[str, dict[str, Any]] = {}
    for _ in range(draw(st.integers(0, 2))):
        name, wanted = draw(operators())
        block.setdefault(name, {})[draw(st.sampled_from(_KEYS))] = wanted
    return found | ({"Condition": block} if block else {})


_LAYER = st.lists(statements(), max_size=4)
_CONTEXTS = st.dictionaries(st.sampled_from([key.lower() for key in _KEYS]), st.lists(_VALUES, max_size=2).map(tuple))
_ASKED_ACTIONS = st.sampled_from(["s3:GetObject", "s3:PutObject", "iam:GetUser"])
_ASKED = st.sampled_from(["*", "arn:aws:s3:::a", "arn:aws:s3:::a/k", "arn:aws:s3:::ann/k", "arn:aws:iam::1:user/a:b"])


def compiled(raw: list[dict[str, Any]]) -> PolicySet:
    return PolicySet(compile_policy({"Version": "2012-10-17", "Statement": raw}, "generated"))


@settings(max_examples=400, deadline=None)
@given(_LAYER, st.none() | _LAYER, st.none() | _LAYER, _ASKED_ACTIONS, _ASKED, _CONTEXTS)
@example(
    [{"Effect": "Allow", "Action": "*", "Resource": "arn:aws:s3:::${aws:username}"}],
    None,
    None,
    "s3:GetObject",
    "arn:aws:s3:::a",
    {"aws:username": ("*",)},
)
@example(
    [
        {"Effect": "Allow", "Action": "*", "Resource": "*"},
        {
            "Effect": "Deny",
            "Action": "*",
            "Resource": "*",
            "Condition": {"ForAllValues:StringNotEquals": {"aws:TagKeys": ["red"]}},
        },
    ],
    None,
    None,
    "s3:GetObject",
    "*",
    {},
)
def test_both_decide_alike(
    own: list[dict[str, Any]],
    boundary: list[dict[str, Any]] | None,
    session: list[dict[str, Any]] | None,
    action: str,
    resource: str,
    context: dict[str, tuple[str, ...]],
) -> None:
    layers = [each for each in (own, boundary, session) if each is not None]
    limits = [compiled(each) if each is not None else None for each in (boundary, session)]
    found = decide(Question(action, resource, lambda: context), compiled(own), *limits)
    assert found.effect == naive.decision(layers, action, resource, context)


@settings(max_examples=200, deadline=None)
@given(_PARTS, st.text("ak/*?", max_size=6), _CONTEXTS)
def test_both_like_alike(pattern: str, text: str, context: dict[str, tuple[str, ...]]) -> None:
    statement = {"Effect": "Allow", "Action": "*", "Resource": f"arn:aws:s3:::{pattern}"}
    question = Question("s3:GetObject", f"arn:aws:s3:::{text}", lambda: context)
    found = decide(question, compiled([statement]))
    assert found.effect == naive.decision([[statement]], "s3:GetObject", f"arn:aws:s3:::{text}", context)
