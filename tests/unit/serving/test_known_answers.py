"""Answers whose heads have come before are read as those that have not, however the bytes are cut."""

from __future__ import annotations

import asyncio
import random

import pytest

from clary.serving import client
from clary.serving.client import Broken, Connection, Room

BODIES = [b"0.5", b"", b"1\r\n\r\n2", b"[[0.1, 0.9]]"]
PLAIN = [b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\nX-A: b\r\n\r\n%b" % (len(body), body) for body in BODIES]
ODD = [
    b"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 1\r\n\r\n!",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\n1,2\r\n0\r\n\r\n",
    b"HTTP/1.1 204 No Content\r\n\r\n",
    b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
]


class Transport(asyncio.Transport):
    closed = False

    def is_closing(self):
        return self.closed

    def writelines(self, _pieces):
        pass

    def abort(self):
        self.closed = True


async def read(pieces: list[bytes], count: int, *, known: bool = True) -> tuple[list[object], bool, bool]:
    """What each of `count` requests is answered, whether the connection is closed, and whether it may be used again."""
    connection = Connection(lambda _connection: None, None if known else Room(2**20))
    transport = Transport()
    connection.connection_made(transport)
    asked = [asyncio.ensure_future(connection.ask(b"", b"")) for _ in range(count)]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    for piece in pieces:
        if piece and not transport.closed:
            connection.data_received(piece)
    reusable = connection.reusable
    connection.connection_lost(None)
    said = await asyncio.gather(*asked, return_exceptions=True)
    return [type(each) if isinstance(each, Exception) else _said(each) for each in said], transport.closed, reusable


def _said(answer: client.Response) -> tuple[int, dict[str, str], bytes]:
    return answer.status, dict(answer.headers), answer.body


def cut(text: bytes, by: random.Random) -> list[bytes]:
    ends = sorted(by.choices(range(len(text) + 1), k=by.randrange(6)))
    return [text[begin:end] for begin, end in zip([0, *ends], [*ends, len(text)], strict=True)]


async def test_however_answers_are_cut_they_are_read_alike():
    by = random.Random(7)
    for _ in range(200):
        sent = by.choices(PLAIN, k=by.randrange(1, 8)) + by.choices(ODD, k=by.randrange(2))
        by.shuffle(sent)
        pieces = cut(b"".join(sent), by)
        found = await read(pieces, len(sent))
        assert found == await read(pieces, len(sent), known=False)
        assert Broken not in found[0]


@pytest.mark.parametrize(
    "text",
    [
        PLAIN[0] + b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n" + PLAIN[0],
        PLAIN[0] + b"HTTP/1.1 200 OK\r\n\r\nall until the end",
        PLAIN[0] + b"rubbish\r\n\r\n",
        PLAIN[0] + b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n12",
        PLAIN[0] + b"HTTP/1.1 200 OK\r\nX-Long: " + 4000 * b"x" + b"\r\nContent-Length: 1\r\n\r\n1",
        PLAIN[0] + b"HTTP/1.1 200 OK\nContent-Length: 9\n\nab\r\n\r\n" + PLAIN[0],
        PLAIN[0] * 4,  # one more than was asked for
    ],
)
async def test_what_is_not_the_usual_is_read_by_the_parser(text):
    assert await read([text], 3) == await read([text], 3, known=False)


async def test_an_answer_that_says_how_many_requests_may_wait_does_so_each_time():
    text = b"HTTP/1.1 200 OK\r\nx-clary-pipelined: 5\r\nContent-Length: 1\r\n\r\n1"
    for _ in range(2):
        connection = Connection(lambda _connection: None)
        connection.connection_made(Transport())
        asked = asyncio.ensure_future(connection.ask(b"", b""))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        connection.data_received(text)
        assert "x-clary-pipelined" not in (await asked).headers
        assert connection.pipelined
