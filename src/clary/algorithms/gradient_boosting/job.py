"""One training job, from its hyperparameters to its model."""

from __future__ import annotations

import logging
import os
import sys
from pathlib import Path
from typing import Any, Callable, Mapping, NamedTuple, NoReturn, Optional, Protocol, Tuple, TypeVar

import numpy as np

from clary.algorithms.base import hosts
from clary.algorithms.base.hosts import Hosts
from clary.algorithms.base.hyperparameters import Hyperparameters
from clary.algorithms.gradient_boosting import channels, problems, scripts
from clary.algorithms.gradient_boosting.channels import Data
from clary.algorithms.gradient_boosting.problems import Problem
from clary.toolkit.environment import TrainingEnvironment
from clary.toolkit.errors import UserError
from clary.toolkit.layout import Layout

logger = logging.getLogger("sagemaker-jumpstart")

Found = TypeVar("Found")


class Work(NamedTuple):
    """What a library trains on, and where it leaves the model."""

    given: Hyperparameters
    data: Data
    problem: Problem
    peers: Hosts
    names: Mapping[str, Any]
    """resourceconfig.json: `current_host` and `hosts`."""
    model: Path


class Trainer(Protocol):
    """One library."""

    several_hosts: bool

    def parse(self, given: Mapping[str, Any]) -> Hyperparameters:
        """Checked hyperparameters. Raises ValidationError."""
        ...

    def train(self, work: Work) -> None:
        """Train; the first host writes the model. Raises UserError."""
        ...


def main(trainer: Trainer, task: str) -> NoReturn:
    """A script's whole work; what the user can mend becomes the job's FailureReason as it is."""
    layout = Layout(os.environ)
    logging.basicConfig(format="%(levelname)s:%(name)s:%(message)s", level=logging.INFO, stream=sys.stdout)
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    try:
        run(trainer, task, TrainingEnvironment(layout, os.environ))
    except UserError as error:
        logger.error("%s", error)  # noqa: TRY400 - the sentence says it all
        layout.write_failure(f"ClientError: {error}")
        sys.exit(1)
    sys.exit(0)


def run(trainer: Trainer, task: str, environment: TrainingEnvironment) -> None:
    """Raises UserError for what the user can mend, AlgorithmError where hosts lose one another."""
    names = environment.resources
    if len(names["hosts"]) > 1 and not trainer.several_hosts:
        raise UserError(f"{type(trainer).__name__} trains on one instance; this job has {len(names['hosts'])}.")
    given = trainer.parse(environment.hyperparameters.users)
    model = environment.layout.model
    model.mkdir(parents=True, exist_ok=True)
    with hosts.joined(str(names["current_host"]), list(names["hosts"])) as peers:
        data, problem = _learnable(task, environment, peers)
        trainer.train(Work(given, data, problem, peers, names, model))
        if peers.first:
            _write_inference(model)


def _learnable(task: str, environment: TrainingEnvironment, peers: Hosts) -> Tuple[Data, Problem]:
    folder, classes = environment.layout.data, task == problems.CLASSIFICATION
    data = _agreed(peers, lambda: channels.read(folder, environment.channels, classes=classes))
    problem = _agreed(peers, lambda: problems.found(task, data, peers))
    logger.info(
        "%d examples for training, %d for validation, %d features, %d of them categorical.",
        *(len(data.training.targets), len(data.validation.targets)),
        *(data.training.features.shape[1], len(data.categorical)),
    )
    return data, problem


def _agreed(peers: Hosts, work: Callable[[], Found]) -> Found:
    """What `work` gives; where it raises UserError on one host, all of them end with one: none waits for another."""
    found: Optional[Found] = None
    error: Optional[UserError] = None
    try:
        found = work()
    except UserError as raised:
        error = raised
    failed = peers.most(np.asarray([error is not None]))[0]
    if error is not None:
        raise error
    if failed or found is None:
        raise UserError("Another host of this job could not use its data.")
    return found


def _write_inference(model: Path) -> None:
    """A model that can be deployed as it is."""
    (model / "code").mkdir(exist_ok=True)
    (model / "code" / scripts.INFERENCE_PROGRAM).write_text(scripts.INFERENCE)
