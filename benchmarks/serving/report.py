"""From rounds to what is printed: the table, Clary against the best of the others, and the targets."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from benchmarks.figures import Figure
from benchmarks.serving.idle import COUNT, Idle
from benchmarks.serving.load import Round
from benchmarks.serving.measuring import Cell, Measured

OWN = "Clary"
SOURCE = "Clary, from source"
"""Nothing of it compiled; the targets are for what `make wheel` makes."""
TIMES: Mapping[str, tuple[float, float]] = {"voting": (15, 10), "logistic": (10, 10), "xgboost": (10, 10)}
"""How many times the best peer's requests in a second are wanted at 32 clients, and how many fail the run."""
P99_MS, ALONE_P50_MS = 5.0, 0.5
IDLE_MIB, CREATE_SECONDS = 10.0, 0.3


def table(servers: Mapping[str, Measured], cells: Sequence[Cell]) -> str:
    """Markdown: a line for each server."""
    heads = [str(cell) for cell in cells]
    lines = [
        f"| {' | '.join(['server', *heads])} |",
        f"| {' | '.join(['---'] * (len(heads) + 1))} |",
        *(
            f"| {title} | {' | '.join(_shown(measured.median(cell)) for cell in cells)} |"
            for title, measured in servers.items()
        ),
    ]
    return "\n".join(lines)


def _shown(round_: Round) -> str:
    return f"{round_.per_second:,.0f} req/s, {_ms(round_.p50)} / {_ms(round_.p99)} ms"


def _ms(value: float) -> str:
    """Two digits that count, three above a hundred."""
    return f"{value:.0f}" if value >= 9.95 else f"{value:.1f}" if value >= 0.995 else f"{value:.2f}"


def best_peer(servers: Mapping[str, Measured], cell: Cell) -> Measured | None:
    """The one that answers most; None where Clary was measured alone."""
    peers = [measured for title, measured in servers.items() if title not in (OWN, SOURCE)]
    return max(peers, key=lambda each: each.median(cell).per_second, default=None)


def ratios(servers: Mapping[str, Measured], cell: Cell) -> list[float]:
    """Clary's requests in a second over the best peer's, round by round."""
    best = best_peer(servers, cell)
    if best is None:
        return []
    pairs = zip(servers[OWN].rounds[cell], best.rounds[cell], strict=True)
    return [own.per_second / other.per_second for own, other in pairs]


def figures(servers: Mapping[str, Measured], cells: Sequence[Cell]) -> Iterator[Figure]:
    """Each target of serving, for the cells that were measured."""
    for cell in cells:
        rounds = servers[OWN].rounds[cell]
        if cell.clients == 1:
            yield Figure(f"{cell}: p50", [each.p50 for each in rounds], ALONE_P50_MS, "ms")
            continue
        best = best_peer(servers, cell)
        if best is not None:
            target, gate = TIMES[cell.model]
            title = f"{cell}: Clary over {best.title}"
            least, name = gate if gate < target else None, f"{cell}: Clary over the best of the others"
            yield Figure(title, ratios(servers, cell), target, "×", is_least=True, gate=least, name=name)
        yield Figure(f"{cell}: p99", [each.p99 for each in rounds], P99_MS, "ms")


def idle_figures(idle: Idle) -> Iterator[Figure]:
    """What endpoints cost that nobody asks."""
    shim, first, server = (f"{mib:.1f}" for mib in idle.mib)
    title = f"memory of each of {COUNT} idle endpoints (shim {shim}, PID 1 {first}, model server {server})"
    yield Figure(title, [sum(idle.mib)], IDLE_MIB, "MiB")
    yield Figure("CreateEndpoint → InService, warm", idle.seconds, CREATE_SECONDS)


def document(every: Sequence[Measured], found: Sequence[Figure]) -> dict[str, Any]:
    """All of it for a program: each round of each server and setting, and the figures."""
    return {
        "measurements": [
            {"server": each.title, "setting": each.setting, **vars(cell), "rounds": [vars(one) for one in rounds]}
            for each in every
            for cell, rounds in each.rounds.items()
        ],
        "figures": [
            {**vars(figure), "values": list(figure.values), "median": figure.median, "met": figure.met}
            for figure in found
        ],
    }
