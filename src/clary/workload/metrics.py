"""Metrics read from a log by regular expressions: `python -m clary.workload.metrics`, a line of JSON in, one out.

A child with a time limit where the expressions are the user's (see `asking`).
Input `{"log": path, "definitions": [{"Name", "Regex"}]}`; output `[{"MetricName", "Value", "Timestamp"}]`, the last
value of each metric; `Timestamp` in epoch seconds (AWS: FinalMetricDataList of DescribeTrainingJob).
With `"position"` and `"most"` it is a piece of the log instead; output `[where to go on, [points as lists]]`, or with
`"each"` the values one by one, of all definitions together.
"""

from __future__ import annotations

import json
import math
import re
import select
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from clary.telemetry.logfile import LogReader

Definition = Mapping[str, str]
Line = tuple[int, str]
"""Epoch milliseconds and the line's text."""


class Point(NamedTuple):
    """The values of one metric in one second."""

    name: str
    second: int
    """Epoch seconds."""
    samples: int
    total: float
    least: float
    most: float


_TOKEN = re.compile(
    r"(?P<escape>\\.)|(?P<class>\[\^?\]?[^]]*\])|(?P<repeat>[*?]|\{[^}]*\})|(?P<group>[()])|(?P<any>.)", re.S
)
_PIECE = 1 << 20

IDLE_SECONDS = 60.0
"""How long a child waits for the next question."""


def scan(log: Path, definitions: Sequence[Definition]) -> list[dict[str, Any]]:
    """The last value of each metric that the log holds, in the order of the definitions."""
    possible = _possible(log, definitions)
    lines = ((event.timestamp, event.message) for event in LogReader(log).backward())
    return final_metrics(lines, possible)


def final_metrics(newest_first: Iterable[Line], definitions: Iterable[Definition]) -> list[dict[str, Any]]:
    """The first value found of each metric. An expression that is none matches nothing."""
    order = [(definition["Name"], _compiled(definition["Regex"])) for definition in definitions]
    wanted = dict(order)
    found: dict[str, dict[str, Any]] = {}
    for timestamp, text in newest_first:
        if len(found) == len(wanted):
            break
        for name, regex in wanted.items():
            value = None if name in found else _value(regex, text)
            if value is not None:
                found[name] = {"MetricName": name, "Value": value, "Timestamp": timestamp / 1000}
    return [found[name] for name in wanted if name in found]


def follow(log: Path, position: int, most: int, definitions: Sequence[Definition]) -> tuple[int, list[Point]]:
    """The values in the lines after `position`, of about `most` bytes; and where to go on."""
    patterns = [(each["Name"], required_literal(each["Regex"]), _compiled(each["Regex"])) for each in definitions]
    found: dict[tuple[str, int], Point] = {}
    end = position
    for event in LogReader(log).forward(position):
        for name, literal, regex in patterns:
            value = _value(regex, event.message) if literal in event.message else None
            if value is not None:
                moment = (name, event.timestamp // 1000)
                found[moment] = _with(found.get(moment), Point(*moment, 1, value, value, value))
        end = event.end
        if end - position >= most:
            break
    return end, list(found.values())


def follow_each(log: Path, position: int, most: int, definitions: Sequence[Definition]) -> tuple[int, list[float]]:
    """As `follow`, every value by itself, in their order."""
    patterns = [(required_literal(each["Regex"]), _compiled(each["Regex"])) for each in definitions]
    found: list[float] = []
    end = position
    for event in LogReader(log).forward(position):
        for literal, regex in patterns:
            value = _value(regex, event.message) if literal in event.message else None
            if value is not None:
                found.append(value)
        end = event.end
        if end - position >= most:
            break
    return end, found


def _with(known: Point | None, new: Point) -> Point:
    if known is None:
        return new
    return known._replace(
        samples=known.samples + 1,
        total=known.total + new.total,
        least=min(known.least, new.least),
        most=max(known.most, new.most),
    )


def required_literal(regex: str) -> str:
    """Some text that every match holds; empty where none is seen at a glance.

    AWS's own images define dozens of metrics of which a job prints two: those whose text the log does not hold are
    left out at once.
    """
    if "|" in regex or "(?" in regex.replace("(?:", "("):
        return ""
    runs, depth = [""], 0
    for token in _TOKEN.finditer(regex):
        text = token["any"] if token["any"] not in ("^", "$", ".", "+") else None
        if token["escape"] and not token["escape"][1].isalnum():
            text = token["escape"][1]
        if token["group"]:
            depth += 1 if token["group"] == "(" else -1
        if token["repeat"]:
            runs[-1] = runs[-1][:-1]
        if text and not token["repeat"] and depth == 0:
            runs[-1] += text
        else:
            runs.append("")
    return max(runs, key=len)


def _possible(log: Path, definitions: Sequence[Definition]) -> list[Definition]:
    texts = [required_literal(definition["Regex"]).encode() for definition in definitions]
    missing = {text for text in texts if text}
    longest = max((len(text) for text in missing), default=0)
    if not missing or not log.exists():
        return list(definitions)
    with log.open("rb") as file:
        kept = b""
        while missing and (piece := file.read(_PIECE)):
            block = kept + piece
            missing = {text for text in missing if text not in block}
            kept = block[-longest:]
    return [definition for definition, text in zip(definitions, texts, strict=True) if text not in missing]


def _compiled(regex: str) -> re.Pattern[str] | None:
    try:
        return re.compile(regex)
    except re.error:
        return None


def _value(regex: re.Pattern[str] | None, text: str) -> float | None:
    match = regex.search(text) if regex else None
    if match is None or match.lastindex is None:
        return None
    try:
        value = float(match[1])
    except (TypeError, ValueError):
        return None
    return value if math.isfinite(value) else None


def answer(asked: Mapping[str, Any]) -> Any:  # noqa: ANN401  what was asked for
    """Of one line of input."""
    log, definitions = Path(asked["log"]), asked["definitions"]
    if "each" in asked:
        return follow_each(log, asked["position"], asked["most"], definitions)
    if "position" in asked:
        return follow(log, asked["position"], asked["most"], definitions)
    return scan(log, definitions)


def main() -> None:
    """The child's program: ends with its input, or when nobody has asked for a while."""
    while select.select([sys.stdin], [], [], IDLE_SECONDS)[0]:
        line = sys.stdin.readline()
        if not line:
            return
        sys.stdout.write(json.dumps(answer(json.loads(line))) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
