"""InvokeEndpoint over a real router and real sockets: outputs, AWS's error texts, limits."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass, field, replace

import pytest

from clary.calls import Call, Principal
from clary.errors import AWSError
from clary.services.sagemaker_runtime import invocations
from clary.services.sagemaker_runtime.service import SERVICE
from clary.serving.metering import Meter
from clary.serving.recorder import Recorder
from clary.serving.replacing import HELD
from clary.serving.router import Router
from clary.serving.routes import OnDemand, Route, RouteTable, Target, VariantRoute, endpoint_id
from clary.serving.sessions import Sessions
from clary.serving.spool import finished, read
from clary.settings import Limits, Settings

from .capturing import capture
from .conftest import ok, read_request, says

ACCOUNT = "123456789012"
ARN = f"arn:aws:iam::{ACCOUNT}:root"
GROUP_ARN = f"arn:aws:logs:us-east-1:{ACCOUNT}:log-group:/aws/sagemaker/Endpoints/e"


@dataclass
class Edge:
    call: Call
    settings: Settings
    router: Router
    recorder: Recorder
    sessions: Sessions
    meter: Meter = field(default_factory=Meter)


@pytest.fixture
async def edge(tmp_path, servers):
    RouteTable(tmp_path).set(
        endpoint_id(ACCOUNT, "us-east-1", "e"), Route((VariantRoute("v", 1.0, (Target(("c1",)),)),))
    )
    principal = Principal("root", ACCOUNT, ARN, ARN, ACCOUNT)
    call = Call(principal, "sagemaker-runtime", "InvokeEndpoint", {}, "us-east-1")
    router = Router(tmp_path, servers.dial)
    sessions = Sessions(tmp_path / "sessions")
    yield Edge(call, Settings(data_dir=tmp_path), router, Recorder(tmp_path / "spool"), sessions)
    router.close()


async def invoke(edge, **params):
    return await invocations.invoke_endpoint(edge, {"EndpointName": "e", "Body": b"1,2", **params})


async def test_headers_travel_both_ways(servers, edge):
    heads = []

    async def model(reader, writer):
        heads.append((await read_request(reader))[0].decode())
        writer.write(ok(b"0.5", "Content-Type: text/csv", "X-Amzn-SageMaker-Custom-Attributes: out", "Server: mine"))

    await servers.start("c1", model)
    output = await invoke(edge, ContentType="text/csv", Accept="text/csv", CustomAttributes="in")
    assert output == {
        "Body": b"0.5",
        "ContentType": "text/csv",
        "CustomAttributes": "out",
        "InvokedProductionVariant": "v",
    }
    assert "Accept: text/csv" in heads[0]
    assert "X-Amzn-SageMaker-Custom-Attributes: in" in heads[0]


async def test_endpoint_may_be_named_by_arn(servers, edge):
    await servers.start("c1", says(ok(b"x")))
    assert (await invoke(edge, EndpointName=f"arn:aws:sagemaker:us-east-1:{ACCOUNT}:endpoint/e"))["Body"] == b"x"


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"EndpointName": "nope"}, f"Endpoint nope of account {ACCOUNT} not found."),
        # no public source shows AWS's text for an unknown variant
        ({"TargetVariant": "nope"}, "Variant nope not found for endpoint e."),
        ({"TargetModel": "m"}, "Endpoint e is not a multi-model endpoint and does not support target model header."),
        (
            {"EnableExplanations": "`true`"},
            "Endpoint e has nothing that EnableExplanations could be for: it is not offered by Clary.",
        ),
    ],
)
async def test_unknown_names_are_validation_errors(edge, params, message):
    with pytest.raises(AWSError) as raised:
        await invoke(edge, **params)
    assert (raised.value.code, raised.value.status, raised.value.message) == ("ValidationError", 400, message)


@pytest.mark.parametrize(("status", "side"), [(415, "client"), (500, "server"), (302, "server")])
async def test_error_of_the_model_is_a_model_error(servers, edge, status, side):
    await servers.start("c1", says(f"HTTP/1.1 {status} No\r\nContent-Length: 3\r\n\r\nbad".encode()))
    with pytest.raises(AWSError) as raised:
        await invoke(edge)
    error = raised.value
    assert (error.code, error.status) == ("ModelError", 424)
    assert error.message.startswith(f'Received {side} error ({status}) from primary with message "bad". See https://')
    assert error.members == {"OriginalStatusCode": status, "OriginalMessage": "bad", "LogStreamArn": GROUP_ARN}


async def test_model_that_is_too_slow_is_a_model_error(servers, edge):
    async def silent(reader, _writer):
        await read_request(reader)
        await reader.read()

    await servers.start("c1", silent)
    edge.settings = replace(edge.settings, limits=Limits(invoke_seconds=0.05))
    with pytest.raises(AWSError, match="timed out while waiting for a response from container primary"):
        await invoke(edge)


async def test_model_server_that_hangs_up_is_a_model_error(servers, edge):
    async def hang_up(reader, _writer):
        await read_request(reader)

    await servers.start("c1", hang_up)
    with pytest.raises(AWSError) as raised:
        await invoke(edge)
    assert raised.value.members["OriginalStatusCode"] == 0


async def test_a_header_that_no_client_would_read_is_a_model_error(servers, edge):
    await servers.start("c1", says(ok(b"x", f"Content-Type: {'x' * 1025}")))
    with pytest.raises(AWSError, match="its header content-type has more than 1024 characters") as raised:
        await invoke(edge)
    assert raised.value.code == "ModelError"
    assert metered(edge)["Invocation5XXErrors"] == {1.0: 1.0}


def patient(edge, seconds):
    """How long a request waits for a replica."""
    edge.settings = replace(edge.settings, limits=Limits(replica_seconds=seconds))


def publish(tmp_path, *containers, **more):
    targets = tuple(Target((container,)) for container in containers)
    RouteTable(tmp_path).set(endpoint_id(ACCOUNT, "us-east-1", "e"), Route((VariantRoute("v", 1.0, targets, **more),)))


async def held(edge):
    """Until a request waits for a replica."""
    while not edge.router.held:  # noqa: ASYNC110  it has no event
        await asyncio.sleep(0)


def dies(servers, container, asked):
    """A replica that is killed with the first request in its hands."""

    async def handle(reader, _writer):
        asked.append((await read_request(reader))[1])
        servers.kill(container)

    return servers.start(container, handle)


@pytest.mark.parametrize("containers", [("c1",), ()], ids=["unreachable", "none is routed to"])
async def test_no_replica_is_to_be_tried_again(edge, tmp_path, containers):
    publish(tmp_path, *containers)
    patient(edge, 0.05)
    with pytest.raises(AWSError) as raised:
        await invoke(edge)
    assert (raised.value.code, raised.value.status) == ("ServiceUnavailable", 503)


async def test_variants_without_weight_are_asked_by_name_only(edge, tmp_path, servers):
    await servers.start("c1", says(ok(b"x")))
    RouteTable(tmp_path).set(
        endpoint_id(ACCOUNT, "us-east-1", "e"), Route((VariantRoute("v", 0.0, (Target(("c1",)),)),))
    )
    with pytest.raises(AWSError, match="has no variant with a weight above 0") as raised:
        await invoke(edge)
    assert raised.value.code == "ValidationError"
    assert (await invoke(edge, TargetVariant="v"))["Body"] == b"x"


@pytest.mark.parametrize("containers", [("c1",), ()], ids=["unreachable", "none is routed to"])
async def test_who_finds_no_replica_waits_for_the_one_that_takes_its_place(edge, tmp_path, servers, containers):
    publish(tmp_path, *containers)
    patient(edge, 60)
    asked = asyncio.create_task(invoke(edge))
    await held(edge)
    await servers.start("c2", says(ok(b"two")))
    publish(tmp_path, "c2")
    assert (await asked)["Body"] == b"two"
    assert edge.router.held == 0


async def test_who_waits_for_a_replica_of_an_endpoint_that_is_deleted_is_told(edge, tmp_path):
    patient(edge, 60)
    asked = asyncio.create_task(invoke(edge))
    await held(edge)
    RouteTable(tmp_path).replace({})
    with pytest.raises(AWSError, match="No replica of variant v can be reached"):
        await asked


async def test_no_more_than_so_many_wait_for_a_replica(edge):
    patient(edge, 60)
    edge.router.held = HELD
    with pytest.raises(AWSError, match="No replica of variant v can be reached"):
        await invoke(edge)


async def test_a_request_whose_only_replica_died_with_it_is_asked_of_the_next_one(edge, tmp_path, servers):
    asked = []
    await dies(servers, "c1", asked)
    await servers.start("c2", says(ok(b"two")))
    patient(edge, 60)
    answer = asyncio.create_task(invoke(edge))
    await held(edge)
    publish(tmp_path, "c2")
    assert (await answer)["Body"] == b"two"
    assert asked == [b"1,2"]


async def test_a_request_that_three_replicas_have_died_with_is_asked_of_no_fourth(edge, tmp_path, servers):
    asked = []
    for container in ("c1", "c2", "c3", "c4"):
        await dies(servers, container, asked)
    publish(tmp_path, "c1", "c2", "c3", "c4")
    patient(edge, 60)
    with pytest.raises(AWSError, match="the container closed the connection"):
        await invoke(edge)
    assert asked == [b"1,2"] * 3


async def test_where_a_user_says_so_a_request_is_asked_once_whatever_becomes_of_it(edge, tmp_path, servers):
    asked = []
    await dies(servers, "c1", asked)
    await dies(servers, "c2", asked)
    publish(tmp_path, "c1", "c2", once=True)
    patient(edge, 60)
    with pytest.raises(AWSError, match="the container closed the connection") as raised:
        await invoke(edge)
    assert raised.value.code == "ModelError"
    assert asked == [b"1,2"]


async def test_large_body_is_413(edge):
    edge.settings = replace(edge.settings, limits=Limits(invoke_body_bytes=2))
    with pytest.raises(AWSError) as raised:
        await invoke(edge)
    assert raised.value.status == 413


async def test_of_a_serverless_endpoint_it_is_oversize_sooner(edge, tmp_path):
    serverless = VariantRoute("v", 1.0, (), on_demand=OnDemand(1, 0, 0))
    RouteTable(tmp_path).set(endpoint_id(ACCOUNT, "us-east-1", "e"), Route((serverless,)))
    edge.call = replace(edge.call, request_id="r-1")
    with pytest.raises(AWSError, match=r"Request r-1 has oversize body\.$") as raised:
        await invoke(edge, Body=bytes(4 * 2**20 + 1))
    assert raised.value.code == "ValidationError"


async def test_header_with_a_line_break_is_refused(servers, edge):
    await servers.start("c1", says(ok(b"x")))
    with pytest.raises(AWSError, match="cannot be forwarded"):
        await invoke(edge, Accept="a\r\nX-Evil: 1")


def test_right_needed_names_the_endpoint_in_lower_case(edge):
    (needed,) = SERVICE.access(replace(edge.call, params={"EndpointName": "MyE", "TargetVariant": "v"}))
    assert needed.resource == f"arn:aws:sagemaker:us-east-1:{ACCOUNT}:endpoint/mye"
    assert needed.context == {"sagemaker:TargetVariant": "v"}


def metered(edge):
    """Metric → value → how often, of all that was counted."""
    found = {}
    for _, _, data in edge.meter.take():
        for datum in data:
            counts = found.setdefault(datum["MetricName"], {})
            counts.update(zip(datum["Values"], datum["Counts"], strict=True))
    return found


async def test_every_invocation_is_metered_by_how_it_ended(servers, edge):
    await servers.start("c1", says(ok(b"x")))
    await invoke(edge)
    await invoke(edge)
    with pytest.raises(AWSError):
        await invoke(edge, TargetVariant="nope")
    found = metered(edge)
    assert found["Invocations"] == {1.0: 2.0}
    assert found["InvocationModelErrors"] == found["Invocation4XXErrors"] == {0.0: 2.0}
    assert sum(found["ModelLatency"].values()) == sum(found["OverheadLatency"].values()) == 2
    assert metered(edge) == {}


@pytest.mark.parametrize(("status", "name"), [("415 No", "Invocation4XXErrors"), ("500 No", "Invocation5XXErrors")])
async def test_errors_of_a_model_are_metered(servers, edge, status, name):
    await servers.start("c1", says(f"HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n".encode()))
    with pytest.raises(AWSError):
        await invoke(edge)
    found = metered(edge)
    assert found[name] == found["InvocationModelErrors"] == {1.0: 1.0}
    other = {"Invocation4XXErrors", "Invocation5XXErrors"} - {name}
    assert found[other.pop()] == {0.0: 1.0}


@pytest.fixture
async def captured(tmp_path, servers, edge):
    """`await captured(capture, status, …)`: the records of one request to a model that answers so."""

    async def ask(config, status="200 OK", **params):
        routed = VariantRoute("v", 1.0, (Target(("c1",)),), "/aws/sagemaker/Endpoints/e", capture=config)
        RouteTable(tmp_path).set(endpoint_id(ACCOUNT, "us-east-1", "e"), Route((routed,)))
        await servers.start("c1", says(f"HTTP/1.1 {status}\r\nContent-Length: 2\r\n\r\nok".encode()))
        with contextlib.suppress(AWSError):
            await invoke(edge, **params)
        edge.recorder.close()
        return [record for path in finished(tmp_path / "spool") for record in read(path)]

    return ask


async def test_what_is_answered_is_captured_with_what_the_request_said_of_itself(captured):
    (record,) = await captured(capture(), ContentType="text/csv", InferenceId="mine", CustomAttributes="a=1")
    assert record.place == ("123456789012", "us-east-1", "e", "v", "/aws/sagemaker/Endpoints/e", capture())
    assert len(record.exchange.event_id) == 32
    said = ("mine", "a=1", "text/csv", "application/octet-stream", b"1,2", b"ok")
    assert record.exchange[1:] == said


@pytest.mark.parametrize(("mode", "bodies"), [("Input", (b"1,2", b"")), ("Output", (b"", b"ok"))])
async def test_a_side_that_is_not_captured_is_not_kept(captured, mode, bodies):
    (record,) = await captured(capture(CaptureOptions=[{"CaptureMode": mode}]))
    assert (record.exchange.input, record.exchange.output) == bodies


@pytest.mark.parametrize("status", ["400 No", "500 No"])
async def test_a_request_that_failed_is_not_captured(captured, status):
    assert await captured(capture(), status) == []


async def test_without_a_configuration_nothing_is_captured(captured, tmp_path):
    assert await captured(None) == []
    assert not (tmp_path / "spool").exists()
