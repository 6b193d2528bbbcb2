"""The rules of composite alarms, and what follows from them."""

import json

import pytest

from clary.alarms.composite import Child, child_names, evaluate, in_cycle
from clary.alarms.rule import BadRule, alarms, holds, parse

ARN = "arn:aws:cloudwatch:us-east-1:000000000000:alarm:"
STATES = {"a": "ALARM", "b": "OK", "c": "INSUFFICIENT_DATA", "two words": "ALARM", f"{ARN}a": "ALARM"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("TRUE", True),
        ("FALSE", False),
        ("ALARM(a)", True),
        ('ALARM("a")', True),
        ('ALARM ( "two words" )', True),
        (f"ALARM({ARN}a)", True),
        ("OK(a)", False),
        ("OK(b)", True),
        ("INSUFFICIENT_DATA(c)", True),
        ("NOT ALARM(a)", False),
        ("NOT NOT ALARM(a)", True),
        ("ALARM(a) AND ALARM(b)", False),
        ("ALARM(a) OR ALARM(b)", True),
        ("ALARM(a) OR ALARM(b) AND FALSE", True),
        ("(ALARM(a) OR ALARM(b)) AND FALSE", False),
        ("NOT ALARM(b) AND ALARM(a)", True),
        ("NOT (ALARM(b) OR ALARM(a))", False),
        ('ALARM("a") AND\n  NOT OK(c)', True),
    ],
)
def test_what_a_rule_means(text, expected):
    assert holds(parse(text), STATES.__getitem__) is expected


def test_names_may_hold_anything_in_quotes():
    rule = parse(r'ALARM("a \"b\" (c), \\d") OR OK(AND) OR OK(ALARM)')
    assert alarms(rule) == [r'a "b" (c), \d', "AND", "ALARM"]


def test_an_alarm_that_is_named_in_two_ways_is_one():
    assert child_names(parse(f"ALARM(a) OR OK({ARN}a) OR ALARM(b)")) == ["a", "b"]


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("", "position 0"),
        ("ALARM", "position 5: expected '('"),
        ("ALARM()", "position 6: expected the name of an alarm"),
        ('ALARM("")', "position 7: expected the name of an alarm"),
        ("ALARM(a", "position 7: expected ')'"),
        ("ALARM(a) ALARM(b)", "position 9: expected AND or OR"),
        ("ALARM(a) AND", "found the end"),
        ("ALARM(a) AND OR", "found 'OR'"),
        ("alarm(a)", "position 0"),
        ("(ALARM(a)", "expected ')'"),
        ("ALARM(a))", "expected AND or OR, found ')'"),
        ('ALARM("a)', "is not expected here"),
        ("ALARM(a, b)", "is not expected here"),
        ("AT_LEAST(1, ALARM, (a))", "found 'AT_LEAST'"),
        ("NOT " * 5000 + "TRUE", "nested deeper"),
        ("(" * 5000 + "TRUE" + ")" * 5000, "nested deeper"),
    ],
)
def test_what_is_no_rule_says_where(text, where):
    with pytest.raises(BadRule) as raised:
        parse(text)
    assert where in str(raised.value)


def test_the_reason_names_the_alarm_that_changed():
    """As localstack recorded it from AWS (tests/aws/services/cloudwatch, test_trigger_composite_alarm)."""
    children = {"a": Child(f"{ARN}a", "ALARM", 1_658_505_465.394), "b": Child(f"{ARN}b", "OK", 1_658_505_000.0)}
    state = evaluate(f"{ARN}both", parse("ALARM(a) AND OK(b)"), children, "")
    assert state.value == "ALARM"
    assert state.reason == f"{ARN}a transitioned to ALARM at Friday 22 July, 2022 15:57:45 UTC"
    assert json.loads(state.data) == {
        "triggeringAlarms": [
            {"arn": f"{ARN}a", "state": {"value": "ALARM", "timestamp": "2022-07-22T15:57:45.394+0000"}}
        ]
    }


def test_a_new_composite_alarm_says_so():
    state = evaluate(f"{ARN}both", parse("ALARM(a)"), {"a": Child(f"{ARN}a", "OK", 1.0)}, "created")
    assert (state.value, state.reason) == ("OK", f"{ARN}both was created and its alarm rule evaluates to OK")


def test_an_alarm_that_is_gone_has_no_data():
    assert evaluate(f"{ARN}both", parse("INSUFFICIENT_DATA(a)"), {}, "").value == "ALARM"


def test_cycles_are_seen():
    children = {"a": ["b"], "b": ["c"], "c": ["a"], "d": ["a"], "e": ["x", "y"]}
    assert [name for name in children if in_cycle(name, lambda each: children.get(each, ()))] == ["a", "b", "c"]
