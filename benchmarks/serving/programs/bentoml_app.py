"""A BentoML service with batching: POST /MODEL with rows as JSON."""

import os
from pathlib import Path

import bentoml
import numpy as np

from benchmarks.serving.programs.predicting import load

BATCHING = {"batchable": True, "max_batch_size": 64, "max_latency_ms": 60_000}
"""So many at once; and the time after which it would refuse, which no round reaches."""


@bentoml.service(workers=1, traffic={"timeout": 60, "max_concurrency": 1024}, logging={"access": {"enabled": False}})
class Patients:
    """The three models."""

    def __init__(self) -> None:
        self._models = load(Path(os.environ["MODELS"]))

    @bentoml.api(**BATCHING)
    def voting(self, rows: np.ndarray) -> np.ndarray:
        return self._models["voting"](rows)

    @bentoml.api(**BATCHING)
    def logistic(self, rows: np.ndarray) -> np.ndarray:
        return self._models["logistic"](rows)

    @bentoml.api(**BATCHING)
    def xgboost(self, rows: np.ndarray) -> np.ndarray:
        return self._models["xgboost"](rows)
