"""The proxy's reading of requests, and whom it refuses."""

from __future__ import annotations

import socket
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clary.launcher import heads, proxy


@pytest.mark.parametrize(
    ("method", "target", "expected"),
    [
        ("CONNECT", "example.org:443", ("example.org", 443)),
        ("CONNECT", "example.org", ("example.org", 443)),
        ("CONNECT", "[2001:db8::1]:8443", ("2001:db8::1", 8443)),
        ("GET", "http://example.com/simple/?q=1", ("example.com", 80)),
        ("GET", "http://example.com:8080/", ("example.com", 8080)),
    ],
)
def test_whom_a_request_asks_for(method, target, expected):
    assert heads.target_of(method, target) == expected


@pytest.mark.parametrize("target", ["/simple", "ftp://x/y", "https://x/", "http://:80/", "http://x:port/", ""])
def test_what_is_no_request_to_a_proxy(target):
    with pytest.raises(heads.Refused):
        heads.target_of("GET", target)


def test_a_server_is_asked_in_its_own_form():
    head = b"GET http://example.com/a?b=c HTTP/1.1\r\nHost: example.com\r\nProxy-Authorization: x\r\nConnection: close"
    assert heads.origin_form(head) == b"GET /a?b=c HTTP/1.1\r\nHost: example.com\r\nConnection: close"


@pytest.mark.parametrize(
    "address",
    ["127.0.0.1", "127.8.9.1", "::1", "169.254.169.254", "fd00:ec2::254", "fe80::1%eth0", "0.0.0.0", "::", "224.0.0.1"],
)
def test_the_hosts_addresses_are_refused(address):
    with pytest.raises(heads.Refused):
        proxy.check(address)


@pytest.mark.parametrize("address", ["192.0.2.7", "10.1.2.3", "2001:db8::7"])
def test_other_machines_are_not(address):
    proxy.check(address)


@given(st.binary(max_size=300))
def test_no_bytes_bring_it_down(junk):
    client, server = socket.socketpair()
    with client, server:
        client.sendall(junk)
        client.shutdown(socket.SHUT_WR)
        proxy.proxy({"http_proxy": "http://127.0.0.1:1", "https_proxy": "http://127.0.0.1:1"}, None)(server)
        assert client.recv(12) in (b"HTTP/1.1 400", b"HTTP/1.1 403", b"HTTP/1.1 502")


def test_the_hosts_own_proxy_is_asked_in_turn():
    with socket.create_server(("127.0.0.1", 0)) as upstream:
        url = f"http://127.0.0.1:{upstream.getsockname()[1]}"
        client, server = socket.socketpair()
        threading.Thread(target=proxy.proxy({"HTTPS_PROXY": url}, None), args=(server,), daemon=True).start()
        client.sendall(b"CONNECT example.org:443 HTTP/1.1\r\nHost: example.org\r\n\r\n")
        asked, _ = upstream.accept()
        with asked:
            assert asked.recv(1000).startswith(b"CONNECT example.org:443 HTTP/1.1\r\n")
            asked.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
            assert client.recv(1000) == b"HTTP/1.1 200 OK\r\n\r\n"
        client.close()


@pytest.mark.parametrize("host", ["127.1", "0x7f000001", "2130706433", "127.0.0.1.", "[::1]", "a.localhost", "127.0.1"])
def test_nor_is_it_asked_for_this_host_by_another_name(host):
    client, server = socket.socketpair()
    with client, server:
        client.sendall(f"CONNECT {host}:80 HTTP/1.1\r\n\r\n".encode())
        proxy.proxy({"https_proxy": "http://127.0.0.1:1"}, None)(server)
        assert client.recv(12) == b"HTTP/1.1 403"


def test_nor_for_more_than_was_looked_at():
    head = b"GET http://example.com/a HTTP/1.1\r\nHost: example.com\r\nProxy-Connection: keep-alive\r\nX: y"
    assert heads.last_form(head) == (
        b"GET http://example.com/a HTTP/1.1\r\nHost: example.com\r\nX: y\r\nConnection: close"
    )
