"""Boosters read from a model's folder: pickles of early images, XGBoost's own formats of later ones."""

from __future__ import annotations

import inspect
import json
import logging
import pickle
from pathlib import Path
from typing import Any, List, NamedTuple, Optional, Tuple

import numpy as np
import xgboost

from clary.algorithms.xgboost.bodies import Body, Features, threads_for
from clary.algorithms.xgboost.dense import Dense

logger = logging.getLogger(__name__)

Booster = Any
Array = Any

_VERSION = tuple(int(part) for part in xgboost.__version__.split(".")[:2])
_BY_ITERATION = "iteration_range" in inspect.signature(xgboost.Booster.predict).parameters
_IN_PLACE = _VERSION >= (1, 7)
"""Rows are predicted where they are, byte for byte as from a matrix; making one takes as long as all else."""
_TREES = "gbtree"
_TYPES = frozenset("fd")
_LARGEST = float(np.finfo(np.float32).max)
_FORMATS = (
    (b'{"', "JSON", (1, 0)),
    (b"{\n", "JSON", (1, 0)),
    (b"{L", "UBJSON", (1, 6)),
)
"""How a file of each format begins, and the first XGBoost that reads it."""


class Model:
    """A booster, asked with as many threads as the rows are worth."""

    def __init__(self, booster: Booster, *, pickled: bool) -> None:
        self.booster = booster
        self._pickled = pickled
        self._threads = 0
        self._best = _best_iteration(booster)
        in_place = _IN_PLACE and _kind(booster) == _TREES
        self._columns = booster.num_features() if in_place else None
        self._dense = Dense(booster, self._span()) if in_place else None

    def predict(self, features: Features) -> Array:
        """A value a row, or one for each class. Raises ValueError where a pickled model has other features."""
        if self._dense is not None and self._takes(features.values):
            self._use(threads_for(len(features.values)))
            return self._dense.predict(features.values)
        return self._of_matrix(features.body())

    def _takes(self, values: Array) -> bool:
        """Whether a matrix of these rows would give the same: what it refuses, and sparse rows, are for the matrix."""
        return (
            isinstance(values, np.ndarray)
            and values.ndim == 2
            and values.dtype.char in _TYPES
            and values.shape[1] == self._columns
            and len(values) > 0
            and not bool((np.abs(values) > _LARGEST).any())
        )

    def _span(self) -> Tuple[int, int]:
        return (0, self._best + 1) if self._best is not None else (0, 0)

    def _of_matrix(self, body: Body) -> Array:
        if self._pickled:
            _check_features(self.booster, body)
        self._use(threads_for(body.matrix.num_row()))
        if _BY_ITERATION:
            return self.booster.predict(body.matrix, iteration_range=self._span(), validate_features=False)
        limit = getattr(self.booster, "best_ntree_limit", 0)
        return self.booster.predict(body.matrix, ntree_limit=limit, validate_features=False)

    def _use(self, threads: int) -> None:
        """Setting it configures the booster anew, so only where it changes."""
        if threads != self._threads:
            self.booster.set_param({"nthread": threads})
            self._threads = threads

    def described(self) -> Tuple[str, int]:
        """Objective and number of classes; versions before 1.0 do not say."""
        if not hasattr(self.booster, "save_config"):
            return "", 0
        learner = json.loads(self.booster.save_config())["learner"]
        return learner["objective"]["name"], int(learner["learner_model_param"].get("num_class") or 0)


def _kind(booster: Booster) -> str:
    """`gbtree`, `dart` or `gblinear`."""
    return str(json.loads(booster.save_config())["learner"]["gradient_booster"]["name"])


def _best_iteration(booster: Booster) -> Optional[int]:
    text = booster.attr("best_iteration")
    return int(text) if text is not None else None


def _check_features(booster: Booster, body: Body) -> None:
    names = booster.feature_names
    trained = len(names) if names or not hasattr(booster, "num_features") else booster.num_features()
    given = body.matrix.num_col()
    if body.kind == "libsvm" and given > trained + 1:
        raise ValueError(
            f"Feature size of libsvm inference data {given} is larger than feature size of trained model {trained}."
        )
    if body.kind != "libsvm" and trained not in (given, given + 1):
        raise ValueError(
            f"Feature size of {body.kind} inference data {given} is not consistent "
            f"with feature size of trained model {trained}."
        )


def load(folder: Path, *, ensemble: bool) -> List[Model]:
    """Every model file of the folder (the first alone without `ensemble`).

    Raises RuntimeError where there is none, or one cannot be read.
    """
    paths = [path for path in sorted(folder.iterdir()) if path.is_file() and not _is_dotfile(path)]
    if not paths:
        raise RuntimeError(f"No model found in {folder}")
    return [load_one(path) for path in (paths if ensemble else paths[:1])]


def _is_dotfile(path: Path) -> bool:
    if path.name.startswith("."):
        logger.warning(
            "Ignoring dotfile '%s' found in model directory - please exclude dotfiles from model archives", path
        )
        return True
    return False


class _Begin(NamedTuple):
    """What a file's first bytes say: its format, and the first XGBoost that reads it."""

    name: str
    since: Tuple[int, int]


def load_one(path: Path) -> Model:
    """Raises RuntimeError, in AWS's words and with what the file seems to be."""
    logger.info("Loading the model from %s", path)
    begin = _begin(path)
    if begin is not None and begin.since > _VERSION:
        needs = ".".join(map(str, begin.since))
        reason = f"the file is {begin.name}, which XGBoost reads since {needs}; this image has {xgboost.__version__}"
        raise _unreadable(path, "not a pickle", reason)
    try:
        return Model(_unpickled(path), pickled=True)
    except Exception as unpickling:  # whatever a file that is no pickle makes of the machine
        return Model(_native(path, unpickling), pickled=False)


def _begin(path: Path) -> Optional[_Begin]:
    with path.open("rb") as file:
        head = file.read(2)
    return next((_Begin(name, since) for begin, name, since in _FORMATS if head == begin), None)


def _unpickled(path: Path) -> Booster:
    """The artifact of early images is a pickle; it comes from the user's own model, never from a request."""
    with path.open("rb") as file:
        booster = pickle.load(file)  # noqa: S301
    if not hasattr(booster, "predict"):
        raise TypeError(f"{path.name} holds no booster")
    return booster.get_booster() if hasattr(booster, "get_booster") else booster


def _native(path: Path, unpickling: Exception) -> Booster:
    booster = xgboost.Booster()
    try:
        booster.load_model(str(path))
    except (xgboost.core.XGBoostError, ValueError) as error:
        raise _unreadable(path, str(unpickling), str(error)) from error
    return booster


def _unreadable(path: Path, unpickling: str, loading: str) -> RuntimeError:
    return RuntimeError(
        f"Model {path} cannot be loaded:\nPickle load error={unpickling}\nXGB load model error={loading}\n"
        f"This image has XGBoost {xgboost.__version__}: serve the model with the version that trained it, "
        "or save it again as JSON (booster.save_model('xgboost-model.json')) and under the name xgboost-model."
    )
