"""Factorization machines: a linear model, and for each pair of features the product of their factors
(Rendle, 2010, https://doi.org/10.1109/ICDM.2010.127;
https://docs.aws.amazon.com/sagemaker/latest/dg/fact-machines.html).

    score(x) = bias + w·x + Σ_f ((v_f·x)² − v_f²·x²) / 2

`w` has shape (features,), `v` (features, factors). Only rows of features that a batch has are touched: data is sparse.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any, Mapping, NamedTuple, Optional, Sequence, Tuple

import numpy as np
from scipy import sparse, special

from clary.algorithms.base import answers, archive
from clary.algorithms.base.algorithm import Algorithm
from clary.algorithms.base.answers import Row
from clary.algorithms.base.channels import TEST, TRAIN, Rules
from clary.algorithms.base.examples import Examples
from clary.algorithms.base.hyperparameters import Hyperparameters
from clary.algorithms.base.job import Job
from clary.algorithms.base.report import Scores
from clary.algorithms.base.schema import Choice, Kind, Number
from clary.toolkit.errors import UserError

Array = Any
"""A numpy array, or a scipy.sparse matrix."""

BINARY, REGRESSOR = "binary_classifier", "regressor"
_FORMAT = "clary-factorization-machines-1"
_SEED = 20171129
_UNSET = "None"
_DIVERGED = (
    "The training has diverged: parameters are no finite numbers after epoch {}. Scale features and labels, lower "
    "bias_lr, linear_lr and factors_lr or the starting values, or set clip_gradient."
)
_BETA_1, _BETA_2, _TINY = 0.9, 0.999, 1e-8


def _count() -> Number:
    return Number(None, whole=True, least=1)


def _optional() -> Number:
    return Number(_UNSET, (_UNSET.lower(), ""))


def _initial(name: str, sigma: str) -> Mapping[str, Kind]:
    return {
        f"{name}_init_method": Choice("normal", ("normal", "uniform", "constant")),
        f"{name}_init_scale": _optional(),
        f"{name}_init_sigma": Number(sigma, ("none",), least=0),
        f"{name}_init_value": _optional(),
    }


def _learned(rate: str, decay: str) -> Tuple[Number, Number]:
    return Number(rate, least=0), Number(decay, least=0)


_BIAS, _LINEAR, _FACTORS = _learned("0.1", "0.01"), _learned("0.001", "0.001"), _learned("0.0001", "0.00001")

KINDS: Mapping[str, Kind] = {
    "feature_dim": _count(),
    "num_factors": _count(),
    "predictor_type": Choice(None, (BINARY, REGRESSOR)),
    "epochs": Number("1", whole=True, least=1),
    "mini_batch_size": Number("1000", whole=True, least=1),
    "clip_gradient": _optional(),
    "eps": _optional(),
    "rescale_grad": _optional(),
    "bias_lr": _BIAS[0],
    "bias_wd": _BIAS[1],
    "linear_lr": _LINEAR[0],
    "linear_wd": _LINEAR[1],
    "factors_lr": _FACTORS[0],
    "factors_wd": _FACTORS[1],
    **_initial("bias", "0.01"),
    **_initial("linear", "0.01"),
    **_initial("factors", "0.001"),
}
"""With AWS's defaults (https://docs.aws.amazon.com/sagemaker/latest/dg/fact-machines-hyperparameters.html)."""


class FactorizationMachines(Algorithm):
    """Regression, or classification of two classes."""

    title = "factorization-machines"
    kinds = KINDS
    rules = Rules(optional=(TEST,))

    def train(self, job: Job) -> None:
        """Epochs over this host's rows; gradients are added up over the hosts. Raises UserError or AlgorithmError."""
        given = job.given
        data = job.data(given.whole("mini_batch_size"), lambda name, part: _check(given, name, part))
        sets = {name: _Set(sparse.csr_matrix(part.features), part.labels) for name, part in data.items()}
        job.report.phase("initialize")
        machine = _Learner(given, sets[TRAIN].features.shape[1]).fit(sets[TRAIN], job)
        job.report.phase("update")
        if TEST in sets:
            scores = job.hosts.joined(machine.scores(sets[TEST].features))
            job.report.scores(TEST, _measured(machine.predictor, scores, job.hosts.joined(sets[TEST].labels)))
        if job.hosts.first:
            machine.save(job.model)
        job.report.phase("finalize")

    def load(self, folder: Path) -> Machine:
        """Raises RuntimeError where there is no model."""
        head, arrays = archive.read(folder, _FORMAT)
        return Machine(head["predictor_type"], float(arrays["bias"]), arrays["linear"], arrays["factors"])


class _Set(NamedTuple):
    """Rows (n, features) as a sparse matrix, and their labels (n,)."""

    features: Array
    labels: Array


class Machine(NamedTuple):
    """A trained model: `linear` of shape (features,), `factors` of (features, factors)."""

    predictor: str
    bias: float
    linear: Array
    factors: Array

    @property
    def features(self) -> int:
        """How many an example has."""
        return int(self.linear.shape[0])

    @property
    def finite(self) -> bool:
        """Whether it can answer: in float32 the squares of its factors have to be finite, too."""
        with np.errstate(over="ignore"):
            parts = (self.bias, self.linear, np.square(self.factors, dtype=np.float32))
        return all(bool(np.isfinite(part).all()) for part in parts)

    def scores(self, features: Array) -> Array:
        """(n,): before they become probabilities."""
        sums, squares = _pairs(features, self.factors)
        return self.bias + features @ self.linear + 0.5 * (sums**2 - squares).sum(axis=1)

    def answer(self, features: Array, _parameters: Mapping[str, str]) -> Sequence[Row]:
        """`score`, and for classifiers `predicted_label`: class 1 from a probability of one half."""
        raw = self.scores(sparse.csr_matrix(features))
        if self.predictor == REGRESSOR:
            return answers.table({"score": raw.astype(np.float32)})
        scores = special.expit(raw).astype(np.float32)
        return answers.table({"score": scores, "predicted_label": (raw >= 0).astype(np.float64)})

    def save(self, folder: Path) -> None:
        """Bias (), linear weights and factors, in float32."""
        arrays = {"bias": self.bias, "linear": self.linear, "factors": self.factors}
        head = {"predictor_type": self.predictor, "num_factors": int(self.factors.shape[1])}
        archive.write(folder, _FORMAT, head, {name: np.asarray(value, np.float32) for name, value in arrays.items()})


def _pairs(features: Array, factors: Array) -> Tuple[Array, Array]:
    """Sums of factors, and sums of their squares: (n, factors) each."""
    return features @ factors, features.multiply(features) @ (factors**2)


class _Learner:
    """The parameters while they are learned: one step of Adam for each batch."""

    def __init__(self, given: Hyperparameters, width: int) -> None:
        self._given = given
        self._predictor = given.word("predictor_type")
        chance = np.random.default_rng(_SEED)
        self._bias = _Parameter(given, "bias", (1, 1), chance)
        self._linear = _Parameter(given, "linear", (width, 1), chance)
        self._factors = _Parameter(given, "factors", (width, given.whole("num_factors")), chance)

    @property
    def machine(self) -> Machine:
        """The model so far."""
        return Machine(self._predictor, float(self._bias.values[0, 0]), self._linear.values[:, 0], self._factors.values)

    def fit(self, train: _Set, job: Job) -> Machine:
        """All epochs, or those until the job is stopped. Every host makes as many steps as the one with most rows.

        Raises UserError where the parameters, which are the same on every host, grow beyond all bounds.
        """
        batch, epochs = self._given.whole("mini_batch_size"), self._given.whole("epochs")
        rows = len(train.labels)
        steps = int(job.hosts.most(np.asarray([-(-rows // batch)]))[0])
        order = np.random.default_rng([_SEED, *job.hosts.current.encode()])
        for epoch in range(epochs):
            begun, shuffled = time.perf_counter(), order.permutation(rows)
            told = [self._step(_taken(train, shuffled[k * batch : (k + 1) * batch]), job) for k in range(steps)]
            scores = np.concatenate([raw for raw, _ in told])
            labels = np.concatenate([part for _, part in told])
            self._tell(job, epoch, job.hosts.joined(scores), job.hosts.joined(labels))
            job.report.progress(epoch + 1, epochs, rows, time.perf_counter() - begun)
            if not self.machine.finite:
                raise UserError(_DIVERGED.format(epoch + 1))
            if job.stopped():
                break
        return self.machine

    def _tell(self, job: Job, epoch: int, scores: Array, labels: Array) -> None:
        for name, value in _measured(self._predictor, scores, labels):
            job.report.quality(epoch, TRAIN, name, value)

    def _step(self, batch: _Set, job: Job) -> Tuple[Array, Array]:
        """Scores before the step, and labels."""
        factors = self._factors.values
        sums, squares = _pairs(batch.features, factors)
        raw = self._bias.values[0, 0] + batch.features @ self._linear.values[:, 0] + 0.5 * (sums**2 - squares).sum(1)
        wrong = self._slope(raw, batch.labels)
        touched = _touched(batch.features, job)
        part = batch.features[:, touched]
        pairs = part.T @ (wrong[:, None] * sums) - (part.multiply(part).T @ wrong)[:, None] * factors[touched]
        size = job.hosts.total(np.asarray([len(wrong)], dtype=np.float64))[0]
        scale = self._given.values["rescale_grad"]
        scale = 1 / max(size, 1) if isinstance(scale, str) else float(scale)
        everything = np.zeros(1, dtype=np.int64)
        self._bias.step(everything, job.hosts.total(np.asarray([[wrong.sum()]])) * scale)
        self._linear.step(touched, job.hosts.total(np.asarray(part.T @ wrong)[:, None]) * scale)
        self._factors.step(touched, job.hosts.total(np.asarray(pairs)) * scale)
        return raw, batch.labels

    def _slope(self, raw: Array, labels: Array) -> Array:
        """Of the loss by the score: the logistic loss, or half the squared error."""
        return (special.expit(raw) if self._predictor == BINARY else raw) - labels


class _Parameter:
    """Values, and Adam's memory of their gradients (https://arxiv.org/abs/1412.6980)."""

    def __init__(self, given: Hyperparameters, name: str, shape: Tuple[int, int], chance: np.random.Generator) -> None:
        self.values = _started(given, name, shape, chance)
        self._rate, self._decay = given.number(f"{name}_lr"), given.number(f"{name}_wd")
        self._clip = _number(given, "clip_gradient")
        self._tiny = _number(given, "eps") or _TINY
        self._mean, self._square = np.zeros(shape, np.float32), np.zeros(shape, np.float32)
        self._steps = 0

    def step(self, rows: Array, gradient: Array) -> None:
        """Change the rows that the batch has touched."""
        self._steps += 1
        if self._clip is not None:
            gradient = np.clip(gradient, -self._clip, self._clip)
        gradient = gradient + self._decay * self.values[rows]
        self._mean[rows] += (1 - _BETA_1) * (gradient - self._mean[rows])
        self._square[rows] += (1 - _BETA_2) * (gradient**2 - self._square[rows])
        spread = np.sqrt(1 - _BETA_2**self._steps) / (1 - _BETA_1**self._steps)
        self.values[rows] -= self._rate * spread * self._mean[rows] / (np.sqrt(self._square[rows]) + self._tiny)


def _started(given: Hyperparameters, name: str, shape: Tuple[int, int], chance: np.random.Generator) -> Array:
    method = given.word(f"{name}_init_method")
    if method == "constant":
        return np.full(shape, _number(given, f"{name}_init_value") or 0.0, np.float32)
    if method == "uniform":
        scale = _number(given, f"{name}_init_scale")
        return chance.uniform(-(scale or 0.001), scale or 0.001, shape).astype(np.float32)
    return chance.normal(0, _number(given, f"{name}_init_sigma") or 0.0, shape).astype(np.float32)


def _number(given: Hyperparameters, name: str) -> Optional[float]:
    value = given.values[name]
    return None if isinstance(value, str) else float(value)


def _touched(features: Array, job: Job) -> Array:
    """Columns that a row of the batch has, on any host."""
    if not job.hosts.several:
        return np.unique(features.indices)
    seen = np.zeros(features.shape[1], dtype=bool)
    seen[features.indices] = True
    return np.flatnonzero(job.hosts.most(seen))


def _taken(data: _Set, rows: Array) -> _Set:
    return _Set(data.features[rows], data.labels[rows])


def _check(given: Hyperparameters, name: str, part: Examples) -> None:
    if part.labels is None:
        raise UserError(f"Channel '{name}' has no labels, which factorization machines learn from.")
    if given.word("predictor_type") == BINARY and not np.isin(part.labels, (0, 1)).all():
        raise UserError(f"Channel '{name}' holds labels other than 0 and 1, the classes of a binary_classifier.")


def _measured(predictor: str, raw: Array, labels: Array) -> Scores:
    """By the names under which AWS's log has them."""
    if predictor == REGRESSOR:
        error = raw - labels
        squared = float((error**2).mean())
        return [("rmse", squared**0.5), ("mse", squared), ("absolute_loss", float(np.abs(error).mean()))]
    entropy = float((np.logaddexp(0, raw) - labels * raw).mean())  # as certain as a score may be
    said = raw >= 0
    return [
        ("binary_classification_accuracy", float((said == labels).mean())),
        ("binary_classification_cross_entropy", entropy),
        ("binary_f_1.000", _f1(said, labels)),
    ]


def _f1(said: Array, labels: Array) -> float:
    true = labels == 1
    both = float(said.sum() + true.sum())
    return 2 * float((said & true).sum()) / both if both else 0.0


ALGORITHM = FactorizationMachines()
