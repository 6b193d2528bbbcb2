"""AWS's k-means (https://docs.aws.amazon.com/sagemaker/latest/dg/k-means.html).

A job goes the three steps that AWS describes (algo-kmeans-tech-notes.html): K centers from a sample, moved by
mini-batches (Sculley, "Web-scale k-means clustering", 2010), reduced to k; then Lloyd's method moves these k over all
rows until they stand still, which mini-batches alone do not reach. Shapes: n rows, d features, K or k centers.
"""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any, Mapping, NamedTuple, Optional, Sequence, Tuple

import numpy as np
from scipy import sparse

from clary.algorithms.base import answers, ndarrays, origins, points
from clary.algorithms.base.algorithm import Algorithm
from clary.algorithms.base.answers import Row
from clary.algorithms.base.channels import TEST, TRAIN, UNLABELLED
from clary.algorithms.base.examples import Examples
from clary.algorithms.base.hosts import Hosts
from clary.algorithms.base.hyperparameters import Hyperparameters
from clary.algorithms.base.job import Job
from clary.algorithms.base.points import Points
from clary.algorithms.base.schema import AUTO, Choice, Flag, Kind, Number, Words
from clary.formats import content_types
from clary.toolkit.errors import UserError

Array = Any
"""A numpy array; rows may be a scipy.sparse matrix."""

_METHODS = ("random", "kmeans++")
_COUNT = Number(None, whole=True, least=1)
_COUNT_OR_AUTO = Number(AUTO, (AUTO,), whole=True, least=1)

KINDS: Mapping[str, Kind] = {
    "feature_dim": _COUNT,
    "k": _COUNT,
    "epochs": _COUNT._replace(default="1"),
    "eval_metrics": Words('["msd"]', ("msd", "ssd")),
    "extra_center_factor": _COUNT_OR_AUTO,
    "half_life_time_size": Number("0", whole=True, least=0),
    "init_method": Choice("random", _METHODS),
    "local_lloyd_init_method": Choice("kmeans++", _METHODS),
    "local_lloyd_max_iter": _COUNT._replace(default="300"),
    "local_lloyd_num_trials": _COUNT_OR_AUTO,
    "local_lloyd_tol": Number("0.0001", least=0, most=1),
    "mini_batch_size": _COUNT._replace(default="5000"),
    "force_dense": Flag("true"),
    "_disable_wait_to_read": Flag("false"),
    "_num_slices": _COUNT._replace(default="1"),
}
"""k-means-api-config.html, and the last three, which the SDKs or AWS's own log name and change nothing here."""

_SEED = 20171129
_TRIALS = 10
"""As many as AWS's log shows for `auto`."""
_FACTOR, _CENTERS = 10, 1000
"""`extra_center_factor=auto`: ten, as AWS's log shows, and less where there would be more than a thousand centers."""
_SAMPLE = 1 << 26
"""Numbers in the sample that the first centers are chosen from, at most, if that is enough for them."""
_GLANCE, _KEPT = 8, 3
"""Rounds after which trials are compared, and how many of them go on."""
_TRIED = 16_384
"""Rows of each host that every trial is measured on, at most."""


class KMeans(Algorithm):
    """AWS's k-means."""

    title = "AWS/KMeansWebscale"
    kinds = KINDS
    rules = UNLABELLED
    offered = (content_types.JSON, content_types.JSON_LINES, content_types.RECORDIO)

    def train(self, job: Job) -> None:
        """Raises UserError where there are fewer rows than clusters."""
        data = job.data()
        learning = _Learning(job, data[TRAIN])
        job.report.phase("initialize")
        learning.stream()
        job.report.phase("update")
        learning.reduce()
        job.report.phase("_shrink")
        centers = learning.refine()
        job.report.phase("finalize")
        learning.score(centers, data.get(TEST))
        if job.hosts.first:
            ndarrays.write(job.model, [centers])

    def load(self, folder: Path) -> KMeansModel:
        """Raises RuntimeError where there is no model of k-means."""
        found = ndarrays.read(folder)
        if list(found) != ["0"] or found["0"].ndim != 2:
            raise RuntimeError(f"The model in {folder} is none of k-means: it holds {', '.join(found)}")
        return KMeansModel(found["0"].astype(np.float64))


ALGORITHM = KMeans()


class KMeansModel(NamedTuple):
    """Centers (k, d), as users give features."""

    centers: Array

    @property
    def features(self) -> int:
        """How many an example has."""
        return int(self.centers.shape[1])

    def answer(self, features: Array, _parameters: Mapping[str, str]) -> Sequence[Row]:
        """`closest_cluster`, from 0, and `distance_to_cluster`, Euclidean: both float32 (km-in-formats.html)."""
        closest, distances = self._nearest(features)
        columns = {"closest_cluster": closest.astype(np.float32), "distance_to_cluster": distances.astype(np.float32)}
        return answers.table(columns)

    def _nearest(self, features: Array) -> Tuple[Array, Array]:
        """(n,) each: the nearest center, and how far it is."""
        if sparse.issparse(features):
            squares = points.squares(features, self.centers)
            closest = squares.argmin(axis=1)
            return closest, np.sqrt(squares[np.arange(len(closest)), closest])
        origin = origins.of(self.centers).astype(np.float64)
        closest = points.squares(features - origin, self.centers - origin).argmin(axis=1)
        return closest, np.linalg.norm(features - self.centers[closest], axis=1)


class _Learning:
    """The steps of one job, on one of its hosts; every host has the same centers after each."""

    def __init__(self, job: Job, train: Examples) -> None:
        self._job, self._given, self._hosts = job, job.given, job.hosts
        self._k = job.given.whole("k")
        count = int(job.hosts.total(np.asarray([train.features.shape[0]], dtype=np.int64))[0])
        if count < self._k:
            raise UserError(f"The number of clusters, k={self._k}, is larger than the number of examples, {count}.")
        self._shift, self._unit = _origin(train.features, job.hosts)
        self._points = Points(train.features, self._shift, self._unit)
        self._draw = np.random.default_rng(_SEED)
        self._centers = self._first()
        self._counts = np.zeros(len(self._centers))

    def _first(self) -> Array:
        """K of a random sample of all hosts' rows."""
        wanted, batch = self._k * _factor(self._given, self._k), self._given.whole("mini_batch_size")
        rows, features = self._points.rows, self._points.features
        if rows < batch:
            told = f"Effective batch size used to initialize is {rows}"
            self._job.report.line(f"Batch size {batch} is bigger than the first batch data. {told}")
        size = min(rows, max(wanted, min(batch, _SAMPLE // features)))
        sample = self._begun = self._hosts.joined(self._points.dense(self._some(size)))
        return points.chosen(self._given.word("init_method"), sample, np.ones(len(sample)), wanted, self._draw)

    def stream(self) -> None:
        """Every epoch, batch by batch: a center moves to a batch's mean by the batch's share in all it has seen."""
        epochs, batch = self._given.whole("epochs"), self._given.whole("mini_batch_size")
        batches = int(self._hosts.most(np.asarray([-(-self._points.rows // batch)]))[0])
        for epoch in range(epochs):
            begun = time.perf_counter()
            for number in range(batches):
                self._move(self._points.sums(self._centers, slice(number * batch, (number + 1) * batch)))
            self._job.report.line(f"processed a total of {self._points.rows} examples")
            self._job.report.progress(epoch + 1, epochs, self._points.rows, time.perf_counter() - begun)
            if self._job.stopped():
                break
        self._job.report.count("epochs", epoch + 1)

    def _move(self, own: Array) -> None:
        found = self._hosts.total(own)
        seen, half_life = found[:, -1], self._given.whole("half_life_time_size")
        if half_life:
            self._counts *= 0.5 ** (seen.sum() / half_life)
        self._counts += seen
        hit = seen > 0
        share = (seen[hit] / self._counts[hit])[:, None]
        self._centers[hit] += share * (found[hit, :-1] / seen[hit, None] - self._centers[hit])

    def reduce(self) -> None:
        """From K to k: of several trials, the best few after some rounds of Lloyd's method over a sample of the rows go
        on, and the best of them stays."""
        self._job.report.line(f"shrinking {len(self._centers)} centers into {self._k}")
        used = self._counts > 0 if (self._counts > 0).sum() >= self._k else np.ones(len(self._counts), dtype=bool)
        many, weights = self._centers[used], np.maximum(self._counts[used], np.finfo(np.float32).tiny)
        sample, tried = self._sample(), []
        for trial in range(self._given.whole_or_auto("local_lloyd_num_trials") or _TRIALS):
            tried.append(self._judged(sample, self._start(trial, many, weights), _GLANCE))
            told = tried[-1][0] / self._unit**2
            self._job.report.line(f"local kmeans attempt #{trial}. Current mean square distance {told:.6f}")
        best = sorted(tried, key=lambda one: one[0])[:_KEPT]
        ended = [self._judged(sample, centers, self._given.whole("local_lloyd_max_iter")) for _, centers in best]
        self._centers = min(ended, key=lambda one: one[0])[1]

    def _judged(self, sample: Points, centers: Array, rounds: int) -> Tuple[float, Array]:
        """Mean squared distance, and centers, after some rounds of Lloyd's method."""
        found = self._lloyd(sample, centers, self._hosts, rounds)
        total, weight = self._hosts.total(sample.squares(found))
        return float(total / weight), found

    def _start(self, trial: int, centers: Array, weights: Array) -> Array:
        """What AWS describes: Lloyd's method over the K centers, weighted by what they have seen; in two of three
        trials some rows themselves, since K centers of skewed data lead to one and the same place."""
        method = self._given.word("local_lloyd_init_method")
        if trial % 3:
            return points.chosen(method, self._begun, np.ones(len(self._begun)), self._k, self._draw)
        begin = points.chosen(method, centers, weights, self._k, self._draw)
        return self._lloyd(Points(centers, np.zeros(centers.shape[1])).weighted(weights), begin, Hosts(""))

    def _sample(self) -> Points:
        """Some of the rows that are learned from, with their weights."""
        half_life, rows = self._given.whole("half_life_time_size"), self._points.rows
        self._points = self._points.weighted(_decayed(rows, half_life)) if half_life else self._points
        return self._points if rows <= _TRIED else self._points.part(self._some(_TRIED))

    def _some(self, count: int) -> Array:
        """Places of rows of this host, in their order, drawn beside what all hosts draw alike."""
        draw = np.random.default_rng([_SEED, *self._hosts.current.encode()])
        return np.sort(draw.permutation(self._points.rows)[:count])

    def refine(self) -> Array:
        """The k centers after Lloyd's method over all rows, as users give features."""
        return self._lloyd(self._points, self._centers, self._hosts) / self._unit + self._shift

    def _lloyd(self, rows: Points, centers: Array, hosts: Hosts, most: Optional[int] = None) -> Array:
        rounds, tolerance = self._given.whole("local_lloyd_max_iter"), self._given.number("local_lloyd_tol")
        rounds = min(rounds, most or rounds)
        stopped = self._job.stopped if hosts is self._hosts else lambda: False
        return points.lloyd(rows, centers, hosts, rounds, tolerance, stopped)

    def score(self, centers: Array, test: Optional[Examples]) -> None:
        """`msd` of the training data, and what `eval_metrics` wants of the test data."""
        moved = (centers - self._shift) * self._unit
        total, weight = self._hosts.total(self._points.squares(moved))
        self._job.report.scores(TRAIN, [("msd", float(total / weight) / self._unit**2)])
        if test is None:
            self._job.report.line("Test data is not provided.")
            return
        own = Points(test.features, self._shift, self._unit).squares(moved)
        total, weight = own if self._job.replicated(TEST) else self._hosts.total(own)
        found = {"msd": total / weight / self._unit**2, "ssd": total / self._unit**2}
        wanted = json.loads(self._given.word("eval_metrics"))
        self._job.report.scores(TEST, [(name, float(found[name])) for name in wanted])


def _origin(features: Array, hosts: Hosts) -> Tuple[Array, float]:
    """(d,), which is taken from dense rows (0 for sparse ones, which stay sparse), and a unit; alike on all hosts."""
    unit = origins.unit(float(hosts.most(origins.largest(features))[0]))
    if hosts.most(np.asarray([sparse.issparse(features)]))[0]:
        return np.zeros(features.shape[1]), unit
    return origins.of(hosts.joined(origins.sampled(features).astype(np.float64))), unit


def _decayed(rows: int, half_life: int) -> Array:
    """(n,): what is left of each row's weight once the last has been seen."""
    return 0.5 ** (np.arange(rows - 1, -1, -1) / half_life)


def _factor(given: Hyperparameters, k: int) -> int:
    return given.whole_or_auto("extra_center_factor") or min(_FACTOR, max(1, _CENTERS // k))
