"""CatBoost (https://catboost.ai/docs/en/references/training-parameters/), on one host."""

from __future__ import annotations

from typing import Any, Dict, Mapping

import catboost

from clary.algorithms.base.hyperparameters import Hyperparameters
from clary.algorithms.base.schema import AUTO
from clary.algorithms.gradient_boosting import hyperparameters
from clary.algorithms.gradient_boosting.hyperparameters import SPELLING
from clary.algorithms.gradient_boosting.job import Work
from clary.algorithms.gradient_boosting.models import CATBOOST_FILE
from clary.algorithms.gradient_boosting.problems import Problem
from clary.algorithms.gradient_boosting.tables import Table
from clary.toolkit.errors import UserError

_AS_THEY_ARE = (
    *("iterations", "learning_rate", "depth", "l2_leaf_reg", "random_strength", "rsm", "random_seed", "thread_count"),
    "verbose",
)


class CatBoost:
    """Trains, and saves the model in CatBoost's own format."""

    several_hosts = False

    def parse(self, given: Mapping[str, Any]) -> Hyperparameters:
        """Raises ValidationError."""
        return hyperparameters.catboost(given)

    def train(self, work: Work) -> None:
        """Raises UserError."""
        columns = list(work.data.categorical)
        try:
            model = catboost.CatBoost(parameters(work.given, work.problem))
            model.fit(_pool(work.data.training, columns), eval_set=_pool(work.data.validation, columns))
        except catboost.CatBoostError as error:
            raise UserError(f"CatBoost cannot train: {error}") from error
        model.save_model(str(work.model / CATBOOST_FILE))


TRAINER = CatBoost()


def parameters(given: Hyperparameters, problem: Problem) -> Dict[str, Any]:
    """As `catboost.CatBoost` takes them; it refuses many that another one makes meaningless, so they are left out."""
    found: Dict[str, Any] = {name: given.values[name] for name in _AS_THEY_ARE}
    found.update(_goal(given, problem), **_trees(given))
    if given.whole("early_stopping_rounds") > 0:
        found["early_stopping_rounds"] = given.whole("early_stopping_rounds")
    if given.number("bagging_temperature") != 1:
        found.update(bootstrap_type="Bayesian", bagging_temperature=given.number("bagging_temperature"))
    if given.word("boosting_type") != AUTO:
        found["boosting_type"] = SPELLING[given.word("boosting_type")]
    if given.values["max_bin"] != AUTO:
        found["max_bin"] = given.whole("max_bin")
    return {**found, "allow_writing_files": False}


def _goal(given: Hyperparameters, problem: Problem) -> Dict[str, Any]:
    """What is minimised, and what is shown."""
    metric = given.word("eval_metric")
    chosen = {} if metric.lower() == AUTO else {"eval_metric": metric}
    if problem.classes == 0:
        return {"loss_function": "RMSE", "eval_metric": "RMSE", **chosen}
    if not problem.binary:
        return {"loss_function": "MultiClass", "eval_metric": "MultiClass", **chosen}
    weight = given.number("scale_pos_weight")
    goal = {"loss_function": "Logloss", "eval_metric": "AUC", **chosen}
    return {**goal, "scale_pos_weight": weight} if weight != 1 else goal


def _trees(given: Hyperparameters) -> Dict[str, Any]:
    policy = SPELLING[given.word("grow_policy")]
    found: Dict[str, Any] = {"grow_policy": policy}
    if policy == "Lossguide":
        return {**found, "max_leaves": given.whole("max_leaves"), "min_data_in_leaf": given.whole("min_data_in_leaf")}
    found["sampling_frequency"] = SPELLING[given.word("sampling_frequency")]
    if policy == "Depthwise":
        found["min_data_in_leaf"] = given.whole("min_data_in_leaf")
    return found


def _pool(table: Table, columns: Any) -> Any:  # noqa: ANN401 - CatBoost's own
    return catboost.Pool(table.features, table.targets, cat_features=columns)
