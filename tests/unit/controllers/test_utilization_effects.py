"""When instances are looked at, and what is reported then: without containers, by a clock of the test's."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from clary.compute.base import Usage
from clary.controllers.container import Containers
from clary.controllers.utilization_effects import Utilization
from clary.errors import AWSError
from clary.settings import Capacity, Settings
from clary.store import Store
from clary.store.rows import Key, Row
from tests.unit.controllers.endpoints import deployment, endpoint, variant

MINUTE = 1_700_000_040 // 60 * 60
CPU = "CPUUtilization"
RESOURCES = {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 30}


class Backend:
    """Containers that have all cores for themselves, each since `begun`."""

    def __init__(self):
        self.now, self.begun, self.asked = float(MINUTE), {}, []

    def usage(self, container):
        self.asked.append(container)
        if container not in self.begun:
            return None
        seconds = self.now - self.begun[container]
        return Usage(seconds, seconds, 1000, 1000)


class World:
    def __init__(self, data_dir):
        self.store = Store(data_dir / "clary.db")
        self.backend, self.calls, self.refuses = Backend(), [], False
        self.data_dir = data_dir
        self.begin()

    def begin(self):
        """Control has been started."""
        settings = Settings(data_dir=self.data_dir, capacity=Capacity(cores=2, memory_bytes=2**30))
        containers = Containers(self.backend, self.data_dir, lambda _: None)
        self.utilization = Utilization(settings, self.store, containers, self.invoke)

    def invoke(self, call):
        if self.refuses:
            raise AWSError("InternalFailure", "no")
        self.calls.append(call)
        return {}

    def insert(self, row):
        self.store.write(lambda transaction: transaction.insert(row))

    def job(self, name="job", status="Training", **state):
        made = datetime.fromtimestamp(MINUTE, UTC)
        key = Key("training-job", "000000000000", "us-east-1", name)
        self.insert(Row(key, name, status, made, made, {"ResourceConfig": RESOURCES}, state, "Completed"))

    def endpoint(self, *containers, region="us-east-1"):
        replicas = [{"members": [{"container": name, "position": 0}]} for name in containers]
        row = endpoint("InService", current=deployment(variant(replicas=replicas)))
        self.insert(replace(row, arn=region, key=replace(row.key, region=region)))

    def look(self, after):
        """So many seconds after the minute began; the points of one metric."""
        self.calls.clear()
        self.backend.asked.clear()
        self.backend.now = MINUTE + after
        self.utilization.look(self.backend.now)
        return [
            (int(point["Timestamp"].timestamp()) - MINUTE, point["Dimensions"][0]["Value"], point["Value"])
            for call in self.calls
            for point in call.params["MetricData"]
            if point["MetricName"] == CPU
        ]


@pytest.fixture
def world(tmp_path):
    made = World(tmp_path)
    yield made
    made.store.close()


def test_when_a_minute_is_over_all_are_reported_for_it_and_within_it_no_endpoint_is_asked(world):
    world.endpoint("a", "b")
    world.backend.begun = {"a": MINUTE, "b": MINUTE}
    assert world.look(5) == world.look(55) == []
    assert world.backend.asked == []
    assert world.look(60.1) == [(0, "e", pytest.approx(100)), (0, "e", pytest.approx(100))]
    assert world.look(65) == []
    assert world.look(120.1) == [(60, "e", pytest.approx(100)), (60, "e", pytest.approx(100))]
    [call] = world.calls
    assert (call.service, call.operation, call.region) == ("cloudwatch", "PutMetricData", "us-east-1")
    assert call.params["Namespace"] == "/aws/sagemaker/Endpoints"


def test_each_owner_is_called_for_by_itself(world):
    world.endpoint("a")
    world.endpoint("b", region="eu-west-1")
    world.job(containers=["c"])
    world.backend.begun = dict.fromkeys("abc", MINUTE)
    world.look(5)
    world.look(60)
    owners = [(call.region, call.params["Namespace"].rpartition("/")[2]) for call in world.calls]
    assert sorted(owners) == [("eu-west-1", "Endpoints"), ("us-east-1", "Endpoints"), ("us-east-1", "TrainingJobs")]


def test_a_job_that_is_over_before_the_minute_is_has_a_point_once(world):
    world.job(containers=["a"])
    world.backend.begun = {"a": MINUTE + 10}
    assert world.look(10.5) == []
    assert world.look(15) == [(0, "job/algo-1", pytest.approx(100))]
    assert world.look(20) == []
    assert world.backend.asked == []


def test_a_job_that_has_ended_or_waits_is_not_asked(world):
    world.job("ended", "Completed", containers=["a"])
    world.job("waits", "Starting")
    world.backend.begun = {"a": MINUTE}
    assert world.look(5) == world.look(60) == []
    assert world.backend.asked == []


def test_an_ended_container_is_reported_no_more_and_forgotten(world):
    world.endpoint("a", "b")
    world.backend.begun = {"a": MINUTE, "b": MINUTE}
    world.look(5)
    world.look(60)
    del world.backend.begun["a"]
    assert len(world.look(120)) == 1
    world.backend.begun["a"] = MINUTE + 170  # whatever has its name now began anew
    assert [value for *_, value in world.look(180)] == [pytest.approx(100)] * 2


def test_a_restart_of_control_knows_of_an_old_container_what_it_holds_and_a_minute_later_all(world):
    world.endpoint("a")
    world.backend.begun = {"a": MINUTE - 3600}
    world.look(5)
    world.look(60)
    world.begin()
    assert world.look(65) == []
    assert world.look(120) == []
    [call] = world.calls
    assert [point["MetricName"] for point in call.params["MetricData"]] == ["MemoryUtilization", "DiskUtilization"]
    assert world.look(180) == [(120, "e", pytest.approx(100))]


def test_points_that_are_refused_are_lost_and_the_next_ones_are_not(world):
    world.endpoint("a")
    world.backend.begun = {"a": MINUTE}
    world.look(5)
    world.refuses = True
    assert world.look(60) == []
    world.refuses = False
    assert world.look(120) == [(60, "e", pytest.approx(100))]


def test_a_clock_that_is_put_back_costs_no_more_than_minutes(world):
    world.endpoint("a")
    world.backend.begun = {"a": MINUTE - 7200}
    world.look(5)
    world.look(60)
    assert world.look(-3600) == []
    world.look(-3540)
    assert world.look(-3480) == [(-3540, "e", pytest.approx(100))]


def test_many_points_are_several_calls(world):
    names = [f"c{number}" for number in range(400)]
    world.endpoint(*names)
    world.backend.begun = dict.fromkeys(names, MINUTE)
    world.look(5)
    assert len(world.look(60)) == 400
    assert [len(call.params["MetricData"]) for call in world.calls] == [500, 500, 200]


def test_its_thread_ends_at_once(world):
    world.utilization.start()
    world.utilization.close()
    world.utilization.close()
