"""Whatever is asked is answered or refused: words of the languages in any order, over events of any kind."""

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clary.errors import AWSError
from clary.logfilters.deriving import Deriving
from clary.logfilters.metrics import Counting
from clary.logfilters.rows import METRIC_FILTER
from clary.logsearch.insights.errors import BadQuery
from clary.logsearch.insights.records import Record, Source
from clary.logsearch.insights.run import Query
from clary.logsearch.patterns import BadPattern, compiled
from clary.store.rows import Key, Row

MESSAGES = ('{"a":1,"b":"x","c":[true,null,{"d":1e308}]}', "text with 7 words and a = 1", "{", "[1]", "", "\ud800", "7",
            '{"a":1%s,"b":1e999,"c":[0,1,{"d":-1e308}]}' % ("0" * 400), '{"a":NaN,"b":-Infinity}')  # fmt: skip
METRIC = {"metricNamespace": "n", "metricName": "m", "metricValue": "1"}
QUERY = st.lists(
    st.sampled_from(
        ["fields", "filter", "stats", "sort", "parse", "dedup", "limit", "display", "|", ",", "(", ")", "[", "]",
         "a", "b",
         "c.0", "@timestamp", "@message", "'x'", "'* = *'", "/a(?<n>.)/", "1", "1e999", "5m", "by", "as", "n", "asc",
         "desc", "=", "!=", "<", ">=", "like", "in", "not", "and", "or", "+", "-", "*", "/", "^", "%", "count(*)",
         "avg(a)", "pct(a, 50)", "bin(5m)", "substr(b, 1e999)", "floor(a)", "datefloor(a, 1h)", "fromMillis(a)",
         "strlen(b)", "latest(b)", "2"]
    ),
    max_size=12,
).map(" ".join)  # fmt: skip
PATTERN = st.lists(
    st.sampled_from(
        ["{", "}", "[", "]", "(", ")", "$.a", "$.c[2].d", "$.*", "=", "!=", ">", "&&", "||", "IS", "NULL", "NOT",
         "EXISTS",
         "1", '"x"', "x*", "%a+%", "%(%", ",", "...", "w", "?a", "-b", "%"]
    ),
    max_size=10,
).map(" ".join)  # fmt: skip


def records():
    source = Source("0", "/aws/lambda/f", "s")
    return [Record(source, 1_700_000_000_000 + n, n, text) for n, text in enumerate(MESSAGES)]


@given(QUERY)
def test_queries(text):
    try:
        query = Query(text)
    except BadQuery:
        return
    for row in query.run(records()):
        assert all(isinstance(value, str) for _, value in row)


@given(PATTERN)
def test_patterns(text):
    try:
        pattern = compiled(text)
    except BadPattern:
        return
    for message in MESSAGES:
        assert pattern.matches(message) == (pattern.find(message) is not None)


def test_words_of_a_message_full_of_brackets_are_found_in_one_pass():
    """Control reads messages against filters: looking for the end of each bracket anew would hold it for minutes."""
    brackets = ["["] * 130_000
    found = compiled("[first, ..., last]").find(f'[a b] "c d" {" ".join(brackets)} [')
    assert found is not None and dict(found.values) == {"$first": "a b", "$last": "["}


@pytest.mark.parametrize("value", ["a", "b", "c.2.d"])
def test_numbers_beyond_all_numbers_are_answered(value):
    """Any program's log may hold one: it must not end the queries of all others, nor hold control's filters up."""
    for function in ("avg", "sum", "stddev", "median", "min", "max"):
        assert len(list(Query(f"stats {function}({value})").run(records()))) == 1
    for function in ("floor", "fromMillis", "toMillis", "abs", "sqrt"):
        assert len(list(Query(f"fields {function}({value}) + {value} / 3 as x").run(records()))) == len(MESSAGES)
    for operator in (">", "="):
        assert not all(map(compiled(f"{{ $.a {operator} 5 }}").matches, MESSAGES))


def test_metrics_are_made_of_numbers_that_metrics_take():
    counting, transformations = Counting(), [{**METRIC, "metricValue": "$.a"}]
    counting.take(compiled("{ $.a = * }"), transformations, [(0, text) for text in MESSAGES])
    [call] = counting.calls()
    assert call["MetricData"][0]["Values"] == [1.0]


def test_a_datum_that_is_refused_keeps_no_other_back():
    taken = []

    def invoke(call):
        names = [each["Dimensions"][0]["Value"] for each in call.params["MetricData"]]
        if "" in names:
            raise AWSError("InvalidParameterValue", "The value must not be empty.")
        taken.extend(names)

    spec = {"filterPattern": "{ $.d = * }", "metricTransformations": [{**METRIC, "dimensions": {"d": "$.d"}}]}
    moment = datetime.now(UTC)
    row = Row(Key(METRIC_FILTER, "0", "r", "f"), "", "", moment, moment, spec)
    events = [(number, number, json.dumps({"d": value})) for number, value in enumerate(("x", "", "y"))]
    Deriving(invoke).derive(Key("log-group", "0", "r", "g"), "s", [row], events)
    assert sorted(taken) == ["x", "y"]


def test_every_two_commands_with_every_function_are_answered():
    for expression in ("substr(b, 1e999)", "floor(1e999)", "fromMillis(1e999)", "a ^ 9999", "0 / 0", "a % 0", "log(0)"):
        assert len(list(Query(f"fields {expression} as x | filter x = x | sort x").run(records()))) == len(MESSAGES)
