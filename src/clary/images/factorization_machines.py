"""AWS's Factorization Machines image (https://docs.aws.amazon.com/sagemaker/latest/dg/fact-machines.html)."""

from __future__ import annotations

from clary.images.base import MetricDefinition
from clary.images.first_party import first_party

_MEASURES = {
    "rmse": r"rmse <loss>",
    "mse": r"mse <loss>",
    "absolute_loss": r"absolute_loss <loss>",
    "binary_classification_accuracy": r"binary_classification_accuracy <score>",
    "binary_classification_cross_entropy": r"binary_classification_cross_entropy <loss>",
    "binary_f_beta": r"binary_f_\S+ <score>",
}
"""Metric → what stands for it in the log (https://docs.aws.amazon.com/sagemaker/latest/dg/fm-tuning.html)."""


def _definitions() -> list[MetricDefinition]:
    progress = [
        MetricDefinition("train:progress", r"#progress_metric: host=\S+, completed (\S+) %"),
        MetricDefinition("train:throughput", r"#throughput_metric: host=\S+, train throughput=(\S+) records/second"),
    ]
    trained = [
        MetricDefinition(f"train:{name}", rf"#quality_metric: host=\S+, epoch=\S+, train {regex}=(\S+)")
        for name, regex in _MEASURES.items()
    ]
    tested = [
        MetricDefinition(f"test:{name}", rf"#quality_metric: host=\S+, test {regex}=(\S+)")
        for name, regex in _MEASURES.items()
    ]
    return [*progress, *trained, *tested]


REPOSITORIES = (
    first_party("factorization-machines", "clary.algorithms.factorization_machines:ALGORITHM", _definitions()),
)
