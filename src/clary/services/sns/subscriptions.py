"""Subscribe, Unsubscribe, the lists, and attributes of subscriptions
(https://docs.aws.amazon.com/sns/latest/api/API_Subscribe.html)."""

from __future__ import annotations

import uuid
from collections.abc import Mapping

from clary.services.context import Context
from clary.services.resources import Output, Params, now, present
from clary.services.sns.errors import invalid, not_offered
from clary.services.sns.filters import BadPolicy, checked
from clary.services.sns.names import SUBSCRIPTION, topic_of
from clary.services.sns.rows import change, page, require_subscription, require_topic, subscriptions
from clary.services.sns.service import SERVICE
from clary.store.rows import Key, Row

SQS, LAMBDA = "sqs", "lambda"

_FOREIGN = frozenset({"http", "https", "email", "email-json", "sms", "application", "firehose"})
_SETTABLE = ("RawMessageDelivery", "FilterPolicy", "FilterPolicyScope")
_BOOLEANS = ("true", "false")


@SERVICE.operation("Subscribe")
def subscribe(context: Context, params: Params) -> Output:
    """Confirmed at once: what can subscribe is of this account. Raises InvalidParameter, NotFound."""
    topic = require_topic(context, params["TopicArn"])
    protocol, endpoint = params["Protocol"], params.get("Endpoint") or ""
    _check_endpoint(protocol, endpoint)
    given = {name: value for name, value in (params.get("Attributes") or {}).items() if value}
    for name, value in given.items():
        _check(name, value, "Attributes Reason: ")
    for there in subscriptions(context, topic):
        if (there.spec["Protocol"], there.spec["Endpoint"]) == (protocol, endpoint):
            if any(there.spec["Attributes"].get(name) != value for name, value in given.items()):
                raise invalid("Attributes Reason: Subscription already exists with different attributes")
            return {"SubscriptionArn": there.arn}
    spec = {"Protocol": protocol, "Endpoint": endpoint, "Attributes": given, "Principal": context.call.principal.arn}
    return {"SubscriptionArn": _inserted(context, topic, spec).arn}


def _inserted(context: Context, topic: Row, spec: Mapping[str, object]) -> Row:
    unique, moment = str(uuid.uuid4()), now()
    key = Key(SUBSCRIPTION, topic.key.account, topic.key.region, f"{topic.key.name}:{unique}")
    row = Row(key, f"{topic.arn}:{unique}", "", moment, moment, spec, parent=topic.key.name)
    return context.store.write(lambda transaction: transaction.insert(row))


def _check_endpoint(protocol: str, endpoint: str) -> None:
    if protocol in _FOREIGN:
        raise not_offered(f"Protocol {protocol} (what may subscribe: {SQS} and {LAMBDA})")
    if protocol not in (SQS, LAMBDA):
        raise invalid(f"Amazon SNS does not support this protocol string: {protocol}")
    if not endpoint.startswith(f"arn:aws:{protocol}:"):
        raise invalid("SQS endpoint ARN" if protocol == SQS else "Lambda endpoint ARN")
    if protocol == SQS and endpoint.endswith(".fifo"):
        text = "Invalid parameter: Endpoint Reason: FIFO SQS Queues can not be subscribed to standard SNS topics"
        raise invalid(text)


def _check(name: str, value: str, before: str = "") -> None:
    if name not in _SETTABLE:
        raise invalid("AttributeName")
    if name == "RawMessageDelivery" and value not in _BOOLEANS:
        raise invalid(f"{before}RawMessageDelivery: Invalid value [{value}]. Must be true or false.")
    if name == "FilterPolicyScope" and value != "MessageAttributes":
        raise not_offered(f"FilterPolicyScope {value} (MessageAttributes is)")
    if name == "FilterPolicy" and value:
        try:
            checked(value)
        except BadPolicy as bad:
            raise invalid(f"{before}FilterPolicy: {bad}") from None


@SERVICE.operation("Unsubscribe")
def unsubscribe(context: Context, params: Params) -> Output:
    """What is gone already is nothing."""
    row = context.store.read.by_arn(params["SubscriptionArn"])
    if row is not None and row.key.kind == SUBSCRIPTION and row.key.account == context.account:
        context.store.write(lambda transaction: transaction.delete(row.key))
    return {}


@SERVICE.operation("ListSubscriptions")
def list_(context: Context, params: Params) -> Output:
    """Ordered by topic."""
    found = page(context, SUBSCRIPTION, params.get("NextToken"))
    return present({"Subscriptions": [_entry(row) for row in found.rows], "NextToken": found.token})


@SERVICE.operation("ListSubscriptionsByTopic")
def list_by_topic(context: Context, params: Params) -> Output:
    """Raises NotFound."""
    topic = require_topic(context, params["TopicArn"])
    found = page(context, SUBSCRIPTION, params.get("NextToken"), topic.key.name)
    return present({"Subscriptions": [_entry(row) for row in found.rows], "NextToken": found.token})


@SERVICE.operation("GetSubscriptionAttributes")
def get_attributes(context: Context, params: Params) -> Output:
    """Raises NotFound."""
    row = require_subscription(context, params["SubscriptionArn"])
    there = row.spec["Attributes"]
    scope = {"FilterPolicyScope": "MessageAttributes"} if there.get("FilterPolicy") else {}
    fixed = {
        "ConfirmationWasAuthenticated": "true",
        "PendingConfirmation": "false",
        "SubscriptionPrincipal": row.spec["Principal"],
        "RawMessageDelivery": "false",
    }
    set_ = {name: value for name, value in there.items() if value}
    return {"Attributes": {**_entry(row), **fixed, **scope, **set_}}


@SERVICE.operation("SetSubscriptionAttributes")
def set_attributes(context: Context, params: Params) -> Output:
    """An empty filter policy is none. Raises NotFound, InvalidParameter."""
    row = require_subscription(context, params["SubscriptionArn"])
    name, value = params["AttributeName"], params.get("AttributeValue") or ""
    _check(name, value)
    change(context, row, {name: value})
    return {}


def _entry(row: Row) -> dict[str, str]:
    return {
        "SubscriptionArn": row.arn,
        "Owner": row.key.account,
        "Protocol": row.spec["Protocol"],
        "Endpoint": row.spec["Endpoint"],
        "TopicArn": topic_of(row.arn),
    }
