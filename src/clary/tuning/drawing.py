"""Random search: each job's values are drawn anew, none twice."""

from __future__ import annotations

import random
from collections.abc import Sequence

from clary.tuning.definitions import Definition
from clary.tuning.space import Values
from clary.tuning.trials import Trial


def generator(seed: str, definition: Definition, number: int) -> random.Random:
    """Chance for the definition's job with this number: alike whenever, and by whichever process, it is asked for."""
    return random.Random(f"{seed}/{definition.name}/{number}")  # noqa: S311  values to try are no secrets


def tried(definition: Definition, trials: Sequence[Trial]) -> set[tuple[str, ...]]:
    """The combinations that need not be tried again, whatever became of them."""
    keys = (definition.space.key(trial.values) for trial in trials)
    return {key for key in keys if key is not None}


def propose(definition: Definition, trials: Sequence[Trial], seed: str) -> Values | None:
    """The next combination after the definition's `trials`; None where all were tried."""
    chance = generator(seed, definition, len(trials))
    return definition.space.draw_new(chance, tried(definition, trials))
