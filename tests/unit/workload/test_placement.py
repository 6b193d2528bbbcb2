"""How copies of inference components are dealt out to instances."""

from __future__ import annotations

import random

import pytest

from clary.instances import Shape
from clary.workload.placement import Room, bounds, instances_for, instances_wanted

GIB = 2**30
ONE = Shape(cpus=4, memory_bytes=16 * GIB)


def copy(cores=0.0, memory_mb=128, accelerators=0):
    return {
        "millicores": int(cores * 1000),
        "memory_mb": memory_mb,
        "most_memory_mb": 0,
        "accelerators": accelerators,
    }


@pytest.mark.parametrize(
    ("copies", "instances"),
    [
        ([], 0),
        ([copy(1)] * 4, 1),
        ([copy(1)] * 5, 2),
        ([copy(0.25)] * 16, 1),
        ([copy(3), copy(3), copy(1), copy(1)], 2),
        ([copy(1, 8192)] * 3, 2),
        ([copy(4), copy(0, 16 * 1024)], 2),
        ([copy(4.25)], None),
        ([copy(1, 16 * 1024 + 1)], None),
        ([copy(1, accelerators=1)], None),
    ],
)
def test_as_many_instances_are_needed_as_the_scarcest_resource_says(copies, instances):
    assert instances_for(copies, ONE) == instances


def test_accelerators_are_dealt_out_whole():
    assert instances_for([copy(1, accelerators=2)] * 3, Shape(48, 192 * GIB, gpus=4)) == 2


def test_no_instance_is_given_more_than_it_has_and_order_does_not_matter():
    chance = random.Random(46)
    for _ in range(200):
        copies = [copy(chance.choice([0.25, 1, 1.5, 3]), chance.randrange(128, 9000)) for _ in range(12)]
        found = instances_for(copies, ONE)
        assert found is not None
        assert found * 4000 >= sum(each["millicores"] for each in copies)
        assert found * 16 * 1024 >= sum(each["memory_mb"] for each in copies)
        chance.shuffle(copies)
        assert instances_for(copies, ONE) == found


def test_what_others_hold_is_taken():
    room = Room(ONE, 2, (copy(3), copy(3)))
    assert room.holds([copy(1), copy(1)])
    assert not room.holds([copy(2)])
    assert not room.holds([copy(1)] * 3)


def variant(count, **scaling):
    managed = {"managed_scaling": {"Status": "ENABLED", **scaling}} if scaling else {}
    return {"name": "v", "instance_type": "ml.m5.xlarge", "desired_count": count, **managed}


def test_instances_follow_the_copies_between_the_bounds_of_managed_scaling():
    scaled = variant(2, MinInstanceCount=1, MaxInstanceCount=3)
    assert bounds(scaled) == (1, 3)
    assert [instances_wanted(scaled, [copy(4)] * count) for count in range(5)] == [1, 1, 2, 3, 3]
    assert bounds(variant(2)) == (2, 2)
    assert instances_wanted(variant(2), []) == 2
