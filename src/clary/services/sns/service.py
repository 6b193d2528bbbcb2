"""SNS: what is offered, and the right that each operation needs
(https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonsns.html)."""

from __future__ import annotations

from clary.calls import Access, Call
from clary.services.registry import Service
from clary.services.sns.names import arn, topic_of

_ALL = frozenset({"ListTopics", "ListSubscriptions"})


def access(call: Call) -> list[Access]:
    """`sns:<Operation>` on the topic that is named, or whose subscription is; PublishBatch needs the right to
    Publish."""
    params, action = call.params, f"sns:{call.operation.removesuffix('Batch')}"
    if call.operation in _ALL:
        return [Access(action, "*")]
    if call.operation == "CreateTopic":
        return [Access(action, arn(call.region, call.principal.account, params["Name"]))]
    if "SubscriptionArn" in params:
        return [Access(action, topic_of(params["SubscriptionArn"]))]
    named = params.get("TopicArn") or params.get("TargetArn") or params.get("ResourceArn") or "*"
    return [Access(action, named)]


SERVICE = Service("sns", access, "clary.services.sns.operations")
