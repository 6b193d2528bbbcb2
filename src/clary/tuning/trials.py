"""What a tuning knows of its training jobs, and what it wants tried."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, NamedTuple

Status = Literal["running", "completed", "failed", "stopped"]


class Trial(NamedTuple):
    """One training job of a tuning."""

    number: int
    """0, 1, 2, … in the order in which they were started."""
    definition: str
    """TrainingJobDefinition.DefinitionName, or "" where it has none."""
    values: Mapping[str, str]
    """TunedHyperParameters, as AWS's strings."""
    status: Status
    """One that was stopped early is "stopped", with its last objective."""
    objective: float | None
    """The final objective; None where there is none (yet), NaN where the job said so."""
    reports: tuple[float, ...] = ()
    """The objective's values emitted so far, in order: one per epoch or round."""


class Proposal(NamedTuple):
    """A training job to start."""

    definition: str
    """TrainingJobDefinition.DefinitionName, or "" where it has none."""
    values: Mapping[str, str]
    """Tuned hyperparameters as AWS's strings; static ones are not among them."""
