"""Policies of uploads by form: what a browser may send, as somebody has signed it
(https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-HTTPPOSTConstructPolicy.html)."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

from clary.errors import AWSError

_UNCOVERED = frozenset({"x-amz-signature", "signature", "awsaccesskeyid", "policy", "file"})
"""Fields that need no condition, besides `x-ignore-…`."""

_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", re.ASCII)
"""The one form of `expiration` that S3 reads."""

Fields = Mapping[str, str]
"""By name in lower case."""


class SizeRange(NamedTuple):
    """How large the file may be, in bytes, both ends included."""

    least: int
    most: int


def check(policy: str, fields: Fields, bucket: str, now: float) -> SizeRange | None:
    """The size that the file must have, where the policy says one; `now` in epoch seconds.

    Raises InvalidPolicyDocument, and AccessDenied where the form is not what was signed.
    """
    document = _parsed(policy)
    if _expiration(document) <= now:
        raise _refused("Policy expired.")
    conditions = document.get("conditions")
    if not isinstance(conditions, list):
        raise _invalid("Policy missing conditions.")
    sizes: list[SizeRange] = []
    covered = set(_UNCOVERED)
    values = {**fields, "bucket": bucket}
    for each in conditions:
        name = _check_one(each, values, sizes)
        covered.add(name)
    extra = [name for name in fields if name not in covered and not name.startswith("x-ignore-")]
    if extra:
        raise _refused(f"Extra input fields: {extra[0]}")
    return sizes[-1] if sizes else None


def _parsed(policy: str) -> dict[str, Any]:
    try:
        document = json.loads(base64.b64decode(policy))
    except (ValueError, RecursionError):
        raise _invalid("Invalid JSON.") from None
    if not isinstance(document, dict):
        raise _invalid("Invalid JSON.")
    return document


def _expiration(document: Mapping[str, Any]) -> float:
    text = document.get("expiration")
    if not text:
        raise _invalid("Policy missing expiration.")
    found = _MOMENT.fullmatch(str(text))
    try:
        return datetime.fromisoformat(found[0] if found else "").timestamp()
    except (ValueError, OverflowError):
        raise _invalid(f"Invalid 'expiration' value: '{text}'") from None


def _check_one(condition: object, values: Fields, sizes: list[SizeRange]) -> str:
    """The field that the condition covers, in lower case. Raises AccessDenied, InvalidPolicyDocument."""
    if isinstance(condition, dict):
        if len(condition) != 1:
            what = "Simple-Conditions must have exactly one property specified."
            raise _invalid(f"Invalid Simple-Condition: {what}")
        [(name, wanted)] = condition.items()
        return _compare("eq", f"${name}", wanted, values)
    if not isinstance(condition, list) or len(condition) != 3:
        raise _invalid("Invalid Condition: wrong number of arguments.")
    kind, name, wanted = condition
    kind = kind.lower() if isinstance(kind, str) else kind
    if kind == "content-length-range":
        sizes.append(_range(name, wanted))
        return ""
    if kind not in ("eq", "starts-with") or not isinstance(name, str):
        raise _invalid(f"Invalid Condition: unknown operation '{kind}'.")
    return _compare(kind, name, wanted, values)


def _compare(kind: str, name: str, wanted: object, values: Fields) -> str:
    field = name.removeprefix("$").lower()
    value = values.get(field)
    text = str(wanted)
    holds = value is not None and (value == text if kind == "eq" else value.startswith(text))
    if kind == "starts-with" and not text:
        holds = True
    if not name.startswith("$") or not holds:
        raise _refused(f"Policy Condition failed: {json.dumps([kind, name, text], ensure_ascii=False)}")
    return field


def _range(least: object, most: object) -> SizeRange:
    try:
        return SizeRange(int(str(least)), int(str(most)))
    except ValueError:
        raise _invalid("Invalid content-length-range: not a number.") from None


def check_size(size: int, allowed: SizeRange | None) -> None:
    """Raises EntityTooLarge, EntityTooSmall."""
    if allowed is not None and size > allowed.most:
        members = {"ProposedSize": str(size), "MaxSizeAllowed": str(allowed.most)}
        raise AWSError("EntityTooLarge", "Your proposed upload exceeds the maximum allowed size", members=members)
    if allowed is not None and size < allowed.least:
        members = {"ProposedSize": str(size), "MinSizeAllowed": str(allowed.least)}
        text = "Your proposed upload is smaller than the minimum allowed size"
        raise AWSError("EntityTooSmall", text, members=members)


def _refused(what: str) -> AWSError:
    return AWSError("AccessDenied", f"Invalid according to Policy: {what}", status=403)


def _invalid(what: str) -> AWSError:
    return AWSError("InvalidPolicyDocument", f"Invalid Policy: {what}")
