"""What instance types have."""

import pytest

from clary.instances import FALLBACK, GIB, known, shape
from clary.wire import models

SHAPES = ("TrainingInstanceType", "TransformInstanceType", "ProductionVariantInstanceType", "ProcessingInstanceType")
WITHOUT_CORES = {"ml.geospatial.interactive"}


@pytest.mark.parametrize("name", SHAPES)
def test_every_type_that_the_api_takes_is_known(name):
    types = set(models.load("sagemaker").shape_for(name).enum)
    assert {each for each in types if not known(each)} <= WITHOUT_CORES


@pytest.mark.parametrize(
    ("instance_type", "cpus", "gib", "gpus"),
    [
        ("ml.m5.large", 2, 8, 0),
        ("ml.m4.xlarge", 4, 16, 0),
        ("ml.m4.16xlarge", 64, 256, 0),
        ("ml.c4.xlarge", 4, 7.5, 0),
        ("ml.c5.18xlarge", 72, 144, 0),
        ("ml.c5n.2xlarge", 8, 21, 0),
        ("ml.r5.24xlarge", 96, 768, 0),
        ("ml.t2.medium", 2, 4, 0),
        ("ml.t3.2xlarge", 8, 32, 0),
        ("ml.g4dn.xlarge", 4, 16, 1),
        ("ml.g4dn.12xlarge", 48, 192, 4),
        ("ml.g6e.2xlarge", 8, 64, 1),
        ("ml.g5.48xlarge", 192, 768, 8),
        ("ml.p3.2xlarge", 8, 61, 1),
        ("ml.p4d.24xlarge", 96, 1152, 8),
        ("ml.inf1.xlarge", 4, 8, 0),
        ("ml.c7i-flex.large", 2, 4, 0),
    ],
)
def test_shapes(instance_type, cpus, gib, gpus):
    found = shape(instance_type)
    assert (found.cpus, found.memory_bytes, found.gpus) == (cpus, gib * GIB, gpus)


@pytest.mark.parametrize("instance_type", ["local", "ml.x9.huge", "m5.large", "ml.m5", ""])
def test_what_is_not_known_is_a_middling_machine(instance_type):
    assert not known(instance_type)
    assert shape(instance_type) == FALLBACK
