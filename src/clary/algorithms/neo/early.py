"""Pickles of boosters from before XGBoost 1.0, which no later one reads: a saved model stands in them, byte by byte."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any, Mapping

import xgboost

from clary.algorithms.xgboost import models
from clary.algorithms.xgboost.models import Model

_BOOSTER = ("xgboost.core", "Booster")

_UNREADABLE = (
    *(AttributeError, EOFError, ImportError, KeyError, TypeError, UnicodeDecodeError, ValueError),
    *(pickle.UnpicklingError, xgboost.core.XGBoostError),
)
"""What comes of a file that is none of them."""


class _Early:
    """Takes a booster's place while its pickle is read."""

    saved = b""

    def __setstate__(self, state: Mapping[str, Any]) -> None:
        self.saved = bytes(state["handle"])


class _Unpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:  # noqa: ANN401 - whatever a pickle names
        return _Early if (module, name) == _BOOSTER else super().find_class(module, name)


def load(path: Path) -> Model:
    """As `models.load_one`, and of pickles of any age. Raises RuntimeError, its own."""
    try:
        return models.load_one(path)
    except RuntimeError:
        try:
            return Model(_booster(path), pickled=False)
        except _UNREADABLE:
            pass
        raise


def _booster(path: Path) -> Any:  # noqa: ANN401 - xgboost's, without types
    with path.open("rb") as file:
        early = _Unpickler(file).load()
    booster = xgboost.Booster()
    booster.load_model(bytearray(early.saved))
    return booster
