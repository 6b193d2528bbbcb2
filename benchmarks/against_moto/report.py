"""What was measured as a table, and as figures with their targets."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from statistics import median

from benchmarks.against_moto import large, small
from benchmarks.against_moto.sides import CLARY, MOTO
from benchmarks.figures import Figure

Measured = dict[str, dict[str, list[float]]]
"""By what is measured and the server's title: a rate of each round, MiB, or microseconds."""

CPU = "CPU of an answer"
"""Of what is measured: all processes of the server together."""

TIMES = {
    small.PUT: (5, 1.5),
    small.GET: (10, 2.5),
    small.JOB: (10, 4),
    small.MODEL: (10, 3),
    large.PUT: (3, 1.2),
    large.GET: (8, 1.2),
}
"""How often as fast as moto, at least: what is aimed at, and what fails a run: a busy machine, too, meets that."""

DESCRIBES_PER_SECOND = 3000, 300
"""Likewise. What a second brings is the machine's, too: a run fails only where something is broken."""

FLAT = 32.0
"""MiB that a transfer of any size may add."""


def figures(measured: Measured) -> list[Figure]:
    """Ratios round by round, what a second brings, and memory; of the wheel, beside moto."""
    return [*_ratios(measured), *_rates(measured), *_memory(measured)]


def _ratios(measured: Measured) -> Iterator[Figure]:
    for kind, (least, gate) in TIMES.items():
        if {CLARY, MOTO} <= measured.get(kind, {}).keys():
            pairs = zip(measured[kind][CLARY], measured[kind][MOTO], strict=True)
            values = [own / other for own, other in pairs]
            yield Figure(f"{kind}: Clary over moto", values, least, "×", is_least=True, gate=gate)


def _rates(measured: Measured) -> Iterator[Figure]:
    for kind in (small.JOB, small.MODEL):
        if CLARY in measured.get(kind, {}):
            least, gate = DESCRIBES_PER_SECOND
            yield Figure(f"{kind} in a second", measured[kind][CLARY], least, "/s", is_least=True, gate=gate)


def _memory(measured: Measured) -> Iterator[Figure]:
    for kind in large.KINDS:
        if CLARY in measured.get(kind, {}):
            yield Figure(f"{kind}: memory of edge and control", measured[f"{kind}: memory"][CLARY], FLAT, "MiB")


def table(measured: Measured, titles: Sequence[str]) -> str:
    """Medians of these servers, as Markdown."""
    rows = [_row(what, sides, titles) for what, sides in measured.items()]
    return "\n".join([_line("what", titles), _line("---", ["---"] * len(titles)), *rows])


def _row(what: str, sides: dict[str, list[float]], titles: Sequence[str]) -> str:
    return _line(what, [f"{median(sides[title]):,.0f} {_unit(what)}" for title in titles])


def _unit(what: str) -> str:
    if what.endswith(CPU):
        return "µs"
    if what.endswith("memory"):
        return "MiB"
    return "MiB/s" if what in large.KINDS else "/s"


def _line(what: str, cells: Sequence[str]) -> str:
    return f"| {what} | {' | '.join(cells)} |"
