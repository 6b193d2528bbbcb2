"""CloudWatch: what is offered, and the right that each operation needs
(https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazoncloudwatch.html)."""

from __future__ import annotations

from clary.calls import Access, Call
from clary.names import Arn
from clary.services.registry import Service

_ONE = frozenset({"PutMetricAlarm", "PutCompositeAlarm", "SetAlarmState"})
_SEVERAL = frozenset({"DeleteAlarms", "EnableAlarmActions", "DisableAlarmActions"})
_ALL = frozenset({"DescribeAlarms", "DescribeAlarmHistory"})
_DASHBOARDS = frozenset({"PutDashboard", "GetDashboard", "DeleteDashboards", "ListDashboards"})
_RULES = frozenset({"PutInsightRule", "DeleteInsightRules", "EnableInsightRules", "DisableInsightRules"})
_STREAMS = frozenset({"PutMetricStream", "GetMetricStream", "DeleteMetricStream"})
_TAGS = frozenset({"TagResource", "UntagResource", "ListTagsForResource"})


def access(call: Call) -> list[Access]:
    """`cloudwatch:<Operation>` on the alarms that are named; metrics have no ARN, and PutMetricData a condition key for
    the namespace."""
    action = f"cloudwatch:{call.operation}"
    if call.operation == "PutMetricData":
        return [Access(action, "*", {"cloudwatch:namespace": call.params["Namespace"]})]
    return [Access(action, resource) for resource in _resources(call)]


def _resources(call: Call) -> list[str]:
    if call.operation in _ONE | _SEVERAL | _ALL:
        return _alarms(call)
    if call.operation in _DASHBOARDS:
        names = call.params.get("DashboardNames") or [call.params.get("DashboardName", "*")]
        return [str(Arn("cloudwatch", "", call.principal.account, f"dashboard/{name}")) for name in names]
    if call.operation in _RULES:
        names = call.params.get("RuleNames") or [call.params.get("RuleName", "*")]
        region, account = call.region, call.principal.account
        return [str(Arn("cloudwatch", region, account, f"insight-rule/{name}")) for name in names]
    if call.operation in _STREAMS:
        return [str(Arn("cloudwatch", call.region, call.principal.account, f"metric-stream/{call.params['Name']}"))]
    return [call.params["ResourceARN"]] if call.operation in _TAGS else ["*"]


def _alarms(call: Call) -> list[str]:
    if call.operation in _ONE:
        return [_alarm(call, call.params["AlarmName"])]
    names = call.params["AlarmNames"] if call.operation in _SEVERAL else []
    return [_alarm(call, name) for name in names or ["*"]]


def _alarm(call: Call, name: str) -> str:
    return str(Arn("cloudwatch", call.region, call.principal.account, f"alarm:{name}"))


SERVICE = Service("cloudwatch", access, "clary.services.cloudwatch.operations")
