"""AWS's principal component analysis (https://docs.aws.amazon.com/sagemaker/latest/dg/pca.html).

Every host sums up what its rows say, the sums give the components (how-pca-works.html). Shapes: n rows, d features,
c components, which stand from the least to the largest, as AWS's do.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any, Mapping, NamedTuple, Optional, Sequence

import numpy as np
from scipy import linalg, sparse

from clary.algorithms.base import answers, blocks, ndarrays, origins
from clary.algorithms.base.algorithm import Algorithm
from clary.algorithms.base.answers import Row
from clary.algorithms.base.channels import TEST, TRAIN, UNLABELLED
from clary.algorithms.base.hosts import Hosts
from clary.algorithms.base.hyperparameters import Hyperparameters
from clary.algorithms.base.job import Job
from clary.algorithms.base.schema import Choice, Flag, Kind, Number, ValidationError
from clary.formats import content_types

Array = Any
"""A numpy array; rows may be a scipy.sparse matrix."""

_COUNT = Number(None, whole=True, least=1)

KINDS: Mapping[str, Kind] = {
    "feature_dim": _COUNT,
    "mini_batch_size": _COUNT,
    "num_components": _COUNT,
    "algorithm_mode": Choice("regular", ("regular", "randomized")),
    "extra_components": Number("-1", whole=True, least=-1),
    "subtract_mean": Flag("true"),
    "epochs": _COUNT._replace(default="1"),
    "force_dense": Flag("true"),
}
"""PCA-reference.html, and the last two, which AWS's own log names and which change nothing here."""

_SEED = 20171129
_EXTRA = 10
"""`extra_components=-1` is the larger of this and num_components."""
_PASSES = 8
"""Through the data, at most, in randomized mode: each makes the components more exact."""
_ENOUGH = 1e-5
"""A pass that finds less than this part more of the variance is the last."""
_ROWS, _NUMBERS = 16_384, 1 << 22
"""Rows in a block, and numbers, at most."""
_FLAT = 1e-3
"""A variance that is less than this part of the squared mean loses more than three digits to it."""


class PCA(Algorithm):
    """AWS's PCA."""

    title = "PCA"
    kinds = KINDS
    rules = UNLABELLED
    offered = (content_types.JSON, content_types.JSON_LINES, content_types.RECORDIO)
    key = "projections"

    def parse(self, given: Mapping[str, Any]) -> Hyperparameters:
        """Raises ValidationError, also for more components than features."""
        found = super().parse(given)
        features, components = found.whole("feature_dim"), found.whole("num_components")
        if components > features:
            raise ValidationError(
                f"The value '{components}' is not valid for the 'num_components' hyperparameter which expects one of "
                f"the following: an integer between 1 and {features}",
                f"{components} is greater than the maximum of {features}",
            )
        return found

    def train(self, job: Job) -> None:
        """One pass over the data, or in randomized mode a few."""
        data = job.data()
        job.report.line(f"{job.given.whole('feature_dim')} feature(s) found in 'data'.")
        job.report.phase("initialize")
        begun = time.perf_counter()
        model = fitted(data[TRAIN].features, job.given, job.hosts)
        job.report.count("epochs", 1)
        job.report.phase("update")
        job.report.progress(1, 1, data[TRAIN].features.shape[0], time.perf_counter() - begun)
        if TEST in data:
            job.report.scores(TEST, [("explained_variance_ratio", explained(model, data[TEST].features, job.hosts))])
        else:
            job.report.line("Test data is not provided.")
        job.report.phase("finalize")
        if job.hosts.first:
            model.save(job.model)

    def load(self, folder: Path) -> PCAModel:
        """Raises RuntimeError where there is no model of PCA."""
        found = ndarrays.read(folder)
        if not {"s", "v"} <= set(found) <= {"mean", "s", "v"} or found["v"].ndim != 2:
            raise RuntimeError(f"The model in {folder} is none of PCA: it holds {', '.join(found)}")
        arrays = {name: array.astype(np.float64) for name, array in found.items()}
        return PCAModel(arrays["v"], arrays["s"], arrays["mean"].reshape(-1) if "mean" in arrays else None)


ALGORITHM = PCA()


class PCAModel(NamedTuple):
    """Components v (d, c), their singular values s (c,), and the mean (d,) where it is subtracted."""

    v: Array
    s: Array
    mean: Optional[Array]

    @property
    def features(self) -> int:
        """How many an example has."""
        return int(self.v.shape[0])

    def projected(self, features: Array) -> Array:
        """(n, c)."""
        if self.mean is None:
            return np.asarray(features @ self.v)
        if sparse.issparse(features):
            return np.asarray(features @ self.v) - self.mean @ self.v
        return (features - self.mean) @ self.v

    def answer(self, features: Array, _parameters: Mapping[str, str]) -> Sequence[Row]:
        """`projection`: c numbers of float32 (PCA-in-formats.html)."""
        return answers.table({"projection": self.projected(features).astype(np.float32)})

    def save(self, folder: Path) -> None:
        """Write the model's file: `v`, `s` and, where it is subtracted, `mean` (1, d)."""
        mean = {} if self.mean is None else {"mean": self.mean[None, :]}
        ndarrays.write(folder, {"v": self.v, "s": self.s, **mean})


def fitted(features: Array, given: Hyperparameters, hosts: Hosts) -> PCAModel:
    """The model of every host's rows."""
    centered = given.flag("subtract_mean")
    components, width = given.whole("num_components"), features.shape[1]
    extra = given.whole("extra_components")
    sketch = min(width, components + (max(_EXTRA, components) if extra < 0 else extra))
    if given.word("algorithm_mode") == "regular" or width <= _PASSES * sketch:  # fewer passes, and exact
        covariance, mean = _covariance(features, hosts, centered=centered)
        variances, v = linalg.eigh(covariance, subset_by_index=[width - components, width - 1])
        s = np.sqrt(np.maximum(variances, 0))
    else:
        unit = origins.unit(float(hosts.most(origins.largest(features))[0]))
        summed = Summed(features if unit == 1 else features * unit, hosts, centered=centered)
        s, v = _randomized(summed, width, sketch)
        s, v, mean = s[-components:] / unit, v[:, -components:], summed.mean / unit
    largest = v[np.abs(v).argmax(axis=0), np.arange(v.shape[1])]
    return PCAModel(v * np.where(largest < 0, -1.0, 1.0), s, mean if centered else None)


def _covariance(features: Array, hosts: Hosts, *, centered: bool) -> tuple[Array, Array]:
    """(d, d) and (d,): XᵀX of all hosts' rows, less their mean where `centered`, and the mean.

    One pass, in float64: squares need twice the digits. The mean's part is taken from the product, which costs few
    digits but where a feature's mean is far greater than its deviations; dense rows are then gone through once more.
    """
    count, product, mean = _moments(features, hosts, np.zeros(features.shape[1]))
    if not centered:
        return product, mean
    around_mean = product - count * np.outer(mean, mean)
    if not sparse.issparse(features) and np.any(np.diag(around_mean) < _FLAT * count * mean**2):
        _, around_mean, _ = _moments(features, hosts, mean)
    return around_mean, mean


def _moments(features: Array, hosts: Hosts, origin: Array) -> tuple[float, Array, Array]:
    """How many rows all hosts have, XᵀX of them (d, d) and their mean (d,), all counted from `origin` (d,)."""
    count, width = features.shape
    shifted = bool(origin.any())

    def product(part: slice) -> Array:
        rows = features[part].astype(np.float64)
        if shifted:
            rows -= origin
        sums = np.empty((width + 2, width))  # filled in place: of wide rows a copy would be as large again
        if sparse.issparse(rows):
            sums[:width] = (rows.T @ rows).toarray()
        else:
            np.matmul(rows.T, rows, out=sums[:width])
        sums[width], sums[width + 1] = np.ones(rows.shape[0]) @ rows, rows.shape[0]
        return sums

    found = hosts.total(blocks.total(count, _size(width), product))
    return float(found[-1, 0]), found[:width], found[width] / found[-1, 0]


class Summed:
    """Sums over all hosts' rows."""

    def __init__(self, features: Array, hosts: Hosts, *, centered: bool) -> None:
        self._features, self._hosts, self._centered = features, hosts, centered
        self._rows, width = features.shape
        self._sparse = sparse.issparse(features)
        self._count = float(hosts.total(np.asarray([self._rows], dtype=np.float64))[0])
        self.mean: Array = self._sum() / self._count if centered else np.zeros(width)

    def _sum(self) -> Array:
        """(d,): of all rows."""
        kind = np.float64 if self._sparse else self._features.dtype  # of sparse rows it is taken from large products
        return self._over(lambda rows: np.ones(rows.shape[0], kind) @ rows, raw=True)

    def times(self, vectors: Array) -> Array:
        """(d, m): the covariance times vectors (d, m), without the covariance."""
        table = vectors.astype(self._features.dtype)
        product = self._over(lambda rows: rows.T @ (rows @ table))
        if self._sparse and self._centered:  # sparse rows stay sparse: the mean's part is taken from the product
            product -= self._count * np.outer(self.mean, self.mean @ vectors)
        return product

    def _over(self, work: Any, *, raw: bool = False) -> Array:  # noqa: ANN401 - a function of some rows
        shift = None if raw or self._sparse or not self._centered else self.mean.astype(self._features.dtype)

        def block(rows: slice) -> Array:
            return work(self._features[rows] if shift is None else self._features[rows] - shift)

        return self._hosts.total(blocks.total(self._rows, _size(self._features.shape[1]), block))


def _size(width: int) -> int:
    """How many rows a block has."""
    return max(1, min(_ROWS, _NUMBERS // width))


def _dense(found: Array) -> Array:
    return found.toarray() if sparse.issparse(found) else found


def _randomized(summed: Summed, width: int, sketch: int) -> Any:  # noqa: ANN401 - (sketch,) and (d, sketch)
    """Subspace iteration from random directions, and Nyström's approximation from its last step (Halko, Martinsson
    and Tropp, "Finding structure with randomness", 2011, algorithms 4.4 and 5.5): as AWS's sketch, with the same
    number of directions, but it looks at the data again until that brings nothing more."""
    directions = np.random.default_rng(_SEED).standard_normal((width, sketch))
    before = 0.0
    for _ in range(_PASSES):
        directions, _ = linalg.qr(directions, mode="economic", check_finite=False)
        product = summed.times(directions)
        inner = directions.T @ product
        found = float(np.trace(inner))
        if found - before <= _ENOUGH * found:
            break
        before, directions = found, product
    sizes, turned = linalg.eigh((inner + inner.T) / 2)
    kept = sizes > max(sizes[-1], 0) * width * np.finfo(np.float32).eps
    roots = np.where(kept, 1 / np.sqrt(np.where(kept, sizes, 1)), 0)
    v, s, _ = linalg.svd(product @ (turned * roots), full_matrices=False, check_finite=False)
    return s[::-1], v[:, ::-1]


def explained(model: PCAModel, features: Array, hosts: Hosts) -> float:
    """Which part of the squared distances from the mean (from 0, where it is not subtracted) the components keep."""
    mean = np.zeros(model.features) if model.mean is None else model.mean

    def work(rows: slice) -> Array:
        part = _dense(features[rows]) - mean
        return np.asarray([((part @ model.v) ** 2).sum(), (part**2).sum()])

    kept, whole = hosts.total(blocks.total(features.shape[0], _size(model.features), work))
    return float(kept / whole) if whole else 1.0
