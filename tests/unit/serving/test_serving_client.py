"""The HTTP client, against servers that behave and servers that do not."""

from __future__ import annotations

import asyncio
import contextlib
from concurrent.futures import ThreadPoolExecutor

import pytest

from clary.serving import client
from clary.serving.client import AnswerTooLarge, Broken, NotSent, Pool, Request

from .conftest import Servers, ok, read_request, says

POST = Request("POST", "/invocations", {"Content-Type": "text/csv"}, b"1,2,3")


@pytest.fixture
def threads():
    with ThreadPoolExecutor(2) as pool:
        yield pool


@pytest.fixture
def pool(servers: Servers, threads: ThreadPoolExecutor):
    opened = Pool("c1", servers.dial, threads)
    yield opened
    opened.close()


async def test_request_and_answer_arrive_whole(servers, pool):
    seen = []

    async def echo(reader, writer):
        head, body = await read_request(reader)
        seen.append(head)
        writer.write(ok(body * 2, "X-Name: Ä"))

    await servers.start("c1", echo)
    answer = await pool.ask(POST)
    assert (answer.status, answer.body, answer.headers["x-name"]) == (200, b"1,2,31,2,3", "Ä")
    assert b"Content-Type: text/csv\r\n" in seen[0]


@pytest.mark.parametrize(("looks", "lives"), [(3, True), (2, False), (1, False), (0, False)])
async def test_a_port_that_closes_a_moment_after_its_connections_is_no_living_one(servers, threads, looks, lives):
    left = iter([True] * looks)

    def dial(container):
        if not next(left, False):
            raise ConnectionRefusedError
        return servers.dial(container)

    await servers.start("c1", says(ok(b"x")))
    assert await Pool("c1", dial, threads).reachable() == lives


async def test_connection_is_used_again(servers, pool):
    await servers.start("c1", says(ok(b"x")))
    for _ in range(3):
        await pool.ask(POST)
    assert len(servers.dialled) == 1


@pytest.mark.parametrize("answer", [ok(b"x", "Connection: close"), b"HTTP/1.0 200 OK\r\n\r\nx"])
async def test_connection_that_the_server_will_close_is_not_used_again(servers, pool, answer):
    async def once(reader, writer):
        await read_request(reader)
        writer.write(answer)

    await servers.start("c1", once)
    for _ in range(2):
        assert (await pool.ask(POST)).body == b"x"
    assert len(servers.dialled) == 2


async def test_idle_connection_is_dropped_before_the_server_closes_it(servers, pool, monkeypatch):
    monkeypatch.setattr(client, "IDLE_SECONDS", 0.0)
    await servers.start("c1", says(ok(b"x")))
    await pool.ask(POST)
    await pool.ask(POST)
    assert len(servers.dialled) == 2


async def test_chunked_answer_after_100_continue(servers, pool):
    chunks = b"2\r\nab\r\n1\r\nc\r\n0\r\n\r\n"
    raw = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks
    await servers.start("c1", says(raw))
    assert (await pool.ask(POST)).body == b"abc"


async def test_container_that_is_gone_is_not_sent(pool):
    with pytest.raises(NotSent):
        await pool.ask(POST)


@pytest.mark.parametrize("answer", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf", b"220 smtp ready\r\n"])
async def test_half_an_answer_is_broken(servers, pool, answer):
    async def half(reader, writer):
        await read_request(reader)
        writer.write(answer)

    await servers.start("c1", half)
    with pytest.raises(Broken):
        await pool.ask(POST)


async def test_endless_answer_is_broken_off(servers, pool, monkeypatch):
    monkeypatch.setattr(client, "RESPONSE_BYTES", 10)
    await servers.start("c1", says(ok(b"x" * 11)))
    with pytest.raises(AnswerTooLarge):
        await pool.ask(POST)


@pytest.mark.parametrize(
    ("before", "again"),
    [
        (b"HTTP/1.1 200 OK\r\n", b"X-A: b\r\n"),
        (b"HTTP/1.1 200 OK\r\nX-A: ", b"b"),
        (b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n", b"X-A: b\r\n"),
    ],
)
async def test_endless_answer_without_a_body_is_broken_off(servers, pool, before, again):
    async def endless(reader, writer):
        await read_request(reader)
        writer.write(before)
        with contextlib.suppress(ConnectionError):
            while not writer.is_closing():
                writer.write(again * 4096)
                await writer.drain()

    await servers.start("c1", endless)
    with pytest.raises(AnswerTooLarge):
        async with asyncio.timeout(60):
            await pool.ask(POST)


async def test_answer_in_very_small_chunks_is_whole(servers, pool, monkeypatch):
    monkeypatch.setattr(client, "BODILESS_BYTES", 1024)
    raw = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"1\r\nx\r\n" * 5000 + b"0\r\n\r\n"
    await servers.start("c1", says(raw))
    assert (await pool.ask(POST)).body == b"x" * 5000


async def test_time_limit_closes_the_connection(servers, pool):
    closed = asyncio.Event()

    async def silent(reader, writer):
        await read_request(reader)
        limit.reschedule(asyncio.get_running_loop().time())
        await reader.read()
        closed.set()

    await servers.start("c1", silent)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(60) as limit:
            await pool.ask(POST)
    await asyncio.wait_for(closed.wait(), 60)


@pytest.mark.parametrize("value", ["a\r\nX: 1", "a\nb", "a\0"])
def test_header_that_breaks_out_of_its_line_is_refused(value):
    with pytest.raises(ValueError, match="line break"):
        Request("POST", "/", {"Accept": value}).head()
