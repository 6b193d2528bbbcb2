"""The search of a tuning as control asks it: what needs Optuna is left to a process of its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from clary.tuning.search import Search
from clary.tuning.trials import Proposal, Trial
from clary.workload.asking import Asking

PROPOSING_SECONDS = 120.0
"""At 10,000 trials a proposal takes a second; beyond this the process hangs."""

_PROPOSING = Asking("clary.tuning")


class SearchBeside(Search):
    """Bayesian proposals are made beside control, all others within."""

    def __init__(self, spec: Mapping[str, Any], parents: Sequence[Trial] = ()) -> None:
        super().__init__(spec, parents)
        self._spec = spec
        self._beside = spec["HyperParameterTuningJobConfig"]["Strategy"] == "Bayesian"

    def propose(self, trials: Sequence[Trial], count: int) -> list[Proposal]:
        """As `Search`. Raises TooSlow."""
        if not self._beside:
            return super().propose(trials, count)
        asked = {"spec": self._spec, "trials": trials, "parents": self._parents, "count": count}
        return [Proposal(*each) for each in _PROPOSING.ask(asked, PROPOSING_SECONDS)]
