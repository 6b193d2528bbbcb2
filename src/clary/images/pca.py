"""AWS's image of principal component analysis (https://docs.aws.amazon.com/sagemaker/latest/dg/pca.html)."""

from __future__ import annotations

from clary.images.base import MetricDefinition
from clary.images.first_party import first_party

_DEFINITIONS = (
    MetricDefinition("train:progress", r"#progress_metric: host=\S+, completed (\S+) %"),
    MetricDefinition("train:throughput", r"#throughput_metric: host=\S+, train throughput=(\S+) records/second"),
)

REPOSITORIES = (first_party("pca", "clary.algorithms.pca:ALGORITHM", _DEFINITIONS),)
