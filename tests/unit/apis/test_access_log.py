"""Lines of access logs, and the batches that they are written in."""

from __future__ import annotations

import json
from typing import Any

import pytest

from clary.apis.access_log import AccessLog, rendered
from clary.apis.published import LogIndex
from clary.apis.requests import ApiRequest, Matched, Outcome
from clary.wire.http import HttpResponse

WANTED: LogIndex = {"region": "us-east-1", "group": "requests", "format": "$context.requestId $context.status"}


def request(**more: Any) -> ApiRequest:
    given: dict[str, Any] = {"method": "GET", "path": "/x", "query": (), "headers": {}, "body": b"", "host": "h"}
    return ApiRequest(**{**given, "source_ip": "127.0.0.1", **more})


def matched(**more: Any) -> Matched:
    return Matched("000000000000", "us-east-1", "abc", "dev", {}, "r", "/x", "GET", {}, **more)


@pytest.mark.parametrize(
    ("form", "line"),
    [
        pytest.param("$context.status.", "200.", id="a-full-stop-is-no-part-of-the-name"),
        pytest.param("$context.identity.user", "-", id="what-is-not-known"),
        pytest.param("$context.identity", "-", id="what-is-no-text"),
        pytest.param("$context.none.at.all", "-", id="what-nobody-knows"),
        pytest.param("$input.body", "$input.body", id="what-only-templates-have"),
        pytest.param("$context.flag", "true", id="a-truth"),
    ],
)
def test_variables(form: str, line: str) -> None:
    assert rendered(form, {"status": 200, "identity": {"user": None}, "flag": True}) == line


def test_what_clients_send_ends_no_line_and_no_text() -> None:
    hostile = 'curl"}\n{"forged": "line'
    line = rendered('{"agent": "$context.identity.userAgent"}', {"identity": {"userAgent": hostile}})
    assert json.loads(line) == {"agent": hostile}
    assert "\n" not in line


def test_lines_are_taken_once_by_group_and_in_order() -> None:
    log = AccessLog()
    for group in ("requests", "others", "requests"):
        log.note({**WANTED, "group": group}, request(), matched(), HttpResponse(201))
    taken = {group.name: [event["message"].split()[1] for event in events] for group, events in log.take()}
    assert taken == {"requests": ["201", "201"], "others": ["201"]}
    assert list(log.take()) == []


def test_batches_stay_below_the_megabyte_of_one_call() -> None:
    log = AccessLog()
    agent = {"User-Agent": "a" * 59_000}
    for _ in range(30):
        wanted: LogIndex = {**WANTED, "format": "$context.requestId $context.identity.userAgent"}
        log.note(wanted, request(headers=agent), matched(), HttpResponse(200))
    sizes = [sum(len(event["message"]) for event in events) for _, events in log.take()]
    assert sum(sizes) > 30 * 59_000
    assert max(sizes) <= 250_000


def test_lines_that_nobody_takes_do_not_fill_the_memory() -> None:
    log = AccessLog()
    for _ in range(10_500):
        log.note(WANTED, request(), matched(), HttpResponse(200))
    assert sum(len(events) for _, events in log.take()) == 10_000


def test_how_it_has_ended() -> None:
    log = AccessLog()
    form = "$context.requestId $context.error.responseType $context.error.messageString $context.integrationLatency"
    failed = Outcome("Endpoint request timed out", "INTEGRATION_TIMEOUT", 0.0504)
    log.note({**WANTED, "format": form}, request(), matched(outcome=failed), HttpResponse(504))
    [(_, [event])] = log.take()
    assert event["message"].split(" ", 1)[1] == r"INTEGRATION_TIMEOUT \"Endpoint request timed out\" 50"
