"""A trained model: its file, and what it says of examples.

`model_algo-1` is a zip archive, as AWS's own is: `model.json` and two arrays in numpy's own format (`weights.npy`,
float64 of features × scores, `bias.npy`), read without pickle. Weights are meant for features as users give them.
"""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path
from typing import Any, NamedTuple, Optional

import numpy as np

from clary.algorithms.linear_learner import losses
from clary.algorithms.linear_learner.hyperparameters import BINARY, REGRESSOR

Array = Any
"""A numpy array; features may be a scipy.sparse matrix."""

FILE = "model_algo-1"
_FORMAT = "clary-linear-learner-1"


class Answers(NamedTuple):
    """Scores (n,), or (n, k) for several classes, and for classifiers the labels (n,)."""

    scores: Array
    labels: Optional[Array]


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

    def answer(self, features: Array) -> Answers:
        """As endpoints answer: float32, probabilities where the loss knows them."""
        raw = self.raw(features)
        if self.predictor == REGRESSOR:
            return Answers(raw.astype(np.float32), None)
        if self.predictor == BINARY:
            scores = losses.sigmoid(raw) if self.loss == "logistic" else raw
            return Answers(scores.astype(np.float32), (scores >= self.threshold).astype(np.int64))
        return Answers(losses.softmax(raw).astype(np.float32), raw.argmax(axis=1))

    def save(self, folder: Path) -> None:
        """Write the model's file."""
        head = {"format": _FORMAT, "predictor_type": self.predictor, "loss": self.loss, "threshold": self.threshold}
        parts = {
            "model.json": json.dumps(head).encode(),
            "weights.npy": _packed(self.weights),
            "bias.npy": _packed(self.bias),
        }
        with zipfile.ZipFile(str(folder / FILE), "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
            for name, data in parts.items():  # without the time of day: the same model, the same file
                archive.writestr(zipfile.ZipInfo(name), data, zipfile.ZIP_DEFLATED)


def load(folder: Path) -> LinearModel:
    """Raises RuntimeError where there is no model, or none that was written here."""
    path = folder / FILE
    if not path.is_file():
        raise RuntimeError(f"No model found in {folder}: {FILE} is missing")
    try:
        with zipfile.ZipFile(str(path)) as archive:
            head = json.loads(archive.read("model.json"))
            weights, bias = (_unpacked(archive.read(name)) for name in ("weights.npy", "bias.npy"))
        model = LinearModel(head["predictor_type"], head["loss"], weights, bias, float(head["threshold"]))
    except (zipfile.BadZipFile, KeyError, ValueError) as error:
        raise RuntimeError(f"Model {path} is not one of Clary's Linear Learner: {error}") from error
    if head.get("format") != _FORMAT:
        raise RuntimeError(f"Model {path} has the format {head.get('format')}, which this version does not read")
    return model


def _packed(values: Array) -> bytes:
    file = io.BytesIO()
    np.lib.format.write_array(file, np.ascontiguousarray(values, dtype=np.float64), allow_pickle=False)
    return file.getvalue()


def _unpacked(data: bytes) -> Array:
    return np.lib.format.read_array(io.BytesIO(data), allow_pickle=False)
