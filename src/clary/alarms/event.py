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
    metric = {
        "namespace": spec["Namespace"],
        "name": spec["MetricName"],
        "dimensions": {each["Name"]: each["Value"] for each in spec["Dimensions"]},
    }
    unit = {"unit": spec["Unit"]} if spec.get("Unit") else {}
    statistic = spec.get("Statistic") or spec["ExtendedStatistic"]
    asked = {"metric": metric, "period": spec["Period"], "stat": statistic, **unit}
    return {**description, "metrics": [{"id": _id(metric), "metricStat": asked, "returnData": True}]}


def _id(metric: Mapping[str, Any]) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_OID, repr(metric)))
