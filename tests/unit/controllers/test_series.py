"""A job's metrics as series: every point once, whatever is slow, refuses or dies."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from clary.controllers.series import NAMESPACE, Series
from clary.errors import AWSError
from clary.settings import Settings
from clary.store.rows import Key, Row
from clary.telemetry.logfile import LogWriter
from clary.workload import following

LOSS = {"Name": "loss", "Regex": "loss=([0-9.]+)"}
SECOND = 1_700_000_000


class World:
    def __init__(self, data_dir: Path, own=(LOSS,), given=(LOSS,)):
        self.settings = Settings(data_dir=data_dir)
        (self.settings.containers_dir / "c1").mkdir(parents=True)
        self.log = data_dir / "algo-1"
        self.own = list(own)
        self.calls = []
        self.refuses = False
        created = datetime.fromtimestamp(SECOND, UTC)
        spec = {"AlgorithmSpecification": {"MetricDefinitions": list(given)}}
        key = Key("training-job", "000000000000", "us-east-1", "job")
        self.row = Row(key, "arn", "Training", created, created, spec, {"containers": ["c1"]}, "Completed")

    def invoke(self, call):
        if self.refuses:
            raise AWSError("InternalFailure", "no")
        self.calls.append(call)
        return {}

    def write(self, text, second=SECOND):
        writer = LogWriter(self.log)
        writer.feed(text.encode(), second * 1000)
        writer.close()

    def follow(self):
        """As a process that has just begun."""
        Series(self.settings, self.invoke, lambda row: self.own).follow(self.row, [self.log])

    @property
    def data(self):
        return [datum for call in self.calls for datum in call.params["MetricData"]]


@pytest.fixture
def world(tmp_path):
    return World(tmp_path)


def test_each_value_is_reported_once_with_its_time_and_job(world):
    world.follow()
    world.write("loss=0.5\nnothing\n")
    world.follow()
    world.follow()
    world.write("loss=0.25\n", SECOND + 7)
    world.follow()
    assert world.data == [
        {
            "MetricName": "loss",
            "Dimensions": [{"Name": "TrainingJobName", "Value": "job"}],
            "Timestamp": datetime.fromtimestamp(SECOND + after, UTC),
            "Value": value,
        }
        for after, value in ((0, 0.5), (7, 0.25))
    ]
    call = world.calls[0]
    assert (call.service, call.operation, call.params["Namespace"]) == ("cloudwatch", "PutMetricData", NAMESPACE)
    assert (call.principal.account, call.region) == ("000000000000", "us-east-1")


def test_the_values_of_one_second_are_one_point_with_its_statistics(world):
    world.write("loss=1\nloss=2\nloss=6\n")
    world.follow()
    [datum] = world.data
    assert datum["StatisticValues"] == {"SampleCount": 3.0, "Sum": 9.0, "Minimum": 1.0, "Maximum": 6.0}


def test_half_a_line_waits_for_its_end(world):
    world.write("loss=0.5\n")
    with world.log.open("ab") as file:
        file.write(b"%d F loss=0.1" % (SECOND * 1000))
    world.follow()
    assert [datum["Value"] for datum in world.data] == [0.5]


def test_a_large_log_is_read_in_pieces(world, monkeypatch):
    monkeypatch.setattr(following, "PIECE_BYTES", 100)
    for second in range(20):
        world.write("x" * 60 + f" loss={second}\n", SECOND + second)
    world.follow()
    assert [datum["Value"] for datum in world.data] == [float(second) for second in range(20)]


def test_what_was_refused_is_reported_later(world):
    world.write("loss=0.5\n")
    world.refuses = True
    world.follow()
    world.refuses = False
    world.follow()
    assert [datum["Value"] for datum in world.data] == [0.5]


def test_the_users_expressions_run_in_a_child(tmp_path):
    world = World(tmp_path, own=())
    world.write("loss=0.5\nloss=oh\n")
    world.follow()
    world.follow()
    assert [datum["Value"] for datum in world.data] == [0.5]


def test_an_expression_that_takes_for_ever_is_given_up(tmp_path, monkeypatch):
    monkeypatch.setattr(following, "PIECE_SECONDS", 0.5)
    world = World(tmp_path, own=(), given=({"Name": "slow", "Regex": "(a+)+$"},))
    world.write("a" * 40 + "b\n")
    world.follow()
    monkeypatch.setattr(following, "PIECE_SECONDS", 0.0)  # a second child would raise
    world.follow()
    assert world.data == []


def test_a_job_whose_container_is_gone_is_no_error(world):
    world.write("loss=0.5\n")
    (world.settings.containers_dir / "c1").rmdir()
    world.follow()


def test_without_definitions_nothing_is_read(tmp_path):
    world = World(tmp_path, given=())
    world.write("loss=0.5\n")
    world.follow()
    assert world.calls == []
