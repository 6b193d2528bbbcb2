"""All combinations of values that a training job definition's ranges allow."""

from __future__ import annotations

import math
import random
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from clary.tuning.parameters import Parameter

Values = Mapping[str, str]

_DRAWS = 100
"""Then the combinations that are left are few, and the next one is taken."""


@dataclass(frozen=True)
class Space:
    """Parameters in the order of their names; their values in the same order are a combination."""

    parameters: tuple[Parameter, ...]

    @property
    def count(self) -> float:
        """How many combinations; `math.inf` where a range is continuous."""
        return math.prod(parameter.count for parameter in self.parameters)

    def at(self, positions: Sequence[float]) -> dict[str, str]:
        """The combination at these places between 0 and 1, one for each parameter."""
        return {each.name: each.at(place) for each, place in zip(self.parameters, positions, strict=True)}

    def nth(self, index: int) -> dict[str, str]:
        """The combination with this number, 0 ≤ `index` < `count`, which is finite."""
        values = {}
        for parameter in self.parameters:
            index, digit = divmod(index, int(parameter.count))
            values[parameter.name] = parameter.nth(digit)
        return values

    def draw(self, generator: random.Random) -> dict[str, str]:
        """Any combination, each range by its scale."""
        return self.at([generator.random() for _ in self.parameters])

    def key(self, values: Values) -> tuple[str, ...] | None:
        """What tells combinations apart; None for one that is not of this space."""
        texts = tuple(values.get(parameter.name, "") for parameter in self.parameters)
        fits = all(each.read(text) is not None for each, text in zip(self.parameters, texts, strict=True))
        return texts if fits else None

    def draw_new(self, generator: random.Random, tried: Collection[tuple[str, ...]]) -> dict[str, str] | None:
        """Any combination that was not tried; None where all were."""
        for _ in range(_DRAWS):
            values = self.draw(generator)
            if tuple(values.values()) not in tried:
                return values
        if math.isinf(self.count):
            return self.draw(generator)
        return self._next_new(generator, tried)

    def _next_new(self, generator: random.Random, tried: Collection[tuple[str, ...]]) -> dict[str, str] | None:
        total = int(self.count)
        start = generator.randrange(total)
        for step in range(min(total, len(tried) + 1)):
            values = self.nth((start + step) % total)
            if tuple(values.values()) not in tried:
                return values
        return None
