"""`train` of the XGBoost images: a user's script where the job names one, else the algorithm itself.

`python -m clary.algorithms.xgboost.train 1.7-1`
"""

from __future__ import annotations

import logging
import sys
from typing import NoReturn

from clary.algorithms.xgboost import training
from clary.toolkit import train as script_mode
from clary.toolkit.environment import TrainingEnvironment
from clary.toolkit.errors import ClientError, UserError

_FORMAT = "[%(asctime)s:%(levelname)s] %(message)s"


def main() -> NoReturn:
    """Ends the process."""
    script_mode.leave(script_mode.guarded(_run))


def _run(environment: TrainingEnvironment) -> None:
    if environment.program:
        script_mode.run_script(environment)
        return
    logging.basicConfig(format=_FORMAT, datefmt="%Y-%m-%d %H:%M:%S", level=logging.INFO, stream=sys.stdout, force=True)
    logging.info("Running XGBoost Sagemaker in algorithm mode")
    try:
        training.train(environment, sys.argv[1] if len(sys.argv) > 1 else "")
    except UserError as error:
        raise ClientError(f"ClientError: {error}") from error


if __name__ == "__main__":
    main()
