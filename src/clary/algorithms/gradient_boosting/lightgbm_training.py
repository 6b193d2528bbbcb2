"""LightGBM (https://lightgbm.readthedocs.io/en/v4.6.0/Parameters.html), on one host or several.

Several hosts train one model by LightGBM's own network: each has a part of the rows, all find the splits together
(https://lightgbm.readthedocs.io/en/v4.6.0/Parallel-Learning-Guide.html).
"""

from __future__ import annotations

import signal
import socket
from typing import Any, Callable, Dict, List, Mapping

import joblib
import lightgbm
import numpy as np

from clary.algorithms.base.hyperparameters import Hyperparameters
from clary.algorithms.base.schema import AUTO
from clary.algorithms.gradient_boosting import hyperparameters
from clary.algorithms.gradient_boosting.job import Work, logger
from clary.algorithms.gradient_boosting.models import LIGHTGBM_PICKLE, LIGHTGBM_TEXT
from clary.algorithms.gradient_boosting.problems import Problem
from clary.algorithms.gradient_boosting.tables import Table
from clary.toolkit.errors import UserError

Booster = Any
Callback = Callable[[Any], None]

_PORT = 27900
_MINUTES = 10
"""How long a host waits for another one in the network."""
_OURS = frozenset({"num_boost_round", "early_stopping_rounds", "metric", "use_dask"})
"""Those that are not LightGBM's own parameters, or not as they are."""
_BINARY_ONLY = frozenset({"is_unbalance", "scale_pos_weight"})


class LightGBM:
    """Trains; AWS's `model.pkl`, which its pages load with joblib, stands beside LightGBM's own text."""

    several_hosts = True

    def parse(self, given: Mapping[str, Any]) -> Hyperparameters:
        """Raises ValidationError."""
        return hyperparameters.lightgbm(given)

    def train(self, work: Work) -> None:
        """Raises UserError."""
        try:
            booster = _trained(work)
        except lightgbm.basic.LightGBMError as error:
            raise UserError(f"LightGBM cannot train: {error}") from error
        if work.peers.first:
            booster.save_model(str(work.model / LIGHTGBM_TEXT), num_iteration=booster.best_iteration)
            joblib.dump(booster, str(work.model / LIGHTGBM_PICKLE))


TRAINER = LightGBM()


def parameters(given: Hyperparameters, problem: Problem) -> Dict[str, Any]:
    """As `lightgbm.train` takes them."""
    own = {name: given.values[name] for name in hyperparameters.LIGHTGBM if name not in _OURS}
    if not problem.binary:
        own = {name: value for name, value in own.items() if name not in _BINARY_ONLY}
    metric = given.word("metric")
    if problem.classes == 0:
        return {**own, "objective": "regression", "metric": "rmse" if metric == AUTO else metric}
    if problem.binary:
        return {**own, "objective": "binary", "metric": "binary_logloss" if metric == AUTO else metric}
    chosen = "multi_logloss" if metric == AUTO else metric
    return {**own, "objective": "multiclass", "num_class": problem.classes, "metric": chosen}


def _trained(work: Work) -> Booster:
    given, data = work.given, work.data
    training, network = (_part(work), _network(work)) if work.peers.several else (data.training, {})
    settings = {**parameters(given, work.problem), **network}
    columns = list(data.categorical) or "auto"
    learned = _dataset(training, settings, categorical_feature=columns)
    judged = _dataset(data.validation, settings, categorical_feature=columns, reference=learned)
    return lightgbm.train(
        settings,
        learned,
        num_boost_round=given.whole("num_boost_round"),
        valid_sets=[judged],
        valid_names=["validation"],
        callbacks=_callbacks(work),
    )


def _dataset(table: Table, settings: Mapping[str, Any], **options: Any) -> Any:  # noqa: ANN401 - LightGBM's own
    return lightgbm.Dataset(table.features, label=table.targets, params=dict(settings), **options)


def _callbacks(work: Work) -> List[Callback]:
    """Lines for the log, early stopping, and the end that StopTrainingJob asks for."""
    rounds = work.given.whole("early_stopping_rounds")
    found: List[Callback] = [_tell] if work.peers.first else []
    if rounds > 0 and work.given.word("boosting") != "dart":
        if work.peers.several and not work.data.whole:
            logger.info("No early stopping: each host validates with its own part of the data.")
        else:
            found.append(lightgbm.early_stopping(rounds, verbose=work.peers.first))
    if not work.peers.several:
        found.append(_Stop())
    return found


def _tell(env: Any) -> None:  # noqa: ANN401 - LightGBM's own
    """`[3]	validation's rmse: 4.25`, as metric definitions read it: no exponents."""
    for data, metric, value, *_ in env.evaluation_result_list or ():
        shown = np.format_float_positional(value, precision=10, trim="-")
        print(f"[{env.iteration + 1}]\t{data}'s {metric}: {shown}")  # noqa: T201 - the log


class _Stop:
    """Ends training after SIGTERM: the model so far is kept."""

    order = 40

    def __init__(self) -> None:
        self._asked = False
        signal.signal(signal.SIGTERM, self._ask)

    def _ask(self, _number: int, _frame: object) -> None:
        self._asked = True

    def __call__(self, env: Any) -> None:  # noqa: ANN401 - LightGBM's own
        if self._asked:
            logger.info("Training is stopped after %d rounds.", env.iteration + 1)
            raise lightgbm.callback.EarlyStopException(env.iteration, env.evaluation_result_list)


def _part(work: Work) -> Table:
    """This host's rows: where each host has all of them, every so many-th."""
    table = work.data.training
    if not work.data.whole:
        return table
    ordered = _ordered(work)
    return table.taken(np.arange(ordered.index(str(work.names["current_host"])), len(table.targets), len(ordered)))


def _network(work: Work) -> Dict[str, Any]:
    """Who takes part, and where: LightGBM finds this host's place by its address."""
    machines = ",".join(f"{socket.gethostbyname(host)}:{_PORT}" for host in _ordered(work))
    learner = work.given.word("tree_learner")
    return {
        "machines": machines,
        "num_machines": len(work.names["hosts"]),
        "local_listen_port": _PORT,
        "time_out": _MINUTES,
        "tree_learner": "data" if learner == "serial" else learner,
        "pre_partition": True,
    }


def _ordered(work: Work) -> List[str]:
    return sorted(map(str, work.names["hosts"]), key=lambda host: (len(host), host))
