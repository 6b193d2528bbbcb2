"""AWS's Linear Learner image (https://docs.aws.amazon.com/sagemaker/latest/dg/linear-learner.html), run as an
environment with numpy and scipy."""

from __future__ import annotations

from clary.images.base import Image, MetricDefinition, Program
from clary.images.releases import Choice, Framework, Release
from clary.images.repository import ENV, Repository, Tag

NUMPY = Framework(
    name="linear-learner",
    distribution="numpy",
    releases=(
        Release("1.24.4", ("3.8", "3.9", "3.10", "3.11"), ("scipy<1.11",)),
        Release("1.26.4", ("3.9", "3.10", "3.11", "3.12"), ("scipy<1.14",)),
        Release("2.2.6", ("3.10", "3.11", "3.12", "3.13"), ("scipy<1.17",)),
        Release("2.3.5", ("3.11", "3.12", "3.13", "3.14"), ("scipy>=1.16",)),
    ),
    preload=(
        "numpy",
        "scipy.sparse",
        "httptools",
        "clary.algorithms.base.train",
        "clary.algorithms.base.serve",
        "clary.algorithms.linear_learner.training",
    ),
)

_SCORES = {
    "absolute_loss": r"absolute_loss <loss>",
    "binary_classification_accuracy": r"binary_classification_accuracy <score>",
    "binary_f_beta": r"binary_f_\S+ <score>",
    "dcg": r"dcg <score>",
    "macro_f_beta": r"macro_f_\S+ <score>",
    "macro_precision": r"macro_precision <score>",
    "macro_recall": r"macro_recall <score>",
    "mae": r"mae <loss>",
    "mse": r"mse <loss>",
    "multiclass_accuracy": r"multiclass_accuracy <score>",
    "multiclass_top_k_accuracy": r"multiclass_top_k_accuracy_\S+ <score>",
    "precision": r"precision <score>",
    "r2": r"r2 <score>",
    "recall": r"recall <score>",
    "rmse": r"rmse <loss>",
    "roc_auc_score": r"roc_auc_score <score>",
}
"""Metric → what stands for it in the log, as AWS's own definitions have it."""

_PROGRESS = (
    MetricDefinition("train:progress", r"#progress_metric: host=\S+, completed (\S+) %"),
    MetricDefinition("train:throughput", r"#throughput_metric: host=\S+, train throughput=(\S+) records/second"),
    MetricDefinition("train:objective_loss", r"#quality_metric: host=\S+, epoch=\S+, train \S+_objective <loss>=(\S+)"),
    MetricDefinition("train:objective_loss:final", r"#quality_metric: host=\S+, train \S+_objective <loss>=(\S+)"),
    MetricDefinition(
        "validation:objective_loss", r"#quality_metric: host=\S+, epoch=\S+, validation \S+_objective <loss>=(\S+)"
    ),
    MetricDefinition(
        "validation:objective_loss:final", r"#quality_metric: host=\S+, validation \S+_objective <loss>=(\S+)"
    ),
    MetricDefinition("test:objective_loss", r"#quality_metric: host=\S+, test \S+_objective <loss>=(\S+)"),
)


_ALGORITHM = "clary.algorithms.linear_learner.training:ALGORITHM"

_ONE_THREAD = {"OPENBLAS_NUM_THREADS": "1"}
"""More bring nothing to matrices of this size, and spin: on a busy machine a job took up to twenty times as long."""


def _definitions() -> tuple[MetricDefinition, ...]:
    """As AWS's image publishes them (https://docs.aws.amazon.com/sagemaker/latest/dg/linear-learner-tuning.html)."""
    scores = tuple(
        MetricDefinition(f"{data}:{name}", rf"#quality_metric: host=\S+, {data} {regex}=(\S+)")
        for data in ("train", "validation", "test")
        for name, regex in _SCORES.items()
    )
    return (*_PROGRESS, *scores)


_DEFINITIONS = _definitions()


def _linear_learner(uri: str, _tag: str, choice: Choice) -> Image:
    return Image(
        uri=uri,
        environment=choice.environment(),
        train=Program("clary.algorithms.base.train", (_ALGORITHM,)),
        serve=Program("clary.algorithms.base.serve", (_ALGORITHM,)),
        metric_definitions=_DEFINITIONS,
        built_in=True,
        env={**ENV, **_ONE_THREAD},
    )


REPOSITORIES = (
    Repository(
        name="linear-learner",
        framework=NUMPY,
        tags={"1": Tag("2.2.6", "3.11")},
        image=_linear_learner,
        aliases={"latest": "1"},
    ),
)
