"""Values of metrics, as the SDK's `Run.log_metric` sends them: they are kept, and summed up in the trial component,
which shows the summaries
(https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_metrics_BatchPutMetrics.html)."""

from __future__ import annotations

import math
from collections.abc import Mapping, MutableMapping
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from clary.services import resources
from clary.services.context import Context
from clary.services.resources import Output, Params
from clary.services.sagemaker import metric_values
from clary.services.sagemaker.component_metrics import STATE, Summary, joined
from clary.services.sagemaker.metric_values import Value
from clary.services.sagemaker.trial_components import COMPONENT
from clary.services.sagemaker_metrics.service import SERVICE
from clary.store.rows import Row
from clary.wire.timestamps import in_utc

if TYPE_CHECKING:  # each process loads only the parts that it holds
    from clary.store.transaction import Transaction

_MOST_METRICS = 1000
"""Of one trial component: all stand in its row."""

_OLDEST, _NEWEST = timedelta(weeks=2), timedelta(hours=2)
"""Before and after now: the SDK looks at the same."""

_PUT_BY = "put_by"
"""In a trial component's state: the call that put the last values."""


@SERVICE.operation("BatchPutMetrics", effect="keeps state")
def put(context: Context, params: Params) -> Output:
    """Values that are not taken are told by their place. Raises ResourceNotFound."""
    errors: list[Output] = []
    arn = _arn(context, params)

    def change(transaction: Transaction) -> None:
        errors.clear()
        row = resources.found(COMPONENT, context, transaction, arn)
        if _put_before(context, row):
            return
        known = dict(row.state.get(STATE, {}))
        taken, wrong = _sorted_out(known, params["MetricData"])
        errors.extend(wrong)
        state = {**row.state, STATE: known, _PUT_BY: context.call.invocation_id}
        transaction.save(replace(row, state=state, modified=resources.now()))
        if taken:
            transaction.insert(metric_values.batch(row.key, taken))

    context.store.write(change)
    return {"Errors": errors} if errors else {}


def _put_before(context: Context, row: Row) -> bool:
    """Whether this very call was tried before: control was killed before it could answer."""
    call = context.call.invocation_id
    return bool(call) and row.state.get(_PUT_BY) == call


def _arn(context: Context, params: Params) -> str:
    """Names are in lower case here, as in ARNs, whatever they were made with."""
    return resources.arn_of(COMPONENT, resources.key_of(COMPONENT, context, params["TrialComponentName"]))


def _sorted_out(known: MutableMapping[str, Summary], data: list[Mapping[str, Any]]) -> tuple[list[Value], list[Output]]:
    """The values that are taken, which `known` then sums up, and what is wrong with the others."""
    taken, wrong = [], []
    for index, each in enumerate(data):
        code = _wrong(known, each)
        if code:
            wrong.append({"Code": code, "MetricIndex": index})
            continue
        name, time = each["MetricName"], in_utc(each["Timestamp"]).timestamp()
        known[name] = joined(known.get(name), each["Value"], time)
        taken.append(Value(name, each.get("Step"), time, each["Value"]))
    return taken, wrong


def _wrong(known: Mapping[str, Summary], each: Mapping[str, Any]) -> str:
    now = resources.now()
    if not (now - _OLDEST <= in_utc(each["Timestamp"]) <= now + _NEWEST) or not math.isfinite(each["Value"]):
        return "VALIDATION_ERROR"
    return "METRIC_LIMIT_EXCEEDED" if each["MetricName"] not in known and len(known) >= _MOST_METRICS else ""
