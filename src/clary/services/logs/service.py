"""CloudWatch Logs: what is offered, and the right that each operation needs
(https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazoncloudwatchlogs.html)."""

from __future__ import annotations

from clary.calls import Access, Call
from clary.names import Arn
from clary.services.registry import Service


def access(call: Call) -> list[Access]:
    """`logs:<Operation>` on `log-group:GROUP:log-stream:STREAM`; both are empty where the request names none."""
    params = call.params
    if "resourceArn" in params:
        return [Access(f"logs:{call.operation}", params["resourceArn"])]
    group = group_name(params) or params.get("logGroupNamePrefix", "")
    resource = f"log-group:{group}:log-stream:{params.get('logStreamName', '')}"
    arn = Arn("logs", call.region, call.principal.account, resource)
    context = (
        {f"aws:RequestTag/{key}": value for key, value in (params.get("tags") or {}).items()} if _tags(call) else {}
    )
    return [Access(f"logs:{call.operation}", str(arn), context)]


def _tags(call: Call) -> bool:
    """UntagLogGroup's `tags` are keys."""
    return isinstance(call.params.get("tags"), dict)


def group_name(params: dict[str, str]) -> str:
    """The log group that a request names, by name or by ARN; empty where it names none."""
    identifier = params.get("logGroupName") or params.get("logGroupIdentifier") or ""
    if identifier.startswith("arn:"):
        return identifier.partition(":log-group:")[2].partition(":")[0]
    return identifier


SERVICE = Service("logs", access)
