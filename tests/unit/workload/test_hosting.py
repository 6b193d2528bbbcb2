"""What a replica's containers may use."""

from __future__ import annotations

import pytest

from clary.instances import Shape
from clary.store.rows import Key
from clary.workload.hosting import contract_env, log_group, size_of

GIB = 2**30
COMPONENT = Key("inference-component", "000000000000", "us-east-1", "c")


def variant(**demand):
    asked = {"millicores": 0, "memory_mb": 512, "most_memory_mb": 0, "accelerators": 0, **demand}
    return {"name": "v", "instance_type": "ml.m5.xlarge", **({"demand": asked, "endpoint": "e"} if demand else {})}


@pytest.mark.parametrize(
    ("demand", "size"),
    [
        ({}, Shape(4, 16 * GIB)),
        ({"millicores": 500}, Shape(1, 16 * GIB)),
        ({"millicores": 2000, "most_memory_mb": 1024}, Shape(2, GIB)),
        ({"memory_mb": 256}, Shape(4, 16 * GIB)),
        ({"accelerators": 2}, Shape(4, 16 * GIB, 2)),
    ],
)
def test_a_copy_may_use_what_its_component_asks_for_and_all_other_containers_an_instance(demand, size):
    assert size_of(variant(**demand)) == size


def test_a_copy_is_told_its_endpoint_and_writes_its_component_s_log():
    assert contract_env(COMPONENT, variant(millicores=1), {})["ENDPOINT_NAME"] == "e"
    assert log_group(COMPONENT) == "/aws/sagemaker/InferenceComponents/c"
