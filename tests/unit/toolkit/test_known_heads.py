"""Requests whose heads have come before are read as those that have not, however the bytes are cut."""

from __future__ import annotations

import random

import pytest

from clary.toolkit.server import listener as listening
from clary.toolkit.server.heads import Heads
from clary.toolkit.server.listener import Listener
from clary.toolkit.server.message import Request

ROWS = [b"1,2", b"3,4", b"", b"5,6\r\n\r\n7,8"]
POSTS = [b"POST /invocations HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%b" % (len(row), row) for row in ROWS]
ODD = [
    b"GET /ping?a=b HTTP/1.1\r\nHost: x\r\n\r\n",
    b"POST /invocations HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\n1,2\r\n0\r\n\r\n",
    b"\r\nPOST /invocations HTTP/1.1\r\nX-Text: \xe4\r\nContent-Length: 1\r\n\r\n1",
]
LAST = b"POST /invocations HTTP/1.1\r\nConnection: close\r\nContent-Length: 1\r\n\r\n9"


class NeverSeen(Heads):
    """Everything is parsed."""

    def find(self, head: bytes) -> None:
        return None


class Transport(listening.asyncio.Transport):
    def __init__(self):
        super().__init__()
        self.sent, self.closed = b"", False

    def write(self, data):
        self.sent += data

    def close(self):
        self.closed = True


def read(pieces: list[bytes], heads: Heads, most: int = 2**20) -> tuple[list[tuple[Request, bool]], bytes, bool]:
    listener = Listener(None, lambda _request: None, most)
    listener.heads = heads
    connection, transport = listening._Connection(listener, listener._loop), Transport()
    connection.connection_made(transport)
    for piece in pieces:
        connection.data_received(piece)
    listener._loop.close()
    arrived = []
    while not listener.requests.empty():
        exchange = listener.requests.get()
        arrived.append((exchange.request, exchange.keep_alive))
    return arrived, transport.sent, transport.closed


def cut(text: bytes, by: random.Random) -> list[bytes]:
    ends = sorted(by.choices(range(len(text) + 1), k=by.randrange(6)))
    return [text[begin:end] for begin, end in zip([0, *ends], [*ends, len(text)], strict=True)]


def test_however_requests_are_cut_they_are_read_alike():
    by, heads = random.Random(6), Heads()
    for _ in range(300):
        sent = by.choices(POSTS, k=by.randrange(1, 8)) + by.choices(ODD, k=by.randrange(2))
        by.shuffle(sent)
        pieces = cut(b"".join(sent), by)
        assert read(pieces, heads) == read(pieces, NeverSeen())
        assert len(read(pieces, heads)[0]) == len(sent)


@pytest.mark.parametrize(
    "text",
    [
        LAST + POSTS[0],  # nothing is read after the last one
        POSTS[0] + b"GET /ping HTTP/1.1\r\nConnection: close\r\n\r\n" + POSTS[0],
        POSTS[0] + b"rubbish\r\n\r\n" + POSTS[0],
        POSTS[0] + b"POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n12",
        POSTS[0] + b"POST / HTTP/1.1\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        POSTS[0] + b"POST / HTTP/1.1\nContent-Length: 9\n\nab\r\n\r\n" + POSTS[0],
        POSTS[0] + b"POST / HTTP/1.0\r\nContent-Length: 1\r\n\r\n1" + POSTS[0],
        POSTS[0] + b"GET / HTTP/1.1\r\nUpgrade: h2c\r\nConnection: upgrade\r\n\r\n" + POSTS[0],
        POSTS[0] + b"POST / HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\n1" + POSTS[0],
        b"POST / HTTP/1.1\r\nContent-Length: 40\r\n\r\n" + 40 * b"x" + POSTS[0],  # 413, where 32 bytes are the most
        b"POST / HTTP/1.1\r\nX-Long: " + 4000 * b"x" + b"\r\nContent-Length: 1\r\n\r\n1" + POSTS[0],
    ],
)
def test_what_is_not_the_usual_is_read_by_the_parser(text):
    heads = Heads()
    expected = read([text], NeverSeen(), 32)
    assert [read([text], heads, 32) for _ in range(2)] == [expected, expected]


def test_the_same_head_is_read_once_and_what_is_kept_is_bounded():
    heads = Heads()
    known = heads.find(b"GET /ping HTTP/1.1\r\n\r\n")
    assert known is not None
    assert heads.find(b"GET /ping HTTP/1.1\r\n\r\n") is known
    for number in range(1000):
        heads.find(b"GET /%d HTTP/1.1\r\n\r\n" % number)
    assert len(heads._known) <= 256
    assert heads.find(b"GET /" + 3000 * b"x" + b" HTTP/1.1\r\n\r\n") is None


def test_nobody_changes_what_the_next_request_is_told():
    heads, text = Heads(), POSTS[0]
    first, second = (read([text], heads)[0][0][0] for _ in range(2))
    first.headers["host"] = "changed"
    assert second.headers["host"] == "x"
    assert read([text], heads)[0][0][0].headers["host"] == "x"
