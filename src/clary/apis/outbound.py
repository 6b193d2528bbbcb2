"""Requests of HTTP integrations: to other machines, never to this one, unless its owner has named the place
(docs/decisions/0026). The name is looked up here, and what was looked up is what is connected to: a name that answers
differently the second time gains nothing. Redirections are handed back, not followed."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import ssl
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from clary.serving.client import Broken, Connection, NotSent, Response

_PORTS = {"http": 80, "https": 443}

_CREDENTIALS = frozenset({"fd00:ec2::254", "100.100.100.200", "168.63.129.16", "192.0.0.192"})
"""Where AWS, Alibaba Cloud, Azure and Oracle tell a machine its secrets, beside link-local addresses."""

_FRAMING = frozenset(
    {
        "connection",
        "content-length",
        "expect",
        "host",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)


class Forbidden(Exception):
    """The address is this machine's own, and nobody has opened it."""


class Unreachable(Exception):
    """Nothing answers there, or not in HTTP."""


@dataclass(frozen=True)
class Sent:
    """One request."""

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


class Outbound:
    """Sends requests; `opened` are places of this machine (`127.0.0.1:8000`) that may be asked, `own_port` never is."""

    def __init__(self, opened: Collection[str], own_port: int) -> None:
        self._opened = frozenset(opened)
        self._own_port = own_port
        self._tls: ssl.SSLContext | None = None

    async def send(self, request: Sent) -> Response:
        """Raises Forbidden, Unreachable, ValueError for a header that would break out of its line."""
        url = urlsplit(request.url)
        host, port = url.hostname or "", url.port or _PORTS[url.scheme]
        head = _head(request, url.netloc.rpartition("@")[2], (url.path or "/") + (f"?{url.query}" if url.query else ""))
        address = await self._address(host, port)
        tls = self._tls_context() if url.scheme == "https" else None
        try:
            connection = await _connected(address, port, tls, host)
        except OSError as error:
            raise Unreachable(f"{host}:{port}: {error}") from error
        try:
            return await connection.ask(head, request.body)
        except (Broken, NotSent) as error:
            raise Unreachable(f"{host}:{port}: {error}") from error
        finally:
            connection.close()

    async def _address(self, host: str, port: int) -> str:
        loop = asyncio.get_running_loop()
        try:
            found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            raise Unreachable(f"{host}: {error}") from error
        addresses = [str(each[4][0]) for each in found]
        for address in addresses:
            self._check(host, address, port)
        return addresses[0]

    def _check(self, host: str, address: str, port: int) -> None:
        if not belongs_here(address):
            return
        named = {f"{host}:{port}", f"{address}:{port}"} & self._opened
        if not named or port == self._own_port:
            raise Forbidden(f"{host}:{port} is this machine itself")

    def _tls_context(self) -> ssl.SSLContext:
        self._tls = self._tls or ssl.create_default_context()
        return self._tls


def belongs_here(address: str) -> bool:
    """Whether an address leads to this machine, or to what a cloud tells this machine alone."""
    found = ipaddress.ip_address(address.partition("%")[0])
    found = getattr(found, "ipv4_mapped", None) or found
    closed = found.is_loopback or found.is_link_local or found.is_unspecified or found.is_multicast
    return closed or str(found) in _CREDENTIALS or _is_own(str(found))


def _is_own(address: str) -> bool:
    """Whether an interface of this host has the address: only then can a socket be bound to it."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as probe:
        try:
            probe.bind((address, 0))
        except OSError:
            return False
    return True


async def _connected(address: str, port: int, tls: ssl.SSLContext | None, host: str) -> Connection:
    loop = asyncio.get_running_loop()
    _, connection = await loop.create_connection(
        lambda: Connection(lambda _: None), address, port, ssl=tls, server_hostname=host if tls else None
    )
    return connection


def _head(request: Sent, host: str, target: str) -> bytes:
    lines = [f"{request.method} {target} HTTP/1.1", f"Host: {host}", "Connection: close"]
    lines += [f"{name}: {value}" for name, value in request.headers.items() if name.lower() not in _FRAMING]
    if request.body or request.method in ("POST", "PUT", "PATCH"):
        lines.append(f"Content-Length: {len(request.body)}")
    text = "\r\n".join(lines)
    if text.count("\r") != len(lines) - 1 or text.count("\n") != len(lines) - 1 or "\0" in text:
        raise ValueError("a header value holds a line break")
    return text.encode() + b"\r\n\r\n"
