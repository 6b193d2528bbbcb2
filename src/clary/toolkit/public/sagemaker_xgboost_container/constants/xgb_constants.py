"""Names of the artifact, the channels and the metrics."""

from __future__ import annotations

from clary.algorithms.xgboost.names import MAXIMIZED, MINIMIZED, MODEL

MODEL_NAME = MODEL
TRAIN_CHANNEL = "train"
VAL_CHANNEL = "validation"
XGB_MAXIMIZE_METRICS = list(MAXIMIZED)
XGB_MINIMIZE_METRICS = list(MINIMIZED)
