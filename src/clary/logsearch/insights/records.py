"""What a query is asked about: events with their fields, found when they are asked for
(https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CWL_AnalyzeLogData-discoverable-fields.html)."""

from __future__ import annotations

import base64
import json
import re
import zlib
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

MOST_FIELDS = 200
"""Of one event, as on AWS."""

FUNCTIONS = "/aws/lambda/"
"""Groups whose lines of Lambda's own are known."""

_BEGIN = re.compile(r"(START|END|REPORT) RequestId: ([0-9a-f-]{36})")
_REPORTED = {
    "@duration": re.compile(r"\tDuration: ([\d.]+) ms"),
    "@billedDuration": re.compile(r"\tBilled Duration: ([\d.]+) ms"),
    "@initDuration": re.compile(r"\tInit Duration: ([\d.]+) ms"),
    "@memorySize": re.compile(r"\tMemory Size: (\d+) MB"),
    "@maxMemoryUsed": re.compile(r"\tMax Memory Used: (\d+) MB"),
}
_IN_BYTES = frozenset({"@memorySize", "@maxMemoryUsed"})
_ID = re.compile(r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b")
_DECODER = json.JSONDecoder()


class Source(NamedTuple):
    """The stream that an event is of."""

    account: str
    group: str
    stream: str


class Record:
    """One event."""

    __slots__ = ("_discovered", "_named", "ingested", "message", "source", "timestamp")

    def __init__(self, source: Source, timestamp: int, ingested: int, message: str) -> None:
        self.source = source
        self.timestamp = timestamp
        self.ingested = ingested
        self.message = message
        self._named: dict[str, Any] | None = None
        self._discovered: Mapping[str, Any] | None = None

    def get(self, name: str) -> Any:  # noqa: ANN401  a string, a number, None
        """The field's value; None where there is none."""
        if self._named is not None and name in self._named:
            return self._named[name]
        own = _OWN.get(name)
        return own(self) if own else self.discovered().get(name)

    def set(self, name: str, value: Any) -> None:  # noqa: ANN401
        """What a command names."""
        if self._named is None:
            self._named = {}
        self._named[name] = value

    def discovered(self) -> Mapping[str, Any]:
        """What is found in the message."""
        if self._discovered is None:
            self._discovered = discovered(self.source.group, self.message)
        return self._discovered


def discovered(group: str, message: str) -> Mapping[str, Any]:
    """Members of JSON, by their paths; and in groups of functions what Lambda says."""
    found: dict[str, Any] = {}
    if group.startswith(FUNCTIONS):
        _of_lambda(message, found)
        start = message.find("{")
    else:
        start = len(message) - len(message.lstrip())
    if message[start : start + 1] == "{" and start >= 0:
        try:
            document, _ = _DECODER.raw_decode(message, start)
            _flatten("", document, found)
        except (ValueError, RecursionError):
            pass
    return found


def _of_lambda(message: str, found: dict[str, Any]) -> None:
    begun = _BEGIN.match(message)
    if begun is None:
        named = _ID.search(message)
        if named:
            found["@requestId"] = named[0]
        return
    found |= {"@type": begun[1], "@requestId": begun[2]}
    for name, expression in _REPORTED.items() if begun[1] == "REPORT" else ():
        value = expression.search(message)
        if value:
            found[name] = float(value[1]) * (1_000_000 if name in _IN_BYTES else 1)


def _flatten(path: str, value: Any, found: dict[str, Any]) -> None:  # noqa: ANN401
    if len(found) >= MOST_FIELDS:
        return
    if isinstance(value, dict):
        for name, member in value.items():
            _flatten(f"{path}.{name}" if path else name, member, found)
    elif isinstance(value, list):
        for number, member in enumerate(value):
            _flatten(f"{path}.{number}", member, found)
    elif value is not None:
        found[path] = int(value) if isinstance(value, bool) else value


def pointer(record: Record) -> str:
    """`@ptr`: where GetLogRecord finds the event again."""
    place = [record.source.group, record.source.stream, record.timestamp, checksum(record.message)]
    return base64.urlsafe_b64encode(json.dumps(place, separators=(",", ":")).encode()).decode().rstrip("=")


def pointed(text: str) -> tuple[str, str, int, int]:
    """Group, stream, time and checksum of what a pointer points to. Raises ValueError."""
    place = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    if not isinstance(place, list) or [type(part) for part in place] != [str, str, int, int]:
        raise ValueError(text)
    group, stream, timestamp, known = place
    (group + stream).encode()  # half a character is none
    return group, stream, timestamp, known


def checksum(message: str) -> int:
    """What tells events of one moment apart."""
    return zlib.crc32(message.encode("utf-8", "replace"))


_OWN: Mapping[str, Callable[[Record], Any]] = {
    "@message": lambda record: record.message,
    "@timestamp": lambda record: record.timestamp,
    "@logStream": lambda record: record.source.stream,
    "@log": lambda record: f"{record.source.account}:{record.source.group}",
    "@ingestionTime": lambda record: record.ingested,
    "@ptr": pointer,
}
