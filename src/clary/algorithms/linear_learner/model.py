"""A trained model, and what it says of examples. Weights are meant for features as users give them."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Mapping, NamedTuple, Sequence

import numpy as np

from clary.algorithms.base import answers, archive
from clary.algorithms.base.answers import Row
from clary.algorithms.linear_learner import losses
from clary.algorithms.linear_learner.hyperparameters import BINARY, REGRESSOR

Array = Any
"""A numpy array; features may be a scipy.sparse matrix."""

_FORMAT = "clary-linear-learner-1"


class LinearModel(NamedTuple):
    """`threshold` is the least score of class 1."""

    predictor: str
    loss: str
    weights: Array
    bias: Array
    threshold: float = 0.0

    @property
    def features(self) -> int:
        """How many an example has."""
        return int(self.weights.shape[0])

    def raw(self, features: Array) -> Array:
        """(n,), or (n, k) for several classes: what the loss is computed from."""
        scores = np.asarray(features @ self.weights) + self.bias
        return scores[:, 0] if scores.shape[1] == 1 else scores

    def answer(self, features: Array, _parameters: Mapping[str, str]) -> Sequence[Row]:
        """`score`, and for classifiers `predicted_label`: float32, probabilities where the loss knows them."""
        raw = self.raw(features)
        if self.predictor == REGRESSOR:
            return answers.table({"score": raw.astype(np.float32)})
        if self.predictor == BINARY:
            scores = losses.sigmoid(raw) if self.loss == "logistic" else raw
            labels = (scores >= self.threshold).astype(np.int64)
            return answers.table({"score": scores.astype(np.float32), "predicted_label": labels})
        probabilities = losses.softmax(raw).astype(np.float32)
        return answers.table({"score": probabilities, "predicted_label": raw.argmax(axis=1)})

    def save(self, folder: Path) -> None:
        """Write the model's file: weights (features, scores) and bias, for features as users give them."""
        head = {"predictor_type": self.predictor, "loss": self.loss, "threshold": self.threshold}
        arrays = {"weights": np.asarray(self.weights, np.float64), "bias": np.asarray(self.bias, np.float64)}
        archive.write(folder, _FORMAT, head, arrays)


def load(folder: Path) -> LinearModel:
    """Raises RuntimeError where there is no model, or none that was written here."""
    head, arrays = archive.read(folder, _FORMAT)
    threshold = float(head["threshold"])
    return LinearModel(head["predictor_type"], head["loss"], arrays["weights"], arrays["bias"], threshold)
