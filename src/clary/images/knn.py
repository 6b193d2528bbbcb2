"""AWS's k-nearest neighbours image (https://docs.aws.amazon.com/sagemaker/latest/dg/k-nearest-neighbors.html)."""

from __future__ import annotations

from clary.images.base import MetricDefinition
from clary.images.first_party import ONE_THREAD, first_party

_DEFINITIONS = (
    MetricDefinition("train:progress", r"#progress_metric: host=\S+, completed (\S+) %"),
    MetricDefinition("train:throughput", r"#throughput_metric: host=\S+, train throughput=(\S+) records/second"),
    MetricDefinition("test:accuracy", r"#quality_metric: host=\S+, test accuracy <score>=(\S+)"),
    MetricDefinition("test:mse", r"#quality_metric: host=\S+, test mse <loss>=(\S+)"),
)
"""As AWS's image publishes them (https://docs.aws.amazon.com/sagemaker/latest/dg/kNN-tuning.html)."""

REPOSITORIES = (
    first_party(
        "knn",
        "clary.algorithms.knn:ALGORITHM",
        _DEFINITIONS,
        packages=("faiss-cpu>=1.8,<1.16",),
        preload=("faiss",),
        env={**ONE_THREAD, "OMP_WAIT_POLICY": "PASSIVE"},  # threads that wait shall not spin
    ),
)
