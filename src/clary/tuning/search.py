"""A tuning's search, answered anew from its request and its trials each time it is asked."""

from __future__ import annotations

import importlib
import zlib
from collections.abc import Iterable, Sequence

from clary.tuning import completion, drawing, early_stopping, grid, hyperband, warm_start
from clary.tuning.autotune import settled
from clary.tuning.definitions import Definition, Spec, definitions
from clary.tuning.limits import resources
from clary.tuning.space import Values
from clary.tuning.trials import Proposal, Trial


class Search:
    """The search that a CreateHyperParameterTuningJob request describes. It is built at any time, and has no state.

    Only `propose` of the Bayesian strategy imports Optuna, on its first call: a server leaves that call to a process
    of its own (`clary.tuning.__main__`), all others it can ask itself.
    """

    def __init__(self, spec: Spec, parents: Sequence[Trial] = ()) -> None:
        """`spec`: the operation's parameters, which `ranges.check` has passed.

        `parents`: all trials of the tunings that it starts from; their `values` are all hyperparameters of the job,
        tuned and static, since either may have become the other.
        """
        spec = settled(spec)
        self._config = spec["HyperParameterTuningJobConfig"]
        self._definitions = definitions(spec)
        self._seed = str(self._config.get("RandomSeed", zlib.crc32(spec["HyperParameterTuningJobName"].encode())))
        self._is_transfer = (spec.get("WarmStartConfig") or {}).get("WarmStartType") == "TransferLearning"
        self._parents = parents

    def propose(self, trials: Sequence[Trial], count: int) -> list[Proposal]:
        """Up to `count` jobs to start now, each definition getting equally many in turn: AWS does not say how it deals
        them out. Fewer or none where the limit of jobs is near or every combination was tried.

        Alike for the same seed (RandomSeed, or else the tuning's name) and the same trials.
        """
        room = self._config["ResourceLimits"].get("MaxNumberOfTrainingJobs", completion.MOST_JOBS) - len(trials)
        proposals: list[Proposal] = []
        known = list(trials)
        while len(proposals) < min(count, room):
            proposal = self._next(known)
            if proposal is None:
                break
            proposals.append(proposal)
            known.append(Trial(len(known), proposal.definition, proposal.values, "running", None))
        return proposals

    def to_stop(self, trials: Sequence[Trial]) -> list[int]:
        """Numbers of running trials to stop now: by EarlyStopping `Auto`, or by Hyperband."""
        return [number for each in self._definitions for number in self._to_stop(each, _of(each, trials))]

    def ended(self, trials: Sequence[Trial], seconds: float) -> str | None:
        """Why no more trials are started after the tuning has run so many seconds: a reason of `completion`, or None.

        For those in `completion.STOPS_RUNNING` the trials that still run are to be stopped.
        """
        return next(completion.reasons(self._config, self._aim, trials, seconds), self._exhausted(trials))

    def best(self, trials: Sequence[Trial]) -> int | None:
        """The number of the best trial, or None where none has an objective."""
        return completion.best(self._aim, trials)

    def not_improving(self, trials: Sequence[Trial]) -> int:
        """TuningJobCompletionDetails.NumberOfTrainingJobsObjectiveNotImproving."""
        return completion.not_improving(self._aim, trials)

    def has_converged(self, trials: Sequence[Trial]) -> bool:
        """Whether ConvergenceDetectedTime is due, asked for or not."""
        return completion.has_converged(self._aim, trials)

    @property
    def _aim(self) -> Definition:
        """Objectives are compared across definitions: all have the same type."""
        return self._definitions[0]

    def _next(self, known: Sequence[Trial]) -> Proposal | None:
        """Of the definition with the fewest jobs that has something left to try."""
        for definition in sorted(self._definitions, key=lambda each: len(_of(each, known))):
            values = self._values(definition, _of(definition, known))
            if values is not None:
                return Proposal(definition.name, values)
        return None

    def _values(self, definition: Definition, trials: Sequence[Trial]) -> Values | None:
        if self._config["Strategy"] == "Grid":
            return grid.propose(definition, trials, self._seed)
        if self._config["Strategy"] == "Bayesian":
            parents = warm_start.transferred(definition, trials, self._parents) if self._is_transfer else self._parents
            bayesian = importlib.import_module("clary.tuning.bayesian")
            values: Values | None = bayesian.propose(definition, trials, parents, self._seed)
            return values
        return drawing.propose(definition, trials, self._seed)

    def _to_stop(self, definition: Definition, trials: Sequence[Trial]) -> Iterable[int]:
        if self._config["Strategy"] == "Hyperband":
            least, most = resources(self._config, definition)
            return hyperband.to_stop(definition, trials, hyperband.Brackets(least, most or least))
        if self._config.get("TrainingJobEarlyStoppingType") == "Auto":
            return early_stopping.to_stop(definition, trials)
        return ()

    def _exhausted(self, trials: Sequence[Trial]) -> str | None:
        return completion.EXHAUSTED if all(_is_done(each, _of(each, trials)) for each in self._definitions) else None


def _is_done(definition: Definition, trials: Sequence[Trial]) -> bool:
    return len(trials) >= definition.space.count <= len(drawing.tried(definition, trials))


def _of(definition: Definition, trials: Sequence[Trial]) -> list[Trial]:
    return [trial for trial in trials if trial.definition == definition.name]
