"""The metrics that a search finds: those that had a point within two weeks
(https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/using-search-expressions.html)."""

from __future__ import annotations

from collections.abc import Iterator

from clary.metricmath import BadExpression
from clary.metricmath.search import Described, Search, labels, search_of
from clary.metricmath.values import MOST_SERIES
from clary.services.context import Context
from clary.telemetry.series import DAY, Metric, Wanted

_PAGE = 500
_KNOWN = 14 * DAY
_MOST_LOOKED_AT = 50_000
"""Metrics: a second or so of work."""


def searched(context: Context, text: str, now: float) -> list[tuple[Metric, str]]:
    """Each metric with its label, ordered by labels; no more than an array holds. Raises BadExpression."""
    search = search_of(text)
    found = [metric for metric in _known(context, search, now) if search.finds(_described(metric))]
    together = zip(found, labels([_described(metric) for metric in found]), strict=True)
    return sorted(together, key=lambda pair: (pair[1], pair[0]))[:MOST_SERIES]


def _described(metric: Metric) -> Described:
    return Described(metric.namespace, metric.name, dict(metric.dimensions))


def _known(context: Context, search: Search, now: float) -> Iterator[Metric]:
    """All that come into question, page by page."""
    wanted = Wanted(namespace=search.namespace, since=int(now) - _KNOWN)
    place: int | None = 0
    seen = 0
    while place is not None:
        page, place = context.series.metrics(context.account, context.region, wanted, _PAGE, place)
        yield from page
        seen += len(page)
        if seen > _MOST_LOOKED_AT:
            raise BadExpression(f"more than {_MOST_LOOKED_AT} metrics would have to be searched: name a namespace")
