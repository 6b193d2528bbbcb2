"""One side of `benchmarks.algorithms`, run in an image's environment: makes data, fits, reads, and prints JSON."""

from __future__ import annotations

import importlib
import io
import json
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

Array = Any

FM = "factorization-machines"
SEED = 0
SMALL = 100_000
SCORED = 10_000
"""Rows that anomaly scores are made for, at most."""
ODD = 20
"""Tumors that are malignant."""


def made(name: str) -> Array:
    """Rows of float32: real data of scikit-learn, or a million around 30 points, which is more than are looked for, or
    a million around one.

    Tumors are the benign ones of the cancer data and, last, some malignant ones. Fives are the digits; a last column
    says which are five or more.
    """
    if name == "fives":
        digits = importlib.import_module("sklearn.datasets").load_digits()
        return np.column_stack([digits.data / 16, digits.target >= 5]).astype(np.float32)
    if name == "tumors":
        found = importlib.import_module("sklearn.datasets").load_breast_cancer()
        return np.concatenate([found.data[found.target == 1], found.data[found.target == 0][:ODD]]).astype(np.float32)
    if not name.startswith("million"):
        return getattr(importlib.import_module("sklearn.datasets"), f"load_{DATA[name]}")().data.astype(np.float32)
    draw, width = np.random.default_rng(SEED), 200 if name.endswith("wide") else 20
    points = 2 * draw.normal(size=(30, width))
    rows = draw.standard_normal((1_000_000, width), dtype=np.float32)
    return rows if name.endswith("cloud") else rows + points[draw.integers(30, size=len(rows))].astype(np.float32)


DATA = {"wine": "wine", "cancer": "breast_cancer", "digits": "digits"}


class Known(NamedTuple):
    """Rows (n, d), and their labels (n,) where an algorithm learns from them."""

    rows: Array
    labels: Array = None


def known(repository: str, rows: Array) -> Known:
    """What there is to learn from: the labels are the last column."""
    return Known(rows[:, :-1], rows[:, -1]) if repository == FM else Known(rows)


class InMemory:
    """A job whose data is there already."""

    def __init__(self, algorithm: Any, known: Known, given: Mapping[str, object], folder: Path) -> None:
        examples, hosts, report = (
            importlib.import_module(f"clary.algorithms.base.{name}") for name in ("examples", "hosts", "report")
        )
        self.given = algorithm.parse({name: str(value) for name, value in given.items()})
        self.hosts, self.report, self.model = hosts.Hosts("algo-1"), report.Report("", "algo-1", silent=True), folder
        self.report.phase = self._phase
        self.ended = 0.0
        self._data = {"train": examples.Examples(*known)}

    def _phase(self, _name: str) -> None:
        """The last is over once the model is known: writing it is no part of a fit."""
        self.ended = time.perf_counter()

    def data(self, *_: object) -> Any:
        return self._data

    def stopped(self) -> bool:
        return False


def timed(work: Callable[[], Any]) -> Any:
    begun = time.perf_counter()
    found = work()
    return found, time.perf_counter() - begun


def ours(program: str, repository: str, rows: Array, given: Mapping[str, object]) -> Any:
    """Seconds, and what of the model is judged."""
    module, _, name = program.partition(":")
    algorithm = getattr(importlib.import_module(module), name)
    learned = known(repository, rows)
    full = {"feature_dim": learned.rows.shape[1], **({"mini_batch_size": 5000} if repository == "pca" else {}), **given}
    with tempfile.TemporaryDirectory() as folder:
        job = InMemory(algorithm, learned, full, Path(folder))
        begun = time.perf_counter()
        algorithm.train(job)
        seconds = job.ended - begun
        model = algorithm.load(Path(folder))
    return seconds, JUDGED[repository](model, rows)


JUDGED: Mapping[str, Callable[[Any, Array], Array]] = {
    "kmeans": lambda model, _: model.centers,
    "pca": lambda model, _: model.v.T,
    "randomcutforest": lambda model, rows: model.scores(rows[-SCORED:]),
    FM: lambda model, rows: model.scores(sparse_of(rows[:, :-1])) > 0,
}


def kmeans(rows: Array, given: Mapping[str, Any], seed: int) -> Any:
    """As many starts as `local_lloyd_num_trials=auto` has trials; with a million rows scikit-learn's default, one."""
    starts = 10 if len(rows) <= SMALL else "auto"
    return importlib.import_module("sklearn.cluster").KMeans(given["k"], n_init=starts, random_state=seed)


def pca(_rows: Array, given: Mapping[str, Any], seed: int) -> Any:
    solver = "randomized" if given.get("algorithm_mode") == "randomized" else "auto"
    decomposition = importlib.import_module("sklearn.decomposition")
    return decomposition.PCA(given["num_components"], svd_solver=solver, random_state=seed)


def forest(_rows: Array, given: Mapping[str, Any], seed: int) -> Any:
    """What Random Cut Forest is compared with: as many trees of as many rows."""
    return importlib.import_module("sklearn.ensemble").IsolationForest(
        n_estimators=given["num_trees"], max_samples=given["num_samples_per_tree"], random_state=seed, n_jobs=-1
    )


class MyFM:
    """https://github.com/tohtsky/myFM with its default of a hundred rounds."""

    def __init__(self, given: Mapping[str, Any], seed: int) -> None:
        self._machine = importlib.import_module("myfm").MyFMClassifier(rank=given["num_factors"], random_seed=seed)

    def fit(self, rows: Array) -> None:
        learned = known(FM, rows)
        self._machine.fit(sparse_of(learned.rows), learned.labels > 0, n_iter=100)

    def said(self, rows: Array) -> Array:
        return self._machine.predict(sparse_of(rows[:, :-1]))


def sparse_of(rows: Array) -> Any:
    return importlib.import_module("scipy.sparse").csr_matrix(rows.astype(np.float64))


REFERENCES: Mapping[str, tuple[Callable[..., Any], Callable[[Any, Array], Array]]] = {
    "kmeans": (kmeans, lambda estimator, _: estimator.cluster_centers_),
    "pca": (pca, lambda estimator, _: estimator.components_),
    "randomcutforest": (forest, lambda estimator, rows: -estimator.score_samples(rows[-SCORED:])),
    FM: (lambda _, given, seed: MyFM(given, seed), lambda estimator, rows: estimator.said(rows)),
}


def reference(repository: str, rows: Array, given: Mapping[str, Any], seed: int) -> Any:
    """The same of scikit-learn."""
    make, judged = REFERENCES[repository]
    estimator = make(rows, given, seed)
    _, seconds = timed(lambda: estimator.fit(rows))
    return seconds, judged(estimator, rows)


def msd(rows: Array, centers: Array) -> float:
    """Mean squared distance of rows to the nearest center."""
    total = 0.0
    for start in range(0, len(rows), 10_000):
        part = rows[start : start + 10_000].astype(np.float64)
        nearest = ((centers**2).sum(axis=1) - 2 * part @ centers.T).argmin(axis=1)
        total += float(((part - centers[nearest]) ** 2).sum())
    return total / len(rows)


def unexplained(rows: Array, components: Array) -> float:
    """Which part of the variance the components leave out, and a millionth, so that nothing is divided by zero."""
    mean = rows.mean(axis=0, dtype=np.float64)
    left = whole = 0.0
    for start in range(0, len(rows), 10_000):
        part = rows[start : start + 10_000] - mean
        whole += float((part**2).sum())
        left += float(((part - part @ components.T @ components) ** 2).sum())
    return left / whole + 1e-6


def misplaced(_rows: Array, scores: Array) -> float:
    """How often one of the last rows scores lower than another row, and a hundredth: 1.01 - AUC."""
    high, low = scores[-ODD:, None], scores[:-ODD]
    return 1.01 - float(((high > low) + (high == low) / 2).mean())


LOSSES: Mapping[str, Callable[[Array, Array], float]] = {
    "kmeans": msd,
    "pca": unexplained,
    "randomcutforest": misplaced,
    FM: lambda rows, said: float((said != rows[:, -1]).mean()) + 0.001,
}


def fit(side: str, repository: str, path: str, given: str, seed: str) -> Mapping[str, float]:
    """Milliseconds are those of the best of a few fits: the first also loads what the libraries need."""
    rows, wanted = np.load(path), json.loads(given)
    fits = []
    for _ in range(1 if len(rows) > SMALL else 5):
        if side == "reference":
            fits.append(reference(repository, rows, wanted, int(seed)))
        else:
            fits.append(ours(side, repository, rows, wanted))
    seconds, found = min(fits, key=lambda fit: fit[0])
    return {"seconds": seconds, "loss": LOSSES[repository](rows, np.asarray(found, dtype=np.float64))}


def read(side: str, path: str) -> Mapping[str, float]:
    """CSV with four digits, of a tenth of the rows ten times."""
    file = io.BytesIO()
    np.savetxt(file, np.load(path)[:100_000], fmt="%.4f", delimiter=",")
    data = file.getvalue() * 10
    if side == "reference":
        pandas = importlib.import_module("pandas")
        work: Callable[[], Any] = lambda: pandas.read_csv(io.BytesIO(data), header=None).to_numpy()  # noqa: E731
    else:
        examples = importlib.import_module("clary.algorithms.base.examples")
        work = lambda: examples.from_csv(data, labelled=False)  # noqa: E731
    return {"seconds": timed(work)[1]}


def data(name: str, path: str) -> Mapping[str, float]:
    np.save(path, made(name))
    return {}


COMMANDS: Mapping[str, Callable[..., Mapping[str, float]]] = {"data": data, "fit": fit, "read": read}


def main() -> None:
    print(json.dumps(COMMANDS[sys.argv[1]](*sys.argv[2:])))


if __name__ == "__main__":
    main()
