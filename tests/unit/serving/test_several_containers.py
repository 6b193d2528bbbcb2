"""Several containers in one replica: what each is told, whose answer comes back, and who is named when one fails."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import pytest

from clary.calls import Call, Principal
from clary.errors import AWSError
from clary.services.sagemaker_runtime import invocations
from clary.services.sagemaker_runtime.service import SERVICE
from clary.serving.metering import Meter
from clary.serving.router import Router
from clary.serving.routes import Route, RouteTable, Target, VariantRoute, endpoint_id
from clary.settings import Limits, Settings

from .conftest import ok, read_request, says

ACCOUNT = "123456789012"
ARN = f"arn:aws:iam::{ACCOUNT}:root"
NAMES = ("pre", "model", "post")


@dataclass
class Edge:
    call: Call
    settings: Settings
    router: Router
    table: RouteTable
    meter: Meter = field(default_factory=Meter)

    def serve(self, *replicas, direct=False):
        targets = tuple(Target(tuple(containers)) for containers in replicas)
        variant = VariantRoute("v", 1.0, targets, "g", NAMES, direct=direct)
        self.table.set(endpoint_id(ACCOUNT, "us-east-1", "e"), Route((variant,)))


@pytest.fixture
async def edge(tmp_path, servers):
    principal = Principal("root", ACCOUNT, ARN, ARN, ACCOUNT)
    call = Call(principal, "sagemaker-runtime", "InvokeEndpoint", {}, "us-east-1")
    router = Router(tmp_path, servers.dial)
    yield Edge(call, Settings(data_dir=tmp_path), router, RouteTable(tmp_path))
    router.close()


async def invoke(edge, **params):
    return await invocations.invoke_endpoint(edge, {"EndpointName": "e", "Body": b"1", **params})


async def refused(edge, **params):
    with pytest.raises(AWSError) as raised:
        await invoke(edge, **params)
    return raised.value


def adds(word, heads, *headers):
    """A container that puts its word behind what it is given, and keeps the heads of its requests."""

    async def handle(reader, writer):
        while True:
            head, body = await read_request(reader)
            heads.append((word, head.decode()))
            writer.write(ok(body + word, *headers))

    return handle


async def test_each_is_given_the_answer_of_the_one_before_it(servers, edge):
    heads = []
    await servers.start("a", adds(b"a", heads, "Content-Type: text/csv; charset=utf-8"))
    await servers.start("b", adds(b"b", heads))
    await servers.start(
        "c", adds(b"c", heads, "Content-Type: application/json", "X-Amzn-SageMaker-Custom-Attributes: o")
    )
    edge.serve("abc")
    output = await invoke(edge, ContentType="text/csv", Accept="application/json", CustomAttributes="in")
    assert (output["Body"], output["ContentType"], output["CustomAttributes"]) == (b"1abc", "application/json", "o")
    (first, second, third) = (head.split("\r\n") for _, head in heads)
    assert "Content-Type: text/csv" in first
    assert "Content-Type: text/csv; charset=utf-8" in second
    assert "Content-Type: application/octet-stream" in third
    assert [any(line.startswith("Accept:") for line in head) for head in (first, second, third)] == [False, False, True]
    assert all("X-Amzn-SageMaker-Custom-Attributes: in" in head for head in (first, second, third))


@pytest.mark.parametrize("place", range(3))
async def test_the_first_that_fails_is_named_and_none_after_it_is_asked(servers, edge, place):
    heads = []
    for number, container in enumerate("abc"):
        bad = says(b"HTTP/1.1 415 No\r\nContent-Length: 3\r\n\r\nbad")
        await servers.start(container, bad if number == place else adds(container.encode(), heads))
    edge.serve("abc")
    error = await refused(edge)
    assert (error.code, error.members["OriginalStatusCode"]) == ("ModelError", 415)
    assert error.message.startswith(f'Received client error (415) from {NAMES[place]} with message "bad".')
    assert len(heads) == place


async def test_one_that_dies_with_the_request_sends_it_to_another_replica_from_the_start(servers, edge):
    heads = []

    async def die(reader, _writer):
        await read_request(reader)
        servers.kill("b")

    for container in "acdef":
        await servers.start(container, adds(container.encode(), heads))
    await servers.start("b", die)
    edge.serve("abc", "def")
    assert {(await invoke(edge))["Body"] for _ in range(8)} == {b"1def"}


async def test_one_that_cannot_be_reached_and_no_other_replica(servers, edge):
    for container in "ac":
        await servers.start(container, adds(container.encode(), []))
    edge.serve("abc")
    assert (await refused(edge)).code == "ServiceUnavailable"


async def test_one_that_hangs_up_is_named(servers, edge):
    async def hang_up(reader, _writer):
        await read_request(reader)

    await servers.start("a", adds(b"a", []))
    await servers.start("b", hang_up)
    edge.serve("abc")
    assert (await refused(edge)).message.startswith("Received server error (0) from model with message")


async def test_one_that_takes_too_long_is_named(servers, edge):
    async def silent(reader, _writer):
        await read_request(reader)
        await reader.read()

    await servers.start("a", adds(b"a", []))
    await servers.start("b", silent)
    edge.serve("abc")
    edge.settings = replace(edge.settings, limits=Limits(invoke_seconds=1.0))
    assert "waiting for a response from container model." in (await refused(edge)).message


async def test_one_alone_is_asked_by_its_hostname(servers, edge):
    heads = []
    for container in "abc":
        await servers.start(container, adds(container.encode(), heads))
    edge.serve("abc", direct=True)
    assert (await invoke(edge, TargetContainerHostname="model", Accept="text/csv"))["Body"] == b"1b"
    assert "Accept: text/csv" in heads[0][1]


@pytest.mark.parametrize(
    ("direct", "params", "said"),
    [
        (True, {}, "target container hostname is required"),
        (True, {"TargetContainerHostname": "other"}, "Container other not found for endpoint e."),
        (False, {"TargetContainerHostname": "model"}, "does not support target container hostname header"),
    ],
)
async def test_hostnames_are_for_direct_invocation_and_only_for_that(edge, direct, params, said):
    edge.serve("abc", direct=direct)
    error = await refused(edge, **params)
    assert (error.code, said in error.message) == ("ValidationError", True), error.message


def test_the_hostname_is_a_condition_key(edge):
    call = replace(edge.call, params={"EndpointName": "e", "TargetContainerHostname": "model"})
    (access,) = SERVICE.access(call)
    assert access.context == {"sagemaker:TargetContainerHostname": "model"}


async def test_the_time_of_each_is_metered(servers, edge):
    for container in "abc":
        await servers.start(container, adds(container.encode(), []))
    edge.serve("abc")
    await invoke(edge)
    await invoke(edge)
    taken = [each for _, _, data in edge.meter.take() for each in data]
    latencies = [each for each in taken if each["MetricName"] == "ContainerLatency"]
    assert [(each["Dimensions"][2]["Value"], sum(each["Counts"])) for each in latencies] == [
        (name, 2) for name in NAMES
    ]
    assert all(each["Dimensions"][2]["Name"] == "ContainerName" for each in latencies)
    assert {each["MetricName"] for each in taken if len(each["Dimensions"]) == 3} == {"ContainerLatency"}


async def test_what_is_asked_by_its_hostname_is_metered_by_how_it_ended(servers, edge):
    await servers.start("a", says(ok(b"x")))
    await servers.start("b", says(b"HTTP/1.1 500 No\r\nContent-Length: 3\r\n\r\nbad"))
    edge.serve("abc", direct=True)
    await invoke(edge, TargetContainerHostname="pre")
    await refused(edge, TargetContainerHostname="model")
    await refused(edge, TargetContainerHostname="post")
    taken = {
        (each["MetricName"], each["Dimensions"][2]["Value"]): sum(
            value * often for value, often in zip(each["Values"], each["Counts"], strict=True)
        )
        for _, _, data in edge.meter.take()
        for each in data
        if len(each["Dimensions"]) == 3 and each["MetricName"] != "ContainerLatency"
    }
    assert {name: taken["Invocations", name] for name in NAMES} == dict.fromkeys(NAMES, 1)
    assert [taken["Invocation5XXErrors", name] for name in NAMES] == [0, 1, 1]
    assert {metric for metric, _ in taken} == {"Invocations", "Invocation4XXErrors", "Invocation5XXErrors"}
