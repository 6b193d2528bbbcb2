"""One training job of built-in XGBoost: what is asked for, the data, the boosting, the artifacts."""

from __future__ import annotations

import inspect
import logging
import os
import pickle
import signal
from pathlib import Path
from typing import Any, Dict, Iterator, List, Mapping, NamedTuple, Optional, Tuple

import numpy as np
import xgboost
from sklearn.model_selection import RepeatedKFold, RepeatedStratifiedKFold

from clary.algorithms.xgboost import data, hyperparameters, rounds
from clary.algorithms.xgboost.metrics import Evaluated, evaluated
from clary.algorithms.xgboost.names import MODEL
from clary.algorithms.xgboost.rounds import Plan
from clary.toolkit.environment import TrainingEnvironment
from clary.toolkit.errors import AlgorithmError, UserError
from clary.toolkit.layout import Layout

logger = logging.getLogger(__name__)

Matrix = Any
Booster = Any
Array = Any

_PICKLED = ("1", "0.90-1", "0.90-2", "1.0-1", "1.2-1", "1.2-2")
"""Images whose artifact is a pickled booster; later ones have XGBoost's own format."""

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


class Job(NamedTuple):
    """What is trained on what."""

    parameters: Dict[str, Any]
    """Those for xgboost.train."""
    rounds: int
    evaluated: Evaluated
    train: Matrix
    validation: Optional[Matrix]
    plan: Plan


def train(environment: TrainingEnvironment, image: str) -> None:
    """Train as the contract's files say and write the model. Raises UserError or AlgorithmError."""
    layout = environment.layout
    given = hyperparameters.validate(_given(environment))
    data.check_channels(environment.channels)
    train_files, validation_files = _files(environment)
    kind = data.kind_of(environment.channels["train"].get("ContentType"))
    weights = given.pop("csv_weights", 0) == 1
    train_matrix = data.read_matrix(train_files, kind, weights=weights)
    validation = data.read_matrix(validation_files, kind, weights=weights) if validation_files else None
    logger.info("Single node training.")
    logger.info("Train matrix has %d rows and %d columns", train_matrix.num_row(), train_matrix.num_col())
    if validation is not None:
        logger.info("Validation matrix has %d rows", validation.num_row())
    folds, repeats = given.pop("_kfold", None), given.pop("_num_cv_round", 1)
    layout.model.mkdir(parents=True, exist_ok=True)
    job = _job(given, train_matrix, validation, layout)
    if folds is None:
        boosters = [_boost(job, layout)]
    else:
        files = data.Files([*train_files.paths, *(validation_files.paths if validation_files else ())], 0)
        whole = data.read_matrix(files, kind, weights=weights)
        boosters = _cross_validate(job, whole, folds, repeats, layout)
    _save(boosters, layout.model, pickled=image in _PICKLED, several=folds is not None)


def _given(environment: TrainingEnvironment) -> Mapping[str, str]:
    """As CreateTrainingJob has them: not decoded, and without what SDKs add for themselves."""
    raw = environment.layout.read_config("hyperparameters.json")
    return {name: value for name, value in raw.items() if not name.startswith("sagemaker_")}


def _files(environment: TrainingEnvironment) -> Tuple[data.Files, Optional[data.Files]]:
    folder = environment.layout.data
    train_files = _present(folder / "train", "training")
    if "validation" not in environment.channels:
        return train_files, None
    validation = _present(folder / "validation", "validation")
    data.warn_of_copies(train_files, validation)
    return train_files, validation


def _present(folder: Path, name: str) -> data.Files:
    files = data.files_in(folder)
    if not files.paths or not files.size:
        raise UserError(f"No data in {name} channel path {folder}")
    return files


def _job(given: Dict[str, Any], train_matrix: Matrix, validation: Optional[Matrix], layout: Layout) -> Job:
    parameters = dict(given)
    number = parameters.pop("num_round")
    parameters.pop("use_dask_gpu_training", None)
    keep = parameters.pop("save_model_on_termination", "false") == "true"
    wanted = parameters.pop("eval_metric", None)
    raw = _MARGINS or parameters.get("objective") == "binary:logitraw"
    chosen = evaluated(parameters.pop("_tuning_objective_metric", None), wanted, 0.0 if raw else 0.5)
    if chosen.builtin:
        parameters["eval_metric"] = chosen.builtin
    if "updater" in parameters:
        parameters["updater"] = ",".join(parameters["updater"])
    stop_metric = (chosen.tuned or wanted or [None])[-1] if validation is not None else None
    plan = Plan(
        model=layout.model / MODEL if keep else None,
        checkpoints=_checkpoints(layout),
        stop_after=parameters.pop("early_stopping_rounds", None),
        stop_metric=stop_metric,
    )
    return Job(parameters, number, chosen, train_matrix, validation, plan)


def _checkpoints(layout: Layout) -> Optional[Path]:
    path = layout.read_config("checkpointconfig.json").get("LocalPath")
    return Path(path) if path else None


def _boost(job: Job, layout: Layout) -> Booster:
    if job.plan.model is not None:
        _end_with_the_saved_model(layout)
    model, done = rounds.latest_checkpoint(job.plan.checkpoints)
    if model is not None:
        logger.info("Checkpoint loaded from %s", model)
        logger.info("Resuming from iteration %d", done)
    plan = job.plan._replace(first_round=done)
    watched = [(job.train, "train")] + ([(job.validation, "validation")] if job.validation is not None else [])
    return _call(job, job.train, job.rounds - done, watched, plan, str(model) if model else None, {})


def _call(
    job: Job,
    matrix: Matrix,
    number: int,
    watched: List[Tuple[Matrix, str]],
    plan: Plan,
    start: Optional[str],
    scores: Dict[str, Dict[str, List[float]]],
) -> Booster:
    try:
        return xgboost.train(
            job.parameters,
            matrix,
            num_boost_round=number,
            evals=watched,
            callbacks=rounds.callbacks(plan),
            xgb_model=start,
            evals_result=scores,
            verbose_eval=False,
            **{_EVALUATION: job.evaluated.added},
        )
    except (xgboost.core.XGBoostError, ValueError, TypeError) as error:
        if any(text in str(error) for text in _USERS_ERRORS):
            raise UserError(str(error)) from error
        raise AlgorithmError(f"XGB train call failed with exception:\n {error}") from error


_EVALUATION = "feval" if "feval" in inspect.signature(xgboost.train).parameters else "custom_metric"
_MARGINS = _EVALUATION == "feval" and tuple(int(part) for part in xgboost.__version__.split(".")[:2]) >= (1, 2)
"""Whether metrics see raw margins: `feval` since 1.2; before, and as `custom_metric`, they see transformed values."""


def _end_with_the_saved_model(layout: Layout) -> None:
    """A stopped job keeps the model of its last whole round, and nothing half-written."""

    def end(_number: int, _frame: object) -> None:
        for entry in layout.model.iterdir():
            if entry.is_file() and not entry.name.startswith(MODEL):
                entry.unlink()
        os._exit(0)

    signal.signal(signal.SIGTERM, end)


def _cross_validate(job: Job, whole: Matrix, folds: int, repeats: int, layout: Layout) -> List[Booster]:
    """k-fold cross validation, repeated: every fold's model is kept, predictions go to `predictions.csv`."""
    logger.info("Run %d-round of %d-fold cross validation with %d rows", repeats, folds, whole.num_row())
    classes = _classifies(job.parameters)
    outcome = _Predictions(whole.get_label(), repeats, classes)
    boosters: List[Booster] = []
    results: List[Dict[str, Dict[str, List[float]]]] = []
    for train_rows, validation_rows in _splits(whole, folds, repeats, classes):
        fold = whole.slice(train_rows), whole.slice(validation_rows)
        watched = [(fold[0], "train"), (fold[1], "validation")]
        scores: Dict[str, Dict[str, List[float]]] = {}
        logger.info("Train cross validation fold %d", len(boosters) % folds + 1)
        plan = Plan(stop_after=job.plan.stop_after, stop_metric=job.plan.stop_metric)
        boosters.append(_call(job, fold[0], job.rounds, watched, plan, None, scores))
        results.append(scores)
        outcome.record(validation_rows, boosters[-1].predict(fold[1]))
        if len(boosters) % folds == 0:
            _report_mean(job.rounds, results[-folds:])
    outcome.save(layout.output_data)
    if repeats > 1:
        _report_mean(job.rounds, results)
    return boosters


def _classifies(parameters: Mapping[str, Any]) -> bool:
    return bool(parameters.get("num_class")) or str(parameters.get("objective", "")).startswith("binary:")


def _splits(whole: Matrix, folds: int, repeats: int, classes: bool) -> Iterator[Tuple[Any, Any]]:
    splitter = RepeatedStratifiedKFold if classes else RepeatedKFold
    rows = np.arange(whole.num_row())
    return iter(splitter(n_splits=folds, n_repeats=repeats).split(rows, whole.get_label() if classes else None))


def _report_mean(number: int, results: List[Dict[str, Dict[str, List[float]]]]) -> None:
    names = [(source, metric) for metric in results[0]["train"] for source in results[0]]
    scores = [
        (f"{source}-{metric}", float(np.mean([result[source][metric][-1] for result in results])))
        for source, metric in names
    ]
    rounds.report(rounds.Round(None, number, scores))


class _Predictions:
    """Predictions of every row by the model that had not seen it, over all repetitions."""

    def __init__(self, labels: Array, repeats: int, classes: bool) -> None:
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
        np.savetxt(str(folder / "predictions.csv"), np.vstack(columns).T, delimiter=",", fmt="%f")


def _commonest(values: Array) -> Array:
    found, counts = np.unique(values, return_counts=True)
    return found[counts.argmax()]


def _save(boosters: List[Booster], folder: Path, *, pickled: bool, several: bool) -> None:
    for number, booster in enumerate(boosters):
        path = folder / (f"{MODEL}-{number}" if several else MODEL)
        if pickled:
            path.write_bytes(pickle.dumps(booster, protocol=4))
        else:
            booster.save_model(str(path))
