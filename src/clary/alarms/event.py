"""What a function is given that an alarm calls
(https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-actions-Lambda.html)."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from clary.alarms.reasons import instant
from clary.store.rows import Row


def event(row: Row, change: Mapping[str, Any]) -> dict[str, Any]:
    """Of one change of an alarm's state, as its row has it pending."""
    return {
        "source": "aws.cloudwatch",
        "alarmArn": row.arn,
        "accountId": row.key.account,
        "time": instant(change["state"]["timestamp"]),
        "region": row.key.region,
        "alarmData": {
            "alarmName": row.key.name,
            "state": _state(change["state"]),
            "previousState": _state(change["previous"]),
            "configuration": _configuration(row.spec),
        },
    }


def _state(said: Mapping[str, Any]) -> dict[str, Any]:
    data = {"reasonData": said["data"]} if said["data"] else {}
    return {"value": said["value"], "reason": said["reason"], **data, "timestamp": instant(said["timestamp"])}


def _configuration(spec: Mapping[str, Any]) -> dict[str, Any]:
    description = {"description": spec["AlarmDescription"]} if spec.get("AlarmDescription") else {}
    if "AlarmRule" in spec:
        return {**description, "alarmRule": spec["AlarmRule"]}
    queries = spec.get("Metrics") or [_plain(spec)]
    return {**description, "metrics": [_query(query) for query in queries]}


def _plain(spec: Mapping[str, Any]) -> dict[str, Any]:
    """An alarm on one metric is told as if it had been put with one query."""
    metric = {name: spec[name] for name in ("Namespace", "MetricName", "Dimensions")}
    statistic = spec.get("Statistic") or spec["ExtendedStatistic"]
    of = {"Metric": metric, "Period": spec["Period"], "Stat": statistic, "Unit": spec.get("Unit")}
    return {"Id": str(uuid.uuid5(uuid.NAMESPACE_OID, repr(metric))), "MetricStat": of}


def _query(query: Mapping[str, Any]) -> dict[str, Any]:
    said = {name[0].lower() + name[1:]: query[name] for name in ("Id", "Expression", "Label") if name in query}
    if "MetricStat" in query:
        said["metricStat"] = _metric_stat(query["MetricStat"])
    return {**said, "returnData": query.get("ReturnData", True)}


def _metric_stat(of: Mapping[str, Any]) -> dict[str, Any]:
    metric = {
        "namespace": of["Metric"]["Namespace"],
        "name": of["Metric"]["MetricName"],
        "dimensions": {each["Name"]: each["Value"] for each in of["Metric"].get("Dimensions") or ()},
    }
    unit = {"unit": of["Unit"]} if of.get("Unit") else {}
    return {"metric": metric, "period": of["Period"], "stat": of["Stat"], **unit}
