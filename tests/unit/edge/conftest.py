"""A started edge server with a small application, on real sockets."""

import asyncio
import socket

import pytest

from clary.edge.server import EdgeServer
from clary.gateway.incoming import Incoming
from clary.settings import Limits
from clary.supervisor.sockets import bind_tcp, bind_unix
from clary.wire.http import HttpResponse


async def hello(request, line):
    body = await Incoming(line, 5).read(2**20)
    await line.reply(HttpResponse(200, {"content-length": str(len(body) + 2)}), b"ok" + body)


class Edge:
    """A started edge server and the supervisor's end of its tether."""

    def __init__(self, folder, application=hello, **limits):
        self.tcp, self.unix = bind_tcp("127.0.0.1", 0), bind_unix(folder / "api.sock")
        self.port = self.tcp.getsockname()[1]
        self.path = folder / "api.sock"
        self.ours, self.alone = socket.socketpair()
        self.beside = asyncio.Event()
        self.server = EdgeServer(application, Limits(**limits), self.alone.fileno(), [self.work])

    async def work(self):
        self.beside.set()
        await asyncio.Event().wait()

    async def start(self):
        self.running = asyncio.create_task(self.server.serve([self.tcp, self.unix]))
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
def started():
    """Makes such servers."""
    return Edge


@pytest.fixture
async def edge(tmp_path):
    edge = await Edge(tmp_path, header_seconds=0.2).start()
    yield edge
    await edge.stop()
