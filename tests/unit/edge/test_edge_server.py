"""The edge's event loop with a small application, on real sockets."""

import asyncio
import socket
import ssl

import pytest

from clary.app.edge import secured
from clary.edge import server
from clary.edge.connection import LONGEST_HEAD
from clary.edge.server import EdgeServer
from clary.settings import Limits, Settings
from clary.supervisor.sockets import bind_tcp

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


async def test_left_alone_it_lets_go_of_the_port_and_ends(tmp_path, started):
    edge = await started(tmp_path).start()
    await edge.stop()
    with bind_tcp("127.0.0.1", edge.port, patience=1) as bound:
        assert bound.getsockname()[1] == edge.port


async def test_what_runs_beside_is_begun_again_after_a_fault_and_the_fault_is_told(edge, monkeypatch, caplog):
    monkeypatch.setattr(server, "AGAIN_SECONDS", 0.001)
    begun, twice = [], asyncio.Event()

    async def work():
        begun.append(work)
        if len(begun) < 2:
            raise OSError("too many open files")
        twice.set()
        await asyncio.Event().wait()

    beside = EdgeServer(edge.server.hall.application, Limits(), edge.alone.dup().detach(), [work])
    running = asyncio.create_task(beside.serve([]))
    await asyncio.wait_for(twice.wait(), 60)
    assert "too many open files" in caplog.text
    edge.ours.close()
    await asyncio.wait_for(running, 60)


async def test_more_connections_than_there_may_be_are_told_to_come_again(tmp_path, started):
    edge = await started(tmp_path, connections=1).start()
    reader, writer = await asyncio.open_connection("127.0.0.1", edge.port)
    writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    assert await reader.readuntil(b"ok")
    refused = await edge.exchange(WHOLE)
    assert refused.startswith(b"HTTP/1.1 503 ")
    assert b"retry-after: 1\r\n" in refused
    writer.write(WHOLE)
    assert (await reader.read()).endswith(b"okabc"), "who was there before is answered"
    writer.close()
    await edge.stop()


def test_without_a_readable_certificate_handshakes_fail_at_once(tmp_path):
    """A listener that nobody accepts on leaves clients hanging."""
    with socket.socket() as listening:
        _, context = secured(Settings(data_dir=tmp_path), listening)
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = ssl.create_default_context().wrap_bio(to_client, to_server, server_hostname="ecr")
    with pytest.raises(ssl.SSLWantReadError):
        client.do_handshake()
    with pytest.raises(ssl.SSLError, match="NO_SHARED_CIPHER"):
        context.wrap_bio(to_server, to_client, server_side=True).do_handshake()
    with pytest.raises(ssl.SSLError, match="HANDSHAKE_FAILURE"):
        client.do_handshake()
