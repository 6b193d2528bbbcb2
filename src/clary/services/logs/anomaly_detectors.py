"""Anomaly detectors of log groups: they are kept, learn nothing and find nothing
(https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_CreateLogAnomalyDetector.html)."""

from __future__ import annotations

import uuid
from dataclasses import replace
from typing import TYPE_CHECKING

from clary.errors import AWSError
from clary.services.context import Context
from clary.services.logs.filters import checked_pattern
from clary.services.logs.keeping import key_of, listed, put
from clary.services.logs.rows import milliseconds, require_group
from clary.services.logs.service import SERVICE
from clary.services.resources import Output, Params, now, present
from clary.store.rows import Key, Row

if TYPE_CHECKING:  # each process loads only the parts that it holds
    from clary.store.transaction import Transaction

KIND = "anomaly-detector"
_INITIALIZING, _PAUSED = "INITIALIZING", "PAUSED"
_PAGE = 50
_VISIBLE_DAYS = 21
_CHANGED = ("evaluationFrequency", "filterPattern", "anomalyVisibilityTime")


@SERVICE.operation("CreateLogAnomalyDetector", effect="keeps state")
def create(context: Context, params: Params) -> Output:
    """Raises ResourceNotFoundException, InvalidParameterException."""
    for arn in params["logGroupArnList"]:
        require_group(context, {"logGroupIdentifier": arn})
    checked_pattern(params.get("filterPattern", ""))
    members = ("detectorName", "logGroupArnList", "kmsKeyId", *_CHANGED)
    spec = {"anomalyVisibilityTime": _VISIBLE_DAYS, **{name: params[name] for name in members if name in params}}
    row = put(context, KIND, str(uuid.uuid4()), spec, 0)
    if params.get("tags"):
        context.store.write(lambda transaction: transaction.set_tags(row.arn, params["tags"]))
    return {"anomalyDetectorArn": row.arn}


@SERVICE.operation("GetLogAnomalyDetector")
def get(context: Context, params: Params) -> Output:
    """Raises ResourceNotFoundException."""
    return _shown(_require(context, params))


@SERVICE.operation("ListLogAnomalyDetectors")
def list_(context: Context, params: Params) -> Output:
    """Raises InvalidParameterException."""
    group = params.get("filterLogGroupArn")
    found = listed(context, KIND, params, params.get("limit", _PAGE))
    rows = [row for row in found.rows if group is None or group in row.spec["logGroupArnList"]]
    shown = [{**_shown(row), "anomalyDetectorArn": row.arn} for row in rows]
    return present({"anomalyDetectors": shown, "nextToken": found.token})


@SERVICE.operation("UpdateLogAnomalyDetector", effect="keeps state")
def update(context: Context, params: Params) -> Output:
    """Raises ResourceNotFoundException, InvalidParameterException."""
    checked_pattern(params.get("filterPattern", ""))
    changes = {name: params[name] for name in _CHANGED if name in params}

    def change(transaction: Transaction) -> None:
        row = transaction.get(_key(context, params))
        if row is None:
            raise _missing()
        spec = {**row.spec, **changes, "enabled": params["enabled"]}
        transaction.save(replace(row, spec=spec, modified=now()))

    context.store.write(change)
    return {}


@SERVICE.operation("DeleteLogAnomalyDetector")
def delete(context: Context, params: Params) -> Output:
    """Raises ResourceNotFoundException."""
    if not context.store.write(lambda transaction: transaction.delete(_key(context, params))):
        raise _missing()
    return {}


@SERVICE.operation("ListAnomalies", effect="keeps state")
def list_anomalies(context: Context, params: Params) -> Output:
    """None is ever found. Raises ResourceNotFoundException."""
    if params.get("anomalyDetectorArn"):
        _require(context, params)
    return {"anomalies": []}


def _key(context: Context, params: Params) -> Key:
    return key_of(context, KIND, params["anomalyDetectorArn"].rpartition(":")[2])


def _require(context: Context, params: Params) -> Row:
    row = context.store.read.get(_key(context, params))
    if row is None or row.arn != params["anomalyDetectorArn"]:
        raise _missing()
    return row


def _shown(row: Row) -> Output:
    said = {name: value for name, value in row.spec.items() if name != "enabled"}
    times = {"creationTimeStamp": milliseconds(row.created), "lastModifiedTimeStamp": milliseconds(row.modified)}
    return {**said, **times, "anomalyDetectorStatus": _INITIALIZING if row.spec.get("enabled", True) else _PAUSED}


def _missing() -> AWSError:
    return AWSError("ResourceNotFoundException", "The specified anomaly detector does not exist.")
