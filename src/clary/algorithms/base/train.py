"""`train` of a built-in algorithm's image: `python -m clary.algorithms.base.train MODULE:NAME`."""

from __future__ import annotations

import errno
import json
import sys
from typing import NoReturn

from clary.algorithms.base import algorithm, channels, hosts, report
from clary.algorithms.base.algorithm import Algorithm
from clary.algorithms.base.job import Job, given_to
from clary.algorithms.base.report import Report
from clary.toolkit import train as contract
from clary.toolkit.environment import TrainingEnvironment
from clary.toolkit.errors import ClientError, UserError

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_DISK = "ClientError: No space is left to write the model to. Please use a larger volume, or free the disk."
_MEMORY = (
    "ClientError: Please use an instance type with more memory, or reduce the size of training data processed on an "
    "instance."
)


def main() -> NoReturn:
    """Ends the process."""
    contract.leave(contract.guarded(lambda environment: run(algorithm.named(sys.argv), environment)))


def run(trained: Algorithm, environment: TrainingEnvironment) -> None:
    """One job, as the contract's files say. Raises ClientError or AlgorithmError."""
    report.configure("info")
    try:
        given = trained.parse(given_to(environment))
        report.configure(given.word("_log_level"))
        channels.check(trained.rules, environment.channels)
        resources = environment.resources
        with hosts.joined(str(resources["current_host"]), list(resources["hosts"])) as peers:
            told = Report(trained.title, peers.current, silent=not peers.first)
            told.line(f"Final configuration: {json.dumps(dict(given.values))}")
            environment.layout.model.mkdir(parents=True, exist_ok=True)
            trained.train(Job(environment, given, trained.rules, peers, told))
            told.ended()
    except UserError as error:
        raise ClientError(f"ClientError: {error}") from error
    except MemoryError as error:
        raise ClientError(f"{_MEMORY} ({error})") from error
    except OSError as error:
        if error.errno not in _FULL:
            raise
        raise ClientError(f"{_DISK} ({error})") from error


if __name__ == "__main__":
    main()
