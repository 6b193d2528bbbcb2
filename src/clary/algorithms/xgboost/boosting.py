"""Boosting itself: one booster from one pair of matrices, with what happens after each round."""

from __future__ import annotations

import logging
import os
import signal
from pathlib import Path
from typing import Any, Dict, List, NamedTuple, Optional

import xgboost

from clary.algorithms.xgboost import rounds
from clary.algorithms.xgboost.metrics import EVALUATION
from clary.algorithms.xgboost.names import MODEL
from clary.algorithms.xgboost.rounds import Plan
from clary.algorithms.xgboost.settings import Settings
from clary.toolkit.errors import AlgorithmError, UserError

logger = logging.getLogger(__name__)

Matrix = Any
Booster = Any
Scores = Dict[str, Dict[str, List[float]]]
"""Values by data set and metric."""

_USERS_ERRORS = (
    "label must be in [0,1] for logistic regression",
    "label must be in [0, num_class)",
    "Target is multiclass but average='binary'",
    "feature_names mismatch",
    "Check failed: preds.size() == info.labels_.size()",
    "Check failed: !auc_error AUC: the dataset only contains pos or neg samples",
    "Check failed: base_score > 0.0f && base_score < 1.0f base_score must be in (0,1) for logistic loss",
    "Check failed: label_correct PoissonRegression: label must be nonnegative",
    "Check failed: label_correct TweedieRegression: label must be nonnegative",
    "Parameter reg_lambda should be greater equal to 0",
)
"""XGBoost's words for faults of the data or of hyperparameters."""


class Place(NamedTuple):
    """Where a booster is kept while it grows, and whether this host keeps it."""

    model: Path
    checkpoints: Optional[Path]
    is_master: bool


def boost(settings: Settings, train: Matrix, validation: Optional[Matrix], place: Place, scores: Scores) -> Booster:
    """A booster, begun anew or at the newest checkpoint; `scores` is filled with its metrics.

    Raises UserError where XGBoost blames the data or the hyperparameters, AlgorithmError for anything else.
    """
    start, done = rounds.latest_checkpoint(place.checkpoints)
    if start is not None:
        logger.info("Checkpoint loaded from %s", start)
        logger.info("Resuming from iteration %d", done)
    plan = _plan(settings, place, done, watches=validation is not None)
    watched = [(train, "train")] + ([(validation, "validation")] if validation is not None else [])
    try:
        return xgboost.train(
            settings.parameters,
            train,
            num_boost_round=settings.rounds - done,
            evals=watched,
            callbacks=rounds.callbacks(plan),
            xgb_model=str(start) if start else None,
            evals_result=scores,
            verbose_eval=False,
            **{EVALUATION: settings.evaluated.added},
        )
    except (xgboost.core.XGBoostError, ValueError, TypeError) as error:
        if any(text in str(error) for text in _USERS_ERRORS):
            raise UserError(str(error)) from error
        logger.info("%s", error)
        raise AlgorithmError(f"XGB train call failed with exception:\n {_told(error)}") from None


def _told(error: Exception) -> str:
    """Without the library's own frames, whose length would cut the message out of FailureReason."""
    return str(error).partition("\nStack trace:")[0]


def _plan(settings: Settings, place: Place, done: int, *, watches: bool) -> Plan:
    keep = settings.keep_on_termination and place.is_master
    if settings.keep_on_termination:
        _end_with_the_saved_model(place)
    return Plan(
        reports=place.is_master,
        model=place.model if keep else None,
        checkpoints=place.checkpoints if place.is_master else None,
        first_round=done,
        stop_after=settings.stop_after if watches else None,
        stop_metric=settings.stop_metric,
    )


def _end_with_the_saved_model(place: Place) -> None:
    """A stopped job keeps the model of its last whole round, and nothing half-written."""

    def end(_number: int, _frame: object) -> None:
        folder = place.model.parent
        for entry in folder.iterdir() if place.is_master and folder.is_dir() else ():
            if entry.is_file() and not entry.name.startswith(MODEL):
                entry.unlink()
        os._exit(0)

    signal.signal(signal.SIGTERM, end)
