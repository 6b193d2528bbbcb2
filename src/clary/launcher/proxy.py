"""The way out of a container's network: an HTTP proxy (CONNECT and absolute URLs, RFC 9110 and 9112).

It leads to other machines only. Loopback, link-local (where clouds keep machine credentials) and the host's own
addresses are refused: what listens there trusts whoever can reach it, and the container's one way to Clary is its API.
Where the host itself reaches the internet through a proxy, that proxy is asked in turn.
"""

from __future__ import annotations

import ipaddress
import socket
from typing import List, Mapping, Tuple
from urllib.parse import urlsplit

from clary.launcher.relay import Serve, carry

_MAX_HEAD = 65_536
_HEAD_SECONDS = 20.0
_CONNECT_SECONDS = 30.0

_CREDENTIALS = frozenset({"fd00:ec2::254", "100.100.100.200", "168.63.129.16", "192.0.0.192"})
"""Where AWS, Alibaba Cloud, Azure and Oracle tell a machine its secrets, beside link-local addresses."""

Address = Tuple[str, int]


class Refused(Exception):
    """What the client is told: status line and reason."""

    def __init__(self, status: str, reason: str) -> None:
        super().__init__(reason)
        self.status = status


def proxy(environment: Mapping[str, str]) -> Serve:
    """Serve a connection as a proxy; `environment` is the host's, for its own proxies."""
    upstreams = {scheme: _upstream(environment, scheme) for scheme in ("http", "https")}

    def serve(client: socket.socket) -> None:
        try:
            client.settimeout(_HEAD_SECONDS)
            server = _reach(client, upstreams)
        except Refused as refused:
            client.sendall(_answer(refused.status, str(refused)))
        except (OSError, ValueError) as error:
            client.sendall(_answer("502 Bad Gateway", str(error)))
        else:
            with server:
                carry(client, server)

    return serve


def _upstream(environment: Mapping[str, str], scheme: str) -> Address | None:
    name = scheme + "_proxy"
    url = urlsplit(environment.get(name) or environment.get(name.upper()) or "")
    return (url.hostname, url.port or 80) if url.hostname else None


def _read_head(client: socket.socket) -> Tuple[bytes, bytes]:
    data = b""
    while b"\r\n\r\n" not in data:
        piece = client.recv(8192)
        if not piece or len(data) > _MAX_HEAD:
            raise Refused("400 Bad Request", "no complete request head")
        data += piece
    head, _, rest = data.partition(b"\r\n\r\n")
    return head, rest


def _reach(client: socket.socket, upstreams: Mapping[str, Address | None]) -> socket.socket:
    """A connection to whom the client asks for, the client's request on its way."""
    head, rest = _read_head(client)
    method, target, _ = _request_line(head)
    tunnel = method == "CONNECT"
    host, port = target_of(method, target)
    upstream = upstreams["https" if tunnel else "http"]
    server = _connect(host, port, upstream)
    if tunnel and not upstream:
        client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
        server.sendall(rest)
    else:
        forward = head if tunnel else last_form(head) if upstream else origin_form(head)
        server.sendall(forward + b"\r\n\r\n" + rest)
    return server


def _request_line(head: bytes) -> Tuple[str, str, str]:
    parts = head.split(b"\r\n", 1)[0].decode("latin-1").split(" ")
    if len(parts) != 3:
        raise Refused("400 Bad Request", "no request line")
    return parts[0], parts[1], parts[2]


def target_of(method: str, target: str) -> Address:
    """Host and port that a request asks for. Raises Refused where it names none."""
    url = urlsplit("//" + target if method == "CONNECT" else target)
    try:
        port = url.port
    except ValueError:
        port = -1
    if not url.hostname or port == -1 or (method != "CONNECT" and url.scheme != "http"):
        raise Refused("400 Bad Request", "this is a proxy: ask with CONNECT or an absolute http URL")
    return url.hostname, port or (443 if method == "CONNECT" else 80)


def origin_form(head: bytes) -> bytes:
    """The request as its server wants it: path only, the proxy's own headers gone."""
    first, *headers = last_form(head).split(b"\r\n")
    method, target, version = first.split(b" ")
    url = urlsplit(target.decode("latin-1"))
    path = (url.path or "/") + ("?" + url.query if url.query else "")
    kept = [line for line in headers if not line.lower().startswith(b"proxy-")]
    return b"\r\n".join([b" ".join([method, path.encode("latin-1"), version]), *kept])


def last_form(head: bytes) -> bytes:
    """The request as the only one of its connection: whom another asks for would not be looked at."""
    own = (b"connection:", b"proxy-connection:", b"keep-alive:")
    kept = [line for line in head.split(b"\r\n") if not line.lower().startswith(own)]
    return b"\r\n".join([*kept, b"Connection: close"])


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
