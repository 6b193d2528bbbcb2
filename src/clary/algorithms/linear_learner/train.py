"""`train` of the Linear Learner image: `python -m clary.algorithms.linear_learner.train`."""

from __future__ import annotations

from clary.algorithms.linear_learner import report, training
from clary.algorithms.linear_learner.hyperparameters import Hyperparameters
from clary.toolkit import train as contract
from clary.toolkit.environment import TrainingEnvironment
from clary.toolkit.errors import ClientError, UserError


def main() -> int:
    """The exit code."""
    return contract.guarded(_run)


def _run(environment: TrainingEnvironment) -> None:
    report.configure("info")
    try:
        given = Hyperparameters(training.given_to(environment))
        report.configure(given.word("_log_level"))
        training.train(environment, given)
    except UserError as error:
        raise ClientError(f"ClientError: {error}") from error


if __name__ == "__main__":
    contract.leave(main())
