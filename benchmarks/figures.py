"""What a measurement gives: its rounds, its target, and whether the median meets it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median


@dataclass(frozen=True)
class Figure:
    """`values` and `target` in `unit`; smaller is better."""

    title: str
    values: Sequence[float]
    target: float
    unit: str = "s"

    @property
    def median(self) -> float:
        """The figure to quote: these machines are shared and noisy."""
        return median(self.values)

    @property
    def met(self) -> bool:
        """Whether the median is within the target."""
        return self.median <= self.target

    def line(self) -> str:
        """One line for a terminal."""
        low, high = min(self.values), max(self.values)
        mark = "✓" if self.met else "✗"
        return f"{mark} {self.title}: {self.median:.3f} {self.unit} (target {self.target:g}; {low:.3f}–{high:.3f})"


def render(figures: Sequence[Figure]) -> str:
    """A Markdown table."""
    rows = [
        f"| {f.title} | {f.median:.3f} {f.unit} | {min(f.values):.3f}–{max(f.values):.3f} | {f.target:g} {f.unit} "
        f"| {'yes' if f.met else '**no**'} |"
        for f in figures
    ]
    return "\n".join(["| what | median | range | target | met |", "| --- | --- | --- | --- | --- |", *rows])
