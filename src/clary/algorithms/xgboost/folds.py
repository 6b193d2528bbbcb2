"""k-fold cross validation, repeated: every fold's booster is kept, and what each row was predicted to be by the
booster that had not seen it."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any, Iterator, List, Mapping, Tuple

import numpy as np
from sklearn.model_selection import RepeatedKFold, RepeatedStratifiedKFold

from clary.algorithms.xgboost import rounds
from clary.algorithms.xgboost.boosting import Booster, Place, Scores, boost
from clary.algorithms.xgboost.settings import Settings

logger = logging.getLogger(__name__)

Matrix = Any
Array = Any

_PREDICTIONS = "predictions.csv"


def cross_validate(settings: Settings, whole: Matrix, place: Place, output: Path) -> List[Booster]:
    """A booster a fold; metrics are averaged over each repetition's folds, predictions go to `predictions.csv`.

    Raises UserError or AlgorithmError, as boosting does.
    """
    folds, repeats = settings.folds or 1, settings.repeats
    logger.info("Run %d-round of %d-fold cross validation with %d rows", repeats, folds, whole.num_row())
    classes = _classifies(settings.parameters)
    outcome = Predictions(whole.get_label(), repeats, classes=classes)
    boosters: List[Booster] = []
    scores: List[Scores] = []
    for train_rows, validation_rows in _splits(settings, whole, classes):
        number = len(boosters)
        logger.info("Train cross validation fold %d", number % folds + 1)
        train, validation = whole.slice(train_rows), whole.slice(validation_rows)
        scores.append({})
        boosters.append(boost(settings, train, validation, _of_fold(place, number), scores[-1]))
        outcome.record(validation_rows, boosters[-1].predict(validation))
        if len(boosters) % folds == 0:
            logger.info("The metrics of round %d cross validation", len(boosters) // folds)
            _report_mean(settings.rounds, scores[-folds:], place)
    if place.is_master:
        outcome.save(output)
    if repeats > 1:
        logger.info("The overall metrics of %d-round cross validation", repeats)
        _report_mean(settings.rounds, scores, place)
    return boosters


def _of_fold(place: Place, number: int) -> Place:
    checkpoints = place.checkpoints / f"model-{number}" if place.checkpoints else None
    return place._replace(model=model_of_fold(place.model, number), checkpoints=checkpoints)


def model_of_fold(model: Path, number: int) -> Path:
    """`xgboost-model-0`, `xgboost-model-1`, …"""
    return model.with_name(f"{model.name}-{number}")


def _classifies(parameters: Mapping[str, Any]) -> bool:
    return bool(parameters.get("num_class")) or str(parameters.get("objective", "")).startswith("binary:")


def _splits(settings: Settings, whole: Matrix, classes: bool) -> Iterator[Tuple[Array, Array]]:
    """The same for the same seed: an interrupted job goes on with the folds that its checkpoints belong to."""
    splitter = RepeatedStratifiedKFold if classes else RepeatedKFold
    seed = abs(settings.parameters.get("seed", 0))
    rows = np.arange(whole.num_row())
    folds = splitter(n_splits=settings.folds, n_repeats=settings.repeats, random_state=seed)
    return iter(folds.split(rows, whole.get_label() if classes else None))


def _report_mean(number: int, results: List[Scores], place: Place) -> None:
    names = [(source, metric) for metric in results[0]["train"] for source in results[0]]
    means = [
        (f"{source}-{metric}", float(np.mean([result[source][metric][-1] for result in results])))
        for source, metric in names
    ]
    if place.is_master:
        rounds.report(rounds.Round(None, number, means))


class Predictions:
    """Predictions of every row by the booster that had not seen it, over all repetitions."""

    def __init__(self, labels: Array, repeats: int, *, classes: bool) -> None:
        self._labels = labels
        self._classes = classes
        self._values = np.zeros((len(labels), repeats))
        self._probabilities = np.zeros((len(labels), repeats))
        self._count = np.zeros(len(labels), dtype=int)

    def record(self, rows: Array, predictions: Array) -> None:
        """One fold's."""
        values = probabilities = predictions
        if self._classes and predictions.ndim > 1:
            values, probabilities = predictions.argmax(axis=-1), predictions.max(axis=-1)
        elif self._classes:
            values = predictions > 0.5
        self._values[rows, self._count[rows]] = values
        self._probabilities[rows, self._count[rows]] = probabilities
        self._count[rows] += 1

    def save(self, folder: Path) -> None:
        """Label, then the mean — for classes the mean probability and the commonest class."""
        folder.mkdir(parents=True, exist_ok=True)
        columns = [self._labels]
        if self._classes:
            columns += [self._probabilities.mean(axis=-1), np.apply_along_axis(_commonest, 1, self._values)]
        else:
            columns.append(self._values.mean(axis=-1))
        np.savetxt(str(folder / _PREDICTIONS), np.vstack(columns).T, delimiter=",", fmt="%f")


def _commonest(values: Array) -> Array:
    found, counts = np.unique(values, return_counts=True)
    return found[counts.argmax()]
