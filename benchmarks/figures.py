"""What a measurement gives: its rounds, its target, and whether the median meets it."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

NOTED = "BENCH_FIGURES"
"""The variable that names the file in which `ended` writes figures down, one in a line; none where it is not set."""

RATIOS = ("×", "%", "times")
"""Units of figures that another machine would show as well."""


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
    name: str = ""
    """Under which it is compared with earlier ones, where its title says what changes from run to run."""

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


def ended(figures: Sequence[Figure]) -> int:
    """How a benchmark ends that has these figures: 0 where each is within what it may be. Ratios are written down for
    `python -m benchmarks.regression`."""
    noted = os.environ.get(NOTED)
    if noted:
        with Path(noted).open("a") as file:
            file.writelines(json.dumps(line) + "\n" for line in map(_noted, figures) if line["unit"] in RATIOS)
    return 0 if all(figure.passed for figure in figures) else 1


def _noted(figure: Figure) -> dict[str, object]:
    spec = getattr(sys.modules["__main__"], "__spec__", None)
    command = f"python -m {spec.name.removesuffix('.__main__')}" if spec else ""
    name = figure.name or figure.title
    return {"name": name, "value": figure.median, "unit": figure.unit, "more": figure.is_least, "command": command}
