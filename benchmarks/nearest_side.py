"""The steps of `benchmarks.nearest_neighbours`, each run in an environment of its own: `nearest_side.py STEP FOLDER`.

Prints JSON. Data: 1,000,000 × 50 of float32 and 1,000 queries, `clustered` around 1,000 points or `uniform` in a cube.
"""

from __future__ import annotations

import importlib
import json
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

ROWS, WIDTH, QUERIES, K = 1_000_000, 50, 1000, 10


def data(folder: Path, kind: str) -> dict[str, Any]:
    """Rows and queries, in `folder`."""
    draw = np.random.default_rng(1)
    points = 3 * draw.normal(size=(1000, WIDTH)).astype(np.float32)
    for name, count in (("rows", ROWS), ("queries", QUERIES)):
        if kind == "uniform":
            values = draw.random((count, WIDTH), dtype=np.float32)
        else:
            values = draw.standard_normal((count, WIDTH), dtype=np.float32) + points[draw.integers(0, 1000, count)]
        np.save(folder / f"{kind}-{name}.npy", values)
    return {}


def reference(folder: Path, kind: str) -> dict[str, Any]:
    """scikit-learn's brute force; its answers are the truth."""
    neighbors = importlib.import_module("sklearn.neighbors")
    rows, queries = np.load(folder / f"{kind}-rows.npy"), np.load(folder / f"{kind}-queries.npy")
    found = neighbors.NearestNeighbors(n_neighbors=K, algorithm="brute", n_jobs=-1).fit(rows)
    found.kneighbors(queries[:10])
    begun = time.perf_counter()
    places = found.kneighbors(queries, return_distance=False)
    seconds = time.perf_counter() - begun
    np.save(folder / f"{kind}-truth.npy", places)
    return {"seconds": seconds}


def ours(folder: Path, kind: str, index: str) -> dict[str, Any]:
    """Our search, as an endpoint does it, and how many of the true neighbours it finds."""
    knn = importlib.import_module("clary.algorithms.knn")
    rows, queries = np.load(folder / f"{kind}-rows.npy"), np.load(folder / f"{kind}-queries.npy")
    given = {"feature_dim": WIDTH, "k": K, "predictor_type": "regressor", "sample_size": ROWS, "index_type": index}
    begun = time.perf_counter()
    model = knn.build(knn.ALGORITHM.parse(given), knn.Sample(rows, np.zeros(ROWS, np.float32)))
    built = time.perf_counter() - begun
    model.nearest(queries[:10])
    begun = time.perf_counter()
    places = model.nearest(queries).places
    seconds = time.perf_counter() - begun
    truth = np.load(folder / f"{kind}-truth.npy")
    hits = [len(np.intersect1d(some, all_)) for some, all_ in zip(places, truth, strict=True)]
    return {"seconds": seconds, "built": built, "recall": sum(hits) / truth.size, "lists": model.probes}


STEPS = {"data": data, "reference": reference, "ours": ours}

if __name__ == "__main__":
    print(json.dumps(STEPS[sys.argv[1]](Path(sys.argv[2]), *sys.argv[3:])))
