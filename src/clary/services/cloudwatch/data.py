"""GetMetricData, of metrics (https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_GetMetricData.html).

Expressions (metric math, Metrics Insights) are refused in so many words.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from clary.services.cloudwatch.errors import invalid_query, invalid_token
from clary.services.cloudwatch.names import dimensions
from clary.services.cloudwatch.reading import check_period, moment, stretch
from clary.services.cloudwatch.service import SERVICE
from clary.services.context import Context
from clary.services.resources import Output, Params, present
from clary.telemetry.series import Metric, Point
from clary.telemetry.statistics import Statistic, statistic
from clary.telemetry.summary import merged

MOST_QUERIES = 500
MOST_POINTS = 100_800

_ID = re.compile(r"[a-z][a-zA-Z0-9_]*")


@dataclass(frozen=True)
class _Query:
    """One of the queries, checked."""

    id: str
    label: str
    metric: Metric
    period: int
    statistic: Statistic
    unit: str | None


@SERVICE.operation("GetMetricData")
def get_data(context: Context, params: Params) -> Output:
    """The newest points first, unless asked otherwise. Raises ValidationError, InvalidParameterValue."""
    queries = _queries(params["MetricDataQueries"])
    descending = params.get("ScanBy") != "TimestampAscending"
    most = min(params.get("MaxDatapoints") or MOST_POINTS, MOST_POINTS)
    skip = _offset(params.get("NextToken"))
    results: list[Output] = []
    left, rest = most, False
    for query in queries:
        found = _values(context, query, params, descending=descending)
        part = found[skip : skip + left]
        more = len(found) > skip + len(part)
        skip, left, rest = max(0, skip - len(found)), left - len(part), rest or more
        results.append(_result(query, part, complete=not more))
    token = str(_offset(params.get("NextToken")) + most) if rest else None
    return present({"MetricDataResults": results, "NextToken": token, "Messages": []})


def _queries(given: Sequence[Params]) -> list[_Query]:
    if not 0 < len(given) <= MOST_QUERIES:
        raise invalid_query(f"The collection MetricDataQueries must have a size between 1 and {MOST_QUERIES}.")
    ids = [query["Id"] for query in given]
    for repeated in (name for name, group in groupby(sorted(ids)) if len(list(group)) > 1):
        raise invalid_query(f"The values for parameter id in MetricDataQueries are not unique: {repeated}.")
    return [_query(query) for query in given if query.get("ReturnData", True)]


def _query(given: Params) -> _Query:
    name = given["Id"]
    if not _ID.fullmatch(name):
        raise invalid_query(f'The value {name} is not matching the expected pattern "^[a-z][a-zA-Z0-9_]*$".')
    if "Expression" in given:
        raise invalid_query(f"{name}: Clary does not offer expressions (metric math, Metrics Insights).")
    if "MetricStat" not in given:
        raise invalid_query(f"{name}: either MetricStat or Expression must be specified.")
    of = given["MetricStat"]
    metric = of["Metric"]
    if "MetricName" not in metric or "Namespace" not in metric:
        raise invalid_query(f"{name}: Metric needs a Namespace and a MetricName.")
    found = statistic(of["Stat"])
    if found is None:
        raise invalid_query(f"The value {of['Stat']} for parameter MetricStat.Stat is invalid.")
    check_period(of["Period"])
    series = Metric(metric["Namespace"], metric["MetricName"], dimensions(metric.get("Dimensions"), name))
    return _Query(name, given.get("Label", series.name), series, of["Period"], found, of.get("Unit"))


def _values(context: Context, query: _Query, params: Params, *, descending: bool) -> list[tuple[int, float]]:
    wanted = stretch(params["StartTime"], params["EndTime"], query.period, time.time())
    points = context.series.points(context.account, context.region, query.metric, wanted, query.unit)
    found = ((at, query.statistic(merged(point.summary for point in group))) for at, group in _by_time(points))
    known = [(at, value) for at, value in found if value is not None]
    return known[::-1] if descending else known


def _by_time(points: Sequence[Point]) -> Iterator[tuple[int, Iterator[Point]]]:
    """Without a unit asked for, whatever unit counts."""
    return groupby(points, key=lambda point: point.at)


def _result(query: _Query, part: Sequence[tuple[int, float]], *, complete: bool) -> Output:
    return {
        "Id": query.id,
        "Label": query.label,
        "Timestamps": [moment(at) for at, _ in part],
        "Values": [value for _, value in part],
        "StatusCode": "Complete" if complete else "PartialData",
    }


def _offset(token: str | None) -> int:
    if not token:
        return 0
    if not (token.isascii() and token.isdigit() and len(token) < 19):
        raise invalid_token()
    return int(token)
