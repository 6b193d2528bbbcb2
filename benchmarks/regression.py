"""Whether ratios have become worse: `python -m benchmarks.regression FILE [--update]`.

FILE is what benchmarks wrote down that ran with BENCH_FIGURES=FILE. `reference.json` says what each ratio was, and by
which part of it a ratio may be worse; of percentages, which may be near to none, by how many points: 0.05 is five.
Only what was measured is compared. Ends with 1 where a ratio is worse than it may be.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

REFERENCE = Path(__file__).with_name("reference.json")

TOLERANCE = 0.25
"""Of a ratio that is new: shared machines are that noisy. To be widened by hand where rounds show more."""

_DIGITS = 4


@dataclass(frozen=True)
class Ratio:
    """What a figure was, and by how much it may be worse."""

    value: float
    unit: str
    more: bool
    """Whether more is better."""
    tolerance: float
    command: str

    @property
    def worst(self) -> float:
        """What it may be at worst."""
        by = self.tolerance * (100.0 if self.unit == "%" else self.value)
        return self.value - by if self.more else self.value + by

    def allows(self, value: float) -> bool:
        """Whether that is not worse than it may be."""
        return value >= self.worst if self.more else value <= self.worst


Ratios = Mapping[str, Ratio]
"""By the figure's name."""


def parsed(lines: Sequence[str], reference: Ratios) -> dict[str, Ratio]:
    """What benchmarks have written down, with the tolerances of the reference. Of a figure that was measured several
    times the last counts."""
    found = {}
    for raw in map(json.loads, lines):
        known = reference.get(raw["name"])
        tolerance = known.tolerance if known else TOLERANCE
        value = round(raw["value"], _DIGITS)
        found[raw["name"]] = Ratio(value, raw["unit"], raw["more"], tolerance, raw["command"])
    return found


def worse(found: Ratios, reference: Ratios) -> list[str]:
    """A line for each ratio that is worse than it may be."""
    pairs = [(name, reference[name], now) for name, now in found.items() if name in reference]
    return [_line(name, was, now) for name, was, now in pairs if not was.allows(now.value)]


def _line(name: str, was: Ratio, now: Ratio) -> str:
    side = "least" if was.more else "most"
    return (
        f"{name}: {now.value:.3f} {now.unit}, it was {was.value:.3f} and may be {was.worst:.3f} at {side} "
        f"({now.command}; `make bench REGRESSION=--update` takes it over)"
    )


def read(file: Path) -> dict[str, Ratio]:
    """The reference; empty where there is none yet."""
    raw: dict[str, Any] = json.loads(file.read_text()) if file.exists() else {}
    return {name: Ratio(**each) for name, each in raw.items()}


def write(file: Path, ratios: Ratios) -> None:
    """Sorted by name, so that a change is a line."""
    document = {name: asdict(ratios[name]) for name in sorted(ratios)}
    file.write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.regression", description=__doc__)
    parser.add_argument("file", type=Path, help="what benchmarks wrote down")
    parser.add_argument("--update", action="store_true", help="take what was measured for the reference")
    arguments = parser.parse_args()
    reference = read(REFERENCE)
    found = parsed(arguments.file.read_text().splitlines() if arguments.file.exists() else [], reference)
    if arguments.update:
        write(REFERENCE, {**reference, **found})
        return 0
    said = worse(found, reference)
    new = sorted(found.keys() - reference.keys())
    print(f"compared with {REFERENCE.name}: {len(found) - len(new)}, worse: {len(said)}, new: {len(new)}")
    print("\n".join([*(f"✗ {line}" for line in said), *(f"new: {name}" for name in new)]))
    return 1 if said else 0


if __name__ == "__main__":
    sys.exit(main())
