"""AWS's k-means image (https://docs.aws.amazon.com/sagemaker/latest/dg/k-means.html)."""

from __future__ import annotations

from clary.images.base import MetricDefinition
from clary.images.first_party import first_party

_DEFINITIONS = (
    MetricDefinition("train:progress", r"#progress_metric: host=\S+, completed (\S+) %"),
    MetricDefinition("train:throughput", r"#throughput_metric: host=\S+, train throughput=(\S+) records/second"),
    MetricDefinition("train:msd", r"#quality_metric: host=\S+, train msd <loss>=(\S+)"),
    MetricDefinition("test:msd", r"#quality_metric: host=\S+, test msd <loss>=(\S+)"),
    MetricDefinition("test:ssd", r"#quality_metric: host=\S+, test ssd <loss>=(\S+)"),
)
"""As AWS's image publishes them (https://docs.aws.amazon.com/sagemaker/latest/dg/k-means-tuning.html)."""

REPOSITORIES = (first_party("kmeans", "clary.algorithms.kmeans:ALGORITHM", _DEFINITIONS),)
