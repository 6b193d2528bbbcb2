"""What the addresses of k-means and PCA mean, and the metrics that AWS's images define."""

import pytest

from clary.images.catalogue import Catalogue, ImageNotFound
from tests.unit.algorithms.unlabelled.conftest import KMEANS, PCA

# test:msd and test:ssd as the SDK's documentation quotes them, the others as of other algorithms of AWS.
PROGRESS = {
    "train:progress": r"#progress_metric: host=\S+, completed (\S+) %",
    "train:throughput": r"#throughput_metric: host=\S+, train throughput=(\S+) records/second",
}
OF_AWS = {
    KMEANS: {
        **PROGRESS,
        "train:msd": r"#quality_metric: host=\S+, train msd <loss>=(\S+)",
        "test:msd": r"#quality_metric: host=\S+, test msd <loss>=(\S+)",
        "test:ssd": r"#quality_metric: host=\S+, test ssd <loss>=(\S+)",
    },
    PCA: PROGRESS,
}


@pytest.mark.parametrize("image", [KMEANS, PCA], ids=["kmeans", "pca"])
def test_metrics_are_defined_as_aws_defines_them(image):
    defined = {metric.name: metric.regex for metric in Catalogue().resolve(image).metric_definitions}
    assert defined == OF_AWS[image]


@pytest.mark.parametrize("image", [KMEANS, PCA], ids=["kmeans", "pca"])
def test_latest_is_the_only_version(image):
    catalogue = Catalogue()
    latest = catalogue.resolve(image.replace(":1", ":latest"))
    assert latest.environment == catalogue.resolve(image).environment
    with pytest.raises(ImageNotFound):
        catalogue.resolve(image.replace(":1", ":2"))
    with pytest.raises(ImageNotFound):
        catalogue.resolve(image.replace("382416733822", "123456789012"))
