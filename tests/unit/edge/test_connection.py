"""HTTP/1.1 as clients of all kinds speak it to the edge, hostile ones too; on real sockets."""

import asyncio
import socket
import struct
from collections import defaultdict

import pytest
import uvloop

from clary.edge.heads import BadHeader, Date, head
from clary.gateway.incoming import ClientGone, Incoming
from clary.wire.http import HttpResponse


class Application:
    """Tells what it was asked; knows a few paths."""

    def __init__(self):
        self.asked = []
        self.begun = defaultdict(asyncio.Event)
        self.bodies = []
        self.go_on = asyncio.Event()
        self.gone = asyncio.Event()

    async def __call__(self, request, line):
        self.asked.append(request)
        self.begun[request.path].set()
        if request.path == "/refuse":
            await line.reply(HttpResponse(403, {"content-length": "2"}), b"no")
            return
        try:
            self.bodies.append(await Incoming(line, 5).read(2**20))
        except ClientGone:
            self.gone.set()
            return
        await getattr(self, request.path.strip("/"), self.plain)(request, line)

    async def plain(self, request, line):
        body = b"" if request.method == "HEAD" else request.path.encode() + b"!"
        await line.reply(HttpResponse(200, {"content-length": str(len(request.path) + 1)}), body)

    async def slow(self, request, line):
        await self.go_on.wait()
        await self.plain(request, line)

    async def parts(self, request, line):
        await line.send({"type": "http.response.start", "status": 200, "headers": []})
        for part in (b"one", b"two"):
            await line.send({"type": "http.response.body", "body": part, "more_body": True})
        await line.send({"type": "http.response.body", "body": b""})

    async def half(self, request, line):
        await line.send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"9")]})
        await line.send({"type": "http.response.body", "body": b"half", "more_body": True})

    async def broken(self, request, line):
        raise RuntimeError("a secret inside")

    async def injecting(self, request, line):
        await line.reply(HttpResponse(200, {"x\r\nset-cookie": "a"}), b"")


@pytest.fixture
def application():
    return Application()


@pytest.fixture
async def edge(tmp_path, started, application):
    edge = await started(tmp_path, application).start()
    yield edge
    application.go_on.set()
    await edge.stop()


def get(path, *headers, version="1.1", method="GET"):
    return (
        f"{method} {path} HTTP/{version}\r\n".encode() + b"".join(h + b"\r\n" for h in (b"Host: x", *headers)) + b"\r\n"
    )


LAST = get("/last", b"Connection: close")
CHUNKED = get("/chunked", b"Transfer-Encoding: chunked", method="POST")


@pytest.mark.parametrize(
    "sent",
    [
        get("/", b"Content-Length: 3", b"Transfer-Encoding: chunked", method="POST") + b"0\r\n\r\n",
        get("/", b"Transfer-Encoding: chunked", b"Content-Length: 3", method="POST") + b"0\r\n\r\n",
        get("/", b"Content-Length: 3", b"Content-Length: 4", method="POST") + b"abcd",
        get("/", b"Content-Length: +3", method="POST") + b"abc",
        get("/", b"Content-Length: 3, 3", method="POST") + b"abc",
        get("/", b"Content-Length : 3", method="POST") + b"abc",
        get("/", b"Transfer-Encoding: chunked, identity", method="POST") + b"0\r\n\r\n",
        get("/", b"Transfer-Encoding : chunked", method="POST") + b"0\r\n\r\n",
        CHUNKED + b"3x\r\nabc\r\n0\r\n\r\n",
        CHUNKED + b"-3\r\nabc\r\n0\r\n\r\n",
        CHUNKED + b"fffffffffffffffff\r\nabc\r\n0\r\n\r\n",
        CHUNKED + b"3\r\nabcd\r\n0\r\n\r\n",
        get("/", b"X: a\0b"),
        get("/", b"X y: a"),
        get("/", b": a"),
        b"GET / HTTP/1.1\rHost: x\r\r",
        b"GET / HTTP/3.7\r\n\r\n",
        b"GET\x00/ HTTP/1.1\r\n\r\n",
        b"nonsense\r\n\r\n",
        b"CONNECT example.org HTTP/1.1\r\nHost: x\r\n\r\n",
    ],
)  # fmt: skip
async def test_what_can_be_read_in_two_ways_is_refused_and_nothing_of_it_done(edge, application, sent):
    answer = await edge.exchange(sent + LAST)
    assert answer.startswith(b"HTTP/1.1 400 ") and answer.count(b"HTTP/1.1") == 1
    assert not application.asked


async def test_a_folded_header_is_no_new_one(edge, application):
    await edge.exchange(b"GET / HTTP/1.1\r\nHost: x\r\nX: a\r\n Content-Length: 3\r\nConnection: close\r\n\r\n")
    assert all("content-length" not in asked.headers for asked in application.asked)


async def test_a_body_that_breaks_off_in_nonsense_is_refused_after_what_came_before_is_answered(edge, application):
    reader, writer = await asyncio.open_connection("127.0.0.1", edge.port)
    writer.write(get("/first") + CHUNKED + b"3\r\nabc\r\n")
    assert b"/first!" in await reader.readuntil(b"!")
    writer.write(b"nonsense\r\n")
    assert (await reader.read()).startswith(b"HTTP/1.1 400 ")
    await asyncio.wait_for(application.gone.wait(), 60)
    assert application.bodies == [b""]
    writer.close()


@pytest.mark.parametrize("sent", [CHUNKED + b"3;ext=1\r\nabc\r\n2\r\nde\r\n0\r\nX-Trailer: t\r\nHost: evil\r\n\r\n"])
async def test_chunks_are_joined_and_trailers_are_no_headers(edge, application, sent):
    assert (await edge.exchange(sent + LAST)).count(b"HTTP/1.1 200 ") == 2
    assert application.bodies == [b"abcde", b""]
    assert application.asked[0].headers["host"] == "x" and "x-trailer" not in application.asked[0].headers


async def test_what_is_asked_together_is_answered_in_turn(edge, application):
    reader, writer = await asyncio.open_connection("127.0.0.1", edge.port)
    writer.write(get("/slow") + b"".join(get(f"/{number}") for number in range(300)) + LAST)
    application.go_on.set()
    answers = await reader.read()
    told = [part.partition(b"\r\n\r\n")[2] for part in answers.split(b"HTTP/1.1 200 OK")[1:]]
    assert told == [b"/slow!", *(b"/%d!" % number for number in range(300)), b"/last!"]
    writer.close()


async def test_nothing_is_done_after_the_last_request(edge, application):
    assert (await edge.exchange(LAST + get("/more"))).endswith(b"/last!")
    assert [asked.path for asked in application.asked] == ["/last"]


async def test_an_old_client_gets_no_chunks_and_a_close(edge):
    answer = await edge.exchange(get("/parts", b"Connection: keep-alive", version="1.0"))
    assert answer.endswith(b"\r\n\r\nonetwo") and b"chunked" not in answer and b"connection: close\r\n" in answer


async def test_parts_are_chunks(edge):
    answer = await edge.exchange(get("/parts") + LAST)
    assert b"transfer-encoding: chunked\r\n\r\n3\r\none\r\n3\r\ntwo\r\n0\r\n\r\nHTTP/1.1 200 OK" in answer


async def test_a_client_that_expects_to_be_told_is_told_to_go_on(edge, application):
    reader, writer = await asyncio.open_connection("127.0.0.1", edge.port)
    writer.write(get("/", b"Content-Length: 3", b"Expect: 100-continue", b"Connection: close", method="PUT"))
    assert await reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
    writer.write(b"abc")
    assert (await reader.read()).startswith(b"HTTP/1.1 200 ")
    assert application.bodies == [b"abc"]
    writer.close()


async def test_an_upgrade_is_not_taken_up(edge, application):
    upgrade = get("/", b"Connection: Upgrade, HTTP2-Settings", b"Upgrade: h2c", b"HTTP2-Settings: AAMAAABk")
    assert (await edge.exchange(upgrade + LAST)).count(b"HTTP/1.1 200 ") == 2


async def test_the_url_of_a_proxy_is_read(edge, application):
    await edge.exchange(get("http://example.org/a%2Fb?c=d", b"Connection: close"))
    [asked] = application.asked
    assert (asked.raw_path, asked.raw_query) == ("/a%2Fb", "c=d")


async def test_head_has_a_length_and_no_body(edge):
    answer = await edge.exchange(get("/", b"Connection: close", method="HEAD"))
    assert b"content-length: 2\r\n" in answer and answer.endswith(b"\r\n\r\n")


async def test_a_refused_body_is_read_past(edge, application):
    refused = get("/refuse", b"Content-Length: 200000", method="PUT") + b"x" * 200_000
    assert (await edge.exchange(refused + LAST)).endswith(b"/last!")


@pytest.mark.parametrize("path", ["/half", "/broken", "/injecting"])
async def test_an_answer_that_breaks_off_ends_the_connection(edge, application, path):
    reader, writer = await asyncio.open_connection("127.0.0.1", edge.port)
    writer.write(get(path) + get("/more"))
    with pytest.raises((asyncio.IncompleteReadError, ConnectionError)):
        await asyncio.wait_for(reader.readuntil(b"more!"), 60)
    assert [asked.path for asked in application.asked] == [path]
    writer.close()


async def test_a_client_that_leaves_ends_its_request_and_those_behind_it(edge, application):
    _, writer = await asyncio.open_connection("127.0.0.1", edge.port)
    writer.write(get("/", b"Content-Length: 3", method="PUT") + b"ab")
    await asyncio.wait_for(application.begun["/"].wait(), 60)
    writer.close()
    await asyncio.wait_for(application.gone.wait(), 60)


async def test_a_client_that_is_still_sending_hears_its_answer_and_is_not_waited_for_for_ever(tmp_path, started):
    async def refuse(_, line):
        await line.reply(HttpResponse(413, {"content-length": "3", "connection": "close"}), b"big")

    edge = await started(tmp_path, refuse).start()
    reader, writer = await asyncio.open_connection("127.0.0.1", edge.port)
    writer.write(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9000000\r\n\r\n" + bytes(8_000_000))
    assert (await asyncio.wait_for(reader.read(), 60)).endswith(b"big")
    await asyncio.wait_for(edge.stop(), 60)  # the client goes nowhere
    writer.close()


async def test_what_is_under_way_is_answered_when_the_edge_ends(tmp_path, started, application):
    edge = await started(tmp_path, application).start()
    idle, idle_writer = await asyncio.open_connection("127.0.0.1", edge.port)
    idle_writer.write(get("/"))
    assert await idle.readuntil(b"!")
    reader, writer = await asyncio.open_connection("127.0.0.1", edge.port)
    writer.write(get("/slow"))
    await asyncio.wait_for(application.begun["/slow"].wait(), 60)
    ending = asyncio.create_task(edge.stop())
    assert await asyncio.wait_for(idle.read(), 60) == b""
    application.go_on.set()
    answer = await asyncio.wait_for(reader.read(), 60)
    assert b"connection: close\r\n" in answer and answer.endswith(b"/slow!")
    await ending
    for each in (idle_writer, writer):
        each.close()


def test_who_resets_its_connection_before_it_is_seen_is_not_taken_for_a_container(tmp_path, started, application):
    """Its request is here, its address is gone: it would be carried out as one from this machine."""

    async def reset() -> None:
        edge = await started(tmp_path, application).start()
        with socket.create_connection(("127.0.0.1", edge.port)) as client:
            client.sendall(get("/reset"))
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        assert (await edge.exchange(LAST)).endswith(b"/last!")
        assert (await edge.exchange(LAST, unix=True)).endswith(b"/last!")
        await edge.stop()

    uvloop.run(reset())
    assert [(asked.path, asked.source_ip, asked.inside) for asked in application.asked] == [
        ("/last", "127.0.0.1", False),
        ("/last", "127.0.0.1", True),
    ]


async def test_names_and_values_of_headers_stay_in_their_lines():
    assert b"\r\nx: ab\r\n" in head(200, Date(), {"x": "a\r\nb"}, (), close=False)
    assert b"\r\nset-cookie: a=b;c\r\n" in head(200, Date(), {}, ("a=b\r\n;c",), close=False)
    for name in ("a b", "a:", "a\n", "", "ü"):
        with pytest.raises(BadHeader):
            head(200, Date(), {name: "v"}, (), close=False)
