"""Rounds: one server at a time has the machine, and all have it in turns, so that its moods meet all of them."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from benchmarks.serving import load, messages
from benchmarks.serving.load import LoadFailed, Round
from benchmarks.serving.models import Models
from benchmarks.serving.servers import Server, Started, check

CLIENTS = (32, 1)
WARM_SECONDS = 4
"""Under load: servers that grow with it have grown by then."""


@dataclass(frozen=True)
class Cell:
    """What is measured: one model, asked by so many clients."""

    model: str
    clients: int

    def __str__(self) -> str:
        return f"{self.model}, {self.clients} client{'s' if self.clients > 1 else ''}"


@dataclass
class Measured:
    """All rounds of one server in one setting."""

    title: str
    setting: str
    rounds: dict[Cell, list[Round]] = field(default_factory=dict)

    def median(self, cell: Cell) -> Round:
        """Each figure's own."""
        rounds = self.rounds[cell]
        return Round(*(median(getattr(each, name) for each in rounds) for name in ("per_second", "p50", "p99")))


@dataclass(frozen=True)
class Plan:
    """What a run measures."""

    models: Models
    names: Sequence[str]
    """Of the models."""
    rounds: int
    seconds: int
    """Of each measurement."""

    @property
    def cells(self) -> list[Cell]:
        return [Cell(name, clients) for name in self.names for clients in CLIENTS]


def measure(servers: Sequence[Server], plan: Plan, folder: Path, tell: Callable[[str], None]) -> list[Measured]:
    """Every server's rounds. Of several settings of one server those go on that were the best at something in the first
    round. Raises WrongAnswer, LoadFailed, Ended.
    """
    every = [Measured(server.title, server.setting) for server in servers]
    pairs = list(zip(servers, every, strict=True))
    for number in range(plan.rounds):
        for server, measured in pairs:
            tell(f"round {number + 1} of {plan.rounds}: {server.title}{server.setting and f' ({server.setting})'}")
            own = folder / "server"
            own.mkdir()
            with server.started(plan.models, own) as started:
                for name in plan.names:
                    _model(started, name, plan, folder / "requests", measured, tell)
            shutil.rmtree(own, ignore_errors=True)
        good = best_settings(every, plan.cells)
        pairs = [(server, measured) for server, measured in pairs if (measured.title, measured.setting) in good]
    return [measured for _, measured in pairs]


def _model(server: Started, name: str, plan: Plan, file: Path, measured: Measured, tell: Callable[[str], None]) -> None:
    """Requests are made, and signed, when they are about to be sent: a signature is good for some minutes."""
    check(server, plan.models, name)
    made = [server.request(name, row) for row in plan.models.rows]
    requests = load.written(made, file)
    _loaded(server, requests, CLIENTS[0], WARM_SECONDS, made)
    for clients in CLIENTS:
        cell = Cell(name, clients)
        found = _loaded(server, requests, clients, plan.seconds, made)
        measured.rounds.setdefault(cell, []).append(found)
        tell(f"    {cell}: {found.per_second:.0f} req/s, p50 {found.p50:.2f}, p99 {found.p99:.2f} ms")


def _loaded(server: Started, file: Path, clients: int, seconds: int, requests: Sequence[bytes]) -> Round:
    try:
        return load.run(server.port, file, clients, seconds)
    except LoadFailed as error:
        error.add_note(f"asked once more: {messages.answer(server.port, requests[0])}")
        raise


def best_settings(every: Sequence[Measured], cells: Sequence[Cell]) -> set[tuple[str, str]]:
    """Title and setting of those that no other setting of their server surpasses in every cell."""
    good = set()
    for title in {measured.title for measured in every}:
        settings = [measured for measured in every if measured.title == title]
        for cell in cells:
            best = max(settings, key=lambda each: each.median(cell).per_second)
            good.add((title, best.setting))
    return good


def by_title(every: Sequence[Measured], cells: Sequence[Cell]) -> Mapping[str, Measured]:
    """One for each server: in each cell the rounds of its best setting."""
    found: dict[str, Measured] = {}
    for measured in every:
        merged = found.setdefault(measured.title, Measured(measured.title, ""))
        for cell in cells:
            if cell not in merged.rounds or measured.median(cell).per_second > merged.median(cell).per_second:
                merged.rounds[cell] = measured.rounds[cell]
    return found
