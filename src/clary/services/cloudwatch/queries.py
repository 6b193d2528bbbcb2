"""Queries of GetMetricData and of alarms on metric math: metrics, and expressions on them
(https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_MetricDataQuery.html)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from clary.metricmath import BadExpression, parse
from clary.metricmath.expression import Apply, Node
from clary.services.cloudwatch.errors import invalid_query
from clary.services.cloudwatch.names import dimensions
from clary.services.resources import Params
from clary.telemetry.series import Metric
from clary.telemetry.statistics import Statistic, statistic

_ID = re.compile(r"[a-z][a-zA-Z0-9_]*")
_INSIGHTS = re.compile(r"\s*SELECT\s", re.IGNORECASE)


@dataclass(frozen=True)
class MetricQuery:
    """A metric with a statistic."""

    id: str
    label: str
    returned: bool
    metric: Metric
    period: int
    statistic: Statistic
    unit: str | None
    statistic_name: str = ""
    labelled: bool = True
    """Whether the label was given."""


@dataclass(frozen=True)
class MathQuery:
    """An expression."""

    id: str
    label: str | None
    returned: bool
    expression: Node
    period: int | None

    @property
    def searches(self) -> bool:
        """Whether its series are those that are found, each with a label of its own."""
        return isinstance(self.expression, Apply) and self.expression.function == "SEARCH"


MetricDataQuery = MetricQuery | MathQuery


def checked(given: Sequence[Params]) -> list[MetricDataQuery]:
    """Raises ValidationError."""
    ids = [query["Id"] for query in given]
    for repeated in (name for name, group in groupby(sorted(ids)) if len(list(group)) > 1):
        raise invalid_query(f"The values for parameter id in MetricDataQueries are not unique: {repeated}.")
    queries = list(map(_query, given))
    bare = [query for query in metrics_of(queries) if query.returned and not query.labelled]
    stats, periods = {query.statistic_name for query in bare}, {query.period for query in bare}
    return [_labelled(query, stat=len(stats) > 1, period=len(periods) > 1) for query in queries]


def _labelled(query: MetricDataQuery, *, stat: bool, period: bool) -> MetricDataQuery:
    """A metric without a label of its own has its name, and what tells it from the others of the request."""
    if isinstance(query, MathQuery) or query.labelled:
        return query
    parts = [query.label, *([query.statistic_name] if stat else []), *([str(query.period)] if period else [])]
    return replace(query, label=" ".join(parts))


def metrics_of(queries: Sequence[MetricDataQuery]) -> Iterator[MetricQuery]:
    """Those that are no expressions."""
    return (query for query in queries if isinstance(query, MetricQuery))


def expressions_of(queries: Sequence[MetricDataQuery]) -> dict[str, Node]:
    """By Id."""
    return {query.id: query.expression for query in queries if isinstance(query, MathQuery)}


def in_expression(id_: str, bad: BadExpression) -> str:
    """What is wrong with an expression, as CloudWatch says it."""
    return f"Error in expression '{id_}': {bad}"


def _query(given: Params) -> MetricDataQuery:
    name, returned = given["Id"], given.get("ReturnData", True)
    if not _ID.fullmatch(name):
        raise invalid_query(f'The value {name} is not matching the expected pattern "^[a-z][a-zA-Z0-9_]*$".')
    if ("MetricStat" in given) == ("Expression" in given):
        raise invalid_query(f"{name}: either MetricStat or Expression must be specified.")
    if "Expression" in given:
        return MathQuery(
            name, given.get("Label"), returned, _expression(name, given["Expression"]), given.get("Period")
        )
    of = given["MetricStat"]
    metric = of["Metric"]
    if "MetricName" not in metric or "Namespace" not in metric:
        raise invalid_query(f"{name}: Metric needs a Namespace and a MetricName.")
    found = statistic(of["Stat"])
    if found is None:
        raise invalid_query(f"The value {of['Stat']} for parameter MetricStat.Stat is invalid.")
    series = Metric(metric["Namespace"], metric["MetricName"], dimensions(metric.get("Dimensions"), name))
    label, labelled = given.get("Label", series.name), "Label" in given
    return MetricQuery(name, label, returned, series, of["Period"], found, of.get("Unit"), of["Stat"], labelled)


def _expression(name: str, text: str) -> Node:
    if _INSIGHTS.match(text):
        raise invalid_query(f"{name}: Clary does not offer Metrics Insights.")
    try:
        return parse(text)
    except BadExpression as bad:
        raise invalid_query(in_expression(name, bad)) from None
