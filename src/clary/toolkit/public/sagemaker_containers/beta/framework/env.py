"""`framework.env`."""

from __future__ import annotations

from sagemaker_training.environment import TrainingEnv, read_hyperparameters, write_env_vars

__all__ = ["TrainingEnv", "read_hyperparameters", "write_env_vars"]
