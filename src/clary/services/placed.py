"""Pages of what is ordered in memory: each entry has its place in the order, and the token of the next page names the
last one's, so that entries that come or go in between neither repeat nor hide others."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from clary.errors import ValidationError

T = TypeVar("T")

Place = list[Any]
"""Where an entry stands: values of JSON, of the same types for all entries of an order; unique."""

_NOT_LASTING = ("NextToken", "MaxResults")


def page(
    placed: Sequence[tuple[Place, T]], params: Mapping[str, Any], limit: int, *, descending: bool
) -> tuple[list[T], str | None]:
    """One page of a request, and the token of the next. Raises ValidationError for a token of another request."""
    ordered = sorted(placed, key=lambda each: each[0], reverse=descending)
    token = params.get("NextToken")
    rest = _after(ordered, _read(token, params, ordered), descending) if token else ordered
    shown = rest[:limit]
    more = len(rest) > len(shown)
    return [entry for _, entry in shown], _token(params, shown[-1][0]) if more else None


def _after(ordered: list[tuple[Place, T]], last: Place, descending: bool) -> list[tuple[Place, T]]:
    return [each for each in ordered if (each[0] < last if descending else each[0] > last)]


def _fingerprint(params: Mapping[str, Any]) -> str:
    lasting = {name: value for name, value in params.items() if name not in _NOT_LASTING}
    return hashlib.sha256(json.dumps(lasting, sort_keys=True, default=str).encode()).hexdigest()[:12]


def _token(params: Mapping[str, Any], place: Place) -> str:
    text = json.dumps([_fingerprint(params), *place])
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _read(token: str, params: Mapping[str, Any], ordered: Sequence[tuple[Place, Any]]) -> Place:
    try:
        found = json.loads(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
    except (ValueError, RecursionError):
        raise ValidationError("Invalid pagination token.") from None
    if not isinstance(found, list) or not found or found[0] != _fingerprint(params):
        raise ValidationError("Invalid pagination token.")
    types = [type(value) for value in ordered[0][0]] if ordered else None
    if types is not None and [type(value) for value in found[1:]] != types:
        raise ValidationError("Invalid pagination token.")
    return found[1:]
