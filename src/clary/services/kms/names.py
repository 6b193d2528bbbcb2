"""Ids and ARNs of keys and aliases (https://docs.aws.amazon.com/kms/latest/developerguide/concepts.html#key-id)."""

from __future__ import annotations

import re

from clary.names import Arn

PREFIX = "alias/"
AWS_PREFIX = "alias/aws/"

_ID = re.compile(r"(mrk-[0-9a-f]{32})|([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})")


def is_id(text: str) -> bool:
    """Whether it could be a key's id."""
    return _ID.fullmatch(text) is not None


def key_arn(region: str, account: str, name: str) -> str:
    """A key's ARN."""
    return str(Arn("kms", region, account, f"key/{name}"))


def alias_arn(region: str, account: str, name: str) -> str:
    """An alias's ARN; its name begins with `alias/`."""
    return str(Arn("kms", region, account, name))
