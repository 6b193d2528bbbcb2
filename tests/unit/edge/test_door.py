"""The hop between edge and control, both ends real, on a Unix socket."""

import asyncio
import socket
import threading
import time
from datetime import UTC, datetime

import pytest

from clary import hop
from clary.calls import Call, Principal
from clary.control.server import ControlServer
from clary.edge.door import ControlDoor
from clary.errors import AWSError, ServiceUnavailable
from clary.supervisor.sockets import bind_unix
from clary.wire import frames

CALLER = Principal("user", "1", "arn:aws:iam::1:user/ada", "arn:aws:iam::1:user/ada", "AIDA1", session_policies=("{}",))


def call(operation="CreateModel", **params):
    return Call(CALLER, "sagemaker", operation, params, "us-east-1", request_id="r-1")


@pytest.fixture
def listening(tmp_path):
    with bind_unix(tmp_path / "control.sock") as bound:
        yield bound


@pytest.fixture
async def door(tmp_path, listening):
    opened = ControlDoor(tmp_path / "control.sock", patience=60, answer=60)
    yield opened
    await opened.close()


@pytest.fixture
async def serve(listening):
    started = []

    async def start(run, **questions):
        server = ControlServer(run, questions)
        await server.start(listening.dup())
        started.append(server)
        return server

    yield start
    for server in started:
        await server.stop()


async def test_a_call_arrives_as_it_was_made_and_its_output_comes_back(door, serve):
    seen = []
    output = {"At": datetime(2026, 1, 2, tzinfo=UTC), "Body": b"\0\xff", "Numbers": [1, 2.5, None, True]}
    await serve(lambda made: (seen.append(made), output)[1])
    made = call(Name="ä", When=datetime(2026, 1, 1, tzinfo=UTC))
    assert await door(made) == output
    assert seen == [made]


async def test_an_error_keeps_its_code_text_status_and_members(door, serve):
    def refuse(_):
        raise AWSError("ModelError", "no", status=424, members={"OriginalStatusCode": 500})

    await serve(refuse)
    with pytest.raises(AWSError) as raised:
        await door(call())
    error = raised.value
    assert (error.code, error.message, error.status) == ("ModelError", "no", 424)
    assert error.members == {"OriginalStatusCode": 500}


async def test_an_unexpected_error_tells_the_client_nothing(door, serve, caplog):
    def fail(_):
        raise RuntimeError("secret path")

    await serve(fail)
    with pytest.raises(AWSError, match="InternalFailure") as raised:
        await door(call())
    assert "secret" not in raised.value.message
    assert "secret path" in caplog.text
    assert "r-1" in caplog.text


async def test_an_output_that_cannot_be_sent_is_an_internal_failure(door, serve):
    await serve(lambda _: {"Thing": object()})
    with pytest.raises(AWSError, match="InternalFailure"):
        await door(call())


async def test_an_answer_that_no_socket_takes_at_once_comes_whole(door, serve):
    await serve(lambda made: {"Body": b"x" * made.params["Size"]})
    for size in (10, 8 * 2**20, 10):
        assert await door(call(Size=size)) == {"Body": b"x" * size}


async def test_clarys_own_questions_are_answered(door, serve):
    await serve(lambda _: {}, health=lambda params: {"ok": params["deep"]})
    assert await door.ask("health", {"deep": True}) == {"ok": True}


async def test_a_call_that_outlives_control_is_no_failure_of_its_own(door, serve, monkeypatch, caplog):
    begun, closed = threading.Event(), threading.Event()

    def slow(_):
        begun.set()
        closed.wait(60)
        raise RuntimeError("the database is closed")

    monkeypatch.setattr("clary.control.server.DRAIN", 0.01)
    server = await serve(slow)
    asked = asyncio.create_task(door(call()))
    await asyncio.to_thread(begun.wait, 60)
    await server.stop()
    closed.set()
    server._threads.shutdown()  # before the event loop has a turn to end the connection
    with pytest.raises(ServiceUnavailable):
        await asked
    assert "was not carried out in time" in caplog.text
    assert "Traceback" not in caplog.text


async def test_control_that_is_away_is_503_and_nothing_has_happened(tmp_path, listening):
    door = ControlDoor(tmp_path / "control.sock", patience=0.3)
    with pytest.raises(ServiceUnavailable):
        await door(call())
    await door.close()


async def test_control_that_comes_back_in_time_carries_the_call_out(tmp_path, serve):
    door = ControlDoor(tmp_path / "control.sock", patience=60)
    waiting = asyncio.create_task(door(call()))
    await asyncio.sleep(0)
    await serve(lambda _: {"done": True})
    assert await waiting == {"done": True}
    await door.close()


class ControlDiesWithTheCall:
    """Greets, takes the call and is gone; the next one answers."""

    def __init__(self, listening):
        self.listening, self.connections = listening, 0

    async def start(self):
        self.server = await asyncio.start_unix_server(self.serve, sock=self.listening.dup())

    async def serve(self, reader, writer):
        from clary import hop
        from clary.wire import frames

        self.connections += 1
        await frames.write(writer, hop.GREETING)
        await frames.read(reader)
        if self.connections > 1:
            await frames.write(writer, hop.output_message({"connection": self.connections}))
        writer.close()


async def test_a_read_is_asked_again_when_control_dies_with_it(door, listening):
    dying = ControlDiesWithTheCall(listening)
    await dying.start()
    assert await door(call("DescribeModel")) == {"connection": 2}
    dying.server.close()


async def test_a_write_is_503_when_control_dies_with_it(door, listening):
    dying = ControlDiesWithTheCall(listening)
    await dying.start()
    with pytest.raises(ServiceUnavailable):
        await door(call("CreateModel"))
    dying.server.close()


async def test_connections_that_died_idle_are_replaced(door, serve):
    first = await serve(lambda _: {"server": 1})
    assert await door(call()) == {"server": 1}
    await first.stop()
    await serve(lambda _: {"server": 2})
    assert await door(call()) == {"server": 2}


async def test_calls_run_side_by_side_and_reuse_connections(door, serve):
    together = threading.Barrier(8)
    await serve(lambda _: {"waited": together.wait(60) >= 0})
    for _ in range(3):
        assert await asyncio.gather(*(door(call()) for _ in range(8))) == [{"waited": True}] * 8


async def test_a_stop_lets_the_call_in_progress_finish(door, serve):
    begun, go_on = threading.Event(), threading.Event()
    server = await serve(lambda _: (begun.set(), {"finished": go_on.wait(60)})[1])
    calling = asyncio.create_task(door(call()))
    await asyncio.to_thread(begun.wait, 60)
    stopping = asyncio.create_task(server.stop())
    await asyncio.sleep(0)
    go_on.set()
    assert await calling == {"finished": True}
    await stopping


async def test_an_answer_that_a_socket_does_not_take_at_once_leaves_whole_before_control_ends(serve, tmp_path):
    """Its beginning is there, the rest waits for the event loop, which has been told to end all connections."""
    large, begun = {"Body": bytes(4 * 2**20)}, threading.Event()
    server = await serve(lambda _: (begun.set(), large)[1])
    with socket.socket(socket.AF_UNIX) as edge:
        edge.settimeout(60)
        edge.connect(str(tmp_path / "control.sock"))
        assert await asyncio.to_thread(frames.receive, edge) == hop.GREETING
        frames.send(edge, hop.call_message(call()))
        ending = threading.Event()
        told = asyncio.create_task(asyncio.to_thread(lambda: (ending.wait(60), frames.receive(edge))[1]))
        while not begun.is_set():  # noqa: ASYNC110  as long as the event loop has turns, it takes the call
            await asyncio.sleep(0)
        while server._busy:  # none from here on: the thread has written what it can
            time.sleep(0.001)  # noqa: ASYNC251
        ending.set()
        await server.stop()
        assert not server._callers, "an event loop that ends now has nothing left to send"
        assert hop.outcome(await told) == large


async def test_who_comes_by_a_connection_that_was_accepted_last_is_sent_away(listening):
    class Late:
        closed = False

        def close(self):
            self.closed = True

    server, late = ControlServer(lambda _: {}, {}), Late()
    await server.start(listening.dup())
    await server.stop()
    server._begin(late, hop.call_message(call()))
    assert late.closed
    assert not server._busy


async def test_a_torn_frame_ends_only_its_connection(tmp_path, door, serve):
    await serve(lambda _: {"fine": True})
    reader, writer = await asyncio.open_unix_connection(tmp_path / "control.sock")
    writer.write(b"\xff\xff\xff\xffgarbage")
    await reader.read()
    writer.close()
    assert await door(call()) == {"fine": True}
