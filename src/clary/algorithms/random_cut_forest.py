"""AWS's Random Cut Forest (https://docs.aws.amazon.com/sagemaker/latest/dg/randomcutforest.html): how anomalous a point
is, by trees of random cuts over samples of the training data. Shapes: n rows, d features, T trees of s rows."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any, Mapping, NamedTuple, Sequence, Tuple

import numpy as np
from scipy import sparse

from clary.algorithms.base import answers, archive, cuts, origins
from clary.algorithms.base.algorithm import Algorithm
from clary.algorithms.base.answers import Row
from clary.algorithms.base.channels import TEST, TRAIN, UNLABELLED
from clary.algorithms.base.cuts import Forest
from clary.algorithms.base.examples import Examples
from clary.algorithms.base.job import Job
from clary.algorithms.base.report import Scores
from clary.algorithms.base.schema import Kind, Number, Words
from clary.toolkit.errors import UserError

Array = Any
"""A numpy array; rows may be a scipy.sparse matrix."""

ACCURACY, PRECISION = "accuracy", "precision_recall_fscore"

KINDS: Mapping[str, Kind] = {
    "feature_dim": Number(None, whole=True, least=1, most=10_000),
    "eval_metrics": Words(json.dumps([ACCURACY, PRECISION]), (ACCURACY, PRECISION)),
    "num_samples_per_tree": Number("256", whole=True, least=1, most=2048),
    "num_trees": Number("100", whole=True, least=50, most=1000),
    "mini_batch_size": Number("1000", whole=True, least=1),
}
"""rcf_hyperparameters.html, and the last, which the SDKs send and changes nothing here."""

_FORMAT = "clary-random-cut-forest-2"
_SEED = 20180417
_SIGMAS = 3.0
"""From so many standard deviations above the mean on, AWS's examples call a score an anomaly's."""
_SCORED = 4096
"""Rows of the sample whose scores have that mean, at most."""
_BLOCK = 65_536
"""Rows that are made dense at once."""


class RandomCutForest(Algorithm):
    """Scores, without labels; a labelled test channel says how good they are."""

    title = "AWS/RandomCutForest"
    kinds = KINDS
    rules = UNLABELLED._replace(distributions={TRAIN: "ShardedByS3Key"})
    key = "scores"

    def train(self, job: Job) -> None:
        """The first host grows the trees, of rows that all hosts have. Raises UserError or AlgorithmError."""
        begun = time.perf_counter()
        data = job.data(1, _check)
        rows, chosen, seen = _sampled(job, data[TRAIN].features)
        job.report.phase("sampling")
        test = _gathered(job, data[TEST]) if TEST in data else None
        if job.hosts.first:
            origin = origins.of(origins.sampled(rows)).astype(np.float64)
            forest = cuts.grown((rows - origin).astype(np.float32), chosen, np.random.default_rng(_SEED))
            model = Trees(origin, forest)
            job.report.line(f"Forest of {chosen.shape[0]} trees with {chosen.shape[1]} samples each is built")
            job.report.progress(1, 1, seen, time.perf_counter() - begun)
            job.report.phase("growing")
            if test is not None:
                bound = _bound(model.scores(rows[:: -(-len(rows) // _SCORED)]))
                wanted = json.loads(job.given.word("eval_metrics"))
                job.report.scores(TEST, _measured(model.scores(test.features) > bound, test.labels == 1, wanted))
        job.report.phase("finalize")
        if job.hosts.first:
            model.save(job.model)

    def load(self, folder: Path) -> Trees:
        """Raises RuntimeError where there is no model."""
        _, arrays = archive.read(folder, _FORMAT)
        return Trees(arrays["origin"], Forest(**{name: arrays[name] for name in Forest._fields}))


def _check(name: str, part: Examples) -> None:
    if name != TEST:
        return
    if part.labels is None:
        raise UserError("Channel 'test' has no labels, which the scores are compared with.")
    if not np.isin(part.labels, (0, 1)).all():
        raise UserError("Channel 'test' holds labels other than 0 for normal and 1 for anomalous examples.")


class _Set(NamedTuple):
    """Rows (n, d) and their labels (n,)."""

    features: Array
    labels: Array


def _gathered(job: Job, own: Examples) -> _Set:
    """Every host's rows of the test data."""
    if job.replicated(TEST):
        return _Set(*own)
    return _Set(job.hosts.joined(_dense(own.features)), job.hosts.joined(own.labels))


def _dense(features: Array) -> Array:
    return (features.toarray() if sparse.issparse(features) else np.asarray(features)).astype(np.float64)


def _sampled(job: Job, own: Array) -> Tuple[Array, Array, int]:
    """Rows of all hosts (u, d), those that each tree has, (T, s), and how many rows there were.

    Each tree has others, drawn from all rows without replacement, as a reservoir would hold them at the data's end.
    """
    tag = np.random.default_rng([_SEED, *job.hosts.current.encode()]).integers(1 << 62, size=1)
    counts, tags = job.hosts.joined(np.asarray([own.shape[0]])), job.hosts.joined(tag)
    total, place = int(counts.sum()), int(np.flatnonzero(tags == tag)[0])
    size = min(job.given.whole("num_samples_per_tree"), total)
    draw = np.random.default_rng(_SEED)
    drawn = np.stack([draw.choice(total, size, replace=False) for _ in range(job.given.whole("num_trees"))])
    wanted, chosen = np.unique(drawn, return_inverse=True)
    begin = int(counts[:place].sum())
    mine = wanted[(wanted >= begin) & (wanted < begin + own.shape[0])] - begin
    return job.hosts.joined(_dense(own[mine])), chosen.reshape(drawn.shape), total


class Trees(NamedTuple):
    """A trained model: a forest over rows less their `origin` (d,), which keeps the digits of those far from zero."""

    origin: Array
    forest: Forest

    @property
    def features(self) -> int:
        """How many an example has."""
        return int(self.origin.shape[0])

    def scores(self, features: Array) -> Array:
        """(n,): the more anomalous, the higher; about 1 or less for most."""
        blocks = [features[start : start + _BLOCK] for start in range(0, features.shape[0], _BLOCK)]
        found = [self.forest.scores((_dense(block) - self.origin).astype(np.float32)) for block in blocks]
        return np.concatenate([np.zeros(0), *found])

    def answer(self, features: Array, _parameters: Mapping[str, str]) -> Sequence[Row]:
        """`score` (https://docs.aws.amazon.com/sagemaker/latest/dg/rcf-in-formats.html)."""
        return answers.table({"score": self.scores(features)})

    def save(self, folder: Path) -> None:
        """Origin, and the forest's arrays."""
        head = {"num_trees": len(self.forest.roots), "num_samples_per_tree": int(self.forest.mass[0])}
        archive.write(folder, _FORMAT, head, {"origin": self.origin, **self.forest.arrays()})


def _bound(scores: Array) -> float:
    """Above it, a score is an anomaly's (rcf_how-it-works.html)."""
    return float(scores.mean() + _SIGMAS * scores.std())


def _measured(said: Array, true: Array, wanted: Sequence[str]) -> Scores:
    """By the names under which AWS's log has them; a share of nothing is 0."""
    found = [(ACCURACY, float((said == true).mean()))] if ACCURACY in wanted else []
    if PRECISION in wanted:
        found += [*_class("", said, true), *_class("negative_", ~said, ~true)]
    return found


def _class(prefix: str, said: Array, true: Array) -> Scores:
    hits, all_said, all_true = (float(values.sum()) for values in (said & true, said, true))
    return [
        (f"{prefix}precision", hits / max(all_said, 1)),
        (f"{prefix}recall", hits / max(all_true, 1)),
        (f"{prefix}f1", 2 * hits / max(all_said + all_true, 1)),
    ]


ALGORITHM = RandomCutForest()
