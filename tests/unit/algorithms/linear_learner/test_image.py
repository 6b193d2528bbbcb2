"""What the addresses of Linear Learner mean, and the metrics that AWS's image defines."""

import pytest

from clary.images.catalogue import Catalogue, ImageNotFound
from tests.unit.algorithms.linear_learner.conftest import IMAGE

# As DescribeHyperParameterTuningJob showed them for `644912444149.dkr.ecr.eu-west-2.amazonaws.com/linear-learner:1`.
OF_AWS = {
    "train:progress": r"#progress_metric: host=\S+, completed (\S+) %",
    "train:objective_loss": r"#quality_metric: host=\S+, epoch=\S+, train \S+_objective <loss>=(\S+)",
    "validation:objective_loss:final": r"#quality_metric: host=\S+, validation \S+_objective <loss>=(\S+)",
    "test:binary_f_beta": r"#quality_metric: host=\S+, test binary_f_\S+ <score>=(\S+)",
    "train:throughput": r"#throughput_metric: host=\S+, train throughput=(\S+) records/second",
    "validation:multiclass_top_k_accuracy": (
        r"#quality_metric: host=\S+, validation multiclass_top_k_accuracy_\S+ <score>=(\S+)"
    ),
    "test:absolute_loss": r"#quality_metric: host=\S+, test absolute_loss <loss>=(\S+)",
    "test:macro_f_beta": r"#quality_metric: host=\S+, test macro_f_\S+ <score>=(\S+)",
    "train:mse": r"#quality_metric: host=\S+, train mse <loss>=(\S+)",
    "validation:dcg": r"#quality_metric: host=\S+, validation dcg <score>=(\S+)",
}


def test_latest_is_the_only_version():
    catalogue = Catalogue()
    latest = catalogue.resolve(IMAGE.replace(":1", ":latest"))
    assert latest.environment == catalogue.resolve(IMAGE).environment
    with pytest.raises(ImageNotFound):
        catalogue.resolve(IMAGE.replace(":1", ":2"))


def test_an_own_accounts_repository_is_the_users():
    with pytest.raises(ImageNotFound):
        Catalogue().resolve(IMAGE.replace("382416733822", "123456789012"))


def test_metrics_are_defined_as_aws_defines_them():
    defined = {metric.name: metric.regex for metric in Catalogue().resolve(IMAGE).metric_definitions}
    assert {name: defined.get(name) for name in OF_AWS} == OF_AWS
