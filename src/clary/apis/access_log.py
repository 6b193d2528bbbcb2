"""What stages log of their requests
(https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-logging.html)."""

from __future__ import annotations

import json
import re
import time
from collections import defaultdict, deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from clary.apis.published import LogIndex
from clary.apis.requests import ApiRequest, Matched, context_of
from clary.wire.http import HttpResponse

_VARIABLE = re.compile(r"\$context\.([A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*)")
_UNKNOWN = "-"
"""What stands for a variable without a value."""
_MOST_CHARACTERS = 60_000
_MOST_WAITING = 10_000
"""Bound of memory; the oldest lines go first."""
_AT_ONCE = 1_000
"""Lines of one PutLogEvents."""
_BATCH_CHARACTERS = 250_000
"""Of one PutLogEvents: four bytes each are below its 1 MB."""


class Group(NamedTuple):
    """A log group."""

    account: str
    region: str
    name: str


@dataclass(frozen=True)
class Line:
    """One request."""

    group: Group
    milliseconds: int
    """Since the epoch."""
    text: str


class AccessLog:
    """One edge's lines, until they are taken. Belongs to one event loop."""

    def __init__(self) -> None:
        self._lines: deque[Line] = deque(maxlen=_MOST_WAITING)

    def note(self, wanted: LogIndex, request: ApiRequest, matched: Matched, response: HttpResponse) -> None:
        """One request that has been answered."""
        group = Group(matched.account, wanted["region"], wanted["group"])
        now = time.time()
        text = rendered(wanted["format"], variables(request, matched, response, now - request.began))
        self._lines.append(Line(group, int(now * 1000), text))

    def take(self) -> Iterator[tuple[Group, list[dict[str, Any]]]]:
        """All that was noted since the last time: `logEvents` of calls of PutLogEvents."""
        lines, self._lines = self._lines, deque(maxlen=_MOST_WAITING)
        groups: defaultdict[Group, list[Line]] = defaultdict(list)
        for line in sorted(lines, key=lambda each: each.milliseconds):
            groups[line.group].append(line)
        for group, found in groups.items():
            for batch in _batches(found):
                yield group, [{"timestamp": line.milliseconds, "message": line.text} for line in batch]


def _batches(lines: list[Line]) -> Iterator[list[Line]]:
    batch: list[Line] = []
    size = 0
    for line in lines:
        if batch and (len(batch) == _AT_ONCE or size + len(line.text) > _BATCH_CHARACTERS):
            yield batch
            batch, size = [], 0
        batch.append(line)
        size += len(line.text)
    if batch:
        yield batch


def variables(request: ApiRequest, matched: Matched, response: HttpResponse, seconds: float) -> dict[str, Any]:
    """`$context` as logs see it: what templates see, and how it has ended."""
    outcome = matched.outcome
    error = {
        "message": outcome.error,
        "messageString": json.dumps(outcome.error) if outcome.error else None,
        "responseType": outcome.error_type,
    }
    return {
        **context_of(request, matched),
        "error": error,
        "integrationErrorMessage": outcome.error,
        "integrationLatency": _milliseconds(outcome.integration_seconds),
        "integration": {"latency": _milliseconds(outcome.integration_seconds)},
        "responseLatency": _milliseconds(seconds),
        "responseLength": len(response.body) if isinstance(response.body, bytes) else None,
        "routeKey": matched.resource,
        "status": response.status,
    }


def _milliseconds(seconds: float | None) -> int | None:
    return None if seconds is None else int(seconds * 1000)


def rendered(form: str, known: Mapping[str, Any]) -> str:
    """A line. Quotes and control characters of what clients have sent are escaped, so that JSON stays JSON and a line
    one line."""
    return _VARIABLE.sub(lambda found: _text(_at(known, found[1])), form)[:_MOST_CHARACTERS]


def _at(known: Any, path: str) -> Any:  # noqa: ANN401 — a value of JSON within another
    for step in path.split("."):
        known = known.get(step) if isinstance(known, Mapping) else None
    return known


def _text(value: Any) -> str:  # noqa: ANN401 — a value of JSON
    if value is None or value == "" or isinstance(value, Mapping | list):
        return _UNKNOWN
    return json.dumps(str(value).lower() if isinstance(value, bool) else str(value), ensure_ascii=False)[1:-1]
