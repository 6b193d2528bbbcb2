"""What a measurement gives: its rounds, its target, and whether the median meets it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median


@dataclass(frozen=True)
class Figure:
    """`values` and `target` in `unit`; smaller is better, unless `is_least` says that the target is the least."""

    title: str
    values: Sequence[float]
    target: float
    unit: str = "s"
    is_least: bool = False
    gate: float | None = None
    """What fails a run, where that is less than the target."""

    @property
    def median(self) -> float:
        """The figure to quote: these machines are shared and noisy."""
        return median(self.values)

    @property
    def met(self) -> bool:
        """Whether the median is within the target."""
        return self._within(self.target)

    @property
    def passed(self) -> bool:
        """Whether it is within what fails a run."""
        return self._within(self.target if self.gate is None else self.gate)

    def _within(self, bound: float) -> bool:
        return self.median >= bound if self.is_least else self.median <= bound

    @property
    def wanted(self) -> str:
        """The target in words, without its unit."""
        least = "at least " if self.is_least else ""
        return f"{least}{self.target:g}" + (f", gate {self.gate:g}" if self.gate is not None else "")

    def line(self) -> str:
        """One line for a terminal."""
        low, high = min(self.values), max(self.values)
        mark = "✓" if self.met else "✗"
        return f"{mark} {self.title}: {self.median:.3f} {self.unit} (target {self.wanted}; {low:.3f}–{high:.3f})"


def render(figures: Sequence[Figure]) -> str:
    """A Markdown table."""
    rows = [
        f"| {f.title} | {f.median:.3f} {f.unit} | {min(f.values):.3f}–{max(f.values):.3f} | {f.wanted} {f.unit} "
        f"| {'yes' if f.met else '**no**'} |"
        for f in figures
    ]
    return "\n".join(["| what | median | range | target | met |", "| --- | --- | --- | --- | --- |", *rows])
