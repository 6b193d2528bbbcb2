"""AWS's Random Cut Forest image (https://docs.aws.amazon.com/sagemaker/latest/dg/randomcutforest.html)."""

from __future__ import annotations

from clary.images.base import MetricDefinition
from clary.images.first_party import first_party

_DEFINITIONS = (
    MetricDefinition("train:progress", r"#progress_metric: host=\S+, completed (\S+) %"),
    MetricDefinition("train:throughput", r"#throughput_metric: host=\S+, train throughput=(\S+) records/second"),
    MetricDefinition("test:f1", r"#quality_metric: host=\S+, test f1 <score>=(\S+)"),
)
"""As AWS's image publishes them (https://docs.aws.amazon.com/sagemaker/latest/dg/random-cut-forest-tuning.html)."""

REPOSITORIES = (first_party("randomcutforest", "clary.algorithms.random_cut_forest:ALGORITHM", _DEFINITIONS),)
