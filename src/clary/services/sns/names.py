"""Topics and subscriptions by ARN."""

from __future__ import annotations

from clary.names import Arn

KIND = "topic"
SUBSCRIPTION = "topic-subscription"
"""The rows' kinds; a subscription's name is its topic's and an id, its parent the topic's name."""

_PARTS = 6


def arn(region: str, account: str, name: str) -> str:
    """A topic's ARN."""
    return str(Arn("sns", region, account, name))


def topic_of(subscription: str) -> str:
    """The topic's ARN in a subscription's."""
    return ":".join(subscription.split(":")[:_PARTS])
