"""Pages of IAM's lists: MaxItems and Marker in, IsTruncated and Marker out, ordered by name
(https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListRoles.html)."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

from clary.services.iam.errors import validation

T = TypeVar("T")

_DEFAULT_ITEMS = 100


def _marker(name: str) -> str:
    return base64.urlsafe_b64encode(name.encode()).decode()


def _name(marker: str) -> str:
    try:
        return base64.b64decode(marker, altchars=b"-_", validate=True).decode()
    except ValueError as error:
        raise validation("Invalid Marker.") from error


def page(
    member: str, items: Iterable[T], params: Mapping[str, Any], name: Callable[[T], str], show: Callable[[T], Any]
) -> dict[str, Any]:
    """The output of a List: `member` holds the page's items as `show` gives them. Raises ValidationError."""
    after = _name(params["Marker"]) if params.get("Marker") else ""
    waiting = sorted((item for item in items if name(item) > after), key=name)
    limit = params.get("MaxItems", _DEFAULT_ITEMS)
    out: dict[str, Any] = {member: [show(item) for item in waiting[:limit]], "IsTruncated": len(waiting) > limit}
    if out["IsTruncated"]:
        out["Marker"] = _marker(name(waiting[limit - 1]))
    return out


def numbered(member: str, items: Iterable[T], params: Mapping[str, Any], show: Callable[[T], Any]) -> dict[str, Any]:
    """A page of items in an order of their own."""
    pairs = [(f"{index:08d}", item) for index, item in enumerate(items)]
    return page(member, pairs, params, lambda pair: pair[0], lambda pair: show(pair[1]))
