"""The queries of an alarm that does not watch one metric
(https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Create-alarm-on-metric-math-expression.html)."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from clary.metricmath import BadExpression, Graph, Series
from clary.services.cloudwatch.errors import invalid_alarm
from clary.services.cloudwatch.queries import MetricDataQuery, checked, expressions_of, in_expression, metrics_of
from clary.services.context import Context
from clary.services.resources import Params

MOST_METRICS = 10


def checked_queries(context: Context, given: Sequence[Params]) -> int:
    """The period that they have in common, in seconds. Raises ValidationError."""
    for query in given:
        if query.get("AccountId") not in (None, context.account):
            raise invalid_alarm(f"{query['Id']}: Clary does not offer alarms on metrics of other accounts (AccountId).")
    queries = checked(given)
    metrics = list(metrics_of(queries))
    if not 0 < len(metrics) <= MOST_METRICS:
        raise invalid_alarm(f"An alarm on metric math has 1 to {MOST_METRICS} metrics; this one has {len(metrics)}.")
    periods = {query.period for query in queries if query.period is not None}
    if len(periods) > 1:
        raise invalid_alarm("All metrics of an alarm must have the same period.")
    returned = [query.id for query in queries if query.returned]
    if len(returned) != 1:
        raise invalid_alarm("Exactly one element of the metrics list should return data.")
    period = metrics[0].period
    _check_result(queries, returned[0], period)
    return period


def _check_result(queries: Sequence[MetricDataQuery], returned: str, period: int) -> None:
    """Calculated once, of a value that each metric may have: what an expression gives does not depend on values."""
    sample = {query.id: partial(Series, period, {0: 1.0}, query.label) for query in metrics_of(queries)}
    graph = Graph(sample, expressions_of(queries), lambda step: range(0, period, step), period)
    try:
        found = graph.value(returned)
    except BadExpression as bad:
        raise invalid_alarm(in_expression(returned, bad)) from None
    if not isinstance(found, Series):
        raise invalid_alarm(in_expression(returned, BadExpression("an alarm watches a single time series")))
