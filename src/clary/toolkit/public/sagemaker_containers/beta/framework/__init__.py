"""`sagemaker_containers.beta.framework`: what scikit-learn and XGBoost scripts took from it."""

from __future__ import annotations

from sagemaker_containers.beta.framework import (
    content_types,
    encoders,
    env,
    errors,
    mapping,
    modules,
    transformer,
    worker,
)

__all__ = [
    "content_types",
    "encoders",
    "env",
    "errors",
    "mapping",
    "modules",
    "training_env",
    "transformer",
    "worker",
]


def training_env() -> env.TrainingEnv:
    """This container's surroundings."""
    return env.TrainingEnv()
