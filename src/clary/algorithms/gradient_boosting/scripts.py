"""The scripts that JumpStart hands out: what stands in its archives, and beside a trained model."""

from __future__ import annotations

TRAINING_PROGRAM, INFERENCE_PROGRAM = "transfer_learning.py", "inference.py"
"""The names that the SDKs take for granted."""

INFERENCE = '''"""Answers for a model that transfer_learning.py has trained: CSV in; JSON, JSON lines or CSV out."""

from clary.algorithms.gradient_boosting.answers import model_fn, transform_fn

__all__ = ["model_fn", "transform_fn"]
'''

_TRAINING = '''"""Trains {title} for {task}: from CSV with the target first."""

from clary.algorithms.gradient_boosting.{library}_training import TRAINER
from clary.algorithms.gradient_boosting.job import main

if __name__ == "__main__":
    main(TRAINER, "{task}")
'''


def training(library: str, title: str, task: str) -> str:
    """`transfer_learning.py`; `task` is `classification` or `regression`."""
    return _TRAINING.format(library=library, title=title, task=task)
