"""BatchPutMetrics and BatchGetMetrics
(https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_metrics_BatchPutMetrics.html)."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from statistics import fmean, pstdev
from typing import TYPE_CHECKING, Any

from clary.lifecycles.training_job import KIND as TRAINING_JOB_KIND
from clary.services import resources
from clary.services.context import Context
from clary.services.resources import Output, Params
from clary.services.sagemaker.component_metrics import BATCH, Measured, batch_row, measured, noted
from clary.services.sagemaker.job_components import component_key
from clary.services.sagemaker.trial_components import COMPONENT
from clary.services.sagemaker_metrics.service import SERVICE
from clary.store.rows import Row

if TYPE_CHECKING:  # each process loads only the parts that it holds
    from clary.store.transaction import Transaction

_OLDEST, _NEWEST = 14 * 86_400.0, 2 * 3600.0
"""Seconds before and after now that a value may be of."""

_SECONDS = {"OneMinute": 60, "FiveMinute": 300, "OneHour": 3600}
_BY_STEP = "IterationNumber"
_MOST = 10_000
"""Values of one answer to a query."""

_STATISTICS: Mapping[str, Callable[[Sequence[float]], float]] = {
    "Min": min,
    "Max": max,
    "Avg": fmean,
    "Count": lambda values: float(len(values)),
    "StdDev": pstdev,
    "Last": lambda values: values[-1],
}


@SERVICE.operation("BatchPutMetrics")
def put(context: Context, params: Params) -> Output:
    """Each value is taken or refused for itself; twice the same request is once. Raises ResourceNotFound."""
    now, data = time.time(), [_of(datum) for datum in params["MetricData"]]
    wrong = [index for index, each in enumerate(data) if not now - _OLDEST <= each.at <= now + _NEWEST]
    taken = [each for index, each in enumerate(data) if index not in wrong]
    name = context.call.invocation_id or str(uuid.uuid4())

    def write(transaction: Transaction) -> None:
        component = resources.found(COMPONENT, context, transaction, params["TrialComponentName"])
        batch = batch_row(component, name, taken)
        if taken and transaction.get(batch.key) is None:
            transaction.insert(batch)
            transaction.save(noted(component, taken))

    context.store.write(write)
    return {"Errors": [{"Code": "VALIDATION_ERROR", "MetricIndex": index} for index in wrong]}


def _of(datum: Params) -> Measured:
    return Measured(datum["MetricName"], datum["Timestamp"].timestamp(), datum.get("Step"), float(datum["Value"]))


@SERVICE.operation("BatchGetMetrics")
def get(context: Context, params: Params) -> Output:
    """Each query is answered for itself."""
    return {"MetricQueryResults": [_result(context, query) for query in params["MetricQueries"]]}


def _result(context: Context, query: Params) -> Output:
    component = _component(context, query["ResourceArn"])
    if component is None:
        return _failed(f"{query['ResourceArn']} is not a trial component, and no training job that has one.")
    if query["XAxisType"] == _BY_STEP and query["Period"] != _BY_STEP:
        return _failed("An axis of iterations needs the period IterationNumber.")
    values = [each for each in measured(context.store.read.children(BATCH, component.key)) if _wanted(each, query)]
    points = _points(values, query)
    shown = points[:_MOST]
    return {
        "Status": "Complete" if len(shown) == len(points) else "Truncated",
        "XAxisValues": [x for x, _ in shown],
        "MetricValues": [value for _, value in shown],
    }


def _failed(message: str) -> Output:
    return {"Status": "ValidationError", "Message": message, "XAxisValues": [], "MetricValues": []}


def _component(context: Context, arn: str) -> Row | None:
    """The trial component, or that of a training job, of the caller's."""
    row = context.store.read.by_arn(arn) or context.store.read.by_arn(arn.lower())
    if row is None or (row.key.account, row.key.region) != (context.account, context.region):
        return None
    if row.key.kind == TRAINING_JOB_KIND:
        return context.store.read.get(component_key(row.key))
    return row if row.key.kind == COMPONENT.kind else None


def _wanted(each: Measured, query: Params) -> bool:
    by_step = query["Period"] == _BY_STEP
    if each.metric != query["MetricName"] or (by_step and each.step is None):
        return False
    place = each.step if query["XAxisType"] == _BY_STEP else each.at
    return place is not None and query.get("Start", place) <= place <= query.get("End", place)


def _points(values: Iterable[Measured], query: Params) -> list[tuple[int, float]]:
    """One for each iteration or stretch of time that has values, in order; an iteration stands at its last one's
    time where the axis is time."""
    groups: dict[int, list[Measured]] = {}
    for each in sorted(values, key=lambda one: one.at):
        groups.setdefault(_group(each, query["Period"]), []).append(each)
    statistic = _STATISTICS[query["MetricStat"]]
    by_time = query["Period"] == _BY_STEP and query["XAxisType"] != _BY_STEP
    found = [
        (int(group[-1].at) if by_time else place, statistic([each.value for each in group]))
        for place, group in groups.items()
    ]
    return sorted(found, key=_place)


def _group(each: Measured, period: str) -> int:
    if period == _BY_STEP:
        return each.step or 0
    return int(each.at) // _SECONDS[period] * _SECONDS[period]


def _place(point: tuple[int, Any]) -> int:
    return point[0]
