"""Writes real data sets of scikit-learn as CSV, and what it reaches on them itself: `baselines.py FOLDER`."""

import json
import sys
from pathlib import Path

import numpy as np
from sklearn.cluster import KMeans
from sklearn.datasets import load_breast_cancer, load_digits, load_wine
from sklearn.decomposition import PCA

SETS = {"digits": load_digits, "wine": load_wine, "cancer": load_breast_cancer}
K = 10


def scores(values):
    """Mean squared distance of ten single runs of k-means, their median; what ten components explain."""
    found = [KMeans(K, n_init=1, random_state=seed).fit(values).inertia_ / len(values) for seed in range(10)]
    part = PCA(K, svd_solver="full").fit(values)
    return {
        "rows": len(values),
        "features": values.shape[1],
        "msd": float(np.median(found)),
        "explained": float(part.explained_variance_ratio_.sum()),
        "s": part.singular_values_.tolist(),
        "variance": float(((values - values.mean(axis=0)) ** 2).sum()),
        "projection": PCA(K).fit_transform(values)[0].tolist(),
    }


def main(folder):
    found = {}
    for name, load in SETS.items():
        values = load().data
        np.savetxt(folder / f"{name}.csv", values, delimiter=",", fmt="%.8g")
        found[name] = scores(values)
    (folder / "scores.json").write_text(json.dumps(found))


main(Path(sys.argv[1]))
