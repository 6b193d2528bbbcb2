"""Answers read as they come: raw sockets say exactly what a container sends, and when."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from clary.serving import streaming
from clary.serving.client import AnswerTooLarge, Broken, NotSent, Pool, Request
from clary.serving.streaming import HELD_BYTES, WHOLE_BYTES, Stream

from .conftest import Handler, Servers, ok, read_request, says

CHUNKED = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n"
ASKED = Request("POST", "/invocations", {"Accept": "text/plain"}, b"1")


def chunk(body: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(body), body)


@pytest.fixture
async def begin(servers: Servers) -> AsyncIterator[Callable[[Handler], asyncio.Future[Stream]]]:
    """Asks a container that is served like this."""
    begun: list[Stream] = []
    with ThreadPoolExecutor(1) as threads:
        pool = Pool("c1", servers.dial, threads)

        async def ask(handler: Handler) -> Stream:
            await servers.start("c1", handler)
            begun.append(await streaming.begin(pool, ASKED))
            return begun[-1]

        yield ask
        for stream in begun:
            stream.close()


async def rest(stream: Stream) -> list[bytes]:
    parts = []
    while part := await stream.part():
        parts.append(part)
    return parts


def sends(*pieces: bytes, close: bool = False) -> Handler:
    async def handle(reader, writer):
        await read_request(reader)
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
        if not close:
            await reader.read()

    return handle


async def test_each_chunk_is_there_before_the_next_was_sent(begin):
    taken = asyncio.Queue()

    async def model(reader, writer):
        head, body = await read_request(reader)
        assert (b"x-clary-stream: 1" in head, body) == (True, b"1")
        writer.write(CHUNKED)
        for number in range(3):
            writer.write(chunk(b"part %d" % number))
            assert await taken.get() == b"part %d" % number
        writer.write(b"0\r\n\r\n")

    stream = await begin(model)
    assert (stream.status, stream.headers["content-type"]) == (200, "text/plain")
    for _ in range(3):
        await taken.put(await stream.part())
    assert await rest(stream) == []


async def test_an_answer_that_says_how_long_it_is_is_one_part(begin):
    head = ok(b"x" * 10)[:-10]
    assert await rest(await begin(sends(head, b"xxxxx", b"xxxxx"))) == [b"x" * 10]


async def test_an_answer_that_is_long_is_several(begin):
    parts = await rest(await begin(says(ok(b"x" * (WHOLE_BYTES + 1)))))
    assert len(parts) > 1
    assert b"".join(parts) == b"x" * (WHOLE_BYTES + 1)


async def test_an_answer_of_no_announced_length_ends_with_its_connection(begin):
    assert b"".join(await rest(await begin(sends(b"HTTP/1.1 200 OK\r\n\r\n", b"ab", b"cd", close=True)))) == b"abcd"


async def test_an_empty_answer_has_no_parts(begin):
    assert await rest(await begin(sends(b"HTTP/1.1 204 No Content\r\n\r\n"))) == []


async def test_interim_answers_are_passed_over(begin):
    stream = await begin(sends(b"HTTP/1.1 102 Processing\r\nA: b\r\n\r\n", ok(b"x")))
    assert (stream.status, await rest(stream)) == (200, [b"x"])


async def test_what_came_before_the_connection_broke_is_read_first(begin):
    stream = await begin(sends(CHUNKED, chunk(b"a"), close=True))
    assert await stream.part() == b"a"
    with pytest.raises(Broken):
        await stream.part()


@pytest.mark.parametrize("answer", [b"nonsense\r\n\r\n", CHUNKED + b"no\r\n"])
async def test_what_is_no_http_is_broken(begin, answer):
    with pytest.raises(Broken):
        await (await begin(sends(answer))).part()


async def test_a_head_without_an_end_is_broken_off(begin):
    async def model(reader, writer):
        await read_request(reader)
        writer.write(b"HTTP/1.1 200 OK\r\n")
        while True:
            writer.write(b"X-More: " + b"x" * 65536 + b"\r\n")
            await writer.drain()

    with pytest.raises(AnswerTooLarge):
        await begin(model)


async def test_a_container_that_is_not_there_was_not_sent_anything(servers):
    with ThreadPoolExecutor(1) as threads, pytest.raises(NotSent):
        await streaming.begin(Pool("nobody", servers.dial, threads), ASKED)


async def test_nobody_who_reads_slowly_has_the_container_fill_the_memory(begin):
    sent, stopped = 0, asyncio.Event()

    async def model(reader, writer):
        nonlocal sent
        await read_request(reader)
        writer.transport.set_write_buffer_limits(high=0)
        writer.write(CHUNKED)
        while sent < 64 * 2**20:
            writer.write(chunk(b"x" * 65536))
            sent += 65536
            try:
                await asyncio.wait_for(writer.drain(), 1)
            except TimeoutError:
                stopped.set()
                await writer.drain()
        writer.write(b"0\r\n\r\n")

    stream = await begin(model)
    await asyncio.wait_for(stopped.wait(), 60)
    assert stream._held < HELD_BYTES + 2**20
    assert sum(map(len, await rest(stream))) == sent


async def test_a_stream_that_is_closed_ends_the_containers_connection(begin):
    gone = asyncio.Event()

    async def model(reader, writer):
        await read_request(reader)
        writer.write(CHUNKED + chunk(b"a"))
        try:
            await reader.read()
        finally:
            gone.set()

    stream = await begin(model)
    await stream.part()
    stream.close()
    await asyncio.wait_for(gone.wait(), 60)


async def test_so_much_is_read_of_an_error_and_no_more(begin):
    stream = await begin(sends(CHUNKED, *[chunk(b"x" * 1000)] * 10, b"0\r\n\r\n"))
    assert await stream.rest(2500) == b"x" * 2500
