"""The three kinds of hyperparameter ranges: what values they hold, on which scale, and how AWS writes them
(https://docs.aws.amazon.com/sagemaker/latest/dg/automatic-model-tuning-define-ranges.html).

Each has `name`, `count` (how many values: `math.inf` for a continuous one), `at(position)` (the value at a place from 0
to 1 on its scale), `nth(index)` where `count` is finite, and `read(text)`: the value, or None where it is not in range.
Values are strings where they meet AWS: an integer in digits, a float as Python's shortest form that reads back alike.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

Scale = Literal["Linear", "Logarithmic", "ReverseLogarithmic"]

_DECADES = 2.0
"""`Auto` is logarithmic for a positive range over so many orders of magnitude: AWS says linear for about one,
logarithmic for several, and not where `Auto` changes."""

_MOST_WHOLE = 2**63
"""AWS's integers are Java's."""


@dataclass(frozen=True)
class Continuous:
    """`low` ≤ value ≤ `high`; `low` > 0 on the logarithmic scale, 0 ≤ `low`, `high` < 1 on the reverse one."""

    name: str
    low: float
    high: float
    scale: Scale

    @property
    def count(self) -> float:
        return math.inf

    def at(self, position: float) -> str:
        return self.write(_placed(self.low, self.high, self.scale, position))

    def place(self, value: float) -> float:
        """The inverse of `at`: where on its scale, from 0 to 1, a value of the range lies."""
        return _place(self.low, self.high, self.scale, value)

    def nth(self, index: int) -> str:
        raise ValueError(f"{self.name} has no value number {index}: it is continuous")

    def write(self, value: float) -> str:
        """Also where rounding has left the range by a hair."""
        return repr(float(min(max(value, self.low), self.high)))

    def read(self, text: str) -> float | None:
        value = number(text)
        return value if value is not None and self.low <= value <= self.high else None


@dataclass(frozen=True)
class Integer:
    """`low` ≤ value ≤ `high`; `low` > 0 on the logarithmic scale."""

    name: str
    low: int
    high: int
    scale: Scale

    @property
    def count(self) -> float:
        return float(self.high - self.low + 1)

    def at(self, position: float) -> str:
        """Each integer stands for the half below and above it."""
        return self.write(_placed(self.low - 0.5, self.high + 0.5, self.scale, position))

    def nth(self, index: int) -> str:
        return str(self.low + index)

    def write(self, value: float) -> str:
        return str(min(max(round(value), self.low), self.high))

    def read(self, text: str) -> int | None:
        value = whole(text)
        return value if value is not None and self.low <= value <= self.high else None


@dataclass(frozen=True)
class Categorical:
    """One of `values`, which are not read: SDKs quote what they mean as JSON, and want it back as it was."""

    name: str
    values: tuple[str, ...]

    @property
    def count(self) -> float:
        return float(len(self.values))

    def at(self, position: float) -> str:
        return self.values[min(int(position * len(self.values)), len(self.values) - 1)]

    def nth(self, index: int) -> str:
        return self.values[index]

    def read(self, text: str) -> str | None:
        return text if text in self.values else None


Parameter = Continuous | Integer | Categorical


def auto_scale(low: float, high: float) -> Scale:
    """What `ScalingType` `Auto` means for a range."""
    return "Logarithmic" if low > 0 and math.log10(high) - math.log10(low) >= _DECADES else "Linear"


def number(text: str) -> float | None:
    """A finite decimal number, or None."""
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def whole(text: str) -> int | None:
    """An integer of 64 bits in digits, or None."""
    try:
        value = int(text)
    except ValueError:
        return None
    return value if -_MOST_WHOLE <= value < _MOST_WHOLE else None


def _placed(low: float, high: float, scale: Scale, position: float) -> float:
    """The value at a place from 0 to 1; no step of it leaves what a float holds, however wide the range is."""
    return _straightened(_bent(low, scale) * (1 - position) + _bent(high, scale) * position, scale)


def _place(low: float, high: float, scale: Scale, value: float) -> float:
    """The inverse of `_placed`; the middle of a range that is too narrow to have places."""
    start, end, here = (_bent(each, scale) / 2 for each in (low, high, value))
    return min(max((here - start) / (end - start), 0.0), 1.0) if end > start else 0.5


def _bent(value: float, scale: Scale) -> float:
    """On an axis where the scale is even."""
    if scale == "Logarithmic":
        return math.log(value)
    return -math.log1p(-value) if scale == "ReverseLogarithmic" else value


def _straightened(place: float, scale: Scale) -> float:
    """The inverse of `_bent`."""
    if scale == "Logarithmic":
        return math.exp(place)
    return -math.expm1(-place) if scale == "ReverseLogarithmic" else place
