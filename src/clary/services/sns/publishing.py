"""Publish and PublishBatch: whoever is answered knows that every subscriber has the message, durably
(https://docs.aws.amazon.com/sns/latest/api/API_Publish.html)."""

from __future__ import annotations

import json
import logging
import uuid
from collections.abc import Callable, Mapping

from clary.calls import Call, account_root, service_principal
from clary.errors import AWSError
from clary.services.context import Context
from clary.services.resources import Output, Params
from clary.services.sns.errors import not_offered
from clary.services.sns.filters import lets_pass
from clary.services.sns.notifications import LONGEST, Notification, for_function, for_queue, notification, size
from clary.services.sns.rows import require_open_topic, subscriptions
from clary.services.sns.service import SERVICE
from clary.services.sns.subscriptions import LAMBDA, SQS
from clary.store.rows import Row

PRINCIPAL = "sns.amazonaws.com"
"""Whom a function's policy lets in, that topics may invoke it."""

_MOST = 10
_OURS = 500

_log = logging.getLogger(__name__)


@SERVICE.operation("Publish")
def publish(context: Context, params: Params) -> Output:
    """Raises NotFound, InvalidParameter, ParameterValueInvalid."""
    if params.get("PhoneNumber"):
        raise not_offered("Publishing to a phone number")
    member = "TopicArn" if params.get("TopicArn") else "TargetArn"
    topic = require_open_topic(context, params.get(member) or "", member)
    said = notification(topic.arn, params)
    _deliver(context, said, subscriptions(context, topic))
    return {"MessageId": said.id}


@SERVICE.operation("PublishBatch")
def publish_batch(context: Context, params: Params) -> Output:
    """Each entry is published or refused for itself. Raises what Publish does, and BatchRequestTooLong."""
    topic, entries = require_open_topic(context, params["TopicArn"], "TopicArn"), params["PublishBatchRequestEntries"]
    _check_batch(entries)
    those = subscriptions(context, topic)
    output: Output = {"Successful": [], "Failed": []}
    for entry in entries:
        try:
            said = notification(topic.arn, entry)
        except AWSError as error:
            failed = {"Id": entry["Id"], "Code": error.code, "Message": error.message, "SenderFault": True}
            output["Failed"].append(failed)
            continue
        _deliver(context, said, those)
        output["Successful"].append({"Id": entry["Id"], "MessageId": said.id})
    return output


def _check_batch(entries: list[Params]) -> None:
    ids = [entry["Id"] for entry in entries]
    if not entries:
        raise AWSError("EmptyBatchRequest", "The batch request doesn't contain any entries.")
    if len(entries) > _MOST:
        text = "The batch request contains more entries than permissible."
        raise AWSError("TooManyEntriesInBatchRequest", text)
    if len(set(ids)) < len(ids):
        text = "Two or more batch entries in the request have the same Id."
        raise AWSError("BatchEntryIdsNotDistinct", text)
    if sum(size(entry) for entry in entries) > LONGEST:
        raise AWSError("BatchRequestTooLong", "The length of all the messages put together is more than the limit.")


def _deliver(context: Context, said: Notification, those: list[Row]) -> None:
    """To all that want it. Who refuses it does not get it, as on AWS; an error of ours is the publisher's to retry."""
    for row in those:
        policy = row.spec["Attributes"].get("FilterPolicy")
        if policy and not lets_pass(json.loads(policy), said.attributes):
            continue
        try:
            context.invoke(_CALLS[row.spec["Protocol"]](context, said, row))
        except AWSError as error:
            if error.status >= _OURS and error.code != "NotImplemented":
                raise
            _log.warning("%s did not take a message of %s: %s", row.spec["Endpoint"], said.topic, error)


def _to_queue(context: Context, said: Notification, row: Row) -> Call:
    raw = row.spec["Attributes"].get("RawMessageDelivery") == "true"
    _, _, _, region, account, name = row.spec["Endpoint"].split(":", 5)
    params: Params = {
        "QueueUrl": f"/{account}/{name}",
        "MessageBody": said.text(SQS) if raw else for_queue(said, row.arn, context.settings.endpoint_url),
    }
    if raw and said.attributes:
        params["MessageAttributes"] = dict(said.attributes)
    return Call(account_root(row.key.account), SQS, "SendMessage", params, region, parent=said.topic)


def _to_function(context: Context, said: Notification, row: Row) -> Call:
    function = row.spec["Endpoint"]
    payload = for_function(said, row.arn, context.settings.endpoint_url)
    params = {"FunctionName": function, "InvocationType": "Event", "Payload": payload}
    principal = service_principal(row.key.account, PRINCIPAL)
    return Call(principal, LAMBDA, "Invoke", params, function.split(":")[3], _request(said, row), parent=said.topic)


def _request(said: Notification, row: Row) -> str:
    """One of its own for each subscriber: two may be one function's qualifiers."""
    return str(uuid.uuid5(uuid.UUID(said.id), row.arn))


_CALLS: Mapping[str, Callable[[Context, Notification, Row], Call]] = {SQS: _to_queue, LAMBDA: _to_function}
