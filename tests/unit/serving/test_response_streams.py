"""InvokeEndpointWithResponseStream over a real router and real sockets."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from clary.calls import Call
from clary.errors import AWSError
from clary.services.sagemaker_runtime import response_streams
from clary.services.sagemaker_runtime.service import SERVICE
from clary.serving.routes import Route, RouteTable, Target, VariantRoute, endpoint_id
from clary.serving.spool import finished, read
from clary.settings import Limits

from .capturing import capture
from .conftest import ok, read_request, says
from .test_invocations import ACCOUNT, edge, metered  # noqa: F401  a fixture
from .test_streaming import CHUNKED, chunk, sends

GROUP = "/aws/sagemaker/Endpoints/e"


async def begin(edge, **params):  # noqa: F811
    params = {"EndpointName": "e", "Body": b"1", **params}
    return await response_streams.invoke_endpoint_with_response_stream(edge, params)


async def parts(output):
    return [event["PayloadPart"]["Bytes"] async for event in output["Body"]]


def route(tmp_path, **more):
    variant = VariantRoute("v", 1.0, (Target(("c1",)),), GROUP, **more)
    RouteTable(tmp_path).set(endpoint_id(ACCOUNT, "us-east-1", "e"), Route((variant,)))


def fails(edge, *pieces):  # noqa: F811
    edge.settings = replace(edge.settings, limits=Limits(invoke_seconds=5, stream_seconds=0.2))
    return sends(*pieces)


async def test_parts_are_passed_on_as_they_come_with_the_headers_of_the_answer(servers, edge):  # noqa: F811
    taken = asyncio.Event()

    async def model(reader, writer):
        head, _ = await read_request(reader)
        assert b"Accept: text/plain" in head
        writer.write(
            CHUNKED.replace(b"\r\n\r\n", b"\r\nX-Amzn-SageMaker-Custom-Attributes: mine\r\n\r\n") + chunk(b"a")
        )
        await taken.wait()
        writer.write(chunk(b"b") + b"0\r\n\r\n")

    await servers.start("c1", model)
    output = await begin(edge, Accept="text/plain")
    said = (output["ContentType"], output["CustomAttributes"], output["InvokedProductionVariant"])
    assert said == ("text/plain", "mine", "v")
    assert (await anext(output["Body"])) == {"PayloadPart": {"Bytes": b"a"}}
    taken.set()
    assert await parts(output) == [b"b"]


async def test_an_ordinary_answer_is_one_part(servers, edge):  # noqa: F811
    await servers.start("c1", says(ok(b"0.5,0.6", "Content-Type: text/csv")))
    assert await parts(await begin(edge)) == [b"0.5,0.6"]


async def test_a_header_that_no_client_would_read_is_a_model_error(servers, edge):  # noqa: F811
    await servers.start("c1", says(ok(b"x", f"X-Amzn-SageMaker-Custom-Attributes: {'x' * 1025}")))
    with pytest.raises(AWSError, match="has more than 1024 characters") as raised:
        await begin(edge)
    assert raised.value.code == "ModelError"


@pytest.mark.parametrize(
    "framing", [b"Content-Length: 3\r\n\r\nbad", CHUNKED.partition(b"\r\n")[2] + chunk(b"bad") + chunk(b"")]
)
async def test_a_model_that_refuses_is_a_model_error(servers, edge, framing):  # noqa: F811
    await servers.start("c1", says(b"HTTP/1.1 422 No\r\n" + framing))
    with pytest.raises(AWSError) as raised:
        await begin(edge)
    assert (raised.value.code, raised.value.members["OriginalStatusCode"]) == ("ModelError", 422)
    assert raised.value.members["OriginalMessage"] == "bad"
    assert metered(edge)["Invocation4XXErrors"] == {1.0: 1.0}


async def test_a_model_that_does_not_begin_is_a_model_error(servers, edge):  # noqa: F811
    await servers.start("c1", sends())
    edge.settings = replace(edge.settings, limits=Limits(invoke_seconds=0.05))
    with pytest.raises(AWSError, match="timed out while waiting for a response from container primary"):
        await begin(edge)


async def test_a_model_that_does_not_end_is_an_error_in_the_stream(servers, edge):  # noqa: F811
    await servers.start("c1", fails(edge, CHUNKED, chunk(b"a")))
    output = await begin(edge)
    assert await anext(output["Body"])
    with pytest.raises(AWSError) as raised:
        await parts(output)
    error = raised.value
    assert (error.code, error.members) == ("ModelStreamError", {"ErrorCode": "ModelInvocationTimeExceeded"})
    assert error.message == "Your model primary did not complete sending the inference response in the allotted time."


async def test_a_connection_that_breaks_is_an_error_in_the_stream(servers, edge):  # noqa: F811
    await servers.start("c1", sends(CHUNKED, chunk(b"a"), close=True))
    output = await begin(edge)
    assert await anext(output["Body"])
    with pytest.raises(AWSError) as raised:
        await parts(output)
    assert (raised.value.code, raised.value.members) == ("ModelStreamError", {"ErrorCode": "StreamBroken"})
    found = metered(edge)
    assert found["MidStreamErrors"] == {1.0: 1.0}
    assert found["Invocation5XXErrors"] == {0.0: 1.0}


async def test_a_replica_that_died_before_it_began_is_replaced_by_another(servers, edge, tmp_path):  # noqa: F811
    async def dies(reader, _):
        await read_request(reader)
        servers.ports.pop("c1")

    await servers.start("c1", dies)
    await servers.start("c2", says(ok(b"x")))
    variant = VariantRoute("v", 1.0, (Target(("c1",)), Target(("c2",))), GROUP)
    RouteTable(tmp_path).set(endpoint_id(ACCOUNT, "us-east-1", "e"), Route((variant,)))
    assert [await parts(await begin(edge)) for _ in range(4)] == [[b"x"]] * 4


async def test_the_last_of_several_containers_is_streamed(servers, edge, tmp_path):  # noqa: F811
    asked = []

    async def last(reader, writer):
        asked.append((await read_request(reader))[1])
        writer.write(CHUNKED + chunk(b"a") + chunk(b"b") + b"0\r\n\r\n")

    await servers.start("c1", says(ok(b"between")))
    await servers.start("c2", last)
    variant = VariantRoute("v", 1.0, (Target(("c1", "c2")),), GROUP, ("one", "two"))
    RouteTable(tmp_path).set(endpoint_id(ACCOUNT, "us-east-1", "e"), Route((variant,)))
    assert await parts(await begin(edge)) == [b"a", b"b"]
    assert asked == [b"between"]
    assert sum(metered(edge)["ContainerLatency"].values()) == 2


async def test_a_client_that_goes_lets_the_replica_go(servers, edge):  # noqa: F811
    gone = asyncio.Event()

    async def model(reader, writer):
        await read_request(reader)
        writer.write(CHUNKED + chunk(b"a"))
        try:
            await reader.read()
        finally:
            gone.set()

    await servers.start("c1", model)
    output = await begin(edge)
    await anext(output["Body"])
    (replica,) = edge.router._replicas.values()
    assert (replica.outstanding, replica.aside) == (1, 1)
    await output["Body"].aclose()
    await asyncio.wait_for(gone.wait(), 60)
    assert (replica.outstanding, replica.aside) == (0, 0)
    assert metered(edge)["Invocations"] == {1.0: 1.0}


async def test_a_stream_that_nobody_ever_reads_lets_the_replica_go(servers, edge):  # noqa: F811
    await servers.start("c1", sends(CHUNKED))
    output = await begin(edge)
    (replica,) = edge.router._replicas.values()
    assert replica.outstanding == 1
    del output
    assert replica.outstanding == 0


async def test_a_stream_is_metered_by_its_first_part_and_its_end(servers, edge):  # noqa: F811
    await servers.start("c1", sends(CHUNKED, chunk(b"a"), chunk(b"b"), b"0\r\n\r\n"))
    await parts(await begin(edge))
    found = metered(edge)
    assert found["Invocations"] == {1.0: 1.0}
    assert found["MidStreamErrors"] == {0.0: 1.0}
    names = ("FirstChunkLatency", "FirstChunkModelLatency", "FirstChunkOverheadLatency", "ModelLatency")
    assert [sum(found[name].values()) for name in names] == [1.0] * 4


async def test_a_stream_is_captured_as_one_answer(servers, edge, tmp_path):  # noqa: F811
    route(tmp_path, capture=capture())
    await servers.start("c1", sends(CHUNKED, chunk(b"a"), chunk(b"b"), b"0\r\n\r\n"))
    await parts(await begin(edge))
    edge.recorder.close()
    (record,) = [record for path in finished(tmp_path / "spool") for record in read(path)]
    assert (record.exchange.input, record.exchange.output) == (b"1", b"ab")


async def test_the_right_is_its_own(edge):  # noqa: F811
    call = Call(edge.call.principal, "sagemaker-runtime", "InvokeEndpointWithResponseStream", {}, "us-east-1")
    (needed, *_) = SERVICE.access(replace(call, params={"EndpointName": "e"}))
    assert needed.action == "sagemaker:InvokeEndpointWithResponseStream"
