"""CreateTopic, DeleteTopic, ListTopics, GetTopicAttributes, SetTopicAttributes
(https://docs.aws.amazon.com/sns/latest/api/API_CreateTopic.html)."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from clary.services.context import Context
from clary.services.guarding import POLICY
from clary.services.resources import Output, Params, now, present
from clary.services.sns.errors import invalid, not_offered
from clary.services.sns.names import KIND, arn
from clary.services.sns.publication import publish
from clary.services.sns.rows import change, made, page, require_topic, subscriptions
from clary.services.sns.service import SERVICE
from clary.services.tags import checked_tags
from clary.store.rows import Key, Row

if TYPE_CHECKING:  # each process loads only the parts that it holds
    from clary.store.transaction import Transaction

_NAME = re.compile(r"[A-Za-z0-9_-]{1,256}")
_KEPT = ("DisplayName", "Policy", "DeliveryPolicy", "KmsMasterKeyId", "SignatureVersion", "TracingConfig")
_FEEDBACK = ("Application", "Firehose", "HTTP", "Lambda", "SQS")
"""Protocols whose deliveries AWS logs in CloudWatch Logs where a topic asks for it."""
_SAMPLED = re.compile(r"[0-9]{1,2}|100")
_KEPT_OF_FEEDBACK = {
    f"{protocol}{what}"
    for protocol in _FEEDBACK
    for what in ("SuccessFeedbackRoleArn", "SuccessFeedbackSampleRate", "FailureFeedbackRoleArn")
}
_FIFO = ("FifoTopic", "ContentBasedDeduplication", "ArchivePolicy", "FifoThroughputScope")


@SERVICE.operation("CreateTopic")
def create(context: Context, params: Params) -> Output:
    """Another one of the same name is the same. Raises InvalidParameter."""
    name, given = params["Name"], params.get("Attributes") or {}
    if name.endswith(".fifo") or given.get("FifoTopic") == "true":
        raise not_offered("A FIFO topic")
    if not _NAME.fullmatch(name):
        raise invalid("Topic Name")
    for attribute, value in given.items():
        _check(attribute, value)
    key, moment, tags = Key(KIND, context.account, context.region, name), now(), checked_tags(params.get("Tags") or [])
    row = Row(key, arn(key.region, key.account, name), "", moment, moment, {"Attributes": dict(given)})

    def same(there: Row) -> None:
        for attribute, value in given.items():
            if there.spec["Attributes"].get(attribute, "") != value:
                raise invalid("Attributes Reason: Topic already exists with different attributes")
        if tags and context.store.read.tags(there.arn) != tags:
            raise invalid("Tags Reason: Topic already exists with different tags")

    topic = made(context, row, same, tags)
    if POLICY in given:
        publish(context.store.read, context.settings)
    return {"TopicArn": topic.arn}


def _check(attribute: str, value: str) -> None:
    if attribute in _FIFO:
        raise not_offered(f"{attribute} of a FIFO topic")
    if attribute not in _KEPT and attribute not in _KEPT_OF_FEEDBACK:
        raise invalid("AttributeName")
    if attribute.endswith("SampleRate") and not _SAMPLED.fullmatch(value):
        raise invalid(f"AttributeValue Reason: {attribute} must be an integer from 0 to 100")


@SERVICE.operation("DeleteTopic")
def delete(context: Context, params: Params) -> Output:
    """With its subscriptions; what is gone already is nothing."""
    key = Key(KIND, context.account, context.region, params["TopicArn"].rpartition(":")[2])
    row = context.store.read.get(key)
    if row is None or row.arn != params["TopicArn"]:
        return {}
    gone = [key, *(each.key for each in subscriptions(context, row))]

    def apply(transaction: Transaction) -> None:
        for each in gone:
            transaction.delete(each)

    context.store.write(apply)
    if POLICY in row.spec["Attributes"]:
        publish(context.store.read, context.settings)
    return {}


@SERVICE.operation("ListTopics")
def list_(context: Context, params: Params) -> Output:
    """Ordered by name."""
    found = page(context, KIND, params.get("NextToken"))
    return present({"Topics": [{"TopicArn": row.arn} for row in found.rows], "NextToken": found.token})


@SERVICE.operation("GetTopicAttributes")
def get_attributes(context: Context, params: Params) -> Output:
    """Raises NotFound."""
    row = require_topic(context, params["TopicArn"])
    defaults = {"DisplayName": "", "Policy": default_policy(row)}
    counted = {
        "TopicArn": row.arn,
        "Owner": row.key.account,
        "SubscriptionsConfirmed": str(len(subscriptions(context, row))),
        "SubscriptionsPending": "0",
        "SubscriptionsDeleted": "0",
    }
    return {"Attributes": {**defaults, **row.spec["Attributes"], **counted}}


@SERVICE.operation("SetTopicAttributes", effect="keeps state")
def set_attributes(context: Context, params: Params) -> Output:
    """Raises NotFound, InvalidParameter."""
    row = require_topic(context, params["TopicArn"])
    value = params.get("AttributeValue") or ""
    _check(params["AttributeName"], value)
    change(context, row, {params["AttributeName"]: value})
    if params["AttributeName"] == POLICY:
        publish(context.store.read, context.settings)
    return {}


def default_policy(row: Row) -> str:
    """What a topic has by itself: its account may do all that there is to do with a topic."""
    names = ("Publish", "RemovePermission", "SetTopicAttributes", "DeleteTopic", "ListSubscriptionsByTopic")
    statement = {
        "Sid": "__default_statement_ID",
        "Effect": "Allow",
        "Principal": {"AWS": "*"},
        "Action": [f"SNS:{name}" for name in (*names, "GetTopicAttributes", "AddPermission", "Subscribe")],
        "Resource": row.arn,
        "Condition": {"StringEquals": {"AWS:SourceOwner": row.key.account}},
    }
    return json.dumps({"Version": "2008-10-17", "Id": "__default_policy_ID", "Statement": [statement]})
