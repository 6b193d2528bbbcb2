"""Queues by name, by URL and by ARN."""

from __future__ import annotations

import re

from clary.names import Arn
from clary.settings import Settings

KIND = "queue"
"""The rows' kind."""

FIFO = ".fifo"

_ACCOUNT = re.compile(r"[0-9]{12}")


def arn(region: str, account: str, name: str) -> str:
    """A queue's ARN."""
    return str(Arn("sqs", region, account, name))


def url(settings: Settings, account: str, name: str) -> str:
    """A queue's URL: the server's own address."""
    return f"{settings.endpoint_url}/{account}/{name}"


def name_of(address: str) -> str:
    """The name at the end of a queue's URL; what is no URL is a name, as SDKs let one say."""
    return address.rstrip("/").rpartition("/")[2]


def account_of(address: str) -> str:
    """The account in a queue's URL; empty where it has none."""
    said = address.rstrip("/").rpartition("/")[0].rpartition("/")[2]
    return said if _ACCOUNT.fullmatch(said) else ""
