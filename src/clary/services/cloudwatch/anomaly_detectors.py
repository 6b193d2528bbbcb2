"""Anomaly detectors of metrics: they are kept, and no model is trained
(https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutAnomalyDetector.html)."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from clary.errors import AWSError, ValidationError
from clary.names import Arn
from clary.services.cloudwatch.errors import invalid_combination, invalid_page, missing
from clary.services.cloudwatch.names import dimensions
from clary.services.cloudwatch.service import SERVICE
from clary.services.context import Context
from clary.services.resources import Output, Params, in_json, now, page, present, shaped
from clary.store.rows import Key, Query, Row
from clary.wire import models
from clary.wire.models import Shape

if TYPE_CHECKING:  # each process loads only the parts that it holds
    from clary.store.transaction import Transaction

KIND = "metric-anomaly-detector"
_SINGLE, _MATH = "SingleMetricAnomalyDetector", "MetricMathAnomalyDetector"
_OF_METRIC = ("Namespace", "MetricName", "Dimensions", "Stat")
_CONFIGURED = ("Configuration", "MetricCharacteristics")
_TYPES = {_SINGLE: "SINGLE_METRIC", _MATH: "METRIC_MATH"}
_PAGE = 100
_ID = 32


@SERVICE.operation("PutAnomalyDetector", effect="keeps state")
def put(context: Context, params: Params) -> Output:
    """A new one, or another configuration of it. Raises MissingParameter, InvalidParameterCombination."""
    watched = _watched(params)
    spec = {**watched, **{name: in_json(params[name]) for name in _CONFIGURED if name in params}}
    key, made = _key(context, watched), now()
    arn = str(Arn("cloudwatch", context.region, context.account, f"anomaly-detector:{key.name}"))

    def change(transaction: Transaction) -> None:
        there = transaction.get(key)
        if there is None:
            transaction.insert(Row(key, arn, "", made, made, spec))
        else:
            transaction.save(replace(there, spec=spec, modified=made))

    context.store.write(change)
    return {"AnomalyDetectorId": key.name}


@SERVICE.operation("DescribeAnomalyDetectors")
def describe(context: Context, params: Params) -> Output:
    """Raises InvalidNextToken."""
    query = Query(
        kind=KIND,
        account=context.account,
        region=context.region,
        limit=params.get("MaxResults") or _PAGE,
        token=params.get("NextToken"),
    )
    try:
        found = page(context, query, lambda row: _asked_for(row, params))
    except ValidationError:
        raise invalid_page() from None
    return present({"AnomalyDetectors": [_shown(row) for row in found.rows], "NextToken": found.token})


@SERVICE.operation("DeleteAnomalyDetector")
def delete(context: Context, params: Params) -> Output:
    """Raises ResourceNotFoundException, MissingParameter, InvalidParameterCombination."""
    id_ = params.get("AnomalyDetectorId")
    key = Key(KIND, context.account, context.region, id_) if id_ else _key(context, _watched(params))
    if not context.store.write(lambda transaction: transaction.delete(key)):
        raise AWSError("ResourceNotFoundException", "Anomaly detector not found.", status=404)
    return {}


def _watched(params: Params) -> Params:
    """The metric, or the expression, under the member of its kind. Raises MissingParameter,
    InvalidParameterCombination."""
    plain = {name: params[name] for name in _OF_METRIC if name in params}
    given = [name for name in (_SINGLE, _MATH) if params.get(name)]
    if len(given) + bool(plain) != 1:
        text = "Specify exactly one of a metric, SingleMetricAnomalyDetector and MetricMathAnomalyDetector."
        raise invalid_combination(text) if given else missing(text)
    if given == [_MATH]:
        return {_MATH: in_json(params[_MATH])}
    metric = params[_SINGLE] if given else plain
    for name in ("Namespace", "MetricName", "Stat"):
        if not metric.get(name):
            raise missing(f"The parameter {name} is required.")
    named = [{"Name": name, "Value": value} for name, value in dimensions(metric.get("Dimensions"), _SINGLE)]
    return {_SINGLE: {**metric, "Dimensions": named}}


def _key(context: Context, watched: Params) -> Key:
    """The same for the same."""
    digest = hashlib.sha256(json.dumps(watched, sort_keys=True).encode()).hexdigest()[:_ID]
    return Key(KIND, context.account, context.region, digest)


def _asked_for(row: Row, params: Params) -> bool:
    kind = next(name for name in (_SINGLE, _MATH) if name in row.spec)
    if params.get("AnomalyDetectorIds") and row.key.name not in params["AnomalyDetectorIds"]:
        return False
    if _TYPES[kind] not in (params.get("AnomalyDetectorTypes") or [_TYPES[_SINGLE]]):
        return False
    metric: dict[str, Any] = row.spec[kind]
    if any(params.get(name) not in (None, metric.get(name)) for name in ("Namespace", "MetricName")):
        return False
    pairs = [(each["Name"], each["Value"]) for each in metric.get("Dimensions", ())]
    return all((each["Name"], each["Value"]) in pairs for each in params.get("Dimensions") or ())


def _shown(row: Row) -> Output:
    """A metric's members stand beside it too, as they did before there were expressions."""
    plain = {name: value for name, value in row.spec.get(_SINGLE, {}).items() if name in _OF_METRIC}
    said = {**plain, **row.spec, "AnomalyDetectorId": row.key.name, "StateValue": "PENDING_TRAINING"}
    output: Shape = models.operation("cloudwatch", "DescribeAnomalyDetectors").output_shape
    found: Output = shaped(output.members["AnomalyDetectors"].member, said)
    return found
