"""The way out of a container's network: an HTTP proxy (CONNECT and absolute URLs, RFC 9110 and 9112).

It leads to other machines only. Loopback, link-local (where clouds keep machine credentials) and the host's own
addresses are refused: what listens there trusts whoever can reach it, and the container's one way to Clary is its API.
Where the host itself reaches the internet through a proxy, that proxy is asked in turn. AWS's hosts are no other
machines: they are answered here (`aws_front`).
"""

from __future__ import annotations

import contextlib
import ipaddress
import os
import socket
from typing import List, Mapping, NamedTuple, Optional
from urllib.parse import urlsplit

from clary.compute.launch import Launch
from clary.launcher.aws_front import AwsFront, Reach
from clary.launcher.heads import Address, Refused, last_form, origin_form, read_head, request_line, target_of
from clary.launcher.relay import Serve, carry

_HEAD_SECONDS = 20.0
_CONNECT_SECONDS = 30.0

_CONNECTED = b"HTTP/1.1 200 Connection established\r\n\r\n"

_CREDENTIALS = frozenset({"fd00:ec2::254", "100.100.100.200", "168.63.129.16", "192.0.0.192"})
"""Where AWS, Alibaba Cloud, Azure and Oracle tell a machine its secrets, beside link-local addresses."""


class Asked(NamedTuple):
    """What has come first: a request's head, what followed it, and whom it is for."""

    head: bytes
    rest: bytes
    tunnel: bool
    host: str
    port: int


def proxy(environment: Mapping[str, str], aws: Optional[AwsFront]) -> Serve:
    """Serve a connection as a proxy; `environment` is the host's, for its own proxies. Without `aws` its hosts are
    others like any."""
    upstreams = {scheme: _upstream(environment, scheme) for scheme in ("http", "https")}

    def serve(client: socket.socket) -> None:
        try:
            client.settimeout(_HEAD_SECONDS)
            asked = _read(client)
            ours = aws if aws and _is_for(aws, asked) else None
            server = None if ours else _reach(client, asked, upstreams)
        except Refused as refused:
            client.sendall(_answer(refused.status, str(refused)))
        except (OSError, ValueError) as error:
            client.sendall(_answer("502 Bad Gateway", str(error)))
        else:
            if server:
                with server:
                    carry(client, server)
            elif ours:
                _hand_over(client, asked, ours, lambda: _tunnel(asked, upstreams["https"]))

    return serve


def of(launch: Launch, api_socket: str) -> Serve:
    """The proxy of one container."""
    folder = launch.get("aws_names")  # a container of an earlier Clary has none
    return proxy(os.environ, AwsFront(folder, api_socket) if folder else None)


def _is_for(aws: AwsFront, asked: Asked) -> bool:
    """Within a tunnel nobody sees yet what is asked for."""
    found = aws.answers(asked.host, asked.port, asked.tunnel)
    return found and (asked.tunnel or not aws.is_elsewhere(asked.host, origin_form(asked.head)))


def _hand_over(client: socket.socket, asked: Asked, aws: AwsFront, reach: Reach) -> None:
    if not asked.tunnel:
        aws.serve_plain(client, origin_form(asked.head) + b"\r\n\r\n" + asked.rest)
    elif asked.rest:
        client.sendall(_answer("400 Bad Request", "wait for the answer to CONNECT"))
    else:
        client.sendall(_CONNECTED)
        with contextlib.suppress(Refused):  # within TLS there is nobody who could be told
            aws.serve_tunnel(client, asked.host, reach)


def _tunnel(asked: Asked, upstream: Optional[Address]) -> socket.socket:
    """A connection to the host itself, on which nothing has been said to it. Raises OSError, Refused."""
    server = _connect(asked.host, asked.port, upstream)
    if upstream:
        try:
            _pass_through(server, asked)
        except BaseException:
            server.close()
            raise
    return server


def _pass_through(upstream: socket.socket, asked: Asked) -> None:
    place = "{}:{}".format(asked.host, asked.port)
    upstream.sendall("CONNECT {0} HTTP/1.1\r\nHost: {0}\r\n\r\n".format(place).encode())
    answer, _ = read_head(upstream)
    if answer.split(b" ")[1:2] != [b"200"]:
        raise ConnectionRefusedError("the host's proxy does not lead to {}".format(asked.host))


def _upstream(environment: Mapping[str, str], scheme: str) -> Address | None:
    name = scheme + "_proxy"
    url = urlsplit(environment.get(name) or environment.get(name.upper()) or "")
    return (url.hostname, url.port or 80) if url.hostname else None


def _read(client: socket.socket) -> Asked:
    head, rest = read_head(client)
    method, target, _ = request_line(head)
    return Asked(head, rest, method == "CONNECT", *target_of(method, target))


def _reach(client: socket.socket, asked: Asked, upstreams: Mapping[str, Address | None]) -> socket.socket:
    """A connection to whom the client asks for, the client's request on its way."""
    upstream = upstreams["https" if asked.tunnel else "http"]
    server = _connect(asked.host, asked.port, upstream)
    if asked.tunnel and not upstream:
        client.sendall(_CONNECTED)
        server.sendall(asked.rest)
    else:
        forward = asked.head if asked.tunnel else last_form(asked.head) if upstream else origin_form(asked.head)
        server.sendall(forward + b"\r\n\r\n" + asked.rest)
    return server


def _connect(host: str, port: int, upstream: Address | None) -> socket.socket:
    if upstream:
        literal = _literal(host.rstrip("."))
        if literal:
            check(literal)
        return socket.create_connection(upstream, _CONNECT_SECONDS)
    last: Exception = Refused("502 Bad Gateway", "{} has no address".format(host))
    for address in _resolve(host, port):
        check(address)
        try:
            return socket.create_connection((address, port), _CONNECT_SECONDS)
        except OSError as error:
            last = error
    raise last


def _resolve(host: str, port: int) -> List[str]:
    return [str(found[4][0]) for found in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]


def _literal(host: str) -> str:
    """The address that a name is by itself: `127.1` and `0x7f000001` too, to whoever looks them up; else nothing."""
    try:
        return socket.inet_ntoa(socket.inet_aton(host))
    except (OSError, ValueError):
        return host if ":" in host or host.lower().endswith("localhost") else ""


def check(address: str) -> None:
    """Raises Refused for an address that only the host itself may talk to."""
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        raise Refused("403 Forbidden", "{} is the host itself".format(address)) from None
    found = getattr(found, "ipv4_mapped", None) or found
    closed = found.is_loopback or found.is_link_local or found.is_unspecified or found.is_multicast
    if closed or str(found) in _CREDENTIALS or is_own(str(found)):
        raise Refused("403 Forbidden", "{} belongs to the host; containers do not reach it".format(address))


def is_own(address: str) -> bool:
    """Whether an interface of this host has the address: only then can a socket be bound to it."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as probe:
        try:
            probe.bind((address, 0))
        except OSError:
            return False
    return True


def _answer(status: str, reason: str) -> bytes:
    body = reason.encode() + b"\n"
    head = "HTTP/1.1 {}\r\nContent-Type: text/plain\r\nContent-Length: {}\r\nConnection: close\r\n\r\n"
    return head.format(status, len(body)).encode() + body
