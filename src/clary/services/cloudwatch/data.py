"""GetMetricData, of metrics and of expressions on them
(https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_GetMetricData.html)."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import groupby

from clary.metricmath import BadExpression, Graph, Series
from clary.services.cloudwatch.errors import invalid_query, invalid_token
from clary.services.cloudwatch.queries import (
    MathQuery,
    MetricDataQuery,
    MetricQuery,
    checked,
    expressions_of,
    in_expression,
    metrics_of,
)
from clary.services.cloudwatch.reading import check_period, is_period, moment, stretch
from clary.services.cloudwatch.searching import searched
from clary.services.cloudwatch.service import SERVICE
from clary.services.context import Context
from clary.services.resources import Output, Params, present
from clary.telemetry.statistics import statistic
from clary.telemetry.summary import merged
from clary.wire.timestamps import in_utc

MOST_QUERIES = 500
MOST_POINTS = 100_800

_PERIOD = 300
"""Of an expression without a metric, where nothing else is said."""


@SERVICE.operation("GetMetricData")
def get_data(context: Context, params: Params) -> Output:
    """The newest points first, unless asked otherwise. Raises ValidationError, InvalidParameterValue."""
    queries = _queries(params["MetricDataQueries"])
    graph = _graph(context, queries, params)
    descending = params.get("ScanBy") != "TimestampAscending"
    most = min(params.get("MaxDatapoints") or MOST_POINTS, MOST_POINTS)
    skip = _offset(params.get("NextToken"))
    results: list[Output] = []
    left, rest = most, False
    for query, series in _returned(queries, graph):
        found = list(series.points.items())[:: -1 if descending else 1]
        part = found[skip : skip + left]
        more = len(found) > skip + len(part)
        skip, left, rest = max(0, skip - len(found)), left - len(part), rest or more
        results.append(_result(query.id, series.label, part, complete=not more))
    token = str(_offset(params.get("NextToken")) + most) if rest else None
    return present({"MetricDataResults": results, "NextToken": token, "Messages": []})


def _queries(given: Sequence[Params]) -> list[MetricDataQuery]:
    if not 0 < len(given) <= MOST_QUERIES:
        raise invalid_query(f"The collection MetricDataQueries must have a size between 1 and {MOST_QUERIES}.")
    queries = checked(given)
    for query in queries:
        if query.period is not None:
            check_period(query.period)
    return queries


def _graph(context: Context, queries: Sequence[MetricDataQuery], params: Params) -> Graph:
    now = time.time()
    if in_utc(params["EndTime"]) <= in_utc(params["StartTime"]):
        raise invalid_query("The parameter EndTime must be greater than StartTime.")

    def moments(period: int) -> range:
        return stretch(params["StartTime"], params["EndTime"], period, now)

    metrics: dict[str, Callable[[], Series]] = {
        query.id: partial(_series, context, query, moments) for query in metrics_of(queries)
    }
    said = [query.period for query in queries if query.period is not None]
    find = partial(_found, context, moments, now)
    return Graph(metrics, expressions_of(queries), moments, min(said, default=_PERIOD), find)


def _found(
    context: Context, moments: Callable[[int], range], now: float, text: str, stat: str, period: int
) -> Iterator[Series]:
    """What SEARCH finds. Raises BadExpression."""
    chosen = statistic(stat)
    if chosen is None:
        raise BadExpression(f"{stat} is no statistic")
    if not is_period(period):
        raise BadExpression(f"{period} is no period")
    for metric, label in searched(context, text, now):
        yield _series(context, MetricQuery("", label, True, metric, period, chosen, None), moments)


def _series(context: Context, query: MetricQuery, moments: Callable[[int], range]) -> Series:
    """Without a unit asked for, whatever unit counts."""
    wanted = moments(query.period)
    points = context.series.points(context.account, context.region, query.metric, wanted, query.unit)
    together = groupby(points, key=lambda point: point.at)
    found = {at: query.statistic(merged(point.summary for point in group)) for at, group in together}
    return Series(query.period, {at: value for at, value in found.items() if value is not None}, query.label)


def _returned(queries: Sequence[MetricDataQuery], graph: Graph) -> Iterator[tuple[MetricDataQuery, Series]]:
    for query in (query for query in queries if query.returned):
        try:
            found = graph.series(query.id)
        except BadExpression as bad:
            raise invalid_query(in_expression(query.id, bad)) from None
        for series in found:
            yield query, Series(series.period, series.points, _label(query, series, alone=len(found) == 1))


def _label(query: MetricDataQuery, series: Series, *, alone: bool) -> str:
    """An expression's own, or its Id; of several series each has its metric's besides."""
    if not isinstance(query, MathQuery):
        return query.label
    if alone and not (query.label is None and query.searches):
        return query.id if query.label is None else query.label
    return f"{query.label or ''} {series.label}".strip()


def _result(id_: str, label: str, part: Sequence[tuple[int, float]], *, complete: bool) -> Output:
    return {
        "Id": id_,
        "Label": label,
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
