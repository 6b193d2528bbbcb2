"""SageMaker's public hub describes what the bucket holds."""

import json

import pytest

from clary.jumpstart import bucket, hub
from clary.jumpstart.names import bucket_name
from clary.jumpstart.offered import MODELS, VERSIONS

REGION = "eu-west-1"


def test_the_newest_version_is_found_unless_another_is_named():
    assert hub.find("lightgbm-regression-model", "") == (MODELS[3], VERSIONS[-1])
    assert hub.find("lightgbm-regression-model", "*") == (MODELS[3], VERSIONS[-1])
    assert hub.find("lightgbm-regression-model", "1.3.0") == (MODELS[3], "1.3.0")
    assert hub.find("lightgbm-regression-model", "9.9.9") is None
    assert hub.find("llama", "") is None


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.id)
def test_every_address_of_the_document_is_in_the_bucket(model):
    keys = {key for key, _ in bucket.contents()}
    told = hub.document(model, VERSIONS[-1], REGION)
    addresses = [value for name, value in told.items() if name.endswith("Uri") and str(value).startswith("s3://")]
    assert len(addresses) == 5
    for address in addresses:
        name, _, key = address.removeprefix("s3://").partition("/")
        assert name == bucket_name(REGION)
        assert any(known.startswith(key) for known in keys)
    assert f".{REGION}." in told["TrainingEcrUri"]
    assert told["HostingInstanceTypeVariants"]["Variants"]["m5"]["Properties"]["ImageUri"] == told["HostingEcrUri"]
    assert len(json.dumps(told)) < 327_680
