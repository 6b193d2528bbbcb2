"""Grid search: every combination once, in an order by the seed."""

from __future__ import annotations

from collections.abc import Sequence

from clary.tuning.definitions import Definition
from clary.tuning.drawing import generator, tried
from clary.tuning.space import Values
from clary.tuning.trials import Trial


def propose(definition: Definition, trials: Sequence[Trial], seed: str) -> Values | None:
    """The next combination after the definition's `trials`; None where all were tried."""
    order = list(range(int(definition.space.count)))
    generator(seed, definition, 0).shuffle(order)
    done = tried(definition, trials)
    combinations = map(definition.space.nth, order)
    return next((values for values in combinations if tuple(values.values()) not in done), None)
