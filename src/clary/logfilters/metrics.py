"""What metric filters make of events
(https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/MonitoringLogData.html)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from clary.logsearch.members import selected
from clary.logsearch.patterns import Found, Pattern
from clary.logsearch.wording import BadPattern, number

_MINUTE = 60_000
_VALUES = 150
"""Different values of one datum."""

_LARGEST = 2.0**360
"""Of values, either sign: metrics take no larger ones, nor what is no number."""

_CALL = 500
"""Data of one call."""

_Place = tuple[str, str, str, tuple[tuple[str, str], ...], int]


class Counting:
    """Collects the values of one stream's events, by metric, dimensions and minute."""

    def __init__(self) -> None:
        self._values: dict[_Place, dict[float, float]] = {}

    def take(
        self, pattern: Pattern, transformations: Sequence[Mapping[str, Any]], events: Sequence[tuple[int, str]]
    ) -> None:
        """What a filter makes of events (time in milliseconds, message). A default value stands for a minute that has
        events and none that matches."""
        minutes, matched = set(), set()
        for when, message in events:
            minutes.add(when // _MINUTE)
            found = pattern.find(message)
            if found is not None:
                matched.add(when // _MINUTE)
                for transformation in transformations:
                    self._add(transformation, found, when // _MINUTE)
        for transformation in transformations:
            if transformation.get("defaultValue") is not None:
                for minute in sorted(minutes - matched):
                    self._put(transformation, (), minute, float(transformation["defaultValue"]))

    def _add(self, transformation: Mapping[str, Any], found: Found, minute: int) -> None:
        value = number(_value(transformation["metricValue"], found))
        dimensions = {name: _value(given, found) for name, given in (transformation.get("dimensions") or {}).items()}
        if value is not None and abs(value) <= _LARGEST and None not in dimensions.values():
            named = tuple(sorted((name, str(each)) for name, each in dimensions.items()))
            self._put(transformation, named, minute, value)

    def _put(self, to: Mapping[str, Any], dimensions: tuple[tuple[str, str], ...], minute: int, value: float) -> None:
        place = (to["metricNamespace"], to["metricName"], to.get("unit") or "None", dimensions, minute)
        values = self._values.setdefault(place, {})
        values[value] = values.get(value, 0.0) + 1.0

    def calls(self) -> Iterator[dict[str, Any]]:
        """Parameters of PutMetricData."""
        by_namespace: dict[str, list[dict[str, Any]]] = {}
        for (namespace, name, unit, dimensions, minute), values in self._values.items():
            items = list(values.items())
            for start in range(0, len(items), _VALUES):
                datum = _datum(name, unit, dimensions, minute, items[start : start + _VALUES])
                by_namespace.setdefault(namespace, []).append(datum)
        for namespace, data in by_namespace.items():
            for start in range(0, len(data), _CALL):
                yield {"Namespace": namespace, "MetricData": data[start : start + _CALL]}


def _value(given: str, found: Found) -> Any:  # noqa: ANN401  what JSON has
    """A selector's value; anything else is itself."""
    return found.value_of(given) if given.startswith("$") else given


def _datum(
    name: str, unit: str, dimensions: Sequence[tuple[str, str]], minute: int, values: Sequence[tuple[float, float]]
) -> dict[str, Any]:
    return {
        "MetricName": name,
        "Dimensions": [{"Name": key, "Value": value} for key, value in dimensions],
        "Timestamp": datetime.fromtimestamp(minute * 60, UTC),
        "Unit": unit,
        "Values": [value for value, _ in values],
        "Counts": [count for _, count in values],
    }


def is_selector(text: str, pattern: Pattern) -> bool:
    """Whether events that a pattern finds can have what is selected."""
    if pattern.names is not None:
        return text in pattern.names
    try:
        selected({}, text)
    except BadPattern:
        return False
    return True
