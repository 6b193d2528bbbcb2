"""A tuning's search, answered anew from its request and its trials each time it is asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from clary.tuning.trials import Proposal, Trial


class Search:
    """The search that a CreateHyperParameterTuningJob request describes. Built at any time, with no state of its own."""

    def __init__(self, spec: Mapping[str, Any], parents: Sequence[Trial] = ()) -> None:
        """`spec`: the operation's parameters, validated; `parents`: ended trials of the tunings it starts from."""

    def propose(self, trials: Sequence[Trial], count: int) -> list[Proposal]:
        """Up to `count` jobs to start: fewer or none when nothing is left to try."""
        ...

    def to_stop(self, trials: Sequence[Trial]) -> list[int]:
        """Numbers of running trials to stop now."""
        ...

    def ended(self, trials: Sequence[Trial], seconds: float) -> str | None:
        """Why no more trials are started after so many seconds, or None."""
        ...

    def best(self, trials: Sequence[Trial]) -> int | None:
        """The number of the best trial, or None where none has an objective."""
        ...
