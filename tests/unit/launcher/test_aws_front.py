"""A container's proxy, asked for one of AWS's hosts: TLS ends there, and the API hears what is inside."""

from __future__ import annotations

import concurrent.futures
import contextlib
import os
import select
import socket
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Self

import pytest

from clary.compute import authority
from clary.compute.launch import CERTIFICATE, KEY
from clary.launcher import open_reads, proxy
from clary.launcher.aws_front import AwsFront, Terminated

HOST = "bucket.s3.us-east-1.amazonaws.com"
SECONDS = 60.0
_HEAD = b"PUT /key HTTP/1.1\r\n\r\n"


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return authority.Authority(tmp_path_factory.mktemp("data") / "authority").current()


@pytest.fixture
def api(tmp_path: Path) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "api.sock"))
        listener.listen()
        listener.settimeout(SECONDS)
        yield listener


@pytest.fixture
def client(api: socket.socket, place: Path) -> Iterator[socket.socket]:
    with _client(api, place, "http://127.0.0.1:1") as made:
        yield made


@contextlib.contextmanager
def _client(api: socket.socket, place: Path, upstream: str) -> Iterator[socket.socket]:
    front = AwsFront(str(place), str(api.getsockname()))
    ours, theirs = socket.socketpair()
    ours.settimeout(SECONDS)

    def serve() -> None:
        with theirs:
            try:
                proxy.proxy({"https_proxy": upstream, "http_proxy": upstream}, front)(theirs)
            except OSError:
                return

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    with ours:
        yield ours
    thread.join(SECONDS)
    assert not thread.is_alive()


def _connect(client: socket.socket, target: str) -> bytes:
    client.sendall(f"CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n\r\n".encode())
    return client.recv(1000)


def _secured(client: socket.socket, place: Path) -> ssl.SSLSocket:
    context = ssl.create_default_context(cafile=str(authority.bundle(place)))
    return context.wrap_socket(client, server_hostname=HOST, suppress_ragged_eofs=False)


def test_what_is_said_in_tls_reaches_the_api_as_it_is(client: socket.socket, api: socket.socket, place: Path) -> None:
    assert _connect(client, f"{HOST}:443") == b"HTTP/1.1 200 Connection established\r\n\r\n"
    said = f"PUT /key HTTP/1.1\r\nHost: {HOST}\r\n\r\n".encode()
    with _secured(client, place) as secured:
        secured.sendall(said)
        server, _ = api.accept()
        with server:
            server.settimeout(SECONDS)
            assert server.recv(1000) == said
            server.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
            assert secured.recv(1000) == b"HTTP/1.1 200 OK\r\n\r\n"


def test_much_goes_both_ways_at_once_and_ends_in_order(client: socket.socket, api: socket.socket, place: Path) -> None:
    """A server that sends back what it gets while it still gets more; its last word is an end of TLS, not a cut."""
    _connect(client, f"{HOST}:443")
    sent = bytes(range(256)) * 40_000

    def echo() -> None:
        server, _ = api.accept()
        with server:
            server.settimeout(SECONDS)
            with server.makefile("rb", buffering=0) as head:
                assert head.read(len(_HEAD)) == _HEAD
            left = len(sent)
            while left:
                data = server.recv(100_000)
                left -= len(data)
                server.sendall(data)

    threading.Thread(target=echo, daemon=True).start()
    with _secured(client, place) as secured:
        secured.sendall(_HEAD)
        assert _exchanged(secured, sent) == sent


def _exchanged(secured: ssl.SSLSocket, data: bytes) -> bytes:
    """What comes until the other side ends, while `data` is sent. One thread: TLS connections are for one at a time."""
    secured.setblocking(False)
    got, left = bytearray(), memoryview(data)
    while True:
        readable, writable, _ = select.select([secured], [secured] if left else [], [], SECONDS)
        assert readable or writable
        try:
            if writable:
                left = left[secured.send(left[:50_000]) :]
            if readable:
                piece = secured.recv(65_536)
                if not piece:
                    return bytes(got)
                got += piece
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
            continue


def test_a_plain_request_is_the_apis_too(client: socket.socket, api: socket.socket) -> None:
    client.sendall(f"PUT http://{HOST}/key?x=1 HTTP/1.1\r\nHost: {HOST}\r\n\r\n".encode())
    server, _ = api.accept()
    with server:
        assert server.recv(1000) == f"PUT /key?x=1 HTTP/1.1\r\nHost: {HOST}\r\nConnection: close\r\n\r\n".encode()


@pytest.mark.parametrize("status", ["204 No Content", "404 Not Found"], ids=["it is here", "AWS is out of reach"])
def test_an_open_read_is_the_apis_where_its_bucket_is_here_or_aws_is_not(
    client: socket.socket, api: socket.socket, place: Path, status: str
) -> None:
    said = f"GET /key HTTP/1.1\r\nHost: {HOST}\r\n\r\n".encode()
    _connect(client, f"{HOST}:443")
    with _secured(client, place) as secured:
        secured.sendall(said)
        asking, _ = api.accept()
        with asking:
            assert asking.recv(1000).startswith(b"GET /_clary/buckets/bucket HTTP/1.1\r\n")
            asking.sendall(f"HTTP/1.1 {status}\r\nConnection: close\r\n\r\n".encode())
        server, _ = api.accept()
        with server:
            assert server.recv(1000) == said


def test_an_end_waits_until_a_slow_client_has_room_for_it(place: Path) -> None:
    """Else the connection would be cut, which is a fault to the client though it has all that was sent."""
    front = AwsFront(str(place), "")
    ours, theirs = socket.socketpair()
    with ours, theirs, concurrent.futures.ThreadPoolExecutor() as threads:
        ready = threads.submit(front._ready().wrap_socket, theirs, server_side=True)
        with _secured(ours, place) as client, ready.result(SECONDS) as inside:
            inside.sendall(b"!")
            assert client.recv(1) == b"!"  # and the tickets of sessions that TLS 1.3 sends before
            end, ours_below = Terminated(inside), socket.socket(fileno=os.dup(client.fileno()))
            end.setblocking(False)
            with ours_below:
                filled = _filled(inside.fileno())
                with pytest.raises(BlockingIOError):
                    end.shutdown(socket.SHUT_WR)
                while filled:
                    filled -= len(ours_below.recv(filled))
            end.shutdown(socket.SHUT_WR)
            client.settimeout(SECONDS)
            assert client.recv(1) == b""


def _filled(descriptor: int) -> int:
    """How many bytes a connection has taken below its TLS, whose other end reads none."""
    filled = 0
    with contextlib.suppress(BlockingIOError):
        while True:
            filled += os.write(descriptor, b"x")
    return filled


class Aws:
    """AWS's own host, as this machine reaches it: through a proxy, with a certificate that it trusts."""

    def __init__(self, place: Path) -> None:
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(place / CERTIFICATE, place / KEY)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self.asked: list[bytes] = []
        self._thread = threading.Thread(target=self._answer, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._thread.join(SECONDS)
        self._listener.close()

    def _answer(self) -> None:
        client, _ = self._listener.accept()
        client.settimeout(SECONDS)
        self.asked.append(client.recv(1000))
        client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
        with self._context.wrap_socket(client, server_side=True) as inside:
            self.asked.append(inside.recv(1000))
            inside.sendall(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + b"public" * 100_000)


def test_an_open_read_of_a_bucket_that_is_not_here_is_awss(api: socket.socket, place: Path) -> None:
    with Aws(place) as aws, _client(api, place, aws.url) as client:
        _connect(client, f"{HOST}:443")
        with _secured(client, place) as secured:
            secured.sendall(f"GET /key HTTP/1.1\r\nHost: {HOST}\r\nConnection: keep-alive\r\n\r\n".encode())
            asking, _ = api.accept()
            with asking:
                asking.recv(1000)
                asking.sendall(b"HTTP/1.1 404 Not Found\r\n\r\n")
            got = b"".join(iter(lambda: secured.recv(65_536), b""))
        assert got.endswith(b"\r\n\r\n" + b"public" * 100_000)
    assert aws.asked[0].startswith(f"CONNECT {HOST}:443 HTTP/1.1\r\n".encode())
    assert aws.asked[1] == f"GET /key HTTP/1.1\r\nHost: {HOST}\r\nConnection: close\r\n\r\n".encode()


SIGNED = b"Authorization: AWS4-HMAC-SHA256 Credential=x"
OPEN = [
    (HOST, b"GET /key HTTP/1.1", "bucket"),
    ("a.bucket.s3-eu-west-1.amazonaws.com", b"GET /key HTTP/1.1", "a.bucket"),
    ("s3.amazonaws.com", b"GET /set/data.npz?versionId=1 HTTP/1.1", "set"),
    ("s3-eu-west-1.amazonaws.com", b"HEAD /set/data.npz HTTP/1.1", "set"),
    ("awscli.amazonaws.com", b"GET /awscli_exe.zip HTTP/1.1", "awscli_exe.zip"),
]
CLOSED = [
    (HOST, b"PUT /key HTTP/1.1"),
    (HOST, b"GET /key HTTP/1.1\r\n" + SIGNED),
    (HOST, b"GET /key HTTP/1.1\r\n" + SIGNED.lower()),
    (HOST, b"GET /key?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Signature=1 HTTP/1.1"),
    (HOST, b"GET /key?AWSAccessKeyId=A&Signature=1&Expires=2 HTTP/1.1"),
    ("sts.amazonaws.com", b"GET /?Action=GetCallerIdentity HTTP/1.1"),
    ("abc.lambda-url.us-east-1.on.aws", b"GET / HTTP/1.1"),
    ("abc.execute-api.us-east-1.amazonaws.com", b"GET /prod HTTP/1.1"),
    ("000000000000.dkr.ecr.us-east-1.amazonaws.com", b"GET /v2/ HTTP/1.1"),
    (HOST, b"garbage"),
    ("s3.amazonaws.com", b"GET / HTTP/1.1"),
]


@pytest.mark.parametrize(("host", "head", "bucket"), OPEN, ids=[str(number) for number in range(len(OPEN))])
def test_what_anybody_may_read(host: str, head: bytes, bucket: str) -> None:
    assert open_reads.bucket_of(host, head + b"\r\nHost: x") == bucket


@pytest.mark.parametrize(("host", "head"), CLOSED, ids=[str(number) for number in range(len(CLOSED))])
def test_what_is_clarys_without_asking(host: str, head: bytes) -> None:
    assert open_reads.bucket_of(host, head) is None


@pytest.mark.parametrize("name", ["awscli_exe.zip", "x y", "x/../status", "a\r\nHost: b", "UPPER", "ab"])
def test_no_name_of_a_bucket_is_asked_for(name: str) -> None:
    """Whatever a request holds, the question of Clary is one line about a bucket; two letters are none."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        assert open_reads.is_missing(ours, name)
        theirs.setblocking(False)
        with pytest.raises(BlockingIOError):
            theirs.recv(1)
