"""AWS's Linear Learner image (https://docs.aws.amazon.com/sagemaker/latest/dg/linear-learner.html), run as an
environment with numpy and scipy."""

from __future__ import annotations

from clary.images.base import MetricDefinition
from clary.images.first_party import first_party

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


def _definitions() -> tuple[MetricDefinition, ...]:
    """As AWS's image publishes them (https://docs.aws.amazon.com/sagemaker/latest/dg/linear-learner-tuning.html)."""
    scores = tuple(
        MetricDefinition(f"{data}:{name}", rf"#quality_metric: host=\S+, {data} {regex}=(\S+)")
        for data in ("train", "validation", "test")
        for name, regex in _SCORES.items()
    )
    return (*_PROGRESS, *scores)


REPOSITORIES = (first_party("linear-learner", "clary.algorithms.linear_learner.training:ALGORITHM", _definitions()),)
