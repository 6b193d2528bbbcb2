"""The edge's event loop with a small application, on real sockets."""

import asyncio
import socket

import pytest

from clary.edge.protocol import LONGEST_HEAD, GuardedProtocol
from clary.edge.server import EdgeServer
from clary.settings import Limits
from clary.supervisor.sockets import bind_tcp, bind_unix


async def hello(scope, receive, send):
    body = b""
    while (event := await receive())["type"] == "http.request":
        body += event["body"]
        if not event.get("more_body"):
            break
    await send(
        {"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % (len(body) + 2))]}
    )
    await send({"type": "http.response.body", "body": b"ok" + body})


class Edge:
    """A started edge server and the supervisor's end of its tether."""

    def __init__(self, folder):
        self.tcp, self.unix = bind_tcp("127.0.0.1", 0), bind_unix(folder / "api.sock")
        self.port = self.tcp.getsockname()[1]
        self.path = folder / "api.sock"
        self.ours, self.alone = socket.socketpair()
        self.beside = asyncio.Event()
        self.server = EdgeServer(hello, Limits(), self.alone.fileno(), [self.work])

    async def work(self):
        self.beside.set()
        await asyncio.Event().wait()

    async def start(self):
        self.running = asyncio.create_task(self.server.serve(sockets=[self.tcp, self.unix]))
        await asyncio.wait_for(self.beside.wait(), 60)
        return self

    async def exchange(self, sent, *, unix=False):
        opening = asyncio.open_unix_connection(self.path) if unix else asyncio.open_connection("127.0.0.1", self.port)
        reader, writer = await opening
        writer.write(sent)
        received = await asyncio.wait_for(reader.read(), 60)
        writer.close()
        return received

    async def stop(self):
        self.ours.close()
        await asyncio.wait_for(self.running, 60)
        self.alone.close()


@pytest.fixture
async def edge(tmp_path, monkeypatch):
    monkeypatch.setattr(GuardedProtocol, "head_seconds", 0.2)
    started = await Edge(tmp_path).start()
    yield started
    await started.stop()


WHOLE = b"POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 3\r\n\r\nabc"


@pytest.mark.parametrize("unix", [False, True])
async def test_it_answers_on_tcp_and_on_the_unix_socket(edge, unix):
    answer = await edge.exchange(WHOLE, unix=unix)
    assert answer.startswith(b"HTTP/1.1 200 OK")
    assert answer.endswith(b"\r\n\r\nokabc")


@pytest.mark.parametrize("sent", [b"", b"POST / HTTP/1.1\r\nHos"])
async def test_a_client_that_does_not_finish_its_head_is_cut_off(edge, sent):
    assert await edge.exchange(sent) == b""


async def test_a_second_head_has_a_limit_too(edge):
    kept = WHOLE.replace(b"Connection: close\r\n", b"")
    answer = await edge.exchange(kept + b"GET /again HT")
    assert answer.count(b"HTTP/1.1 200 OK") == 1


async def test_a_head_without_end_is_refused(edge):
    answer = await edge.exchange(b"GET / HTTP/1.1\r\nX: " + b"y" * (LONGEST_HEAD + 1))
    assert answer.startswith(b"HTTP/1.1 400 ")


async def test_a_head_in_pieces_is_read(edge):
    reader, writer = await asyncio.open_connection("127.0.0.1", edge.port)
    for at in range(0, len(WHOLE), 7):
        writer.write(WHOLE[at : at + 7])
        await writer.drain()
        await asyncio.sleep(0)
    assert (await reader.read()).endswith(b"okabc")
    writer.close()


async def test_garbage_is_400_and_the_next_is_answered(edge):
    assert (await edge.exchange(b"\x16\x03\x01 not http\r\n\r\n")).startswith(b"HTTP/1.1 400 ")
    assert (await edge.exchange(WHOLE)).startswith(b"HTTP/1.1 200 ")


async def test_left_alone_it_lets_go_of_the_port_and_ends(tmp_path):
    edge = await Edge(tmp_path).start()
    await edge.stop()
    with bind_tcp("127.0.0.1", edge.port, patience=1) as bound:
        assert bound.getsockname()[1] == edge.port
