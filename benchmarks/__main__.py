"""`python -m benchmarks [NAME…] [--rounds N] [--write]`: measure Clary on this machine, in one run, medians."""

from __future__ import annotations

import argparse
import platform
import sys
from pathlib import Path

from benchmarks import first_light
from benchmarks.figures import Figure, ended, render

PERFORMANCE = Path(__file__).parent.parent / "docs" / "performance.md"
BEGIN, END = "<!-- figures: make bench -->", "<!-- end of figures -->"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--rounds", type=int, default=7, help="rounds of each measurement; the median counts")
    parser.add_argument("--write", action="store_true", help="write the table into docs/performance.md")
    arguments = parser.parse_args()
    figures: list[Figure] = []
    for figure in first_light.measure(arguments.rounds):
        print(figure.line(), flush=True)
        figures.append(figure)
    table = render(figures)
    print("\n" + table)
    if arguments.write:
        write(table)
    return ended(figures)


def write(table: str) -> None:
    """Put the table between the markers of docs/performance.md."""
    text = PERFORMANCE.read_text()
    head, rest = text.split(BEGIN, 1)
    _, tail = rest.split(END, 1)
    machine = f"Linux {platform.release().split('-')[0]}, {platform.machine()}, Python {platform.python_version()}"
    PERFORMANCE.write_text(f"{head}{BEGIN}\n\n{machine}\n\n{table}\n\n{END}{tail}")


if __name__ == "__main__":
    sys.exit(main())
