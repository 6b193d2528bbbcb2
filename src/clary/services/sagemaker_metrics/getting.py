"""BatchGetMetrics: statistics of the values that were put, by step or by time. Moments are seconds since 1970, as the
timestamps of BatchPutMetrics are
(https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_metrics_BatchGetMetrics.html)."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice

from clary.services.context import Context
from clary.services.resources import Output, Params
from clary.services.sagemaker.metric_values import BY_STEP, KIND, PERIODS, Value, by_step, by_time, values_of
from clary.services.sagemaker.trial_components import COMPONENT
from clary.services.sagemaker_metrics.service import SERVICE

_MOST_POINTS = 10_000
"""Of one query: more are cut off, and the result says so."""


@SERVICE.operation("BatchGetMetrics", effect="keeps state")
def get(context: Context, params: Params) -> Output:
    """A result for each query, in their order; what is wrong with one is said in its own."""
    return {"MetricQueryResults": [_result(context, query) for query in params["MetricQueries"]]}


def _result(context: Context, query: Params) -> Output:
    wrong = _wrong(query)
    row = context.store.read.by_arn(query["ResourceArn"])
    if row is None or (row.key.kind, row.key.account) != (COMPONENT.kind, context.account):
        wrong = wrong or f"Trial component {query['ResourceArn']} does not exist."
    if wrong or row is None:
        return {"Status": "ValidationError", "Message": wrong, "XAxisValues": [], "MetricValues": []}
    values = values_of(context.store.read.children(KIND, row.key), query["MetricName"])
    points = list(islice(_points(values, query), _MOST_POINTS + 1))
    shown = points[:_MOST_POINTS]
    return {
        "Status": "Complete" if len(points) == len(shown) else "Truncated",
        "XAxisValues": [at for at, _ in shown],
        "MetricValues": [value for _, value in shown],
    }


def _wrong(query: Params) -> str:
    if query["XAxisType"] == BY_STEP != query["Period"]:
        return "Values by iteration number need the period IterationNumber."
    return "Start must not be after End." if query.get("Start", 0) > query.get("End", query.get("Start", 0)) else ""


def _points(values: Iterable[Value], query: Params) -> Iterable[tuple[int, float]]:
    """Along the axis that is asked for, from Start to End on it."""
    first, last = query.get("Start"), query.get("End")
    for at, value in _along(values, query):
        if (first is None or at >= first) and (last is None or at <= last):
            yield at, value


def _along(values: Iterable[Value], query: Params) -> Iterable[tuple[int, float]]:
    if query["Period"] != BY_STEP:
        return by_time(values, query["MetricStat"], PERIODS[query["Period"]])
    steps = by_step(values, query["MetricStat"])
    return ((step if query["XAxisType"] == BY_STEP else time, value) for step, time, value in steps)
