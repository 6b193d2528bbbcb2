"""Charts as SVG, written by hand: a page that holds them needs nothing from anywhere.

Colours are CSS classes, so that the page gives them for light and for dark. All text from outside is escaped.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from itertools import pairwise

_STEPS = (1, 2, 2.5, 5, 10)


@dataclass(frozen=True)
class Scale:
    """From values `low` ≤ … ≤ `high` to places `start` … `end` on the picture, in pixels."""

    low: float
    high: float
    start: float
    end: float
    is_logarithmic: bool = False

    def __call__(self, value: float) -> float:
        low, high, value = (math.log10(each) if self.is_logarithmic else each for each in (self.low, self.high, value))
        span = high / 2 - low / 2  # halves: the whole may be more than a float holds
        part = (value / 2 - low / 2) / span if span > 0 else 0.5
        return self.start + min(max(part, 0.0), 1.0) * (self.end - self.start)

    def ticks(self, about: int = 5) -> list[float]:
        """Round values that lie on the scale."""
        if self.is_logarithmic:
            found = self._decades(about)
            return found if len(found) > 1 else [self.low, self.high]
        rough = self.high / about - self.low / about
        if rough < sys.float_info.min:
            return [self.low]
        unit = 10.0 ** math.floor(math.log10(rough))
        step = next(each * unit for each in _STEPS if each * unit >= rough * 0.999)
        first = math.ceil(self.low / step - 1e-9)
        return [number * step for number in range(first, math.floor(self.high / step + 1e-9) + 1)]

    def _decades(self, about: int) -> list[float]:
        first, last = math.ceil(math.log10(self.low) - 1e-9), math.floor(math.log10(self.high) + 1e-9)
        every = max(1, math.ceil((last - first) / about))
        return [10.0**power for power in range(first, last + 1, every)]


def spanning(values: Sequence[float], start: float, end: float) -> Scale:
    """A scale for these values: logarithmic where they are positive and far apart, with some room at both ends."""
    low, high = min(values), max(values)
    if low > 0 and high / low > 50:
        return Scale(low / 1.15, min(high * 1.15, sys.float_info.max), start, end, is_logarithmic=True)
    room = (high - low) * 0.06 or abs(high) * 0.1 or 1.0
    most = sys.float_info.max
    return Scale(max(low - room, -most), min(high + room, most), start, end)


def number(value: float) -> str:
    """Short, for people."""
    return f"{value:.4g}"


def short(words: str, most: int = 24) -> str:
    """A number with a fraction in few digits, a word in few letters."""
    value = _fraction(words)
    if value is not None:
        return number(value)
    shown = plain(words)
    return shown if len(shown) <= most else shown[: most - 1] + "…"


def plain(words: str) -> str:
    """Without what would change a terminal or the order of letters instead of being read."""
    return "".join(each if each.isprintable() else "\ufffd" for each in words)


def _fraction(words: str) -> float | None:
    """None for a word, an integer, and what no float holds."""
    try:
        value = float(words) if "." in words or "e" in words else math.nan
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def duration(seconds: float) -> str:
    """`48 s`, `12 min`, `3.5 h`."""
    if seconds < 120:
        return f"{seconds:.3g} s"
    return f"{seconds / 60:.3g} min" if seconds < 7200 else f"{seconds / 3600:.3g} h"


def picture(width: float, height: float, title: str, *parts: str) -> str:
    """An SVG whose text is read out as its title."""
    return (
        f'<svg viewBox="0 0 {width:.0f} {height:.0f}" width="{width:.0f}" role="img" aria-label="{escape(title)}">'
        f"{''.join(parts)}</svg>"
    )


def line(points: Sequence[tuple[float, float]], css: str, title: str = "") -> str:
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    return f'<polyline class="{css}" points="{path}">{_told(title)}</polyline>'


def stairs(points: Sequence[tuple[float, float]], until: float, css: str) -> str:
    """A line that keeps each height until the next point, and the last until the end."""
    corners = [corner for one, other in pairwise(points) for corner in (one, (other[0], one[1]))]
    return line([*corners, points[-1], (until, points[-1][1])], css)


def dot(x: float, y: float, css: str, title: str, radius: float = 4) -> str:
    return f'<circle class="{css}" cx="{x:.1f}" cy="{y:.1f}" r="{radius:g}">{_told(title)}</circle>'


def cross(x: float, y: float, css: str, title: str) -> str:
    strokes = f"M{x - 4:.1f} {y - 4:.1f}l8 8m0 -8l-8 8"
    return f'<path class="{css}" d="{strokes}">{_told(title)}</path>'


def text(x: float, y: float, words: str, css: str = "", anchor: str = "start") -> str:
    return f'<text class="{css}" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(words)}</text>'


def grid(scale: Scale, left: float, right: float) -> str:
    """Horizontal lines of a vertical scale, with their values."""
    return "".join(
        line([(left, scale(tick)), (right, scale(tick))], "grid")
        + text(left - 8, scale(tick) + 4, number(tick), "", "end")
        for tick in scale.ticks()
    )


def _told(title: str) -> str:
    return f"<title>{escape(title)}</title>" if title else ""
