"""`sagemaker_training.environment`: what a script may ask of its surroundings."""

from __future__ import annotations

import json
import os
from typing import Any, Dict, List

from clary.toolkit import hyperparameters
from clary.toolkit.environment import TrainingEnvironment
from clary.toolkit.layout import Layout

SAGEMAKER_BASE_PATH = "/opt/ml"

Value = Any
"""A member of the snapshot: whatever JSON holds."""


class Environment:
    """A training container's surroundings; attributes are named as `SM_TRAINING_ENV`'s members are.

    Raises AttributeError for a name that the snapshot does not have.
    """

    def __init__(self) -> None:
        self._found = TrainingEnvironment(Layout(os.environ), os.environ)
        self._snapshot = self._found.snapshot()

    def __getattr__(self, name: str) -> Value:
        if name.startswith("_") or name not in self._snapshot:
            raise AttributeError(name)
        return self._snapshot[name]

    def __getitem__(self, name: str) -> Value:
        return self._snapshot[name]

    def get(self, name: str, default: Value = None) -> Value:
        """The member, or `default`."""
        return self._snapshot.get(name, default)

    def to_env_vars(self) -> Dict[str, str]:
        """The `SM_*` variables, without their prefix, in lower case."""
        variables = self._found.variables().items()
        return {name[len("SM_") :].lower(): value for name, value in variables if name.startswith("SM_")}

    def to_cmd_args(self) -> List[str]:
        """The user's hyperparameters as a command line."""
        return self._found.arguments


class TrainingEnv(Environment):
    """The older toolkit's name (sagemaker-containers)."""


def read_hyperparameters() -> Dict[str, Any]:
    """The user's and the toolkit's hyperparameters, decoded from JSON where they are."""
    split = hyperparameters.split(Layout(os.environ).read_config("hyperparameters.json"))
    return {**split.users, **split.toolkits, **split.frameworks}


def write_env_vars(env_vars: Dict[str, Any]) -> None:
    """Put the variables into this process's environment, `SM_` before each name."""
    for name, value in env_vars.items():
        os.environ["SM_" + name.upper()] = value if isinstance(value, str) else json.dumps(value)
