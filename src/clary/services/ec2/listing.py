"""What all operations that describe have in common: dry runs, ids, filters, pages."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from clary.errors import AWSError
from clary.services.context import Context
from clary.services.ec2 import errors, filters
from clary.services.ec2.service import SERVICE
from clary.services.registry import Handler
from clary.services.resources import Output, Params, present

Items = Callable[[Context, Params], Sequence[Mapping[str, Any]]]


@dataclass(frozen=True)
class Listing:
    """One operation, in the model's words."""

    operation: str
    member: str
    """Of the output, which holds what is described."""
    ids: Mapping[str, str] = field(default_factory=dict)
    """Members of the request that name what is wanted, and the member by which it is known: `VpcIds`, `VpcId`."""
    filters: filters.Paths | None = field(default_factory=dict)
    """None: all are known, and none is looked at, as there is nothing."""
    missing: Callable[[str], AWSError] = lambda name: errors.invalid_value(name, "id")


def describes(listing: Listing) -> Callable[[Items], Handler]:
    """Offer the operation; the decorated function gives everything that is there, in order."""

    def offer(items: Items) -> Handler:
        @SERVICE.operation(listing.operation)
        def describe(context: Context, params: Params) -> Output:
            refuse_dry_run(params)
            _check(listing, params)
            return _page(listing.member, _wanted(listing, items(context, params), params), params)

        return describe

    return offer


def refuse_dry_run(params: Params) -> None:
    """Raises DryRunOperation where only the right was asked for, which has been looked at."""
    if params.get("DryRun"):
        raise errors.dry_run()


def _check(listing: Listing, params: Params) -> None:
    if listing.filters is not None:
        filters.check(params.get("Filters") or (), listing.filters)
    together = next((name for name in listing.ids if params.get(name)), None)
    if together and params.get("MaxResults") is not None:
        raise errors.not_together(together, "MaxResults")


def _wanted(listing: Listing, items: Sequence[Mapping[str, Any]], params: Params) -> list[Mapping[str, Any]]:
    for member, key in listing.ids.items():
        names = dict.fromkeys(params.get(member) or ())
        if names:
            there = {item[key] for item in items}
            if absent := next((name for name in names if name not in there), None):
                raise listing.missing(absent)
            items = [item for item in items if item[key] in names]
    return [item for item in items if filters.fits(item, params.get("Filters") or (), listing.filters or {})]


def _page(member: str, items: Sequence[Mapping[str, Any]], params: Params) -> Output:
    start = _start(params["NextToken"]) if params.get("NextToken") else 0
    end = start + (params.get("MaxResults") or len(items))
    token = _token(end) if end < len(items) else None
    return present({member: [dict(item) for item in items[start:end]], "NextToken": token})


def _token(place: int) -> str:
    return base64.urlsafe_b64encode(b"%d" % place).decode()


def _start(token: str) -> int:
    try:
        return abs(int(base64.b64decode(token, altchars=b"-_", validate=True)))
    except ValueError:
        raise errors.bad_token() from None
