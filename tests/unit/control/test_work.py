"""What an operator sees of jobs, and whose instances may be taken away."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from clary.cli.status import _show_jobs as show_jobs
from clary.control.work import given, interrupt, jobs
from clary.controllers.capacity import Capacity
from clary.errors import ValidationError
from clary.instances import Shape
from clary.settings import Settings
from clary.store import Key, Row, Store

MACHINE = Shape(2, 2**33)
NOW = 1_700_000_000


def row(name, status="Training", age=0, **spec):
    created = datetime.fromtimestamp(NOW - age, UTC)
    spec = {"ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1}, **spec}
    return Row(Key("training-job", "0" * 12, "us-east-1", name), f"arn:{name}", status, created, created, spec)


def ask(capacity, job):
    capacity.request(job.key, [Shape(2, 2**33)], job.created.timestamp())


def test_jobs_are_told_oldest_first_with_their_place_in_the_queue():
    capacity = Capacity(MACHINE, MACHINE, lambda _: None)
    oldest, middle, newest = row("a", age=30), row("b", "Starting", age=20), row("c", "Starting", age=10)
    for job in (oldest, newest, middle):
        ask(capacity, job)
    told = jobs([newest, oldest, middle], capacity)
    assert [(job["name"], job["position"]) for job in told] == [("a", None), ("b", 1), ("c", 2)]
    assert told[0]["instances"] == "1 × ml.m5.large"
    assert given(capacity)["cores"] == {"given": 2, "of": 2}


def test_instances_are_counted_by_their_types():
    groups = [
        {"InstanceGroupName": "x", "InstanceType": "ml.m5.large", "InstanceCount": 2},
        {"InstanceGroupName": "y", "InstanceType": "ml.c5.xlarge", "InstanceCount": 1},
    ]
    [told] = jobs([row("a", ResourceConfig={"InstanceGroups": groups})], Capacity(MACHINE, MACHINE, lambda _: None))
    assert told["instances"] == "2 × ml.m5.large, 1 × ml.c5.xlarge"


def test_a_long_queue_is_told_in_short(capsys):
    capacity = Capacity(MACHINE, MACHINE, lambda _: None)
    rows = [row(f"job-{number:02}", "Starting", age=100 - number) for number in range(14)]
    for job in rows:
        ask(capacity, job)
    show_jobs(jobs(rows, capacity), "us-east-1")
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("    job-00  Starting  1 × ml.m5.large")
    assert lines[1].endswith("waits: number 1")
    assert lines[-1] == "    and 3 more that wait; `clary status --json` names all"
    show_jobs(jobs(rows[:1], capacity), "eu-west-1")
    assert "job-00 in us-east-1" in capsys.readouterr().out


class World:
    def __init__(self, folder):
        self.settings = Settings(data_dir=folder)
        self.store = Store(self.settings.database)
        self.woken = []

    def insert(self, job):
        return self.store.write(lambda transaction: transaction.insert(job))

    def interrupt(self, name="job"):
        return interrupt(self.settings, self.store, self.woken.append, {"name": name, "region": "us-east-1"})


@pytest.fixture
def world(tmp_path):
    made = World(tmp_path)
    yield made
    made.store.close()


def test_a_spot_jobs_instances_are_taken_away_while_it_trains(world):
    job = world.insert(row("job", EnableManagedSpotTraining=True))
    assert world.interrupt() == {"name": "job", "status": "Training"}
    assert world.store.read.get(job.key).state["interrupt"] > NOW
    assert world.woken == [job.key]


@pytest.mark.parametrize(
    ("job", "reason"),
    [
        (row("other"), "There is no training job job"),
        (row("job"), "does not run on spot instances"),
        (row("job", "Starting", EnableManagedSpotTraining=True), "is Starting: only a job that is Training"),
    ],
)
def test_other_jobs_are_not_interrupted(world, job, reason):
    stored = world.insert(job)
    with pytest.raises(ValidationError, match=reason):
        world.interrupt()
    assert world.store.read.get(stored.key).state == {}
    assert world.woken == []
