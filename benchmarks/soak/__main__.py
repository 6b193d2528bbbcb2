"""Endpoints under load for hours: replicas and Clary's processes are killed, models updated, replicas scaled, a model
asked for ten times what it can answer, clients left half-open. What was promised is checked at the end.

Ends with 1 where a promise is not held.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import tempfile
import time
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from itertools import cycle
from pathlib import Path

from botocore.exceptions import BotoCoreError, ClientError

from benchmarks.soak.clients import Clients
from benchmarks.soak.crowds import Overload
from benchmarks.soak.disturbances import CHANGES, KILLS, Disturbance
from benchmarks.soak.drawing import drawn
from benchmarks.soak.stage import Stage
from benchmarks.soak.verdict import Event, Run, checks
from tests.running import RunningClary
from tests.system.jobs import Jobs

MINUTES = 120.0
PER_SECOND = 400.0
PAUSE = 5.0
"""Seconds between two disturbances."""

WARM, LAST = 0.1, 0.9
"""Before and after these parts of the time Clary's processes are killed; in between they are looked at."""


class Play:
    """One run as it goes."""

    def __init__(self, stage: Stage, clients: Clients) -> None:
        self._stage = stage
        self._clients = clients
        self.events: list[Event] = []
        self.overloads: list[Overload] = []
        self.wrong: list[str] = []

    @property
    def now(self) -> float:
        """Seconds since it began."""
        return time.monotonic() - self._clients.began

    def each(self, disturbances: Mapping[str, Disturbance]) -> None:
        """One after the other."""
        for name, disturbance in disturbances.items():
            self._disturb(name, disturbance)

    def until(self, end: float, disturbances: Mapping[str, Disturbance]) -> None:
        """One after the other, again and again; each at least once."""
        self.each(disturbances)
        for name, disturbance in cycle(disturbances.items()):
            if self.now >= end:
                return
            self._disturb(name, disturbance)

    def _disturb(self, name: str, disturbance: Disturbance) -> None:
        began = self.now
        try:
            told, failed = disturbance(self._stage, self.overloads), False
        except (AssertionError, ClientError, BotoCoreError, LookupError, OSError, TimeoutError) as error:
            told, failed = f"{type(error).__name__}: {error}", True
        event = Event(name, began, self.now, told, failed)
        self.events.append(event)
        print(f"{event.began:7.0f} s  {'FAILED ' if failed else ''}{name}: {told}", flush=True)
        time.sleep(PAUSE)
        self._clients.check()
        self._look()

    def _look(self) -> None:
        for asking in self._stage.asked.values():
            for told in asking.witness.wrong():
                said = f"{asking.endpoint} at {told.asked - self._clients.began:.1f} s: {told.model or told.failure}"
                self.wrong.append(said)
                print(f"           UNEXPLAINED {said}", flush=True)


def played(clary: RunningClary, minutes: float, per_second: float) -> Run:
    """The whole run."""
    stage = Stage(Jobs(clary))
    stage.deploy()
    seconds = minutes * 60
    with Clients(clary, list(stage.asked.values()), per_second) as clients:
        stage.clients, play = clients, Play(stage, clients)
        play.each(KILLS)
        play.until(seconds * WARM, CHANGES)
        begin = play.now
        play.until(seconds * LAST, CHANGES)
        end = play.now
        play.until(seconds, KILLS)
    answers = sum(asking.witness.answers for asking in stage.asked.values())
    return Run(clients.seconds, play.events, play.overloads, play.wrong, answers, (begin, end))


def main() -> int:
    arguments = _parser().parse_args()
    signal.signal(signal.SIGTERM, lambda number, _frame: sys.exit(128 + number))  # so that what was started is ended
    with (
        tempfile.TemporaryDirectory(prefix="clary-soak-") as folder,
        RunningClary(Path(folder) / "data") as clary,
    ):
        run = played(clary, arguments.minutes, arguments.per_second)
    if arguments.json:
        arguments.json.write_text(json.dumps(asdict(run)) + "\n")
    if arguments.svg:
        arguments.svg.write_text(drawn(run))
    found = checks(run)
    print("\n" + _lines(found))
    return 0 if all(check.held for check in found) else 1


def _lines(found: Iterable[object]) -> str:
    return "\n".join(map(str, found))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.soak", description=__doc__)
    add = parser.add_argument
    minutes = float(os.environ.get("CLARY_SOAK_MINUTES", MINUTES))
    add("--minutes", type=float, default=minutes, help="of the run (default: CLARY_SOAK_MINUTES, or %(default)g)")
    add("--per-second", type=float, default=PER_SECOND, help="requests of all clients (default: %(default)g)")
    add("--svg", type=Path, metavar="FILE", help="draw it")
    add("--json", type=Path, metavar="FILE", help="write every second of it")
    return parser


if __name__ == "__main__":
    sys.exit(main())
