"""Fit the three models and write them with rows and what is right for them: `python fit.py CSV COUNT FOLDER`.

Rows are drawn column by column from the records, so that they are distinct and as likely as those.
"""

from __future__ import annotations

import importlib.util
import json
import sys
from collections.abc import Iterable
from pathlib import Path

import joblib
import numpy as np
import xgboost
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from benchmarks.serving.programs.predicting import Predict, load

SCRIPT = Path(__file__).parents[3] / "examples" / "heart_failure" / "script" / "train.py"
TREES = 100
NEAR = 1e-6


def main() -> None:
    source, count, folder = Path(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3])
    records = np.genfromtxt(source, delimiter=",", skip_header=1)
    records = records[~np.isnan(records).any(axis=1)]
    features, died = records[:, :-1], records[:, -1].astype(int)
    fit(features, died, folder)
    models = load(folder)
    rows = clear(drawn(features, 2 * count), models.values())[:count]
    (folder / "rows.csv").write_text("".join(",".join(map(repr, row)) + "\n" for row in rows.tolist()))
    right = {name: predict(rows).tolist() for name, predict in models.items()}
    (folder / "right.json").write_text(json.dumps(right))


def fit(features: np.ndarray, died: np.ndarray, folder: Path) -> None:
    voting = heart_failure().model(TREES).fit(features, died).best_estimator_
    joblib.dump(voting, folder / "voting.joblib")
    logistic = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000)).fit(features, died)
    joblib.dump(logistic, folder / "logistic.joblib")
    xgboost.XGBClassifier(n_estimators=100, max_depth=4).fit(features, died).save_model(folder / "xgboost.ubj")


def heart_failure():
    """The example's own script."""
    spec = importlib.util.spec_from_file_location("heart_failure", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def drawn(features: np.ndarray, count: int) -> np.ndarray:
    """`count` distinct rows."""
    random = np.random.default_rng(0)
    many = np.column_stack([random.choice(column, 2 * count) for column in features.T])
    return np.unique(many, axis=0)[random.permutation(count)]


def clear(rows: np.ndarray, models: Iterable[Predict]) -> np.ndarray:
    """Those that no model sees otherwise in single precision, in which AWS's scikit-learn container reads text: a value
    beside the threshold of a tree may change sides."""
    same = np.ones(len(rows), dtype=bool)
    for predict in models:
        same &= np.abs(predict(rows) - predict(rows.astype(np.float32))) < NEAR
    return rows[same]


if __name__ == "__main__":
    main()
