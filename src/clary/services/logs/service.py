"""CloudWatch Logs: what is offered, and the right that each operation needs
(https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazoncloudwatchlogs.html)."""

from __future__ import annotations

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
_OF_DESTINATIONS = frozenset({"DeleteDestination", "DescribeDestinations", "PutDestination", "PutDestinationPolicy"})


def access(call: Call) -> list[Access]:
    """`logs:<Operation>` on `log-group:GROUP:log-stream:STREAM`; both are empty where the request names none. A query
    needs it on each of its groups, a pointer on the group of its event."""
    params, action = call.params, f"logs:{call.operation}"
    if call.operation in _OF_NO_GROUP:
        return [Access(action, "*")]
    if call.operation in _OF_DESTINATIONS:
        name = f"destination:{params.get('destinationName', '*')}"
        return [Access(action, str(Arn("logs", call.region, call.principal.account, name)))]
    if call.operation in ("StartQuery", "StartLiveTail", "GetLogRecord"):
        return [Access(action, _group_arn(call, name)) for name in _asked(call)]
    if "resourceArn" in params:
        return [Access(f"logs:{call.operation}", params["resourceArn"])]
    group = group_name(params) or params.get("logGroupNamePrefix", "")
    resource = f"log-group:{group}:log-stream:{params.get('logStreamName', '')}"
    arn = Arn("logs", call.region, call.principal.account, resource)
    context = (
        {f"aws:RequestTag/{key}": value for key, value in (params.get("tags") or {}).items()} if _tags(call) else {}
    )
    return [Access(f"logs:{call.operation}", str(arn), context)]


def _asked(call: Call) -> list[str]:
    if call.operation in ("StartQuery", "StartLiveTail"):
        return groups_of(call.params) or [""]
    try:
        return [pointed(call.params["logRecordPointer"])[0]]
    except (ValueError, RecursionError):
        return [""]


def _group_arn(call: Call, name: str) -> str:
    return str(Arn("logs", call.region, call.principal.account, f"log-group:{name}:log-stream:"))


def groups_of(params: dict[str, Any]) -> list[str]:
    """The groups that a query names, each once."""
    given = [params["logGroupName"]] if params.get("logGroupName") else []
    given += params.get("logGroupNames") or []
    given += [group_name({"logGroupIdentifier": each}) for each in params.get("logGroupIdentifiers") or ()]
    return list(dict.fromkeys(given))


def _tags(call: Call) -> bool:
    """UntagLogGroup's `tags` are keys."""
    return isinstance(call.params.get("tags"), dict)


def group_name(params: dict[str, str]) -> str:
    """The log group that a request names, by name or by ARN; empty where it names none."""
    identifier = (
        params.get("logGroupName") or params.get("logGroupIdentifier") or params.get("resourceIdentifier") or ""
    )
    if identifier.startswith("arn:"):
        return identifier.partition(":log-group:")[2].partition(":")[0]
    return identifier


SERVICE = Service("logs", access)
