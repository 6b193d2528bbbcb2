"""The fitted models, as every peer loads them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import joblib
import numpy as np
import xgboost

Predict = Callable[[np.ndarray], np.ndarray]
"""Rows of twelve numbers → for each, how likely the patient is to die."""


def load(folder: Path) -> dict[str, Predict]:
    """By name."""
    trees = xgboost.XGBClassifier()
    trees.load_model(folder / "xgboost.ubj")
    return {
        "voting": _second(joblib.load(folder / "voting.joblib")),
        "logistic": _second(joblib.load(folder / "logistic.joblib")),
        "xgboost": _second(trees),
    }


def _second(model) -> Predict:
    return lambda rows: model.predict_proba(rows)[:, 1]


def row(body: bytes) -> np.ndarray:
    """A line of CSV as a table of one row."""
    return np.array([body.split(b",")], dtype=float)
