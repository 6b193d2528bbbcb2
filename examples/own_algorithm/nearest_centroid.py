"""Nearest centroid: a class is the mean of its examples, and an example is of the class whose mean is nearest."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Mapping, Sequence

import numpy as np

from clary.algorithms.base import answers, archive
from clary.algorithms.base.algorithm import Algorithm
from clary.algorithms.base.channels import TEST, TRAIN, Rules
from clary.algorithms.base.job import Job
from clary.algorithms.base.schema import Choice, Kind, Number

FORMAT = "nearest-centroid-1"


class NearestCentroid(Algorithm):
    """One file: what it accepts, how it trains, how its model answers."""

    title = "Nearest Centroid"
    kinds: Mapping[str, Kind] = {
        "num_classes": Number(None, whole=True, least=2),
        "metric": Choice("euclidean", ("euclidean", "manhattan")),
    }
    rules = Rules(optional=(TEST,))

    def train(self, job: Job) -> None:
        """Each host adds up its own examples; the sums of all hosts make the means."""
        classes = job.given.whole("num_classes")
        data = job.data()
        features, labels = data[TRAIN].features, data[TRAIN].labels.astype(int)
        members = np.eye(classes)[labels]
        sums, counts = job.hosts.total(members.T @ features), job.hosts.total(members.sum(axis=0))
        model = Centroids(sums / np.maximum(counts, 1)[:, None], job.given.word("metric"))
        for name, part in data.items():
            right = float(np.mean(model.nearest(part.features) == part.labels))
            job.report.scores(name, [("accuracy", right)])
        if job.hosts.first:
            archive.write(job.model, FORMAT, {"metric": model.metric}, {"centroids": model.centroids})

    def load(self, folder: Path) -> Centroids:
        """The trained model."""
        head, arrays = archive.read(folder, FORMAT)
        return Centroids(arrays["centroids"], head["metric"])


class Centroids:
    """Means of shape (classes, features)."""

    def __init__(self, centroids: Any, metric: str) -> None:
        self.centroids = centroids
        self.metric = metric
        self.features = centroids.shape[1]

    def distances(self, features: Any) -> Any:
        """(examples, classes)."""
        apart = np.asarray(features)[:, None] - self.centroids[None]
        return np.abs(apart).sum(axis=2) if self.metric == "manhattan" else np.sqrt((apart**2).sum(axis=2))

    def nearest(self, features: Any) -> Any:
        """The class of each example."""
        return self.distances(features).argmin(axis=1)

    def answer(self, features: Any, _parameters: Mapping[str, str]) -> Sequence[Mapping[str, Any]]:
        """`predicted_label`, and how far its mean is."""
        apart = self.distances(features)
        return answers.table({"predicted_label": apart.argmin(axis=1), "distance": apart.min(axis=1)})


ALGORITHM = NearestCentroid()
