"""Statistics by their names in CloudWatch
(https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Statistics-definitions.html)."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from clary.telemetry.summary import Summary

Statistic = Callable[[Summary], float | None]
"""None where it cannot be told of what is known."""

STATISTICS: dict[str, Statistic] = {
    "SampleCount": lambda summary: summary.count,
    "Average": lambda summary: summary.average,
    "Sum": lambda summary: summary.total,
    "Minimum": lambda summary: summary.least,
    "Maximum": lambda summary: summary.most,
}

_PERCENTILE = re.compile(r"p(\d{1,2}(?:\.\d{1,10})?|100)")


def percentile_of(name: str) -> float | None:
    """What of a hundred a percentile's name means: 99.9 of `p99.9`; None for any other name."""
    found = _PERCENTILE.fullmatch(name)
    return None if found is None else float(found[1])


_TRIMMED = re.compile(r"(tm|wm|tc|ts)(\d{1,2}(?:\.\d{1,10})?|100)")
_NUMBER = r"\d{1,15}(?:\.\d{1,10})?(?:[eE][+-]?\d{1,3})?"
_SHARE = r"(?:100(?:\.0{1,10})?|\d{1,2}(?:\.\d{1,10})?)%"
_BETWEEN = re.compile(rf"(TM|WM|TC|TS|PR)\((?:({_NUMBER})?:({_NUMBER})?|({_SHARE})?:({_SHARE})?)\)")


def extended(name: str) -> Statistic | None:
    """A percentile (`p99`, `p99.9`) or a statistic of a part of the values (`tm90`, `TC(10%:90%)`, `PR(100:2000)`,
    `IQM`) by its name; None for any other name."""
    percent = percentile_of(name)
    if percent is not None:
        return lambda summary: summary.percentile(percent)
    if name == "IQM":
        return _within("TM", _Bound(25.0, share=True), _Bound(75.0, share=True))
    short = _TRIMMED.fullmatch(name)
    if short is not None:
        return _within(short[1].upper(), None, _Bound(float(short[2]), share=True))
    return _between(name)


def _between(name: str) -> Statistic | None:
    found = _BETWEEN.fullmatch(name)
    if found is None:
        return None
    kind, *bounds = found.groups()
    low, high = [_bound(bounds[0] or bounds[2]), _bound(bounds[1] or bounds[3])]
    shares = any(bound is not None and bound.share for bound in (low, high))
    if (low is None and high is None) or (kind == "PR" and shares):
        return None
    return _within(kind, low, high)


@dataclass(frozen=True)
class _Bound:
    """A value, or what of a hundred lies below it."""

    number: float
    share: bool

    def of(self, summary: Summary) -> float:
        return (summary.percentile(self.number) or 0.0) if self.share else self.number


def _bound(text: str | None) -> _Bound | None:
    return None if text is None else _Bound(float(text.removesuffix("%")), text.endswith("%"))


def _within(kind: str, low: _Bound | None, high: _Bound | None) -> Statistic:
    """Of the values above the one and not above the other bound; zero of a hundred is no bound."""
    if low is not None and low.share and not low.number:
        low = None

    def of(summary: Summary) -> float | None:
        if summary.values is None or not summary.count:
            return None
        least = -math.inf if low is None else low.of(summary)
        most = math.inf if high is None else high.of(summary)
        return _PARTS[kind](summary.values, least, most)

    return of


def _count(values: Mapping[float, float], least: float, most: float) -> float:
    return math.fsum(often for value, often in values.items() if least < value <= most)


def _sum(values: Mapping[float, float], least: float, most: float) -> float:
    return math.fsum(value * often for value, often in values.items() if least < value <= most)


def _mean(values: Mapping[float, float], least: float, most: float) -> float | None:
    count = _count(values, least, most)
    return _sum(values, least, most) / count if count else None


def _winsorized(values: Mapping[float, float], least: float, most: float) -> float:
    """Values beyond a bound count as the bound."""
    total = math.fsum(min(max(value, least), most) * often for value, often in values.items())
    return total / math.fsum(values.values())


def _rank(values: Mapping[float, float], least: float, most: float) -> float:
    return 100.0 * _count(values, least, most) / math.fsum(values.values())


_PARTS: dict[str, Callable[[Mapping[float, float], float, float], float | None]] = {
    "TC": _count,
    "TS": _sum,
    "TM": _mean,
    "WM": _winsorized,
    "PR": _rank,
}


def statistic(name: str) -> Statistic | None:
    """Any statistic by its name; None for one that there is not."""
    return STATISTICS.get(name) or extended(name)
