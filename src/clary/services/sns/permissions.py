"""AddPermission and RemovePermission: statements of a topic's policy
(https://docs.aws.amazon.com/sns/latest/api/API_AddPermission.html)."""

from __future__ import annotations

import json
from typing import Any

from clary.services.context import Context
from clary.services.guarding import POLICY
from clary.services.resources import Output, Params
from clary.services.sns.errors import invalid
from clary.services.sns.publication import publish
from clary.services.sns.rows import require_topic, rework
from clary.services.sns.service import SERVICE
from clary.services.sns.topics import default_policy
from clary.store.rows import Row

_ACTIONS = frozenset(
    {
        "AddPermission", "DeleteTopic", "GetTopicAttributes", "ListSubscriptionsByTopic", "Publish", "Receive",
        "RemovePermission", "SetTopicAttributes", "Subscribe",
    }
)  # fmt: skip


@SERVICE.operation("AddPermission")
def add(context: Context, params: Params) -> Output:
    """Another account may then publish, where its own policies let it; more than that it may not do here. Raises
    NotFound, InvalidParameter."""
    row, label = require_topic(context, params["TopicArn"]), params["Label"]
    if not _ACTIONS.issuperset(params["ActionName"]):
        raise invalid("Policy statement action out of service scope!")
    statement = {
        "Sid": label,
        "Effect": "Allow",
        "Principal": {"AWS": _one([f"arn:aws:iam::{account}:root" for account in params["AWSAccountId"]])},
        "Action": _one([f"SNS:{name}" for name in params["ActionName"]]),
        "Resource": row.arn,
    }

    def made(there: Row) -> dict[str, str]:
        policy = _policy(there)
        if label in _labels(policy["Statement"]):
            raise invalid("Statement already exists")
        return {POLICY: json.dumps({**policy, "Statement": [*policy["Statement"], statement]})}

    rework(context, row, made)
    publish(context.store.read, context.settings)
    return {}


@SERVICE.operation("RemovePermission")
def remove(context: Context, params: Params) -> Output:
    """One that is not there is removed, too. Raises NotFound."""
    row, label = require_topic(context, params["TopicArn"]), params["Label"]

    def made(there: Row) -> dict[str, str]:
        policy = _policy(there)
        kept = [each for each in policy["Statement"] if each.get("Sid") != label]
        return {POLICY: json.dumps({**policy, "Statement": kept})}

    rework(context, row, made)
    publish(context.store.read, context.settings)
    return {}


def _policy(row: Row) -> dict[str, Any]:
    """The topic's, with a list of statements; a policy that was put is not looked at more closely."""
    try:
        policy = json.loads(row.spec["Attributes"].get(POLICY) or default_policy(row))
    except (ValueError, RecursionError):
        policy = None
    if not isinstance(policy, dict):
        raise invalid("Policy Error: null")
    said = policy.get("Statement", [])
    statements = said if isinstance(said, list) else [said]
    return {**policy, "Statement": [each for each in statements if isinstance(each, dict)]}


def _labels(statements: list[dict[str, Any]]) -> list[Any]:
    return [each.get("Sid") for each in statements]


def _one(values: list[str]) -> str | list[str]:
    """One stands by itself, as SNS writes it."""
    return values[0] if len(values) == 1 else values
