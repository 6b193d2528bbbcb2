"""PutMetricData (https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricData.html)."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from datetime import datetime

from clary.services.cloudwatch.errors import invalid_combination, invalid_value, missing
from clary.services.cloudwatch.names import NO_UNIT, dimensions
from clary.services.cloudwatch.service import SERVICE
from clary.services.context import Context
from clary.services.resources import Output, Params
from clary.telemetry.series import DAY, HOUR, Datum, Metric
from clary.telemetry.summary import Summary, merged
from clary.wire.timestamps import in_utc

MOST_DATA = 1000
"""Data of one call."""

MOST_VALUES = 150
"""Different values of one datum."""

LARGEST = 2.0**360
"""Of values, and of their negatives."""

_OLDEST, _NEWEST = 14 * DAY, 2 * HOUR
_FORMS = ("Value", "Values", "StatisticValues")


@SERVICE.operation("PutMetricData")
def put(context: Context, params: Params) -> Output:
    """All of a call, or nothing. Raises InvalidParameterValue, InvalidParameterCombination, MissingParameter."""
    given = _given(params)
    now = int(time.time())
    data = [_datum(params["Namespace"], datum, place, now) for place, datum in given]
    if data:
        context.series.put(context.account, context.region, data, now)
    return {}


def _given(params: Params) -> list[tuple[str, Params]]:
    """Every datum with its place in the request, as messages name it."""
    given = _placed("MetricData", params.get("MetricData") or ())
    for number, entity in enumerate(params.get("EntityMetricData") or (), 1):
        given += _placed(f"EntityMetricData.member.{number}.MetricData", entity.get("MetricData") or ())
    if len(given) > MOST_DATA:
        raise invalid_value(f"The collection MetricData must not have a size greater than {MOST_DATA}.")
    if not given:
        raise missing("The parameter MetricData is required.")
    return given


def _placed(name: str, data: Sequence[Params]) -> list[tuple[str, Params]]:
    return [(f"{name}.member.{number}", datum) for number, datum in enumerate(data, 1)]


def _datum(namespace: str, datum: Params, place: str, now: int) -> Datum:
    metric = Metric(namespace, datum["MetricName"], dimensions(datum.get("Dimensions"), place))
    at = _second(datum.get("Timestamp"), place, now)
    resolution = datum.get("StorageResolution", 60)
    if resolution not in (1, 60):
        raise invalid_value(f"The value {resolution} for parameter {place}.StorageResolution is invalid.")
    return Datum(metric, at, datum.get("Unit", NO_UNIT), _summary(datum, place), resolution)


def _second(moment: datetime | None, place: str, now: int) -> int:
    at = now if moment is None else math.floor(in_utc(moment).timestamp())
    if at < now - _OLDEST:
        raise invalid_value(f"The parameter {place}.Timestamp must specify a time no more than two weeks in the past.")
    if at > now + _NEWEST:
        raise invalid_value(f"The parameter {place}.Timestamp must specify a time less than two hours in the future.")
    return at


def _summary(datum: Params, place: str) -> Summary:
    forms = [form for form in _FORMS if datum.get(form) is not None]
    if not forms:
        raise missing(f"At least one of the parameters {place}.Value, {place}.Values and {place}.StatisticValues "
                      "must be specified.")  # fmt: skip
    if forms == ["Values", "StatisticValues"]:  # AWS takes both
        values = _of_values(datum["Values"], datum.get("Counts"), place)
        return merged((values, _of_set(datum["StatisticValues"], f"{place}.StatisticValues")))
    if len(forms) > 1:
        raise invalid_combination(
            f"The parameters {place}.{forms[0]} and {place}.{forms[1]} are mutually exclusive and you have specified "
            "both."
        )
    if forms == ["StatisticValues"]:
        return _of_set(datum["StatisticValues"], f"{place}.StatisticValues")
    if forms == ["Value"]:
        return Summary.of({_number(datum["Value"], f"{place}.Value"): 1.0})
    return _of_values(datum["Values"], datum.get("Counts"), place)


def _of_set(given: Params, place: str) -> Summary:
    for name, value in given.items():
        _number(value, f"{place}.{name}")
    count, total = given["SampleCount"], given["Sum"]
    if count <= 0:
        raise invalid_value(f"The value {count} for parameter {place}.SampleCount is invalid.")
    if given["Minimum"] > given["Maximum"]:
        raise invalid_combination(f"The parameter {place}.Maximum must be greater than {place}.Minimum.")
    return Summary.of_set(count, total, given["Minimum"], given["Maximum"])


def _of_values(values: Sequence[float], counts: Sequence[float] | None, place: str) -> Summary:
    if len(values) > MOST_VALUES:
        raise invalid_value(f"The collection {place}.Values must not have a size greater than {MOST_VALUES}.")
    if not values:
        raise missing(f"The parameter {place}.Values is required.")
    often = counts if counts else [1.0] * len(values)
    if len(often) != len(values):
        raise invalid_value(f"The parameters {place}.Values and {place}.Counts must be of the same size.")
    together: dict[float, float] = {}
    for value, count in zip(values, often, strict=True):
        if _number(count, f"{place}.Counts") <= 0:
            raise invalid_value(f"The value {count} for parameter {place}.Counts is invalid.")
        number = _number(value, f"{place}.Values")
        together[number] = together.get(number, 0.0) + count
    return Summary.of(together)


def _number(value: float, place: str) -> float:
    if not (math.isfinite(value) and abs(value) <= LARGEST):
        raise invalid_value(f"The value {value} for parameter {place} is invalid.")
    return value
