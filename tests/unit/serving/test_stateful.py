"""Requests of a session go to the replica that has it; and a crowd that no replica can answer is refused."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest

from clary.errors import AWSError
from clary.services.sagemaker_runtime import invocations
from clary.serving.admission import UNKNOWN
from clary.serving.routes import Route, RouteTable, Target, VariantRoute, endpoint_id

from .conftest import ok, read_request
from .test_invocations import ACCOUNT, edge, metered  # noqa: F401  a fixture

TOMORROW = (datetime.now(UTC) + timedelta(days=1)).strftime("%Y-%m-%dT%H:%M:%SZ")


def stateful(name):
    """A replica that names its sessions by itself, and closes them where it is told to."""

    async def model(reader, writer):
        while True:
            head, body = await read_request(reader)
            said = ()
            if b"X-Amzn-SageMaker-Session-Id: NEW_SESSION" in head:
                said = (f"X-Amzn-SageMaker-New-Session-Id: of-{name}; Expires={TOMORROW}",)
            elif body == b"close":
                said = (f"X-Amzn-SageMaker-Closed-Session-Id: of-{name}",)
            writer.write(ok(name.encode(), *said))

    return model


def publish(tmp_path, *variants):
    RouteTable(tmp_path).set(endpoint_id(ACCOUNT, "us-east-1", "e"), Route(variants))


@pytest.fixture
async def replicas(servers, edge, tmp_path):  # noqa: F811
    names = ("c1", "c2", "c3")
    for name in names:
        await servers.start(name, stateful(name))
    publish(tmp_path, VariantRoute("v", 1.0, tuple(Target((name,)) for name in names)))


async def ask(edge, **params):  # noqa: F811
    return await invocations.invoke_endpoint(edge, {"EndpointName": "e", "Body": b"1", **params})


async def new_session(edge):  # noqa: F811
    output = await ask(edge, SessionId="NEW_SESSION")
    return output["Body"].decode(), output["NewSessionId"].partition(";")[0]


async def test_all_requests_of_a_session_go_to_the_replica_that_made_it(edge, replicas):  # noqa: F811
    name, session = await new_session(edge)
    assert session == f"of-{name}"
    assert {(await ask(edge, SessionId=session))["Body"].decode() for _ in range(20)} == {name}
    assert len({(await ask(edge))["Body"] for _ in range(50)}) == 3, "others go to all"


async def test_a_session_is_gone_once_the_model_has_closed_it(edge, replicas):  # noqa: F811
    _, session = await new_session(edge)
    assert (await ask(edge, SessionId=session, Body=b"close"))["ClosedSessionId"] == session
    await gone(edge, session)


async def gone(edge, session, **params):  # noqa: F811
    with pytest.raises(AWSError) as raised:
        await ask(edge, SessionId=session, **params)
    assert (raised.value.code, raised.value.status) == ("ValidationError", 400)
    assert raised.value.message.startswith(f"Session {session} does not exist")


async def test_a_session_that_nobody_made_does_not_exist(edge, replicas):  # noqa: F811
    await gone(edge, "never")


async def test_a_session_goes_with_its_replica(edge, replicas, servers, tmp_path):  # noqa: F811
    name, session = await new_session(edge)
    servers.kill(name)
    del servers.ports[name]
    await gone(edge, session)
    publish(tmp_path, VariantRoute("v", 1.0, tuple(Target((other,)) for other in ("c1", "c2", "c3") if other != name)))
    await gone(edge, session)
    assert (await ask(edge))["Body"]


async def test_a_session_stays_where_it_is_while_an_update_shifts_traffic(edge, replicas, tmp_path):  # noqa: F811
    name, session = await new_session(edge)
    old = VariantRoute("v", 0.0, (Target((name,)),), share=0.0)
    others = tuple(Target((other,)) for other in ("c1", "c2", "c3") if other != name)
    publish(tmp_path, old, VariantRoute("v", 1.0, others, share=1.0))
    assert (await ask(edge, SessionId=session))["Body"].decode() == name
    assert (await ask(edge, SessionId=session, TargetVariant="v"))["Body"].decode() == name
    await gone(edge, session, TargetVariant="w")


async def test_random_routing_asks_also_those_that_have_much_to_do(edge, replicas, tmp_path):  # noqa: F811
    targets = tuple(Target((name,)) for name in ("c1", "c2", "c3"))
    publish(tmp_path, VariantRoute("v", 1.0, targets, at_random=True))
    edge.router.refresh()
    edge.router.replica(targets[0]).outstanding += 5
    answers = Counter([(await ask(edge))["Body"] for _ in range(60)])
    assert len(answers) == 3
    publish(tmp_path, VariantRoute("v", 1.0, targets))
    answers = Counter([(await ask(edge))["Body"] for _ in range(30)])
    assert len(answers) == 2


@pytest.fixture
async def silent(servers, edge, tmp_path):  # noqa: F811
    """Two replicas that answer once they may."""
    may = asyncio.Event()

    async def model(reader, writer):
        while True:
            await read_request(reader)
            await may.wait()
            writer.write(ok(b"x"))

    for name in ("c1", "c2"):
        await servers.start(name, model)
    publish(tmp_path, VariantRoute("v", 1.0, (Target(("c1",)), Target(("c2",)))))
    return may


async def test_a_crowd_is_refused_as_far_as_it_is_too_large(edge, silent):  # noqa: F811
    asked = [asyncio.ensure_future(ask(edge)) for _ in range(2 * UNKNOWN + 100)]
    refused, waiting = await asyncio.wait(asked, return_when=asyncio.FIRST_COMPLETED)
    while len(waiting) > 2 * UNKNOWN:
        more, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        refused |= more
    errors = [task.exception() for task in refused]
    assert {(error.code, error.status) for error in errors} == {("ThrottlingException", 429)}
    silent.set()
    assert {(await task)["Body"] for task in waiting} == {b"x"}
    assert metered(edge)["Invocations"] == {1.0: 2.0 * UNKNOWN}, "what was refused was not asked"
    assert (await ask(edge))["Body"] == b"x"
