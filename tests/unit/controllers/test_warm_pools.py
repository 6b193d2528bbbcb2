"""Warm pools: whose place is kept, who gets it, and when it is given back."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from clary.controllers.capacity import Capacity, Placed, Queued
from clary.controllers.warm_pools import WarmPools, matching, retained
from clary.instances import Shape
from clary.store import Store
from clary.store.rows import Key, Row

MACHINE = Shape(2, 2**33)
ALL = {"RoleArn": "role", "EnableNetworkIsolation": False}
LAUNCHED = [{"Status": "Starting"}, {"Status": "Downloading"}, {"Status": "Completed"}]


class World:
    def __init__(self, database):
        self.store = Store(database)
        self.woken = []
        self.begin()

    def begin(self):
        """As a process that has just started."""
        self.capacity = Capacity(MACHINE, MACHINE, self.woken.append)
        self.pools = WarmPools(self.store, self.capacity, self.woken.append)

    def job(self, name="job", period=600, status="Completed", **spec):
        resources = {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1}
        if period:
            resources["KeepAlivePeriodInSeconds"] = period
        now = datetime.now(UTC)
        key = Key("training-job", "0" * 12, "us-east-1", name)
        spec = {**ALL, "ResourceConfig": resources, **spec}
        row = Row(key, f"arn:{name}", status, now, now, spec, {"transitions": LAUNCHED}, "Completed")
        return self.store.write(lambda transaction: transaction.insert(row))

    def ask(self, row):
        """As the controller of a job that waits."""
        self.pools.take(row)
        return self.capacity.request(row.key, [MACHINE], row.created.timestamp())

    def end(self, row):
        """As the controller of a job that has ended."""
        saved = self.store.write(lambda transaction: self.pools.retain(transaction, row))
        self.pools.kept(saved)
        self.capacity.release(row.key)
        return saved

    def pool(self, row):
        return self.store.read.get(row.key).state.get("warm_pool")

    def key(self, row):
        return replace(row.key, kind="warm-pool")


@pytest.fixture
def world(tmp_path):
    made = World(tmp_path / "db")
    yield made
    made.store.close()


def finished(world, name="job", **more):
    row = world.job(name, **more)
    assert world.ask(row) == Placed()
    return world.end(row)


def test_a_jobs_place_is_kept_and_given_to_the_next_one_like_it(world):
    first = finished(world)
    assert world.woken == [world.key(first)]
    stranger = world.job("stranger", RoleArn="other", period=None)
    assert world.ask(stranger) == Queued(1)
    second = world.job("second", period=None)
    assert world.ask(second) == Placed()
    pool = world.pool(first)
    assert (pool["reused_by"], pool["until"] - pool["since"]) == ("second", 600)
    assert pool["since"] <= pool["ended"] <= time.time()
    assert world.pools.reconcile(world.key(first)) is None
    assert world.ask(stranger) == Queued(1)
    world.end(second)
    assert world.ask(stranger) == Placed()


def test_a_place_is_given_that_its_job_has_not_handed_to_the_pool_yet(world):
    first = world.job()
    assert world.ask(first) == Placed()
    assert world.ask(world.job("stranger", RoleArn="other")) == Queued(1)
    saved = world.store.write(lambda transaction: world.pools.retain(transaction, first))
    second = world.job("second")
    assert world.ask(second) == Placed()
    world.pools.kept(saved)
    world.capacity.release(first.key)
    assert world.pools.reconcile(world.key(first)) is None
    assert (world.ask(second), world.capacity.taken) == (Placed(), MACHINE)


def test_a_pool_is_given_once(world):
    first = finished(world)
    second = world.job("second")
    assert world.ask(second) == world.ask(second) == Placed()
    assert world.ask(world.job("third")) == Queued(1)
    assert world.pool(first)["reused_by"] == "second"


def test_a_job_takes_one_pool_however_often_it_asks(world):
    world.capacity = Capacity(MACHINE, Shape(4, 2**34), world.woken.append)
    world.pools = WarmPools(world.store, world.capacity, world.woken.append)
    one, two = finished(world, "one"), finished(world, "two", RoleArn="x")
    world.ask(world.job("next"))
    world.ask(world.job("last", RoleArn="x"))
    assert (world.pool(one)["reused_by"], world.pool(two)["reused_by"]) == ("next", "last")


def test_a_pool_ends_in_time_and_gives_its_place_back(world):
    first = finished(world)
    waiting = world.job("waiting", RoleArn="other")
    assert world.ask(waiting) == Queued(1)
    left = world.pools.reconcile(world.key(first))
    assert 590 < left <= 600
    over = {"since": 100.0, "until": 101.0}
    row = world.store.read.get(first.key)
    world.store.write(lambda transaction: transaction.save(replace(row, state={**row.state, "warm_pool": over})))
    assert world.pools.reconcile(world.key(first)) is None
    assert world.pool(first) == {**over, "ended": 101.0}
    assert world.woken[-1] == waiting.key
    assert world.store.read.rows("warm-pool") == []


def test_control_killed_keeps_the_place_of_a_pool(world):
    first = finished(world)
    world.begin()
    assert world.pools.resume() == [world.key(first)]
    assert world.ask(world.job("other", RoleArn="other")) == Queued(1)
    assert world.ask(world.job("second")) == Placed()


def test_after_a_reset_the_place_is_free(world):
    first = finished(world)
    world.store.write(lambda transaction: transaction.clear())
    assert world.pools.reconcile(world.key(first)) is None
    assert world.ask(world.job("other", RoleArn="other")) == Placed()


@pytest.mark.parametrize(
    ("change", "kept"),
    [
        ({}, True),
        ({"failure_reason": "AlgorithmError: x"}, True),
        ({"failure_reason": "InternalServerError: x"}, False),
        ({"transitions": LAUNCHED[:1]}, False),
    ],
)
def test_what_ends_before_it_had_instances_or_by_the_machines_fault_leaves_no_pool(world, change, kept):
    row = world.job()
    assert (retained(replace(row, state={**row.state, **change}), 5.0) is not None) is kept


def test_a_job_that_asks_for_no_pool_leaves_none(world):
    first = finished(world, period=None)
    assert world.pool(first) is None
    assert world.woken == []


@pytest.mark.parametrize(
    "change",
    [
        {"RoleArn": "x"},
        {"EnableNetworkIsolation": True},
        {"EnableInterContainerTrafficEncryption": True},
        {"VpcConfig": {"Subnets": ["s"], "SecurityGroupIds": ["g"]}},
        {"ResourceConfig": {"InstanceType": "ml.m5.xlarge", "InstanceCount": 1, "VolumeSizeInGB": 1}},
        {"ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 2, "VolumeSizeInGB": 1}},
        {"ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 2}},
    ],
)
def test_what_must_match(world, change):
    spec = world.job().spec
    assert matching(spec) == matching({**spec, "HyperParameters": {"a": "b"}})
    assert matching(spec) != matching({**spec, **change})
