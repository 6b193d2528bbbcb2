"""Validated hyperparameters, told apart: XGBoost's own, and those that the container itself acts upon."""

from __future__ import annotations

from typing import Any, Dict, List, Mapping, NamedTuple, Optional

from clary.algorithms.xgboost import hyperparameters
from clary.algorithms.xgboost.metrics import Evaluated, evaluated
from clary.toolkit.environment import TrainingEnvironment

_PREFIX = "sagemaker_"
"""What SDKs add for themselves."""

_AS_TEXT = ("monotone_constraints", "interaction_constraints")
"""XGBoost takes them by column number only as text: from 1.5 on, lists and tuples mean columns by name."""


class Settings(NamedTuple):
    """How a job boosts."""

    parameters: Dict[str, Any]
    """Those for xgboost.train."""
    rounds: int
    evaluated: Evaluated
    weights: bool
    """The second column of CSV holds each row's weight."""
    stop_after: Optional[int]
    """Rounds without a better score on `validation`."""
    stop_metric: Optional[str]
    keep_on_termination: bool
    folds: Optional[int]
    repeats: int
    dask: bool


def read(environment: TrainingEnvironment) -> Settings:
    """The job's settings. Raises UserError in AWS's words."""
    raw = environment.layout.read_config("hyperparameters.json")
    given = hyperparameters.validate({name: value for name, value in raw.items() if not name.startswith(_PREFIX)})
    return _told_apart(given)


def _told_apart(given: Dict[str, Any]) -> Settings:
    wanted: Optional[List[str]] = given.pop("eval_metric", None)
    chosen = evaluated(given.pop("_tuning_objective_metric", None), wanted, str(given.get("objective", "")))
    return Settings(
        rounds=given.pop("num_round"),
        evaluated=chosen,
        weights=given.pop("csv_weights", 0) == 1,
        stop_after=given.pop("early_stopping_rounds", None),
        stop_metric=_last(chosen.tuned) or _last(wanted),
        keep_on_termination=given.pop("save_model_on_termination", "false") == "true",
        folds=given.pop("_kfold", None),
        repeats=given.pop("_num_cv_round", 1),
        dask=given.pop("use_dask_gpu_training", "false") == "true",
        parameters=_for_xgboost(given, chosen),
    )


def _last(names: Optional[List[str]]) -> Optional[str]:
    return names[-1] if names else None


def _for_xgboost(given: Mapping[str, Any], chosen: Evaluated) -> Dict[str, Any]:
    parameters = dict(given)
    if chosen.builtin:
        parameters["eval_metric"] = chosen.builtin
    if "updater" in parameters:
        parameters["updater"] = ",".join(parameters["updater"])
    for name in _AS_TEXT:
        if name in parameters:
            parameters[name] = str(parameters[name])
    return parameters
