"""Endpoints of real containers: up, changed without a gap, killed, failing, removed."""

from __future__ import annotations

import asyncio
import io
import json
import os
import signal
import tarfile
import threading
import time
from dataclasses import replace

import pytest

from clary.compute.base import Running
from clary.compute.dial import SandboxDial
from clary.controllers import health
from clary.controllers.container import Containers
from clary.controllers.utilization_effects import Utilization
from clary.errors import ClaryError
from clary.lifecycles.endpoint import leaving_name
from clary.services.sagemaker.deployment import reweighted
from clary.services.sagemaker.deployment_config import rollout
from clary.serving.chain import Walk
from clary.serving.client import Request
from clary.serving.router import Router, UnknownEndpoint
from tests.slowness import slowness

from .conftest import ACCOUNT, REGION, ROLE

NAME = "e"
GROUP = f"/aws/sagemaker/Endpoints/{NAME}"


def archive(name, **members):
    """model.tar.gz with a file that says which model it is."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        for path, content in {"name": name, **members}.items():
            info = tarfile.TarInfo(path)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content.encode()))
    return packed.getvalue()


def deployment(uri, *, count=1, name="v", weight=1.0):
    variant = {
        "name": name,
        "weight": weight,
        "desired_count": count,
        "instance_type": "ml.m5.large",
        "model": "m",
        "container_definitions": [{"Image": "test", "ModelDataUrl": uri, "Environment": {}}],
        "role": ROLE,
        "isolated": False,
    }
    return {"config": "cfg", "variants": [variant]}


class Client:
    """An edge: a router in a thread of its own, which acknowledges routes as an edge does."""

    def __init__(self, world):
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self.thread.start()
        self.router = self._run(self._open(world))

    async def _open(self, world):
        router = Router(world.settings.run_dir, SandboxDial(world.settings.containers_dir))
        self.watching = asyncio.create_task(router.watch())
        return router

    def _run(self, coroutine):
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(60)

    async def _ask(self, body=b"1"):
        variant = self.router.variant(self.router.route(ACCOUNT, REGION, NAME), None)
        walk = Walk(tuple(range(len(variant.hostnames))))
        return await self.router.ask(variant, Request("POST", "/invocations", {}, body), walk)

    def ask(self, body=b"1"):
        return self._run(self._ask(body)).body.decode()

    async def _storm(self, ended):
        answers = []

        async def one_client():
            while not ended.is_set():
                answers.append((await self._ask()).body)

        await asyncio.gather(*(one_client() for _ in range(4)))
        return answers

    def storm(self, ended):
        """Four clients that ask until `ended`: a future of all answers."""
        return asyncio.run_coroutine_threadsafe(self._storm(ended), self.loop)

    def close(self):
        self.watching.cancel()
        self.loop.call_soon_threadsafe(self.router.close)
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join()


@pytest.fixture
def client(world):
    made = Client(world)
    yield made
    made.close()


@pytest.fixture
def create(world):
    def insert(uri, name=NAME, **more):
        return world.insert("endpoint", name, "Creating", "InService", {}, next=deployment(uri, **more))

    return insert


@pytest.fixture
def one(world):
    return world.put("one.tar.gz", archive("one"))


@pytest.fixture
def two(world):
    return world.put("two.tar.gz", archive("two"))


def containers(world, key):
    return [member["container"] for member in members(world, key)]


def members(world, key):
    """Of all replicas in service."""
    variants = world.row(key).state["current"]["variants"]
    return [member for variant in variants for replica in variant["replicas"] for member in replica["members"]]


def test_in_service_means_that_it_answers(world, create, client, one):
    with pytest.raises(UnknownEndpoint):
        client.ask()
    key = create(one)
    world.until_status(key, "InService")
    assert client.ask() == "one"
    (member,) = world.row(key).state["current"]["variants"][0]["replicas"][0]["members"]
    assert member["log_stream"].startswith("v/i-0")
    assert "serving" in world.log("/aws/sagemaker/Endpoints/e", member["log_stream"])
    assert next(call.params.get("logGroupName") for call in world.calls) == "/aws/sagemaker/Endpoints/e"


def test_creation_is_fast(world, create, one):
    """At least once, on a machine that is given to it: what others do meanwhile is in each figure too."""

    def seconds(name: str) -> float:
        slow = slowness()
        began = time.monotonic()
        world.until_status(create(one, name=name), "InService")
        return (time.monotonic() - began) / max(slow, slowness())

    assert any(seconds(f"e-{number}") < 3.0 for number in range(5))


def test_update_without_a_gap(world, create, client, one, two):
    key = create(one)
    world.until_status(key, "InService")
    (old,) = containers(world, key)
    answers = [client.ask()]
    asking = threading.Thread(target=lambda: [answers.append(client.ask()) for _ in iter(lambda: answers[-1], "two")])
    asking.start()
    world.change(key, status="Updating", state={"next": deployment(two)})
    asking.join(60)
    assert set(answers) == {"one", "two"}
    assert world.until_status(key, "InService").state["next"] is None
    world.until(lambda: old not in world.backend.list())
    assert client.ask() == "two"


def test_other_weights_and_counts_keep_the_replicas(world, create, client, one):
    key = create(one)
    world.until_status(key, "InService")
    before = containers(world, key)
    for weight, count in ((2.0, 1), (2.0, 2), (3.0, 1)):
        wanted = [{"VariantName": "v", "DesiredWeight": weight, "DesiredInstanceCount": count}]
        world.change(key, status="Updating", state={"next": reweighted(world.row(key).state["current"], wanted)})
        variant = world.until_status(key, "InService").state["current"]["variants"][0]
        assert (variant["weight"], len(variant["replicas"])) == (weight, count)
        assert containers(world, key)[:1] == before
        assert client.ask() == "one"
    world.until(lambda: list(world.backend.list()) == before)


def test_no_request_fails_while_update_follows_update(world, create, client, one, two):
    key = create(one, count=2)
    world.until_status(key, "InService")
    ended = threading.Event()
    answers = client.storm(ended)
    for uri in (two, one, two):
        world.change(key, status="Updating", state={"next": deployment(uri, count=2)})
        world.until_status(key, "InService")
        world.until(lambda: len(list(world.backend.list())) == 2)
    ended.set()
    said = answers.result(60)
    assert set(said) == {b"one", b"two"}
    assert len(said) > 50


def test_killed_replica_is_replaced_and_nobody_notices(world, create, client, one):
    key = create(one, count=2)
    world.until_status(key, "InService")
    first, _ = before = containers(world, key)
    world.backend.stop(first, 0)

    def replaced():
        assert client.ask() == "one"
        now = containers(world, key)
        return now != before and all(member["ready"] for member in members(world, key))

    world.until(replaced)
    world.until(lambda: first not in world.backend.list())


def test_a_replica_that_cannot_be_replaced_says_why_in_its_log_and_comes_once_it_can(world, create, client, one):
    key = create(one)
    world.until_status(key, "InService")
    (before,) = containers(world, key)
    world.objects.delete("bucket", ["one.tar.gz"])
    world.backend.stop(before, 0)
    said = "Could not find the object s3://bucket/one.tar.gz"
    world.until(
        lambda: any(said in line for each in members(world, key) for line in world.log(GROUP, each["log_stream"]))
    )
    assert world.row(key).status == "InService"
    world.put("one.tar.gz", archive("another"))
    world.until(lambda: all(member["ready"] for member in members(world, key)) and containers(world, key) != [before])
    assert client.ask() == "another"


def test_replica_that_hangs_in_service_is_replaced(world, create, client, one, monkeypatch):
    monkeypatch.setattr(health, "WATCH_PAUSE", 0.05)
    monkeypatch.setattr(health, "SILENT_SECONDS", 2.0)
    key = create(one)
    world.until_status(key, "InService")
    (before,) = containers(world, key)
    client.ask(b"hang")
    world.until(lambda: containers(world, key) != [before] and all(member["ready"] for member in members(world, key)))
    assert client.ask() == "one"
    world.until(lambda: before not in world.backend.list())


def test_endpoint_answers_while_control_is_dead_and_after(world, create, client, one):
    key = create(one)
    world.until_status(key, "InService")
    before = containers(world, key)
    world.close()
    assert client.ask() == "one"
    world.open()
    assert client.ask() == "one"
    assert containers(world, key) == before
    assert isinstance(world.backend.poll(before[0]), Running)


def test_killed_while_control_is_dead(world, create, client, one):
    key = create(one)
    world.until_status(key, "InService")
    (before,) = containers(world, key)
    world.close()
    world.backend.stop(before, 0)
    world.until(lambda: not isinstance(world.backend.poll(before), Running))
    world.open()
    world.until(lambda: containers(world, key) != [before] and all(member["ready"] for member in members(world, key)))
    assert client.ask() == "one"


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (archive("crash"), "SystemExit: model does not load"),
        (b"no archive", "Failed to extract model data archive from URL"),
        (archive("x", **{"../up": "x"}), "climbs out of the archive"),
        (None, "Could not find the object s3://bucket/bad.tar.gz"),
    ],
    ids=["crashes", "no archive", "climbs out", "not there"],
)
def test_model_that_cannot_be_served(world, create, content, reason):
    if content is not None:
        world.put("bad.tar.gz", content)
    key = create("s3://bucket/bad.tar.gz")
    row = world.until_status(key, "Failed")
    assert reason in row.state["failure_reason"]
    world.until(lambda: not list(world.backend.list()))


def test_model_that_the_role_may_not_read(world, create, one):
    world.denied.add(("s3:GetObject", "arn:aws:s3:::bucket/one.tar.gz"))
    row = world.until_status(create(one), "Failed")
    assert row.state["failure_reason"].startswith(
        'Failed to download model data for container "container_1" from URL: "s3://bucket/one.tar.gz". Please ensure '
    )
    assert "is not authorized to perform: s3:GetObject" in row.state["failure_reason"]


def test_failed_update_goes_back(world, create, client, one):
    key = create(one)
    world.until_status(key, "InService")
    world.change(key, status="Updating", state={"next": deployment("s3://bucket/none.tar.gz")})
    world.until_status(key, "RollingBack", "InService")
    row = world.until_status(key, "InService")
    assert "Could not find" in row.state["failure_reason"]
    assert client.ask() == "one"


def test_deleted_endpoint_frees_its_name_and_its_containers(world, create, client, one, two):
    key = create(one)
    world.until_status(key, "InService")
    world.change(key, target="Deleted")
    world.until(lambda: world.store.read.get(key) is None)
    again = create(two)
    world.until_status(again, "InService")
    assert client.ask() == "two"
    world.until(lambda: len(list(world.backend.list())) == 1)


def test_row_that_an_operation_deleted_itself(world, create, client, one):
    key = create(one)
    world.until_status(key, "InService")
    world.store.write(lambda transaction: transaction.delete(key))
    world.controllers.wake(key)
    world.until(lambda: not list(world.backend.list()))
    with pytest.raises(UnknownEndpoint):
        client.ask()


def test_row_that_an_operation_renamed_to_free_the_name(world, create, client, one, two):
    key = create(one)
    world.until_status(key, "InService")
    (old,) = containers(world, key)
    leaving = replace(key, name=leaving_name(key.name, "1"))

    def rename(transaction):
        row = transaction.get(key)
        transaction.delete(key)
        transaction.insert(replace(row, key=leaving, arn="", status="Deleting", target="Deleted"))

    world.store.write(rename)
    again = create(two)
    world.controllers.wake(leaving)
    world.until_status(again, "InService")
    assert client.ask() == "two"
    world.until(lambda: world.store.read.get(leaving) is None and old not in world.backend.list())
    assert client.ask() == "two"


def test_containers_that_an_operation_has_left_out_of_the_row_end(world, create, client, one, two):
    """As UpdateEndpoint does after a rollback that has failed: both versions answer, and a third one is to come."""
    key = create(one)
    world.until_status(key, "InService")

    def update(coming, wait):
        policy = {"TrafficRoutingConfiguration": {"Type": "ALL_AT_ONCE", "WaitIntervalInSeconds": wait}}
        plan = rollout({"BlueGreenUpdatePolicy": policy}, world.row(key).state["current"], coming, time.time())
        world.change(key, status="Updating", state={"next": coming, "rollout": plan})

    update(deployment(two), 3600)
    world.until(lambda: client.ask() == "two")
    update(deployment(one, weight=2.0), 0)
    world.until_status(key, "InService")
    assert client.ask() == "one"
    world.until(lambda: set(world.backend.list()) == set(containers(world, key)))


def uncompressed(**members):
    """A deployment of a model that lies below a prefix."""
    wanted = deployment("")
    source = {"S3Uri": "s3://bucket/plain/", "S3DataType": "S3Prefix", "CompressionType": "None"}
    definition = {"Image": "test", "ModelDataSource": {"S3DataSource": source}}
    wanted["variants"][0] |= {"container_definitions": [definition], **members}
    return wanted


def test_model_that_takes_longer_to_fetch_than_it_may(world):
    world.put("plain/name", b"plain")
    key = world.insert("endpoint", NAME, "Creating", "InService", {}, next=uncompressed(download_seconds=0.0))
    row = world.until_status(key, "Failed")
    assert "ModelDataDownloadTimeoutInSeconds" in row.state["failure_reason"]


def test_uncompressed_model(world, client):
    world.put("plain/name", b"plain")
    wanted = uncompressed()
    key = world.insert("endpoint", NAME, "Creating", "InService", {}, next=wanted)
    world.until_status(key, "InService")
    assert client.ask() == "plain"


def test_shim_killed_by_force_loses_no_request(world, create, client, one):
    key = create(one, count=2)
    world.until_status(key, "InService")
    first, _ = containers(world, key)
    handle = world.settings.containers_dir / first / "handle.json"
    pid = json.loads(handle.read_text())["pid"]
    os.kill(pid, signal.SIGKILL)
    world.until(lambda: client.ask() == "one" and first not in containers(world, key))


def test_machine_that_cannot_run_containers_says_why(world, create, one, monkeypatch):
    def refuse(*_):
        raise ClaryError("Namespaces are forbidden here.", "Allow them.")

    monkeypatch.setattr(world.backend, "start", refuse)
    row = world.until_status(create(one), "Failed")
    assert row.state["failure_reason"] == "InternalServerError: Namespaces are forbidden here. Allow them."


def test_an_endpoint_that_computes_is_seen_to_be_busy(world, create, client, one):
    """By a clock that has come to the next minute each time that it is asked."""
    key, calls = create(one), []
    world.until_status(key, "InService")
    containers = Containers(world.backend, world.settings.run_dir, lambda _: None)
    utilization = Utilization(world.settings, world.store, containers, calls.append)
    utilization.look(0)
    utilization.look(60)
    client.ask(b"burn")
    utilization.look(120)
    world.change(key, target="Deleted")
    utilization.look(180)
    before, after = calls
    assert (before.operation, before.params["Namespace"]) == ("PutMetricData", "/aws/sagemaker/Endpoints")
    busy = {point["MetricName"]: point for point in after.params["MetricData"]}
    assert list(busy) == ["CPUUtilization", "MemoryUtilization", "DiskUtilization"]
    assert busy["CPUUtilization"]["Dimensions"] == [
        {"Name": "EndpointName", "Value": NAME},
        {"Name": "VariantName", "Value": "v"},
    ]
    assert 1 < busy["CPUUtilization"]["Value"] <= 200
    assert 0 < busy["MemoryUtilization"]["Value"] < 10
    assert 0 < busy["DiskUtilization"]["Value"] < 1
