"""A job's data, checked, shuffled and scaled."""

from __future__ import annotations

from typing import Any, Mapping, NamedTuple, Sequence, Tuple

import numpy as np
from scipy import sparse

from clary.algorithms.base.channels import TRAIN
from clary.algorithms.base.examples import Examples
from clary.algorithms.base.hosts import Hosts
from clary.algorithms.base.job import Job
from clary.algorithms.linear_learner import design
from clary.algorithms.linear_learner.design import Design, Scale
from clary.algorithms.linear_learner.hyperparameters import BINARY, MULTICLASS, REGRESSOR, Hyperparameters
from clary.algorithms.linear_learner.learner import Data
from clary.toolkit.errors import UserError

Array = Any
"""A numpy array; features may be a scipy.sparse matrix."""

_SEED = 20171129


class Measured(NamedTuple):
    """Rows to measure models on: scaled features, labels as users gave them."""

    design: Design
    labels: Array


class Prepared(NamedTuple):
    """All that the models learn from and are measured on."""

    train: Data
    on_train: Measured
    others: Mapping[str, Measured]
    """Of `validation` and `test`, those that there are."""
    features: Scale
    labels: Scale
    positive_weights: Tuple[float, ...]
    """What the weight of class 1 may be."""
    steps: int
    """Batches in an epoch: as many as the host with most rows has."""


def prepare(job: Job, given: Hyperparameters) -> Prepared:
    """Read and scale everything. Raises UserError, on every host, where one of them cannot use its data."""
    hosts = job.hosts
    found = job.data(given.whole("mini_batch_size"), lambda name, part: _check(name, part, given))
    train = _shuffled(found.pop(TRAIN), hosts)
    features = _feature_scale(given, train, hosts)
    labels = _label_scale(given, train, hosts)
    counts = _class_counts(given, train, hosts)
    scaled = design.make(train.features, features)
    target = np.asarray((train.labels - labels.shift) / labels.unit, dtype=np.float32)
    batches = -(-len(target) // given.whole("mini_batch_size"))
    return Prepared(
        train=Data(scaled, target, _weights(given, train, counts)),
        on_train=Measured(scaled, np.asarray(train.labels, dtype=np.float32)),
        others={
            name: Measured(design.make(part.features, features), np.asarray(part.labels, dtype=np.float32))
            for name, part in found.items()
        },
        features=features,
        labels=labels,
        positive_weights=_positive_weights(given, counts),
        steps=int(hosts.most(np.asarray([batches]))[0]),
    )


def _check(name: str, part: Examples, given: Hyperparameters) -> None:
    if part.labels is None:
        raise UserError(f"Channel '{name}' has no labels, which training of predictor_type {given.predictor} needs.")
    classes = {BINARY: 2, MULTICLASS: given.whole("num_classes")}.get(given.predictor)
    if classes is not None:
        _check_classes(name, part.labels, classes)


def _check_classes(name: str, labels: Array, classes: int) -> None:
    wrong = (labels != np.floor(labels)) | (labels < 0) | (labels >= classes)
    if wrong.any():
        raise UserError(
            f"Channel '{name}' holds the label {labels[wrong][0]:g}. Labels of {classes} classes must be whole numbers "
            f"from 0 to {classes - 1}."
        )


def _shuffled(train: Examples, hosts: Hosts) -> Examples:
    """Rows in another order, always the same: sorted data would be learned badly."""
    order = np.random.default_rng([_SEED, *hosts.current.encode()]).permutation(train.features.shape[0])
    labels = train.labels if train.labels is not None else np.zeros(0)
    return Examples(train.features[order], labels[order])


def _moments(values: Array, origin: Array, hosts: Hosts) -> design.Moments:
    own = design.moments(values, hosts.agreed(origin))
    rows = float(hosts.total(np.asarray([own.rows], dtype=np.float64))[0])
    return own._replace(rows=rows, total=hosts.total(own.total), squares=hosts.total(own.squares))


def _feature_scale(given: Hyperparameters, train: Examples, hosts: Hosts) -> Scale:
    sample = train.features[: given.whole("num_point_for_scaler")]
    width = sample.shape[1]
    dense = not sparse.issparse(sample)
    origin = np.asarray(sample.mean(axis=0), dtype=np.float64) if dense else np.zeros(width)
    found = _moments(sample, origin, hosts)
    unbias, normalize = given.flag_or_auto("unbias_data"), given.flag_or_auto("normalize_data")
    shifted = given.flag("use_bias") and (dense if unbias is None else unbias)
    return Scale(
        found.mean() if shifted else np.zeros(width), found.spread() if normalize is not False else np.ones(width)
    )


def _label_scale(given: Hyperparameters, train: Examples, hosts: Hosts) -> Scale:
    if given.predictor != REGRESSOR:
        return Scale(0.0, 1.0)
    labels = np.asarray(train.labels, dtype=np.float64)[: given.whole("num_point_for_scaler"), None]
    found = _moments(labels, labels.mean(axis=0), hosts)
    shifted = given.flag("use_bias") and given.flag_or_auto("unbias_label") is not False
    scaled = given.flag_or_auto("normalize_label") is not False
    return Scale(float(found.mean()[0]) if shifted else 0.0, float(found.spread()[0]) if scaled else 1.0)


def _class_counts(given: Hyperparameters, train: Examples, hosts: Hosts) -> Array:
    """How many rows of each class there are; empty for regression."""
    classes = {BINARY: 2, MULTICLASS: given.whole("num_classes")}.get(given.predictor, 0)
    if not classes:
        return np.zeros(0)
    return hosts.total(np.bincount(np.asarray(train.labels, dtype=np.int64), minlength=classes).astype(np.float64))


def _weights(given: Hyperparameters, train: Examples, counts: Array) -> Array:
    """Of the rows: 1, or what makes each class count the same."""
    labels = np.asarray(train.labels)
    if given.predictor != MULTICLASS or not given.flag("balance_multiclass_weights"):
        return np.ones(len(labels), dtype=np.float32)
    share = counts.sum() / (len(counts) * np.maximum(counts, 1))
    return np.asarray(share[labels.astype(np.int64)], dtype=np.float32)


def _positive_weights(given: Hyperparameters, counts: Array) -> Tuple[float, ...]:
    """`balanced` makes both classes count the same, `auto` tries that and equal weights."""
    if given.predictor != BINARY:
        return (1.0,)
    wanted = given.values["positive_example_weight_mult"]
    balanced = float(counts[0] / max(counts[1], 1)) or 1.0
    tried: Mapping[Any, Sequence[float]] = {"balanced": (balanced,), "auto": (1.0, balanced)}
    return tuple(tried[wanted]) if wanted in tried else (float(wanted),)
