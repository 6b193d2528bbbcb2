"""One training job of Linear Learner: the data, the epochs, the best model, its file."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any, Mapping, Tuple

import numpy as np

from clary.algorithms.base.algorithm import Algorithm
from clary.algorithms.base.channels import TEST, TRAIN, VALIDATION, Rules
from clary.algorithms.base.job import Job
from clary.algorithms.linear_learner import candidates, losses, metrics, model, optimizers, selection
from clary.algorithms.linear_learner.hyperparameters import KINDS, MULTICLASS, Hyperparameters
from clary.algorithms.linear_learner.learner import Learner
from clary.algorithms.linear_learner.model import LinearModel
from clary.algorithms.linear_learner.prepared import Measured, Prepared, prepare
from clary.algorithms.linear_learner.selection import Judge, Watch

Array = Any
"""A numpy array."""


class LinearLearner(Algorithm):
    """AWS's Linear Learner (https://docs.aws.amazon.com/sagemaker/latest/dg/linear-learner.html)."""

    title = "Linear Learner"
    kinds = KINDS
    rules = Rules(optional=(VALIDATION, TEST))

    def parse(self, given: Mapping[str, Any]) -> Hyperparameters:
        """Raises ValidationError, also for a loss that is none of the predictor's."""
        return Hyperparameters(given)

    def train(self, job: Job) -> None:
        """The data, the epochs, the best of the candidates. Raises UserError or AlgorithmError."""
        given, report = self.parse(job.given.given), job.report
        data = prepare(job, given)
        report.phase("initialize")
        learning = _Learning(given, data, job)
        report.count("epochs", learning.learn())
        report.phase("update")
        best = learning.finish()
        report.phase("finalize")
        if job.hosts.first:
            best.save(job.model)

    def load(self, folder: Path) -> LinearModel:
        """Raises RuntimeError where there is no model."""
        return model.load(folder)


ALGORITHM = LinearLearner()


class _Learning:
    """The learning itself, on one of its hosts."""

    def __init__(self, given: Hyperparameters, data: Prepared, job: Job) -> None:
        classes = given.whole("num_classes") if given.predictor == MULTICLASS else 1
        features = data.train.design.shape[1]
        steps = data.steps * given.whole("epochs")
        grid = candidates.grid(given, (features, classes), steps, data.positive_weights)
        self._given, self._data, self._job = given, data, job
        self._hosts, self._report = job.hosts, job.report
        loss = losses.make(given, float(data.labels.unit))
        self._learner = Learner(given, grid, features, classes, loss)
        self._objective = loss.objective
        self._judge = Judge(given, self._learner, data.labels, job.hosts)
        self._watch = Watch(given, self._learner, data.steps)
        self._classes = classes
        job.report.line(f"Training {len(grid)} candidate models with {features} features.")

    def learn(self) -> int:
        """Epochs until they are done, bring nothing more, or the job is stopped; how many."""
        epochs = self._given.whole("epochs")
        for epoch in range(epochs):
            begun = time.perf_counter()
            with np.errstate(all="ignore"):  # a candidate that runs away is left out, not reported
                found = self._learner.epoch(
                    self._data.train, self._given.whole("mini_batch_size"), self._data.steps, self._hosts
                )
            self._after(epoch, np.where(np.isfinite(found), found, np.inf))
            self._report.progress(epoch + 1, epochs, len(self._data.train.labels), time.perf_counter() - begun)
            if self._watch.over or self._job.stopped():
                return epoch + 1
        return epochs

    def _after(self, epoch: int, trained: Array) -> None:
        self._report.epoch(epoch, TRAIN, self._objective, float(trained.min()))
        name, values, found = self._objective, trained, trained
        data, learned = self._data.others.get(VALIDATION), self._learner.parameters
        if data is not None:
            with np.errstate(all="ignore"):
                values = found = self._judge.losses(data, learned)
            self._report.epoch(epoch, VALIDATION, self._objective, float(found.min()))
            if self._judge.criterion and "binary_classifier_model_selection_criteria" in self._given.given:
                name, values = f"sampled_{self._judge.criterion}", -self._judge.calibrated(data, learned)[1]
        leads = self._watch.look(values, found, learned)
        self._report.watched(epoch, name, abs(float(values.min())), improved=leads)

    def finish(self) -> LinearModel:
        """The best candidate after its best epoch, measured on everything there is."""
        parameters, others = self._watch.parameters, self._data.others
        judged = VALIDATION if VALIDATION in others else TRAIN
        data = others.get(judged, self._data.on_train)
        with np.errstate(all="ignore"):
            choice = selection.choose(self._judge, data, parameters)
        columns = slice(choice.place * self._classes, (choice.place + 1) * self._classes)
        self._scores(judged, data, parameters[:, columns], choice.threshold)
        best = self._learner.candidates[choice.place].described(optimizers.name_of(self._given))
        self._report.line(f"Best model found for hyperparameters: {json.dumps(best)}")
        if TEST in others:
            self._scores(TEST, others[TEST], parameters[:, columns], choice.threshold)
        else:
            self._report.line("Test data is not provided.")
        weights, bias = self._unscaled(parameters[:, columns].astype(np.float64))
        return LinearModel(self._given.predictor, self._given.loss, weights, bias, choice.threshold)

    def _scores(self, name: str, data: Measured, parameters: Array, threshold: float) -> None:
        """Every host takes part, since each has only its own rows."""
        scale = self._data.labels
        raw = self._hosts.joined(data.design.scores(slice(None), parameters[:-1]) + parameters[-1])
        raw = np.asarray(raw, dtype=np.float64) * scale.unit + scale.shift
        labels = np.asarray(self._hosts.joined(data.labels), dtype=np.float64)
        shaped = raw[:, 0] if self._classes == 1 else raw
        self._report.scores(name, metrics.of(self._given, shaped, labels, threshold))

    def _unscaled(self, parameters: Array) -> Tuple[Array, Array]:
        """Weights and bias for features and labels as users give them."""
        features, labels = self._data.features, self._data.labels
        weights = parameters[:-1] * (labels.unit / np.asarray(features.unit))[:, None]
        bias = parameters[-1] * labels.unit + labels.shift
        return weights, bias - np.asarray(features.shift) @ weights
