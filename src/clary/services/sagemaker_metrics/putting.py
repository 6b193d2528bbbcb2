"""Values of metrics, as the SDK's `Run.log_metric` sends them: they are summed up in the trial component, which shows
the summaries. The single values are not kept: asking for them is refused
(https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_metrics_BatchPutMetrics.html)."""

from __future__ import annotations

import math
from collections.abc import Mapping, MutableMapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

from clary.errors import ValidationError
from clary.services import resources
from clary.services.context import Context
from clary.services.resources import Output, Params
from clary.services.sagemaker.component_metrics import STATE, Summary, joined
from clary.services.sagemaker.trial_components import COMPONENT
from clary.services.sagemaker_metrics.service import SERVICE
from clary.store.rows import Row
from clary.wire.timestamps import in_utc

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
    call = context.call.invocation_id

    def change(row: Row) -> Row:
        errors.clear()
        if call and row.state.get(_PUT_BY) == call:
            return row  # tried again: control was killed before it could answer
        known = dict(row.state.get(STATE, {}))
        errors.extend(_put_all(known, params["MetricData"]))
        return replace(row, state={**row.state, STATE: known, _PUT_BY: call})

    resources.change_row(COMPONENT, context, _arn(context, params), change)
    return {"Errors": errors} if errors else {}


def _arn(context: Context, params: Params) -> str:
    """Names are in lower case here, as in ARNs, whatever they were made with."""
    return resources.arn_of(COMPONENT, resources.key_of(COMPONENT, context, params["TrialComponentName"]))


def _put_all(known: MutableMapping[str, Summary], data: list[Mapping[str, Any]]) -> list[Output]:
    """What is wrong with some of them; the others are in."""
    wrong = []
    for index, each in enumerate(data):
        code = _wrong(known, each)
        if code:
            wrong.append({"Code": code, "MetricIndex": index})
        else:
            name, time = each["MetricName"], in_utc(each["Timestamp"]).timestamp()
            known[name] = joined(known.get(name), each["Value"], time)
    return wrong


def _wrong(known: Mapping[str, Summary], each: Mapping[str, Any]) -> str:
    now = resources.now()
    if not (now - _OLDEST <= in_utc(each["Timestamp"]) <= now + _NEWEST) or not math.isfinite(each["Value"]):
        return "VALIDATION_ERROR"
    return "METRIC_LIMIT_EXCEEDED" if each["MetricName"] not in known and len(known) >= _MOST_METRICS else ""


SERVICE.refuse(
    ValidationError(
        "BatchGetMetrics is not offered by Clary. Of a run's metrics the summaries are kept, which "
        "DescribeTrialComponent shows, and no single values."
    ),
    "BatchGetMetrics",
)
