"""CloudWatch Logs: what is offered, and the right that each operation needs
(https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazoncloudwatchlogs.html)."""

from __future__ import annotations

import re
from typing import Any

from clary.calls import Access, Call
from clary.logsearch.insights.records import pointed
from clary.names import Arn
from clary.services.registry import Service

_OF_NO_GROUP = frozenset(
    {
        "CancelExportTask", "DeleteQueryDefinition", "DeleteResourcePolicy", "DescribeExportTasks", "DescribeQueries",
        "DescribeQueryDefinitions", "DescribeResourcePolicies", "GetQueryResults", "PutQueryDefinition",
        "PutResourcePolicy", "StopQuery", "TestMetricFilter",
    }
)  # fmt: skip
_KEPT = {
    "DeliverySource": ("delivery-source", "name"),
    "DeliveryDestination": ("delivery-destination", "name"),
    "DeliveryDestinationPolicy": ("delivery-destination", "deliveryDestinationName"),
    "DeliveryConfiguration": ("delivery", "id"),
    "Delivery": ("delivery", "id"),
}
"""What operations on one of these are on: the type within the ARN, and the member that names it."""

_WITHOUT_RESOURCE = ("AccountPolicy", "AccountPolicies", "DeliverySources", "DeliveryDestinations", "Deliveries",
                     "LogAnomalyDetectors", "Anomalies", "LogGroupsForQuery")  # fmt: skip
_OF_SEVERAL = frozenset(
    {"DescribeFieldIndexes", "DescribeIndexPolicies", "GetLogRecord", "StartLiveTail", "StartQuery"}
)
_OF_DESTINATIONS = frozenset({"DeleteDestination", "DescribeDestinations", "PutDestination", "PutDestinationPolicy"})


def access(call: Call) -> list[Access]:
    """`logs:<Operation>` on `log-group:GROUP:log-stream:STREAM`; both are empty where the request names none. A query
    needs it on each of its groups, a pointer on the group of its event."""
    action = f"logs:{call.operation}"
    if call.operation in _OF_NO_GROUP or call.operation.endswith(_WITHOUT_RESOURCE):
        return [Access(action, "*")]
    kept = _kept_arn(call)
    if kept:
        return [Access(action, kept, _asked_tags(call))]
    if call.operation in _OF_SEVERAL:
        return [Access(action, _group_arn(call, name)) for name in _asked(call)]
    if "resourceArn" in call.params:
        return [Access(action, call.params["resourceArn"])]
    return [_of_group(call, action)]


def _of_group(call: Call, action: str) -> Access:
    params = call.params
    group = group_name(params) or params.get("logGroupNamePrefix", "")
    resource = f"log-group:{group}:log-stream:{params.get('logStreamName', '')}"
    return Access(action, _arn(call, resource), _asked_tags(call))


def _kept_arn(call: Call) -> str:
    """Of what is neither a group nor within one; empty where something else is meant."""
    if call.operation in _OF_DESTINATIONS:
        return _arn(call, f"destination:{call.params.get('destinationName', '*')}")
    noun = re.sub(r"^(Put|Get|Create|Update|Delete)", "", call.operation)
    if noun in _KEPT:
        kind, member = _KEPT[noun]
        return _arn(call, f"{kind}:{call.params.get(member, '*')}")
    if noun == "LogAnomalyDetector":
        return call.params.get("anomalyDetectorArn") or _arn(call, "anomaly-detector:*")
    return ""


def _arn(call: Call, resource: str) -> str:
    return str(Arn("logs", call.region, call.principal.account, resource))


def _asked_tags(call: Call) -> dict[str, str]:
    """UntagLogGroup's `tags` are keys."""
    tags = call.params.get("tags")
    return {f"aws:RequestTag/{key}": value for key, value in tags.items()} if isinstance(tags, dict) else {}


def _asked(call: Call) -> list[str]:
    if call.operation != "GetLogRecord":
        return groups_of(call.params) or [""]
    try:
        return [pointed(call.params["logRecordPointer"])[0]]
    except (ValueError, RecursionError):
        return [""]


def _group_arn(call: Call, name: str) -> str:
    return _arn(call, f"log-group:{name}:log-stream:")


def groups_of(params: dict[str, Any]) -> list[str]:
    """The groups that a query names, each once."""
    given = [params["logGroupName"]] if params.get("logGroupName") else []
    given += params.get("logGroupNames") or []
    given += [group_name({"logGroupIdentifier": each}) for each in params.get("logGroupIdentifiers") or ()]
    return list(dict.fromkeys(given))


def group_name(params: dict[str, str]) -> str:
    """The log group that a request names, by name or by ARN; empty where it names none."""
    identifier = (
        params.get("logGroupName") or params.get("logGroupIdentifier") or params.get("resourceIdentifier") or ""
    )
    if identifier.startswith("arn:"):
        return identifier.partition(":log-group:")[2].partition(":")[0]
    return identifier


SERVICE = Service("logs", access, "clary.services.logs.operations")
