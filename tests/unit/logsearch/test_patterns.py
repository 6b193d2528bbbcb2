"""Filter patterns: the examples of AWS's page, and hostile ones."""

import pytest

from clary.logsearch.patterns import BadPattern, compiled

LINE = '127.0.0.1 - frank [10/Oct/2000:13:25:15 -0700] "GET /apache_pb.gif HTTP/1.0" 404 1534'
EVENT = (
    '{"eventType":"UpdateTrail","sourceIPAddress":"111.111.111.111","code":404,"on":true,"nothing":null,'
    '"arr":[{"k":"v"}]}'
)


@pytest.mark.parametrize(
    ("pattern", "message", "holds"),
    [
        ("ERROR ARGUMENTS", "ERROR 401 INVALID ARGUMENTS", True),
        ("ERROR ARGUMENTS", "ERROR 401", False),
        ("?ERROR ?WARN", "a WARN", True),
        ("ERROR -EXITING", "ERROR EXITING", False),
        ('"INTERNAL SERVER ERROR"', "500 INTERNAL SERVER ERROR", True),
        ("%4[0-9]{2}%", "code 404", True),
        ("%4[0-9]{2}%", "code 40", False),
        ("", "anything", True),
        ('{ $.eventType = "UpdateTrail" }', EVENT, True),
        ('{ $.sourceIPAddress = "111.111.*" }', EVENT, True),
        ("{ $.sourceIPAddress != 123.123.* }", EVENT, True),
        ('{ $.arr[0].k = "v" }', EVENT, True),
        ("{ $.code >= 400 && $.code < 500 }", EVENT, True),
        ("{ ($.code = 1 || $.code = 404) && $.on IS TRUE }", EVENT, True),
        ("{ $.code = 1 || $.on IS FALSE }", EVENT, False),
        ("{ $.nothing IS NULL }", EVENT, True),
        ("{ $.other NOT EXISTS }", EVENT, True),
        ('{ $.other != "x" }', EVENT, False),
        ("{ $.eventType = %^Update% }", EVENT, True),
        ("{ $.code = 404 }", "no JSON", False),
        ("[ip, user, username, timestamp, request = *apache*, status = 4*, bytes > 1000]", LINE, True),
        ("[..., status = 404 || status = 410, bytes]", LINE, True),
        ("[ip != 127.*, ...]", LINE, False),
        ("[ip, user]", LINE, False),
    ],
)
def test_messages_match_as_the_page_says(pattern, message, holds):
    found = compiled(pattern)
    assert found.matches(message) == holds
    assert (found.find(message) is not None) == holds


def test_values_are_named_and_read():
    found = compiled("[ip, ..., status, bytes]").find(LINE)
    assert found.values == {"$ip": "127.0.0.1", "$status": "404", "$bytes": "1534"}
    found = compiled("{ $.code > 1 }").find(EVENT)
    assert (found.values, found.value_of("$.arr[0].k"), found.value_of("$.no")) == ({"$.code": "404"}, "v", None)


@pytest.mark.parametrize(
    "pattern",
    ["{ $.a }", "{ $.a = }", "{ a = 1 }", "{ $.a = 1", "[a, b", "[a = ]", "[..., ...]", "[a b = 1]", "%(a)%", "a!b",
     "%a% %b% %c%", "{ " + "(" * 500 + "$.a = 1" + ")" * 500 + " }", '{ $.a > "x" }'],
)  # fmt: skip
def test_what_is_no_pattern_is_refused(pattern):
    with pytest.raises(BadPattern):
        compiled(pattern)


def test_json_that_is_too_deep_is_no_match():
    assert not compiled("{ $.a = 1 }").matches('{"a":' * 100_000)
