"""Whatever is asked is answered or refused: words of the languages in any order, over events of any kind."""

from hypothesis import given
from hypothesis import strategies as st

from clary.logsearch.insights.errors import BadQuery
from clary.logsearch.insights.records import Record, Source
from clary.logsearch.insights.run import Query
from clary.logsearch.patterns import BadPattern, compiled

MESSAGES = ('{"a":1,"b":"x","c":[true,null,{"d":1e308}]}', "text with 7 words and a = 1", "{", "[1]", "", "\ud800", "7")
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


def test_every_two_commands_with_every_function_are_answered():
    for expression in ("substr(b, 1e999)", "floor(1e999)", "fromMillis(1e999)", "a ^ 9999", "0 / 0", "a % 0", "log(0)"):
        assert len(list(Query(f"fields {expression} as x | filter x = x | sort x").run(records()))) == len(MESSAGES)
