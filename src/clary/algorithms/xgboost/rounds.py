"""What happens at the end of each boosting round: the log line, checkpoints, the model saved for an early end.

XGBoost 1.3 changed callbacks from functions to classes; images before it have the old ones.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any, Callable, List, NamedTuple, Optional, Tuple

import xgboost

from clary.algorithms.xgboost.names import MAXIMIZED

Booster = Any
"""An xgboost.Booster."""
Callback = Any
Scores = Any
"""What XGBoost hands to callbacks: values by data set and metric."""

CHECKPOINT = "xgboost-checkpoint"
_KEPT = 5
_NOT_UPLOADED = ".sagemaker-ignore"
_TAB = "#011"
"""How a tab reaches the log on AWS; the metric definitions look for it."""

_CLASSES = hasattr(xgboost.callback, "TrainingCallback")


class Plan(NamedTuple):
    """What to do after each round."""

    reports: bool = True
    """Print the metrics: of several hosts, only the one that keeps the model does."""
    model: Optional[Path] = None
    """Save the model there, so that a job that is stopped has one."""
    checkpoints: Optional[Path] = None
    first_round: int = 0
    """Rounds that an earlier run has done already."""
    stop_after: Optional[int] = None
    """Rounds without a better score on `validation`."""
    stop_metric: Optional[str] = None


class Round(NamedTuple):
    """One round's end."""

    booster: Booster
    number: int
    scores: List[Tuple[str, float]]
    """`train-rmse` → value."""


Action = Callable[[Round], None]


def callbacks(plan: Plan) -> List[Callback]:
    """For xgboost.train."""
    actions: List[Action] = [_reporting(plan.first_round)] if plan.reports else []
    if plan.model is not None:
        actions.append(lambda done: _replace(plan.model, done.booster))
    if plan.checkpoints is not None:
        actions.append(lambda done: _checkpoint(plan.checkpoints, plan.first_round + done.number, done.booster))
    wrapped = [_as_callback(actions)] if actions else []
    if plan.stop_after and plan.stop_metric:
        wrapped.append(_early_stop(plan.stop_after, plan.stop_metric))
    return wrapped


def _reporting(first_round: int) -> Action:
    return lambda done: report(done._replace(number=first_round + done.number))


def report(done: Round) -> None:
    """`[0]#011train-rmse:8.09743#011validation-rmse:7.96`, as it stands in AWS's log."""
    scores = "".join(f"{_TAB}{name}:{_number(value)}" for name, value in done.scores)
    sys.stdout.write(f"[{done.number}]{scores}\n")
    sys.stdout.flush()


def _number(value: float) -> str:
    return f"{value:.5f}" if _CLASSES else f"{value:g}"


def _replace(path: Optional[Path], booster: Booster) -> None:
    """Write beside, then rename: whoever looks finds a whole model. The suffix is one that AWS never uploads."""
    if path is None:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f".{path.name}{_NOT_UPLOADED}")
    fresh.write_bytes(booster.save_raw())
    fresh.replace(path)


def _checkpoint(folder: Optional[Path], number: int, booster: Booster) -> None:
    if folder is None:
        return
    _replace(folder / f"{CHECKPOINT}.{number}", booster)
    old = folder / f"{CHECKPOINT}.{number - _KEPT}"
    if old.exists():
        old.unlink()


def latest_checkpoint(folder: Optional[Path]) -> Tuple[Optional[Path], int]:
    """The newest checkpoint and how many rounds it holds; (None, 0) where there is none."""
    if folder is None or not folder.is_dir():
        return None, 0
    numbers = [re.fullmatch(rf"{CHECKPOINT}\.(\d+)", entry.name) for entry in folder.iterdir()]
    rounds = [int(found.group(1)) for found in numbers if found]
    return (folder / f"{CHECKPOINT}.{max(rounds)}", max(rounds) + 1) if rounds else (None, 0)


def _as_callback(actions: List[Action]) -> Callback:
    return _class_callback(actions) if _CLASSES else _function_callback(actions)


def _class_callback(actions: List[Action]) -> Callback:
    class AfterRound(xgboost.callback.TrainingCallback):  # type: ignore[misc]
        """XGBoost 1.3 and later."""

        def after_iteration(self, model: Booster, epoch: int, evals_log: Scores) -> bool:
            scores = [
                (f"{data}-{name}", _last(values))
                for data, metrics in evals_log.items()
                for name, values in metrics.items()
            ]
            for action in actions:
                action(Round(model, epoch, scores))
            return False

    return AfterRound()


def _last(values: Scores) -> float:
    return float(values[-1][0] if isinstance(values[-1], tuple) else values[-1])


def _function_callback(actions: List[Action]) -> Callback:
    def after_round(env: Scores) -> None:
        for action in actions:
            action(Round(env.model, env.iteration, [(name, value) for name, value, *_ in env.evaluation_result_list]))

    return after_round


def _early_stop(rounds: int, metric: str) -> Callback:
    maximize = metric.partition("@")[0] in MAXIMIZED
    if not _CLASSES:
        return xgboost.callback.early_stop(rounds, maximize=maximize, verbose=True)
    return xgboost.callback.EarlyStopping(
        rounds=rounds, data_name="validation", metric_name=metric, maximize=maximize, save_best=True
    )
