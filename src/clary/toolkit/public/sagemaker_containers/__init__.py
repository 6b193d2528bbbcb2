"""The first toolkit's names, as older scripts import them (https://github.com/aws/sagemaker-containers)."""

from __future__ import annotations

from sagemaker_containers.beta.framework import training_env

__all__ = ["training_env"]
