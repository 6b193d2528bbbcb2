"""Bodies in files that the kernel copies into the client's socket, over real sockets."""

import asyncio
import os
from pathlib import Path

import pytest

from clary.gateway.copying import LEAST
from clary.gateway.incoming import Incoming
from clary.gateway.outgoing import Outgoing
from clary.wire.http import Extent, HttpResponse
from tests.running import wait_until

LARGE = 8 * 2**20
"""More than the sockets between us hold."""

SLEEPERS = 20
"""More than there are threads that copy."""


def get(path, *headers):
    return b"\r\n".join([b"GET %b HTTP/1.1" % path.encode(), b"Host: x", *headers, b"", b""])


class Shelf:
    """Answers with stretches of one file, by the query: `/?0-9,5-100`."""

    def __init__(self, folder):
        self.file = folder / "file"
        self.outgoing = Outgoing(60)

    async def __call__(self, request, line):
        spans = [tuple(map(int, each.split("-"))) for each in request.raw_query.split(",") if each]
        segments = tuple((self.file, first, last - first + 1) for first, last in spans)
        size = sum(length for _, _, length in segments)
        incoming = Incoming(line, 60)
        await incoming.read(0)
        response = HttpResponse(200, {"content-length": str(size)}, Extent(segments, size))
        try:
            await self.outgoing.send(line, response, incoming, head_only=False)
        except FileNotFoundError:
            await line.reply(HttpResponse(500, {"content-length": "0"}), b"")


@pytest.fixture
async def shelf(tmp_path):
    made = Shelf(tmp_path)
    made.file.write_bytes(os.urandom(LARGE))
    yield made
    made.outgoing.close()


@pytest.fixture
async def edge(tmp_path, started, shelf):
    running = await started(tmp_path, shelf).start()
    yield running
    await running.stop()


async def ask(edge, path, *headers):
    reader, writer = await asyncio.open_connection("127.0.0.1", edge.port)
    writer.write(get(path, *headers))
    await writer.drain()
    return reader, writer


def open_files(shelf):
    return [each for each in Path("/proc/self/fd").iterdir() if each.exists() and each.readlink() == shelf.file]


async def test_stretches_of_files_arrive_one_after_another_and_the_connection_is_kept(edge, shelf):
    whole = shelf.file.read_bytes()
    last = get(f"/?0-{LEAST}", b"Connection: close")
    sent = get(f"/?5-{LEAST},7-{LARGE - 1},0-0") + get("/?1-3") + last
    answer = await edge.exchange(sent)
    first = whole[5 : LEAST + 1] + whole[7:] + whole[:1]
    assert answer.count(b"HTTP/1.1 200 OK\r\n") == 3
    _, _, rest = answer.partition(b"\r\n\r\n")
    assert rest[: len(first)] == first
    middle, _, end = rest[len(first) :].partition(b"\r\n\r\n")[2].partition(b"HTTP/1.1 200 OK\r\n")
    assert middle == whole[1:4] and end.endswith(whole[: LEAST + 1])


async def test_clients_that_do_not_read_hold_up_nobody(edge, shelf):
    sleeping = [await ask(edge, f"/?0-{LARGE - 1}") for _ in range(SLEEPERS)]
    answer = await edge.exchange(get(f"/?0-{LARGE - 1}", b"Connection: close"))
    assert answer.endswith(shelf.file.read_bytes())
    for reader, writer in sleeping:
        await reader.readuntil(b"\r\n\r\n")
        assert await asyncio.wait_for(reader.readexactly(LARGE), 60) == shelf.file.read_bytes()
        writer.close()


async def test_a_client_that_hangs_up_frees_the_file(edge, shelf):
    reader, writer = await ask(edge, f"/?{','.join([f'0-{LARGE - 1}'] * 16)}")
    await reader.readuntil(b"\r\n\r\n")
    assert open_files(shelf)
    writer.close()
    await asyncio.to_thread(wait_until, lambda: not open_files(shelf), 60, "the file is closed")
    assert (await edge.exchange(get("/?0-9", b"Connection: close"))).startswith(b"HTTP/1.1 200 ")


async def test_a_file_that_is_shorter_than_it_was_breaks_the_connection(edge, shelf):
    reader, writer = await ask(edge, f"/?0-{LARGE}")
    await reader.readuntil(b"\r\n\r\n")
    with pytest.raises((asyncio.IncompleteReadError, ConnectionError)):
        await asyncio.wait_for(reader.readexactly(LARGE + 1), 60)
    writer.close()


async def test_a_file_that_is_gone_is_told_before_anything_is_sent(edge, shelf):
    shelf.file.unlink()
    answer = await edge.exchange(get(f"/?0-{LARGE - 1}", b"Connection: close"))
    assert answer.startswith(b"HTTP/1.1 500 ")
