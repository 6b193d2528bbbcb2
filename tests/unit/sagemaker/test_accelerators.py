"""AcceleratorType is kept, shown, and said to do nothing."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from clary.images.base import Image, Program
from clary.settings import Settings
from clary.store.rows import Key
from clary.workload.hosting import HostingWorkload
from tests.unit.conftest import ROLE, XGBOOST

MODEL = {"Image": XGBOOST, "ModelDataUrl": "s3://data/model.tar.gz"}
VARIANT = {"VariantName": "v", "ModelName": "m", "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}


@pytest.fixture
def deployed(inner):
    """The variant of an endpoint, as its controller has it."""

    def start(**more):
        inner("sagemaker", "CreateModel", ModelName="m", PrimaryContainer=MODEL, ExecutionRoleArn=ROLE)
        variants = [{**VARIANT, **more}]
        inner("sagemaker", "CreateEndpointConfig", EndpointConfigName="c", ProductionVariants=variants)
        shown = inner("sagemaker", "DescribeEndpointConfig", EndpointConfigName="c")["ProductionVariants"][0]
        assert shown.get("AcceleratorType") == more.get("AcceleratorType")
        inner("sagemaker", "CreateEndpoint", EndpointName="e", EndpointConfigName="c")
        row = inner.store.read.get(Key("endpoint", "000000000000", "us-east-1", "e"))
        return row.state["next"]["variants"][0]

    return start


@pytest.fixture
def notices(tmp_path):
    run = Program("m")
    image = Image(XGBOOST, None, run, run, notices=("an image's own",))
    workload = HostingWorkload(Settings(data_dir=tmp_path), None, SimpleNamespace(image=lambda _: image))
    return lambda variant: workload.notices(variant, {"position": 0})


def test_the_endpoints_log_says_that_it_is_not_heeded(deployed, notices):
    own, said = notices(deployed(AcceleratorType="ml.eia2.medium"))
    assert (own, "ml.eia2.medium" in said, "served without it" in said) == ("an image's own", True, True)


def test_without_one_nothing_is_said(deployed, notices):
    assert notices(deployed()) == ("an image's own",)
