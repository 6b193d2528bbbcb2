"""AWS's k-nearest neighbours (https://docs.aws.amazon.com/sagemaker/latest/dg/k-nearest-neighbors.html).

A job samples rows, makes them shorter where that is wanted, and builds an index of faiss
(https://github.com/facebookresearch/faiss). Shapes: n rows, d features, m queries, k neighbours.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any, Mapping, NamedTuple, Optional, Sequence, Tuple, Union

import faiss
import numpy as np

from clary.algorithms import knn_indexes as indexes
from clary.algorithms.base import answers, archive, origins, reduction
from clary.algorithms.base.algorithm import Algorithm
from clary.algorithms.base.answers import Row
from clary.algorithms.base.channels import TEST, TRAIN, Rules
from clary.algorithms.base.examples import Examples
from clary.algorithms.base.groups import GroupedRows
from clary.algorithms.base.hyperparameters import Hyperparameters
from clary.algorithms.base.job import Job
from clary.algorithms.base.nearest import Neighbours, Rows
from clary.algorithms.base.reduction import Reduction, dense
from clary.algorithms.base.report import Scores
from clary.algorithms.base.schema import AUTO, Choice, Kind, Number, ValidationError
from clary.algorithms.knn_indexes import COSINE, FLAT, IVF, L2, PQ, PRODUCT
from clary.toolkit.errors import UserError

Array = Any
"""A numpy array; rows may be a scipy.sparse matrix."""

CLASSIFIER, REGRESSOR = "classifier", "regressor"
SIGN, FJLT, _NONE = "sign", "fjlt", "none"
_COUNT = Number(None, whole=True, least=1)
_OPTIONAL = Number(_NONE, (_NONE, ""), whole=True, least=1)

KINDS: Mapping[str, Kind] = {
    "feature_dim": _COUNT,
    "k": _COUNT,
    "predictor_type": Choice(None, (CLASSIFIER, REGRESSOR)),
    "sample_size": _COUNT,
    "dimension_reduction_target": _OPTIONAL,
    "dimension_reduction_type": Choice(_NONE, (SIGN, FJLT, _NONE)),
    "faiss_index_ivf_nlists": Number(AUTO, (AUTO,), whole=True, least=1),
    "faiss_index_pq_m": _OPTIONAL,
    "index_metric": Choice(L2, (L2, PRODUCT, COSINE)),
    "index_type": Choice(FLAT, (FLAT, IVF, PQ)),
    "mini_batch_size": _COUNT._replace(default="5000"),
}
"""With AWS's defaults (https://docs.aws.amazon.com/sagemaker/latest/dg/kNN_hyperparameters.html)."""

_FORMAT = "clary-knn-1"
_SEED = 20180703
_BLOCK = 4096
"""Queries at once."""


class KNN(Algorithm):
    """Classes by their neighbours' majority, or the mean of the neighbours' labels."""

    title = "AWS/KNN"
    kinds = KINDS
    rules = Rules(optional=(TEST,))

    def parse(self, given: Mapping[str, Any]) -> Hyperparameters:
        """Raises ValidationError."""
        found = super().parse(given)
        _check_reduction(found)
        _check_index(found)
        return found

    def train(self, job: Job) -> None:
        """The first host builds the index, of rows that all hosts have sampled. Raises UserError or AlgorithmError."""
        begun = time.perf_counter()
        data = job.data(1, _check_labels)
        sample, seen = _sampled(job, Sample(*data[TRAIN]))
        _check_neighbours(job.given.whole("k"), len(sample.labels))
        job.report.phase("sampling")
        test = _gathered(job, TEST, Sample(*data[TEST])) if TEST in data else None
        if job.hosts.first:
            model = build(job.given, sample)
            job.report.line(f"Index of {len(sample.labels)} points is built; lists searched: {model.probes}")
            job.report.progress(1, 1, seen, time.perf_counter() - begun)
            job.report.phase("index")
            if test is not None:
                job.report.scores(TEST, model.scores(test))
            model.save(job.model)
        job.report.phase("finalize")

    def load(self, folder: Path) -> Neighbourhood:
        """Raises RuntimeError where there is no model."""
        head, arrays = archive.read(folder, _FORMAT)
        sizes, arrays_of = (head["features"], head["width"]), (arrays.get("signs"), arrays.get("chosen"))
        shorter = Reduction(*sizes, *arrays_of, float(head.get("unit", 1)))
        return Neighbourhood(
            head, shorter, faiss.deserialize_index(arrays["index"]), arrays["labels"], arrays.get("groups")
        )


def _check_reduction(given: Hyperparameters) -> None:
    kind, target = given.word("dimension_reduction_type"), indexes.number(given, "dimension_reduction_target")
    if kind != _NONE and target is None:
        raise ValidationError(
            "No value(s) were specified for 'dimension_reduction_target' which are required hyperparameter(s)",
            "'dimension_reduction_target' is a required property",
        )
    if kind != _NONE and target is not None and target >= given.whole("feature_dim"):
        raise ValidationError(
            f"The value '{target}' is not valid for the 'dimension_reduction_target' hyperparameter which expects one "
            "of the following: an integer greater than 0 and less than 'feature_dim'",
            f"{target} is not less than {given.whole('feature_dim')}",
        )


def _check_index(given: Hyperparameters) -> None:
    parts, metric = indexes.number(given, "faiss_index_pq_m"), given.word("index_metric")
    if parts is not None and parts not in indexes.PARTS:
        listed = ", ".join(f"'{part}'" for part in indexes.PARTS)
        raise ValidationError(
            f"The value '{parts}' is not valid for the 'faiss_index_pq_m' hyperparameter which accepts one of the "
            f"following: {listed}",
            f"{parts} is not one of {list(indexes.PARTS)}",
        )
    if given.word("index_type") == PQ and metric != L2:
        raise ValidationError(
            f"The value '{metric}' is not valid for the 'index_metric' hyperparameter where 'index_type' is '{PQ}'",
            f"'{metric}' is not one of ['{L2}']",
        )


class Sample(NamedTuple):
    """Rows (n, features) and their labels (n,)."""

    features: Array
    labels: Array


def _check_labels(name: str, part: Examples) -> None:
    if part.labels is None:
        raise UserError(f"Channel '{name}' has no labels, which k-nearest neighbors predicts from.")


def _check_neighbours(k: int, rows: int) -> None:
    if k > rows:
        raise UserError(f"The number of neighbors, k={k}, is larger than the number of sampled examples, {rows}.")


def _sampled(job: Job, own: Sample) -> Tuple[Sample, int]:
    """As many rows of all hosts as `sample_size` says, on every host, and how many rows there were.

    Each row draws a number; those with the smallest of all make the sample, in the order of the rows.
    """
    if job.replicated(TRAIN) and not job.hosts.first:
        own = Sample(own.features[:0], own.labels[:0])
    size, rows = job.given.whole("sample_size"), own.features.shape[0]
    drawn = np.random.default_rng([_SEED, *job.hosts.current.encode()]).random(rows)
    everything = np.sort(job.hosts.joined(np.sort(drawn)[:size]))
    chosen = np.flatnonzero(drawn <= everything[min(size, len(everything)) - 1])
    sample = Sample(job.hosts.joined(dense(own.features[chosen])), job.hosts.joined(own.labels[chosen]))
    return sample, int(job.hosts.total(np.asarray([rows]))[0])


def _gathered(job: Job, name: str, own: Sample) -> Sample:
    """Every host's rows of a channel."""
    if job.replicated(name):
        return own
    return Sample(job.hosts.joined(dense(own.features)), job.hosts.joined(own.labels))


def _reduction(given: Hyperparameters) -> Reduction:
    """A target that the index cannot divide becomes larger, as AWS says."""
    features, kind = given.whole("feature_dim"), given.word("dimension_reduction_type")
    width = features if kind == _NONE else given.whole("dimension_reduction_target")
    parts = indexes.parts(given, width) if given.word("index_type") == PQ else 1
    width = -(-width // parts) * parts
    if kind == _NONE:
        return reduction.padded(features, width)
    make = reduction.sign if kind == SIGN else reduction.fjlt
    return make(features, width, np.random.default_rng(_SEED))


def build(given: Hyperparameters, sample: Sample) -> Neighbourhood:
    """A model of the sampled rows (n, features)."""
    shorter = _reduction(given)._replace(unit=origins.unit(float(origins.largest(sample.features)[0])))
    rows = _scaled(shorter.apply(sample.features), given.word("index_metric"))
    index = indexes.built(given, rows)
    head = {name: given.values[name] for name in ("k", "predictor_type", "index_metric")}
    probes = indexes.probes(index, rows, given.whole("k")) if indexes.listed(index) else 1
    labels = sample.labels.astype(np.float32)
    return Neighbourhood({**head, "probes": probes}, shorter, index, labels, indexes.groups(given, rows))


def _scaled(rows: Array, metric: str) -> Array:
    """The cosine is the product of rows whose length is 1."""
    if metric != COSINE:
        return rows
    lengths = np.sqrt(np.einsum("nd,nd->n", rows, rows, dtype=np.float64))
    return (rows / np.maximum(lengths, np.finfo(np.float32).tiny)[:, None]).astype(np.float32)


class Neighbourhood:
    """A trained model: an index of rows that have `labels` (n,), and `groups` (n,) where an exact search gains by them.

    `head` says k, what is predicted, the metric, and in how many lists of the index neighbours are looked for.
    """

    def __init__(
        self,
        head: Mapping[str, Any],
        shorter: Reduction,
        index: Any,  # noqa: ANN401 - an index of faiss
        labels: Array,
        groups: Optional[Array] = None,
    ) -> None:
        self._head, self._reduction, self._index, self._labels = head, shorter, index, labels
        self._k, self._metric, self.probes = int(head["k"]), str(head["index_metric"]), int(head["probes"])
        self._classes, self._numbers = np.unique(labels, return_inverse=True)
        self._groups = groups
        self._rows = self._compared() if indexes.exact(index, self.probes) else None

    def _compared(self) -> Union[Rows, GroupedRows]:
        """What compares rows themselves."""
        rows = indexes.held(self._index)
        if self._groups is not None:
            return GroupedRows(rows, self._groups)
        return Rows(rows, products=self._metric != L2)

    @property
    def features(self) -> int:
        """How many an example has."""
        return self._reduction.features

    def answer(self, features: Array, parameters: Mapping[str, str]) -> Sequence[Row]:
        """`predicted_label`, and with `verbose=true` the neighbours' distances, smallest first, and their labels.

        Distances are Euclidean; where the metric is a product or a cosine they are that, and the nearest stands last
        (https://docs.aws.amazon.com/sagemaker/latest/dg/kNN-inference-formats.html).
        """
        places, values = self.nearest(features)
        columns = {"predicted_label": self._predicted(places)}
        if parameters.get("verbose", "").lower() == "true":
            columns.update(self._told(places, values))
        return answers.table(columns)

    def _told(self, places: Array, values: Array) -> Mapping[str, Array]:
        if self._metric != L2:
            return {"distances": values[:, ::-1], "labels": self._labels[places[:, ::-1]]}
        return {"distances": np.sqrt(np.maximum(values, 0)), "labels": self._labels[places]}

    def nearest(self, features: Array) -> Neighbours:
        """The k nearest of each example (m, features), the nearest first."""
        found = self._searched(_scaled(self._reduction.apply(features), self._metric))
        unit = 1.0 if self._metric == COSINE else self._reduction.unit
        return found._replace(values=found.values / np.float64(unit) ** 2)

    def _searched(self, queries: Array) -> Neighbours:
        """The same of reduced examples (m, width), whose distances are multiplied with their unit."""
        if self._rows is not None:
            return self._rows.nearest(queries, self._k)
        values, places = indexes.search(self._index, queries, self._k, self.probes)
        short = (places < 0).any(axis=1)
        if short.any():  # fewer than k rows are in the lists searched
            values[short], places[short] = indexes.search(self._index, queries[short], self._k, self._index.nlist)
        return Neighbours(places, values)

    def _predicted(self, places: Array) -> Array:
        if self._head["predictor_type"] == REGRESSOR:
            return self._labels[places].mean(axis=1, dtype=np.float64).astype(np.float32)
        return self._classes[_majority(self._numbers[places])]

    def scores(self, test: Sample) -> Scores:
        """By the names under which AWS's log has them."""
        starts = range(0, len(test.labels), _BLOCK)
        found = [self._predicted(self.nearest(test.features[start : start + _BLOCK]).places) for start in starts]
        return _measured(str(self._head["predictor_type"]), np.concatenate(found), test.labels)

    def save(self, folder: Path) -> None:
        """The index as faiss writes it, labels, and what the reduction needs."""
        head = {**self._head, "features": self.features, "width": self._reduction.width, "unit": self._reduction.unit}
        arrays = {"index": faiss.serialize_index(self._index), "labels": self._labels, **self._reduction.arrays}
        if self._groups is not None:
            arrays["groups"] = self._groups
        archive.write(folder, _FORMAT, head, arrays)


def _majority(numbers: Array) -> Array:
    """(m,): of each row of (m, k) the most frequent; of several, that which comes first."""
    k = numbers.shape[1]
    order = np.argsort(numbers, axis=1, kind="stable")
    ordered = np.take_along_axis(numbers, order, 1)
    columns = np.arange(k)
    begins = np.column_stack([np.ones(len(numbers), bool), ordered[:, 1:] != ordered[:, :-1]])
    begun = np.maximum.accumulate(np.where(begins, columns, 0), axis=1)
    count, first = columns - begun + 1, np.take_along_axis(order, begun, 1)
    best = (count * k - first).argmax(axis=1)
    return ordered[np.arange(len(numbers)), best]


def _measured(predictor: str, found: Array, labels: Array) -> Scores:
    if predictor == REGRESSOR:
        return [("mse", float(((found.astype(np.float64) - labels) ** 2).mean()))]
    right = found == labels
    classes, numbers = np.unique(np.concatenate([found, labels]), return_inverse=True)
    said, true = np.split(numbers, 2)
    sizes = np.bincount(said, minlength=len(classes)) + np.bincount(true, minlength=len(classes))
    f1 = 2 * np.bincount(true[right], minlength=len(classes)) / sizes
    return [("accuracy", float(right.mean())), ("macro_f_1.000", float(f1.mean()))]


ALGORITHM = KNN()
