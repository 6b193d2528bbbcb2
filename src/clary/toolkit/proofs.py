"""Whether a scikit-learn model predicts each row by itself: known of its parts, and tried on rows of its own ranges."""

from __future__ import annotations

import logging
import time
from typing import Any, Callable

import numpy as np

from clary.toolkit import samples

_LIBRARIES = frozenset({"builtins", "catboost", "lightgbm", "numpy", "scipy", "sklearn", "xgboost"})
"""Whose estimators predict rows, not tables: what a user wrote may look at all rows at once."""
_OWN = "clary"
_ROWS = 16
_LEAST_ROWS = 4
_SECONDS = 0.04
"""After so long no more rows are tried, once there were some."""

logger = logging.getLogger("sagemaker-inference")

Array = Any
Model = Any


def row_wise(model: Model) -> bool:
    """Whether predictions of a table are, to the last bit, those of its rows. The reason for a no is logged."""
    if not known(model):
        logger.info("Requests are computed one by one: the model has parts of which nothing is known.")
        return False
    try:
        sample = samples.of(model, _ROWS)
        same = all(_same_alone(model.predict, sample.astype(kind)) for kind in (np.float32, np.float64))
    except Exception as error:  # a model may refuse what it has not seen in any way it likes
        logger.info("Requests are computed one by one: the model cannot be tried (%s).", error)
        return False
    logger.info("Requests that wait are computed %s.", "together" if same else "one by one: it would change answers")
    return same


def known(model: Model) -> bool:
    """Whether the model and all its parts are of libraries whose estimators predict row by row."""
    return looks_known(model) and all(map(_known_value, model.get_params(deep=True).values()))


def looks_known(model: Model) -> bool:
    """The same of the model itself, not of its parts: asking for those writes to a MiB of shared pages."""
    if not _of_libraries(model) or not hasattr(model, "get_params"):
        return False  # of anything else no more is asked: it may be whatever a script returns
    return bool(getattr(model, "n_features_in_", 0)) and not _replaced(model)


def _replaced(model: Model) -> bool:
    """Whether a script has put a method of its own, or another of the model's, in the place of `predict`."""
    own = (vars(model).get(name) for name in ("predict", "predict_proba"))
    return any(method is not None and not str(method.__module__).startswith(f"{_OWN}.") for method in own)


def _known_value(value: object) -> bool:
    if isinstance(value, (list, tuple)):
        return all(map(_known_value, value))
    if isinstance(value, dict):
        return all(map(_known_value, value.values()))
    return _of_libraries(value)


def _of_libraries(value: object) -> bool:
    """Of functions and classes the module that defines them counts, of objects that of their class."""
    named = value if callable(value) and hasattr(value, "__qualname__") else type(value)
    return str(getattr(named, "__module__", None) or "builtins").partition(".")[0] in _LIBRARIES


def _same_alone(predict: Callable[[Array], Array], table: Array) -> bool:
    """Tables of several lengths: what computes them differs by length."""
    whole = np.asarray(predict(table))
    part = len(table) // 2 + 1
    if not same(np.asarray(predict(table[:part])), whole[:part]):
        return False
    began = time.perf_counter()
    for place in range(len(table)):
        if place >= _LEAST_ROWS and time.perf_counter() - began > _SECONDS:
            break
        if not same(np.asarray(predict(table[place : place + 1])), whole[place : place + 1]):
            return False
    return True


def same(one: Array, other: Array) -> bool:
    """Whether two arrays are equal to the last bit, in type and shape too."""
    if one.dtype != other.dtype or one.shape != other.shape:
        return False
    return bool(np.all(one == other)) if one.dtype.kind == "O" else bool(one.tobytes() == other.tobytes())
