"""Metrics read from a log by regular expressions: `python -m clary.workload.metrics` < JSON > JSON.

A child with a time limit, since the expressions are the user's, and one may take for ever on one line.
Input `{"log": path, "definitions": [{"Name", "Regex"}]}`; output `[{"MetricName", "Value", "Timestamp"}]`, the last
value of each metric; `Timestamp` in epoch seconds (AWS: FinalMetricDataList of DescribeTrainingJob).
"""

from __future__ import annotations

import json
import math
import re
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from clary.telemetry.logfile import LogReader

Line = tuple[int, str]
"""Epoch milliseconds and the line's text."""


def final_metrics(lines: Iterable[Line], definitions: Iterable[Mapping[str, str]]) -> list[dict[str, Any]]:
    """The last value of each metric, in the order of the definitions. An expression that is none matches nothing."""
    compiled = [(definition["Name"], _compiled(definition["Regex"])) for definition in definitions]
    found: dict[str, dict[str, Any]] = {}
    for timestamp, text in lines:
        for name, regex in compiled:
            value = _value(regex, text)
            if value is not None:
                found[name] = {"MetricName": name, "Value": value, "Timestamp": timestamp / 1000}
    return [found[name] for name, _ in compiled if name in found]


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


def main() -> None:
    """The child's program."""
    asked = json.load(sys.stdin)
    lines = ((event.timestamp, event.message) for event in LogReader(Path(asked["log"])).forward())
    json.dump(final_metrics(lines, asked["definitions"]), sys.stdout)


if __name__ == "__main__":
    main()
