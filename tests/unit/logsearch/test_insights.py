"""The language of Logs Insights, over events in memory."""

import pytest

from clary.logsearch.insights.errors import BadQuery
from clary.logsearch.insights.records import Record, Source, pointed
from clary.logsearch.insights.run import Query

START = 1_700_000_000_000
MESSAGES = (
    '{"level":"ERROR","ms":5,"user":{"id":"a"},"tags":["x","y"],"ok":true}',
    "[main] WARN took 12 ms for bob",
    '{"level":"INFO","ms":7.5,"user":{"id":"b"},"ok":false}',
    "[pool] WARN took 30 ms for eve",
    '{"level":"ERROR","ms":9,"user":{"id":"b"}}',
)


def records(group="g"):
    source = Source("000000000000", group, "s")
    return [Record(source, START + n * 60_000, START + n, text) for n, text in enumerate(MESSAGES)]


def ask(query, given=None):
    rows = Query(query).run(given or records())
    return [{name: value for name, value in row if name != "@ptr"} for row in rows]


def column(query):
    return [next(iter(row.values()), None) for row in ask(query)]


def test_without_anything_said_events_come_newest_first():
    found = ask("limit 2")
    assert found[0] == {"@timestamp": "2023-11-14 22:17:20.000", "@message": MESSAGES[4]}
    assert found[1]["@message"] == MESSAGES[3]


@pytest.mark.parametrize(
    ("condition", "count"),
    [
        ("level = 'ERROR'", 2),
        ("level != 'ERROR'", 3),
        ("ms > 5 and ms <= 9", 2),
        ("ms < 6 or level = 'INFO'", 2),
        ("not level = 'ERROR'", 3),
        ("level in ['INFO', 'DEBUG']", 1),
        ("level not in ['INFO']", 4),
        ("@message like 'WARN'", 2),
        ("@message not like /WARN/", 3),
        ("@message like /(?i)warn.*BOB/", 1),
        ("@message =~ /took \\d+/", 2),
        ("user.id = 'b'", 2),
        ("tags.1 = 'y'", 1),
        ("ok = true", 1),
        ("ok = 0", 1),
        ("ispresent(ms)", 3),
        ("isblank(ms)", 2),
        ("strlen(level) = 5", 2),
        ("ms * 2 + 1 = 11", 1),
        ("abs(0 - ms) % 2 = 1", 2),
        ("`user.id` = 'a'", 1),
        ("coalesce(level, 'none') = 'none'", 2),
        ("@logStream = 's' and @log = '000000000000:g'", 5),
    ],
)
def test_filters(condition, count):
    assert ask(f"filter {condition} | stats count(*) as n") == [{"n": str(count)}]


def test_parse_by_a_glob_and_by_an_expression():
    glob = "parse @message '[*] WARN took * ms for *' as pool, took, who | filter ispresent(pool)"
    assert ask(f"{glob} | display pool, took, who | sort took desc") == [
        {"pool": "pool", "took": "30", "who": "eve"},
        {"pool": "main", "took": "12", "who": "bob"},
    ]
    assert column("parse @message /for (?<who>\\w+)/ | filter ispresent(who) | display who") == ["eve", "bob"]
    assert column("parse @message /took (\\d+)/ as took | stats sum(took)") == ["42"]


def test_stats_by_fields_and_time():
    assert ask(
        "stats count(*) as n, avg(ms) as mean, max(ms), min(ms), pct(ms, 90) as p by level | sort n, p desc"
    ) == [
        {"level": "INFO", "n": "1", "mean": "7.5", "max(ms)": "7.5", "min(ms)": "7.5", "p": "7.5"},
        {"level": "ERROR", "n": "2", "mean": "7", "max(ms)": "9", "min(ms)": "5", "p": "9"},
        {"n": "2"},
    ]
    by_time = ask("stats count(*) as n by bin(2m) as at | sort at asc")
    assert by_time == [
        {"at": "2023-11-14 22:12:00.000", "n": "1"},
        {"at": "2023-11-14 22:14:00.000", "n": "2"},
        {"at": "2023-11-14 22:16:00.000", "n": "2"},
    ]
    assert ask("stats count_distinct(user.id) as n, earliest(ms) as e, latest(ms) as l, stddev(ms) as d") == [
        {"n": "2", "e": "5", "l": "9", "d": "1.6499"}
    ]
    assert ask("stats max(@timestamp) as t") == [{"t": "1700000240000"}]
    assert ask("filter level = 'NO' | stats count(*) as n") == [{"n": "0"}]


def test_a_second_stats_goes_on_from_the_first():
    assert ask("stats count(*) as n by level | stats max(n) as most") == [{"most": "2"}]


def test_dedup_keeps_the_newest_of_each():
    assert column("filter ispresent(user.id) | dedup user.id | display ms") == ["9", "5"]


def test_fields_are_calculated_and_named():
    found = ask("fields concat(user.id, '-', level) as who, ms / 2 as half | sort @timestamp asc | limit 1")
    assert found == [{"who": "a-ERROR", "half": "2.5"}]


def test_every_event_has_a_pointer_to_it():
    (row,) = Query("fields ms | sort @timestamp asc | limit 1").run(records())
    assert row[-1][0] == "@ptr"
    assert pointed(row[-1][1])[:3] == ("g", "s", START)


def test_lines_of_lambda_are_known_in_its_groups():
    source = Source("0", "/aws/lambda/f", "s")
    id_ = "8f507cfc-1234-4697-b07a-ac58fc914c95"
    took = "Duration: 79.67 ms\tBilled Duration: 80 ms\tMemory Size: 128 MB\tMax Memory Used: 73 MB\t"
    line = f"REPORT RequestId: {id_}\t{took}"
    event = Record(source, START, START, line)
    assert ask("fields @type, @requestId, @duration, @maxMemoryUsed", [event]) == [
        {"@type": "REPORT", "@requestId": id_, "@duration": "79.67", "@maxMemoryUsed": "73000000"}
    ]


@pytest.mark.parametrize(
    "query",
    ["fields", "filter a ==", "filter a like /(/", "stats foo(x)", "stats a", "limit 0", "limit 10001",
     "parse '*' as a, b",
     "parse /x/", "bin(5m)", "fields bin(5)", "frobnicate a", "fields a | pattern @message", "filter " + "(" * 500,
     "fields 'a", "stats pct(a, 101)", "fields abs(1, 2)", "stats count(*) | stats count(*) | stats count(*)",
     "filter not " + "-" * 3000],
)  # fmt: skip
def test_what_is_no_query_is_refused(query):
    with pytest.raises(BadQuery):
        Query(query)
