"""One training job of an algorithm, on one of its hosts."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import Any, Callable, Dict, Mapping, Optional

import numpy as np
from scipy import sparse

from clary.algorithms.base import channels, examples
from clary.algorithms.base.channels import TRAIN, Rules
from clary.algorithms.base.examples import Examples
from clary.algorithms.base.hosts import Hosts
from clary.algorithms.base.hyperparameters import Hyperparameters
from clary.algorithms.base.report import Report
from clary.toolkit.environment import TrainingEnvironment
from clary.toolkit.errors import UserError

Array = Any
"""A numpy array, or a scipy.sparse matrix."""

Check = Callable[[str, Examples], None]
"""Raises UserError for a channel's examples that an algorithm cannot use."""

_WIDTH = "feature_dim"
_TOO_FEW = (
    "No training data processed. Either the training channel is empty or the mini-batch size is too high. Verify that "
    "training data contains non-empty files and the mini-batch size is less than the number of records per training "
    "host."
)

_LABEL_HINT = " The first column of CSV is its label, unless the content type says label_size=0."


class Job:
    """What an algorithm needs to train."""

    def __init__(
        self, environment: TrainingEnvironment, given: Hyperparameters, rules: Rules, hosts: Hosts, report: Report
    ) -> None:
        self.given = given
        self.hosts = hosts
        self.report = report
        self.model: Path = environment.layout.model
        """Where the first host writes the model."""
        self._environment = environment
        self._rules = rules
        self._stop = _Stop()

    def data(self, batch: int = 1, check: Optional[Check] = None) -> Dict[str, Examples]:
        """Every channel's examples that this host has, all of one width; where one host cannot use its own, all end.

        Raises UserError: for a channel without data, a training channel with fewer rows than a batch has, numbers that
        are not finite, rows of different widths, and what `check(channel, examples)` raises.
        """
        found = self._agreed(lambda: self._read(batch, check))
        width = self._width(found)
        return self._agreed(lambda: {name: _shaped(name, part, width) for name, part in found.items()})

    def _agreed(self, read: Callable[[], Dict[str, Examples]]) -> Dict[str, Examples]:
        """What `read` gives; where it raises UserError on one host, all of them end with an error of the user's."""
        error: Optional[UserError] = None
        found: Dict[str, Examples] = {}
        try:
            found = read()
        except UserError as raised:
            error = raised
        failed = self.hosts.most(np.asarray([error is not None]))[0]
        if error is not None:
            raise error
        if failed:
            raise UserError("Another host of this job could not use its data.")
        return found

    def _read(self, batch: int, check: Optional[Check]) -> Dict[str, Examples]:
        folder = self._environment.layout.data
        found = {
            name: channels.read(self._rules, name, channel, folder)
            for name, channel in self._environment.channels.items()
        }
        if TRAIN in found and found[TRAIN].features.shape[0] < batch:
            raise UserError(_TOO_FEW)
        for name, part in found.items():
            _check(name, part)
            if check is not None:
                check(name, part)
        return found

    def _width(self, found: Mapping[str, Examples]) -> int:
        """The number of features. Raises UserError where the data has more than `feature_dim`, or dense data fewer."""
        widest = int(self.hosts.most(np.asarray([max(part.features.shape[1] for part in found.values())]))[0])
        wanted = self.given.whole_or_auto(_WIDTH) if _WIDTH in self.given.values else None
        padded = all(sparse.issparse(part.features) for part in found.values())
        if wanted is not None and (widest > wanted or (widest < wanted and not padded)):
            hint = _LABEL_HINT if widest == wanted - 1 and len(self._rules.label_sizes) > 1 else ""
            raise UserError(
                f"The training data has {widest} features, which is not the value of feature_dim, {wanted}.{hint}"
            )
        return wanted or widest

    def replicated(self, name: str) -> bool:
        """Whether every host has all of a channel."""
        return bool(self._environment.channels[name].get("S3DistributionType") != "ShardedByS3Key")

    def stopped(self) -> bool:
        """Whether the job shall end with what it has learned so far; the same answer on every host."""
        return bool(self.hosts.most(np.asarray([self._stop.asked]))[0])


def _check(name: str, part: Examples) -> None:
    """Raises UserError for data that nothing can be learned from."""
    if not part.features.shape[0]:
        raise UserError(f"Channel '{name}' is empty. Verify that it contains non-empty files.")
    if not examples.usable(part.features) or (part.labels is not None and not examples.usable(part.labels)):
        raise UserError(f"Channel '{name}' holds values that are no finite numbers.")


def _shaped(name: str, part: Examples, width: int) -> Examples:
    if sparse.issparse(part.features):
        return part._replace(features=examples.widened(part.features, width))
    if part.features.shape[1] != width:
        raise UserError(f"Channel '{name}' has {part.features.shape[1]} features where others have {width}.")
    return part


class _Stop:
    """Whether the job shall end: after StopTrainingJob, the model so far is kept."""

    def __init__(self) -> None:
        self.asked = False
        signal.signal(signal.SIGTERM, self._ask)

    def _ask(self, _number: int, _frame: object) -> None:
        self.asked = True


def given_to(environment: TrainingEnvironment) -> Mapping[str, Any]:
    """Hyperparameters as CreateTrainingJob has them: not decoded, and without what SDKs add for themselves."""
    raw = environment.layout.read_config("hyperparameters.json")
    return {name: value for name, value in raw.items() if not name.startswith("sagemaker_")}
