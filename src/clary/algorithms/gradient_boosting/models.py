"""Trained models, loaded: LightGBM's and CatBoost's behind one face."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any, Optional, Protocol, Sequence, Tuple

import joblib
import numpy as np
import pandas as pd

from clary.algorithms.gradient_boosting.tables import named

Array = Any
"""A numpy array."""
Frame = Any
"""A pandas DataFrame."""
Library = Any
"""`lightgbm` or `catboost`: each environment has one of them."""

LIGHTGBM_TEXT, LIGHTGBM_PICKLE = "model.txt", "model.pkl"
CATBOOST_FILE = "model"


class Model(Protocol):
    """A trained model."""

    features: int
    labels: Optional[Sequence[int]]
    """Of a classification."""

    def predict(self, table: Frame) -> Array:
        """Predictions (n,), or (n, classes) probabilities in the order of `labels`."""
        ...


class LightGBM:
    """A LightGBM booster."""

    def __init__(self, booster: Any) -> None:  # noqa: ANN401 - LightGBM's own
        self._booster = booster
        self.features: int = booster.num_feature()
        self.labels: Optional[Sequence[int]] = None
        classes = booster.num_model_per_iteration()
        if classes > 1:
            self.labels = range(classes)
        elif "\nobjective=binary" in booster.model_to_string(num_iteration=1):
            self.labels = range(2)

    def predict(self, table: Frame) -> Array:
        """See Model."""
        found = self._booster.predict(table.to_numpy(dtype=np.float64))
        if self.labels is None or found.ndim == 2:
            return found
        return np.column_stack([1.0 - found, found])


class CatBoost:
    """A CatBoost model."""

    def __init__(self, model: Any) -> None:  # noqa: ANN401 - CatBoost's own
        self._model = model
        self.features = len(model.feature_names_)
        self._categorical: Tuple[int, ...] = tuple(model.get_cat_feature_indices())
        classes = [int(label) for label in model.classes_]
        self.labels: Optional[Sequence[int]] = classes or None

    def predict(self, table: Frame) -> Array:
        """See Model. Raises ValueError where a categorical feature is no integer."""
        columns = {table.columns[index]: _integers(table, index) for index in self._categorical}
        filled = table.assign(**columns) if columns else table
        if self.labels is None:
            return self._model.predict(filled)
        return self._model.predict(filled, prediction_type="Probability")


def _integers(table: Frame, index: int) -> Array:
    values = table.iloc[:, index].to_numpy()
    if not np.isfinite(values).all() or (values != np.floor(values)).any():
        raise ValueError(f"column {index + 1} is categorical, and has to hold integers")
    return values.astype(np.int64)


def load(folder: Path) -> Model:
    """The model that a job has left there, on AWS too. Raises RuntimeError where there is none."""
    if (folder / LIGHTGBM_TEXT).is_file():
        return LightGBM(_library("lightgbm").Booster(model_file=str(folder / LIGHTGBM_TEXT)))
    if (folder / CATBOOST_FILE).is_file():
        return CatBoost(_library("catboost").CatBoost().load_model(str(folder / CATBOOST_FILE)))
    if (folder / LIGHTGBM_PICKLE).is_file():  # as AWS's own jobs write it: nothing else is in their archives
        found = joblib.load(str(folder / LIGHTGBM_PICKLE))
        return LightGBM(getattr(found, "booster_", found))
    raise RuntimeError(f"No model found in {folder}: neither {LIGHTGBM_TEXT} nor {CATBOOST_FILE} is there")


def _library(name: str) -> Library:
    return importlib.import_module(name)


def frame(values: Frame) -> Frame:
    """Columns named as a model's."""
    return pd.DataFrame(values).set_axis(named(values.shape[1]), axis=1)
