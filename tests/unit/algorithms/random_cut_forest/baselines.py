"""Writes data sets as CSV, and what scikit-learn's IsolationForest reaches on them: `baselines.py FOLDER`.

Tumors: scikit-learn's breast cancer data, all benign ones and 20 malignant. Spikes: a sine with noise, in windows of 48
steps, as AWS's notebook of New York's taxis makes them; windows that hold a spike are anomalous.
"""

import json
import sys
from pathlib import Path

import numpy as np
from sklearn.datasets import load_breast_cancer
from sklearn.ensemble import IsolationForest
from sklearn.metrics import roc_auc_score

WINDOW = 48


def tumors():
    found = load_breast_cancer()
    kept = np.concatenate([np.flatnonzero(found.target == 1), np.flatnonzero(found.target == 0)[:20]])
    return found.data[kept], found.target[kept] == 0


def spikes():
    draw = np.random.default_rng(5)
    steps = np.arange(3000)
    values = 50 * np.sin(steps * 2 * np.pi / 100) + draw.normal(size=len(steps))
    at = draw.choice(len(steps) - WINDOW, 8, replace=False)
    values[at] += 70 * draw.choice([-1, 1], len(at))
    windows = np.lib.stride_tricks.sliding_window_view(values, WINDOW)
    return windows, np.asarray([((at >= start) & (at < start + WINDOW)).any() for start in range(len(windows))])


def reached(values, anomalous):
    """ROC-AUC of five seeds."""
    forests = [IsolationForest(random_state=seed).fit(values) for seed in range(5)]
    return [roc_auc_score(anomalous, -forest.score_samples(values)) for forest in forests]


def main(folder):
    scores = {}
    for name, (values, anomalous) in {"tumors": tumors(), "spikes": spikes()}.items():
        np.savetxt(folder / f"{name}.csv", values, delimiter=",", fmt="%.8g")
        auc = reached(values, anomalous)
        scores[name] = {"features": values.shape[1], "auc": auc, "anomalous": anomalous.tolist()}
    (folder / "scores.json").write_text(json.dumps(scores))


main(Path(sys.argv[1]))
