"""Names that training, tuning and serving share."""

from __future__ import annotations

MODEL = "xgboost-model"
"""The artifact's file; cross validation writes `xgboost-model-0`, `-1`, …"""

_PICKLED = ("", "1", "0.90-1", "0.90-2", "1.0-1", "1.2-1", "1.2-2")
_COMMAS = ("", "1", "0.90-1", "0.90-2", "1.0-1", "1.2-1")


def writes_pickles(image: str) -> bool:
    """Whether that image's artifact is a pickled booster; later ones have XGBoost's own format."""
    return image in _PICKLED


def answers_with_commas(image: str) -> bool:
    """Whether that image joins the values of a real-time answer by commas; later ones write one a line."""
    return image in _COMMAS


def hosts_scripts(image: str) -> bool:
    """Whether that image serves a user's script; the first one answers as the algorithm whatever its environment
    names."""
    return image != "1"


MAXIMIZED = (
    *("accuracy", "auc", "aucpr", "balanced_accuracy", "f1", "f1_binary", "f1_macro", "map", "ndcg", "precision"),
    *("r2", "recall", "precision_macro", "precision_micro", "recall_macro", "recall_micro"),
)
MINIMIZED = (
    *("aft-nloglik", "cox-nloglik", "error", "gamma-deviance", "gamma-nloglik", "interval-regression-accuracy"),
    *("logloss", "mae", "mape", "merror", "mlogloss", "mphe", "mse", "poisson-nloglik", "rmse", "rmsle"),
    "tweedie-nloglik",
)
