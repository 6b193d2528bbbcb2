"""The metrics of a log that is still being written: read on from where one has come to.

The user's expressions run in a child with a time limit, since one may take for ever on one line; an image's own here.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from clary.telemetry.logfile import LogReader
from clary.workload.matching import MATCHING, TooSlow
from clary.workload.metrics import Definition, Point, follow, follow_each

__all__ = ["TooSlow", "read_on"]

PIECE_BYTES = 2 * 2**20
"""Read at once."""

PIECE_SECONDS = 10.0
"""What the user's expressions may take for one piece."""


def read_on(
    log: Path, position: int, own: Sequence[Definition], given: Sequence[Definition]
) -> tuple[int, list[Point]]:
    """The points of the next piece of a log, and where to go on: at `position` again where nothing new is there.

    `own` are an image's definitions, `given` the user's. Raises TooSlow.
    """
    if LogReader(log).end() <= position:
        return position, []
    foreign = [definition for definition in given if definition not in own]
    definitions = [*own, *foreign]
    if not foreign:
        return follow(log, position, PIECE_BYTES, definitions)
    asked = {"log": os.fspath(log), "position": position, "most": PIECE_BYTES, "definitions": definitions}
    end, points = MATCHING.ask(asked, PIECE_SECONDS)
    return int(end), [Point(*point) for point in points]


def read_on_each(log: Path, position: int, definition: Definition, *, own: bool) -> tuple[int, list[float]]:
    """The values of one metric in the next piece of a log, one by one, and where to go on: at `position` again where
    nothing new is there. `own`: the definition is an image's. Raises TooSlow.
    """
    if LogReader(log).end() <= position:
        return position, []
    if own:
        return follow_each(log, position, PIECE_BYTES, [definition])
    asked = {
        "log": os.fspath(log),
        "position": position,
        "most": PIECE_BYTES,
        "definitions": [definition],
        "each": True,
    }
    end, values = MATCHING.ask(asked, PIECE_SECONDS)
    return int(end), [float(value) for value in values]
