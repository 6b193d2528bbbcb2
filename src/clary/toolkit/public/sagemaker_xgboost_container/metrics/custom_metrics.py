"""The metrics that the container adds to XGBoost's own, for a script's `xgboost.train`."""

from __future__ import annotations

from typing import List

from clary.algorithms.xgboost.metrics import Evaluation, added_names, evaluation


def get_custom_metrics(eval_metrics: List[str]) -> List[str]:
    """Those of the names that XGBoost itself does not compute."""
    return added_names(eval_metrics)


def configure_feval(custom_metric_list: List[str]) -> Evaluation:
    """For `feval` (`custom_metric` from XGBoost 2.1 on)."""
    return evaluation(custom_metric_list, "")
