"""Heads of HTTP/1.1 requests to a proxy (RFC 9112): read, taken apart, and said as another server wants them."""

from __future__ import annotations

import socket
from typing import Tuple
from urllib.parse import urlsplit

_MAX_HEAD = 65_536
_PIECE = 65_536
"""More than a record of TLS holds: what has been decrypted is taken whole."""

Address = Tuple[str, int]


class Refused(Exception):
    """What the client is told: status line and reason."""

    def __init__(self, status: str, reason: str) -> None:
        super().__init__(reason)
        self.status = status


def read_head(client: socket.socket) -> Tuple[bytes, bytes]:
    """The head, and what has come after it. Raises Refused where it is too long or not whole, and OSError."""
    data = b""
    while b"\r\n\r\n" not in data:
        piece = client.recv(_PIECE)
        if not piece or len(data) > _MAX_HEAD:
            raise Refused("400 Bad Request", "no complete request head")
        data += piece
    head, _, rest = data.partition(b"\r\n\r\n")
    return head, rest


def request_line(head: bytes) -> Tuple[str, str, str]:
    """Method, target and version. Raises Refused."""
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
