"""Whether a bucket policy is public
(https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html#access-control-block-public-access-policy-status)."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from typing import Any

from clary.identity.policy import listed

_FIXING = frozenset(
    {
        "aws:principalaccount",
        "aws:principalarn",
        "aws:principalorgid",
        "aws:principalorgpaths",
        "aws:sourceaccount",
        "aws:sourcearn",
        "aws:sourceorgid",
        "aws:sourceorgpaths",
        "aws:sourceowner",
        "aws:sourcevpc",
        "aws:sourcevpcarn",
        "aws:sourcevpce",
        "aws:userid",
        "aws:viaawsservice",
        "s3:dataaccesspointaccount",
        "s3:dataaccesspointarn",
        "s3:x-amz-server-side-encryption-aws-kms-key-id",
    }
)
"""Condition keys by which a statement for everybody is for somebody after all."""

_OPERATORS = frozenset({"stringequals", "stringequalsignorecase", "stringlike", "arnequals", "arnlike", "bool"})
_WIDEST = {4: 8, 6: 32}
"""Address ranges that are wider are everybody's."""

_MOVING = re.compile(r"[*?]|\$\{")
_ARN_ACCOUNT = 4
_BY_ARN = frozenset({"aws:principalarn", "aws:sourcearn", "aws:sourcevpcarn", "s3:dataaccesspointarn"})


def is_public(policy: Mapping[str, Any]) -> bool:
    """Whether a statement lets in whom its conditions do not name."""
    return any(_opens(statement) for statement in listed(policy.get("Statement")))


def _opens(statement: Mapping[str, Any]) -> bool:
    if statement.get("Effect") != "Allow" or not _everybody(statement):
        return False
    block = statement.get("Condition") or {}
    return not any(_fixes(operator, key, values) for operator, keys in block.items() for key, values in keys.items())


def _everybody(statement: Mapping[str, Any]) -> bool:
    """`NotPrincipal` lets in everybody else; a wildcard is everybody."""
    if "NotPrincipal" in statement:
        return True
    principal = statement.get("Principal")
    if isinstance(principal, str):
        return principal == "*"
    named = [name for kind in ("AWS", "CanonicalUser") for name in listed((principal or {}).get(kind))]
    return "*" in named


def _fixes(operator: str, key: str, values: object) -> bool:
    name, asked = operator.lower(), key.lower()
    if name == "ipaddress":
        return asked == "aws:sourceip" and all(_narrow(str(value)) for value in listed(values))
    if name not in _OPERATORS or asked not in _FIXING:
        return False
    return all(_is_fixed(asked, str(value)) for value in listed(values))


def _is_fixed(key: str, value: str) -> bool:
    """No wildcard and no variable; an ARN may have them behind its account, a user id behind its role's."""
    if key in _BY_ARN and value.count(":") > _ARN_ACCOUNT:
        return not _MOVING.search(value.split(":")[_ARN_ACCOUNT]) and value.split(":")[_ARN_ACCOUNT] != ""
    if key == "aws:viaawsservice":  # "false" is everybody's
        return value.lower() == "true"
    if key == "aws:userid":
        return not _MOVING.search(value.partition(":")[0])
    return not _MOVING.search(value)


def _narrow(value: str) -> bool:
    try:
        network = ipaddress.ip_network(value, strict=False)
    except ValueError:
        return False
    return network.prefixlen >= _WIDEST[network.version]
