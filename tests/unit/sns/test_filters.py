"""Filter policies: which messages a subscription wants."""

import json

import pytest

from clary.services.sns.filters import BadPolicy, checked, lets_pass

TEXT = {"a": {"DataType": "String", "StringValue": "apple"}}
NUMBER = {"a": {"DataType": "Number", "StringValue": "7.5"}}
LISTED = {"a": {"DataType": "String.Array", "StringValue": '["x", 3, true, null]'}}
BYTES = {"a": {"DataType": "Binary", "BinaryValue": b"apple"}}


@pytest.mark.parametrize(
    ("condition", "attributes", "passes"),
    [
        ("apple", TEXT, True),
        ("pear", TEXT, False),
        ("apple", {}, False),
        ("apple", BYTES, False),
        (7.5, NUMBER, True),
        (7, NUMBER, False),
        ("x", LISTED, True),
        (3, LISTED, True),
        (True, LISTED, True),
        (1, LISTED, False),
        ({"prefix": "app"}, TEXT, True),
        ({"suffix": "ple"}, TEXT, True),
        ({"prefix": "x"}, TEXT, False),
        ({"equals-ignore-case": "APPLE"}, TEXT, True),
        ({"anything-but": "apple"}, TEXT, False),
        ({"anything-but": ["pear"]}, TEXT, True),
        ({"anything-but": ["pear"]}, {}, False),
        ({"exists": True}, TEXT, True),
        ({"exists": False}, TEXT, False),
        ({"exists": False}, {}, True),
        ({"numeric": [">", 5]}, NUMBER, True),
        ({"numeric": [">", 0, "<=", 7]}, NUMBER, False),
        ({"numeric": ["=", 7.5]}, NUMBER, True),
    ],
    ids=str,
)
def test_one_condition(condition, attributes, passes):
    assert lets_pass(checked(json.dumps({"a": [condition]})), attributes) is passes


def test_all_names_and_one_condition_of_each():
    policy = checked('{"a": ["pear", "apple"], "b": ["x"]}')
    assert not lets_pass(policy, TEXT)
    assert lets_pass(policy, {**TEXT, "b": {"DataType": "String", "StringValue": "x"}})


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "[]",
        '{"a": "x"}',
        '{"a": []}',
        '{"a": [{"cidr": "10.0.0.0/8"}]}',
        '{"a": [{"numeric": ["~", 1]}]}',
        '{"a": [[1]]}',
    ],
    ids=["no JSON", "no object", "no list", "empty", "unknown", "comparison", "nested"],
)
def test_what_is_no_policy_is_refused(text):
    with pytest.raises(BadPolicy):
        checked(text)
