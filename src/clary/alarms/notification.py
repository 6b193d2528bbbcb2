"""What a topic is told that an alarm calls
(https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Notify_Users_Alarm_Changes.html)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from clary.alarms.reasons import instant
from clary.compute.aws_names import region_name
from clary.store.rows import Row

_ACTIONS = ("OKActions", "AlarmActions", "InsufficientDataActions")
_CONDITION = ("Period", "EvaluationPeriods", "DatapointsToAlarm", "ComparisonOperator", "Threshold")
_LONGEST_SUBJECT = 100


def subject(row: Row, change: Mapping[str, Any]) -> str:
    """In one line, with the Region's long name."""
    return f'{change["state"]["value"]}: "{row.key.name}" in {region_name(row.key.region)}'[:_LONGEST_SUBJECT]


def notification(row: Row, change: Mapping[str, Any]) -> dict[str, Any]:
    """Of one change of an alarm's state, as its row has it pending."""
    state, spec = change["state"], row.spec
    return {
        "AlarmName": row.key.name,
        "AlarmDescription": spec.get("AlarmDescription"),
        "AWSAccountId": row.key.account,
        "AlarmConfigurationUpdatedTimestamp": instant(row.state.get("configured", row.created.timestamp())),
        "NewStateValue": state["value"],
        "NewStateReason": state["reason"],
        "StateChangeTime": instant(state["timestamp"]),
        "Region": region_name(row.key.region),
        "AlarmArn": row.arn,
        "OldStateValue": change["previous"]["value"],
        **{name: list(spec.get(name) or ()) for name in _ACTIONS},
        **(_composed(spec, state) if "AlarmRule" in spec else {"Trigger": _trigger(spec)}),
    }


def _composed(spec: Mapping[str, Any], state: Mapping[str, Any]) -> dict[str, Any]:
    """Of a composite alarm: its rule, and which alarm has made it so; nobody where somebody has set the state."""
    try:
        children = json.loads(state["data"])["triggeringAlarms"]
        said = [
            {"Arn": each["arn"], "State": {"Value": each["state"]["value"], "Timestamp": each["state"]["timestamp"]}}
            for each in children
        ]
    except (ValueError, KeyError, TypeError, RecursionError):
        said = []
    return {"AlarmRule": spec["AlarmRule"], **({"TriggeringChildren": said} if said else {})}


def _trigger(spec: Mapping[str, Any]) -> dict[str, Any]:
    condition = {name: spec[name] for name in _CONDITION if spec.get(name) is not None}
    missing = {
        "TreatMissingData": spec.get("TreatMissingData") or "missing",
        "EvaluateLowSampleCountPercentile": spec.get("EvaluateLowSampleCountPercentile") or "",
    }
    if spec.get("Metrics"):
        return {**condition, **missing, "Metrics": spec["Metrics"]}
    dimensions = [{"name": each["Name"], "value": each["Value"]} for each in spec.get("Dimensions") or ()]
    metric = {"MetricName": spec["MetricName"], "Namespace": spec["Namespace"], "Dimensions": dimensions}
    return {**metric, **_statistic(spec), "Unit": spec.get("Unit"), **condition, **missing}


def _statistic(spec: Mapping[str, Any]) -> dict[str, str]:
    if spec.get("Statistic"):
        return {"StatisticType": "Statistic", "Statistic": spec["Statistic"].upper()}
    return {"StatisticType": "ExtendedStatistic", "ExtendedStatistic": spec["ExtendedStatistic"]}
